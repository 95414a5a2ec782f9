{{- define "triton-watch.testLabels" -}}
app.kubernetes.io/name: triton-watch
app.kubernetes.io/component: test
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{/* Call with (list . NAME ARGS). */}}
{{- define "triton-watch.testContainer" -}}
{{- $root := index . 0 -}}
- name: {{ index . 1 }}
  image: {{ include "triton-watch.image" (list $root.Values.image $root.Chart.AppVersion) }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  args:
    {{- toYaml (index . 2) | nindent 4 }}
  resources:
    requests: { cpu: 50m, memory: 64Mi }
    limits: { memory: 256Mi }
  {{- with $root.Values.watch.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if $root.Values.watch.web.tlsSecret }}
  volumeMounts:
    - name: tls
      mountPath: /etc/triton-watch/tls
      readOnly: true
  {{- end }}
{{- end -}}
