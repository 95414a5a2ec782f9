{{/* Names. The release `triton` makes `triton` and `triton-watch`, the release `prod` `prod-triton` and `prod-triton-watch`. */}}
{{- define "triton-watch.fullname" -}}
{{- $name := .Values.nameOverride | default "triton-watch" -}}
{{- $release := .Release.Name | replace "." "-" | trunc 38 | trimSuffix "-" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride -}}
{{- else if contains $name $release -}}
{{- $release -}}
{{- else if and (not .Values.nameOverride) (hasSuffix "triton" $release) -}}
{{- printf "%s-watch" $release -}}
{{- else -}}
{{- printf "%s-%s" $release $name | trunc 51 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- define "triton-watch.triton" -}}
{{- $full := include "triton-watch.fullname" . -}}
{{- if hasSuffix "-watch" $full -}}
{{- trimSuffix "-watch" $full -}}
{{- else -}}
{{- printf "%s-triton" $full -}}
{{- end -}}
{{- end -}}

{{/* What pods are chosen by: it can never change. Call with (list . "triton") or (list . "triton-watch"). */}}
{{- define "triton-watch.selector" -}}
{{- $root := index . 0 -}}
app.kubernetes.io/name: {{ index . 1 }}
app.kubernetes.io/component: {{ eq (index . 1) "triton" | ternary "inference-server" "watcher" }}
app.kubernetes.io/instance: {{ $root.Release.Name | quote }}
{{- end -}}

{{/* The labels of the pods that the agent runs in. */}}
{{- define "triton-watch.agentSelector" -}}
{{- include "triton-watch.selector" (list . (eq .Values.mode "sidecar" | ternary "triton" "triton-watch")) -}}
{{- end -}}

{{/* Labels of pods: none that changes with the chart's version, or an upgrade of the chart would load all models again. */}}
{{- define "triton-watch.podLabels" -}}
{{ include "triton-watch.selector" . }}
app.kubernetes.io/part-of: triton-watch
{{- with (index . 0).Values.commonLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "triton-watch.labels" -}}
{{- $root := index . 0 -}}
{{ include "triton-watch.podLabels" . }}
app.kubernetes.io/version: {{ $root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ $root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" $root.Chart.Name $root.Chart.Version | replace "+" "_" }}
{{- end -}}

{{/* repository:tag or repository@digest. Call with (list IMAGE DEFAULT-TAG). */}}
{{- define "triton-watch.image" -}}
{{- $image := index . 0 -}}
{{- if $image.digest -}}
{{- printf "%s@%s" $image.repository $image.digest -}}
{{- else -}}
{{- printf "%s:%s" $image.repository ($image.tag | default (index . 1)) -}}
{{- end -}}
{{- end -}}

{{- define "triton-watch.serviceAccountName" -}}
{{- if .Values.serviceAccount.name -}}
{{- .Values.serviceAccount.name | quote -}}
{{- else if not .Values.serviceAccount.create -}}
default
{{- else -}}
{{- include (eq .Values.mode "sidecar" | ternary "triton-watch.triton" "triton-watch.fullname") . -}}
{{- end -}}
{{- end -}}

{{- define "triton-watch.scheme" -}}
{{- .Values.watch.web.tls | ternary "https" "http" -}}
{{- end -}}

{{/* The name of the claim with the models. */}}
{{- define "triton-watch.modelsClaim" -}}
{{- .Values.triton.models.existingClaim | default (printf "%s-models" (include "triton-watch.triton" .)) -}}
{{- end -}}

{{/* "true" where the chart makes the claim. */}}
{{- define "triton-watch.makesClaim" -}}
{{- $models := .Values.triton.models -}}
{{- if and (eq .Values.mode "sidecar") (not (or $models.url $models.existingClaim $models.volume)) -}}true{{- end -}}
{{- end -}}

{{/* Values that the schema cannot compare with one another. */}}
{{- define "triton-watch.validate" -}}
{{- $given := dict "commonLabels" .Values.commonLabels "triton.podLabels" .Values.triton.podLabels "fleet.podLabels" .Values.fleet.podLabels -}}
{{- $given = merge $given (dict "podMonitor.labels" .Values.podMonitor.labels "prometheusRule.labels" .Values.prometheusRule.labels "dashboards.labels" .Values.dashboards.labels) -}}
{{- range $where, $labels := $given -}}
{{- range $label, $_ := $labels -}}
{{- if or (hasPrefix "app.kubernetes.io/" $label) (eq $label "helm.sh/chart") -}}
{{- fail (printf "%s: the label %s is set by the chart: leave it out" $where $label) -}}
{{- end -}}
{{- if and (ne $where "commonLabels") (hasKey ($.Values.commonLabels | default dict) $label) -}}
{{- fail (printf "%s: the label %s is in commonLabels, too: keep one of them" $where $label) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if not (regexMatch "^[a-z]" (include "triton-watch.fullname" .)) -}}
{{- fail (printf "the release %s: names of Services begin with a letter: set fullnameOverride" .Release.Name) -}}
{{- end -}}
{{- $models := .Values.triton.models -}}
{{- if eq .Values.mode "fleet" -}}
{{- $fleet := .Values.fleet -}}
{{- if not (or $fleet.targets $fleet.dns $fleet.targetsFiles $fleet.targetsConfigMap .Values.watch.config.targets .Values.watch.config.discovery) -}}
{{- fail "mode: fleet has nothing to watch: set fleet.targets, fleet.dns, fleet.targetsFiles or fleet.targetsConfigMap" -}}
{{- end -}}
{{- if and $fleet.targetsFiles $fleet.targetsConfigMap -}}
{{- fail "fleet.targetsFiles and fleet.targetsConfigMap are both set: keep one of them" -}}
{{- end -}}
{{- if and $fleet.podsService.enabled (not $fleet.podsService.selector) -}}
{{- fail "fleet.podsService.selector is empty: give the labels of your Triton pods" -}}
{{- end -}}
{{- if .Values.servingReadiness.enabled -}}
{{- fail "servingReadiness is for mode: sidecar: in a fleet the readiness of your Tritons is set where they are deployed" -}}
{{- end -}}
{{- end -}}
{{- if gt (len (compact (list $models.url $models.existingClaim (ternary "volume" "" (not (empty $models.volume)))))) 1 -}}
{{- fail "more than one of triton.models.url, existingClaim and volume is set: keep one of them" -}}
{{- end -}}
{{- if and .Values.watch.web.tls (not .Values.watch.web.existingSecret) -}}
{{- fail "watch.web.tls needs watch.web.existingSecret: the Secret whose web configuration switches TLS on" -}}
{{- end -}}
{{- with .Values.prometheusRule.rules -}}
{{- if not (kindIs "slice" (fromYaml .).groups) -}}
{{- fail "prometheusRule.rules is no file of rules: give what `triton-watch generate rules` writes, with --set-file" -}}
{{- end -}}
{{- end -}}
{{- if le (int .Values.triton.terminationGracePeriodSeconds) (int .Values.triton.drainSeconds) -}}
{{- fail "triton.terminationGracePeriodSeconds must be longer than triton.drainSeconds: Triton is killed before it is told to stop" -}}
{{- end -}}
{{- end -}}
