{{/* The agent's configuration as YAML: the chart's own, with `watch.config` laid over it. */}}
{{- define "triton-watch.config" -}}
{{- include "triton-watch.validateConfig" . -}}
{{- $own := dict "web" (dict "listen" "0.0.0.0:8003") "log" (dict "format" "json") -}}
{{- include (printf "triton-watch.config.%s" .Values.mode) (list . $own) -}}
{{- with .Values.watch.web.existingSecret -}}
{{- $_ := set $own.web "config_file" (printf "/etc/triton-watch/web/%s" $.Values.watch.web.key) -}}
{{- end -}}
{{- with .Values.watch.goldensConfigMap -}}
{{- $_ := set $own "canary" (dict "goldens" "/etc/triton-watch/goldens") -}}
{{- end -}}
{{- $alerts := dict -}}
{{- if .Values.prometheusRule.enabled -}}
{{- $_ := set $alerts "mode" "prometheus" -}}
{{- else if .Values.watch.alertmanagers -}}
{{- $_ := set $alerts "alertmanagers" list -}}
{{- range .Values.watch.alertmanagers -}}
{{- $_ := set $alerts "alertmanagers" (append $alerts.alertmanagers (kindIs "string" . | ternary (dict "url" .) .)) -}}
{{- end -}}
{{- end -}}
{{- $listen := (get (.Values.watch.config | default dict) "web" | default dict).listen | default $own.web.listen -}}
{{- if eq $listen $own.web.listen -}}{{/* addresses of IPv6 need brackets, and which family the pod has is not known */}}
{{- $_ := set $alerts "external_url" (printf "%s://${POD_IP}:8003" (include "triton-watch.scheme" .)) -}}
{{- end -}}
{{- $_ := set $own "alerts" $alerts -}}
{{- $config := mergeOverwrite $own (deepCopy (.Values.watch.config | default dict)) -}}
{{- range list "alerts" "slo" -}}
{{- $section := get $config . | default dict -}}
{{- if or $section (eq . "alerts") -}}
{{- $_ := set $config . $section -}}
{{- end -}}
{{- end -}}
{{- with .Values.watch.targetDownAfter -}}
{{- $last := dict "alerts" "TritonTargetDown" "for" . -}}
{{- $_ := set $config.alerts "overrides" (append ($config.alerts.overrides | default list) $last) -}}
{{- end -}}
{{- $config = deepCopy $config -}}
{{- include "triton-watch.withoutNulls" $config -}}
{{- toYaml $config -}}
{{- end -}}

{{- define "triton-watch.config.sidecar" -}}
{{- $root := index . 0 -}}
{{- $target := dict "name" "${POD_NAME}" "url" "http://localhost:8000" -}}
{{- if not $root.Values.triton.models.url -}}
{{- $_ := set $target "model_repository" $root.Values.triton.models.path -}}
{{- end -}}
{{- with $root.Values.triton.expectedModels -}}
{{- $_ := set $target "expected_models" . -}}
{{- end -}}
{{- $_ := set (index . 1) "targets" (list (mergeOverwrite $target (deepCopy ($root.Values.watch.target | default dict)))) -}}
{{- end -}}

{{- define "triton-watch.config.fleet" -}}
{{- $fleet := (index . 0).Values.fleet -}}
{{- $discovery := dict -}}
{{- with $fleet.dns -}}
{{- $_ := set $discovery "dns" . -}}
{{- end -}}
{{- if or $fleet.targetsFiles $fleet.targetsConfigMap -}}
{{- $folder := "/etc/triton-watch/targets/*." -}}
{{- $paths := list -}}
{{- range list "yaml" "yml" "json" -}}
{{- $paths = append $paths (printf "%s%s" $folder .) -}}
{{- end -}}
{{- $files := dict "paths" $paths -}}
{{- with $fleet.targetsSettings -}}
{{- $_ := set $files "settings" . -}}
{{- end -}}
{{- $_ := set $discovery "files" (list $files) -}}
{{- end -}}
{{- with $discovery -}}
{{- $_ := set (index $ 1) "discovery" . -}}
{{- end -}}
{{- with $fleet.targets -}}
{{- $_ := set (index $ 1) "targets" . -}}
{{- end -}}
{{- end -}}

{{/* A hash of what the agent reads at its start only: where it changes, pods are replaced, and for nothing else. */}}
{{- define "triton-watch.startSettings" -}}
{{- $config := include "triton-watch.config" . | fromYaml -}}
{{- $slo := pick ($config.slo | default dict) "state_dir" "flush_interval" "prometheus" -}}
{{- list $config.web $config.poll_threads $slo | toJson | sha256sum | trunc 16 -}}
{{- end -}}

{{/* Settings that are null are taken away, as values of Helm are. It changes the mapping that it gets. */}}
{{- define "triton-watch.withoutNulls" -}}
{{- $node := . -}}
{{- range $key, $value := $node -}}
{{- if kindIs "invalid" $value -}}
{{- $_ := unset $node $key -}}
{{- else if kindIs "map" $value -}}
{{- include "triton-watch.withoutNulls" $value -}}
{{- else if kindIs "slice" $value -}}
{{- range $value -}}
{{- if kindIs "map" . -}}
{{- include "triton-watch.withoutNulls" . -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* What the schema of the values lets through: settings that the chart writes, and ports that nothing else of it knows. */}}
{{- define "triton-watch.validateConfig" -}}
{{- $config := .Values.watch.config | default dict -}}
{{- range list "targets" "discovery" -}}
{{- if hasKey $config . -}}
{{- if eq $.Values.mode "fleet" -}}
{{- fail (printf "watch.config.%s: what a fleet watches is said in fleet.targets, fleet.dns, fleet.targetsFiles and fleet.targetsConfigMap" .) -}}
{{- end -}}
{{- fail (printf "watch.config.%s: the sidecar watches the Triton of its own pod: settings of that are in watch.target" .) -}}
{{- end -}}
{{- end -}}
{{- if hasKey (.Values.watch.target | default dict) "name" -}}
{{- fail "watch.target.name: all pods would have that one name: leave it out, each target is called what its pod is" -}}
{{- end -}}
{{- with ($config.web | default dict).listen -}}
{{- if or (not (hasSuffix ":8003" (toString .))) (regexMatch "^(127[.]|localhost:|\\[::1\\]:)" (toString .)) -}}
{{- fail (printf "watch.config.web.listen: %s is not where probes, Services and policies of the chart ask: 0.0.0.0:8003, or [::]:8003" (toString .)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
