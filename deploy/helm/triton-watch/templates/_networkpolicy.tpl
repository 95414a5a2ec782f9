{{/* Call with (list . COMPONENT NAME SELECTOR INGRESS EGRESS): rules as text, "-" where a direction is left alone. */}}
{{- define "triton-watch.policy" -}}
{{- $root := index . 0 -}}
{{- $ingress := index . 4 -}}
{{- $egress := index . 5 -}}
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata:
  name: {{ index . 2 }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    {{- include "triton-watch.labels" (list $root (index . 1)) | nindent 4 }}
spec:
  podSelector:
    matchLabels:
      {{- index . 3 | nindent 6 }}
  policyTypes:
    {{- if ne $ingress "-" }}
    - Ingress
    {{- end }}
    {{- if ne $egress "-" }}
    - Egress
    {{- end }}
  {{- if ne $ingress "-" }}
  ingress:
    {{- $ingress | fromYamlArray | toYaml | nindent 4 }}
  {{- end }}
  {{- if ne $egress "-" }}
  egress:
    {{- $egress | fromYamlArray | toYaml | nindent 4 }}
  {{- end }}
{{- end -}}

{{/* One rule, or none without peers. Call with (list "from" PEERS PORT...). */}}
{{- define "triton-watch.rule" -}}
{{- if index . 1 }}
- {{ index . 0 }}: {{ index . 1 | toJson }}
  ports:
    {{- range slice . 2 }}
    - { protocol: TCP, port: {{ . }} }
    {{- end }}
{{ end -}}
{{- end -}}

{{- define "triton-watch.extraRules" -}}
{{- range . }}
- {{ toJson . }}
{{ end -}}
{{- end -}}

{{- define "triton-watch.toNames" -}}
{{- with .Values.networkPolicy.dns }}
- to: {{ toJson . }}
  ports:
    - { protocol: UDP, port: 53 }
    - { protocol: TCP, port: 53 }
{{ end -}}
{{- end -}}

{{/* The pod of `helm test`. */}}
{{- define "triton-watch.testPeer" -}}
{{- if .Values.tests.enabled -}}
- podSelector:
    matchLabels:
      {{- include "triton-watch.testLabels" . | nindent 6 }}
{{- end -}}
{{- end -}}

{{/* "true" where the agent tells Alertmanager itself. */}}
{{- define "triton-watch.tells" -}}
{{- $alerts := (include "triton-watch.config" . | fromYaml).alerts | default dict -}}
{{- if and $alerts.alertmanagers (eq ($alerts.mode | default "agent") "agent") -}}true{{- end -}}
{{- end -}}

{{- define "triton-watch.policies.sidecar" -}}
{{- $policy := .Values.networkPolicy }}
{{- $test := include "triton-watch.testPeer" . | fromYamlArray }}
{{- $triton := include "triton-watch.selector" (list . "triton") }}
{{- $name := include "triton-watch.fullname" . }}
{{- $in := include "triton-watch.rule" (list "from" $policy.clients 8000 8001) }}
{{- $in = print $in (include "triton-watch.rule" (list "from" $policy.scrapers 8002)) }}
{{- $in = print $in (include "triton-watch.rule" (list "from" $test 8000 8002)) }}
{{- $in = print $in (include "triton-watch.extraRules" $policy.extraIngress) }}
{{- $out := print (include "triton-watch.toNames" .) (include "triton-watch.extraRules" $policy.extraEgress) }}
# Who may reach Triton, and whom it may reach. The kubelet's probes and `kubectl port-forward` are not subject to it.
{{ include "triton-watch.policy" (list . "triton" (include "triton-watch.triton" .) $triton $in $out) }}
---
{{- $in = include "triton-watch.rule" (list "from" $policy.scrapers 8003) }}
{{- $in = print $in (include "triton-watch.rule" (list "from" $test 8003)) }}
{{ include "triton-watch.policy" (list . "triton-watch" $name $triton $in "-") }}
{{- if include "triton-watch.tells" . }}
---
{{- $out = include "triton-watch.rule" (list "to" $policy.alertmanagers $policy.alertmanagerPort) }}
{{ include "triton-watch.policy" (list . "triton-watch" (printf "%s-alertmanager" $name) $triton "-" $out) }}
{{- end }}
{{- end -}}

{{- define "triton-watch.policies.fleet" -}}
{{- $policy := .Values.networkPolicy }}
{{- $test := include "triton-watch.testPeer" . | fromYamlArray }}
{{- $agent := include "triton-watch.selector" (list . "triton-watch") }}
{{- $in := include "triton-watch.rule" (list "from" $policy.scrapers 8003) }}
{{- $in = print $in (include "triton-watch.rule" (list "from" $test 8003)) }}
{{- $in = print $in (include "triton-watch.extraRules" $policy.extraIngress) }}
{{- $out := include "triton-watch.toNames" . }}
{{- $out = print $out (include "triton-watch.rule" (list "to" $policy.tritons 8000 8001 8002)) }}
{{- if include "triton-watch.tells" . }}
{{- $out = print $out (include "triton-watch.rule" (list "to" $policy.alertmanagers $policy.alertmanagerPort)) }}
{{- end }}
{{- $out = print $out (include "triton-watch.extraRules" $policy.extraEgress) }}
# Who may reach the agent, and whom it may reach. Tritons elsewhere need a peer in networkPolicy.tritons, and a rule there.
{{ include "triton-watch.policy" (list . "triton-watch" (include "triton-watch.fullname" .) $agent $in $out) }}
{{- if .Values.fleet.podsService.enabled }}
---
{{- $peer := list (dict "podSelector" (dict "matchLabels" (fromYaml $agent))) }}
{{- $in = include "triton-watch.rule" (list "from" $peer 8000 8001 8002) }}
{{ include "triton-watch.policy" (list . "triton" (printf "%s-from-watch" (include "triton-watch.triton" .)) (toYaml .Values.fleet.podsService.selector) $in "-") }}
{{- end }}
{{- end -}}
