{{/* Call with (list . JOB NAME SELECTOR ENDPOINT). The names of the jobs are those that rules and boards expect. */}}
{{- define "triton-watch.podMonitor" }}
{{- $root := index . 0 }}
{{- $monitor := $root.Values.podMonitor }}
apiVersion: monitoring.coreos.com/v1
kind: PodMonitor
metadata:
  name: {{ index . 2 }}
  namespace: {{ $monitor.namespace | default $root.Release.Namespace }}
  labels:
    {{- include "triton-watch.labels" (list $root (index . 1)) | nindent 4 }}
    {{- with $monitor.labels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  {{- if $monitor.namespace }}
  namespaceSelector:
    matchNames: [{{ $root.Release.Namespace }}]
  {{- end }}
  selector:
    matchLabels:
      {{- toYaml (index . 3) | nindent 6 }}
  podMetricsEndpoints:
    {{- $own := dict "path" "/metrics" "interval" $monitor.interval "scrapeTimeout" $monitor.scrapeTimeout }}
    {{- $_ := set $own "relabelings" (list (dict "targetLabel" "job" "replacement" (index . 1))) }}
    - {{- toYaml (mergeOverwrite $own (index . 4)) | nindent 6 }}
{{- end }}
