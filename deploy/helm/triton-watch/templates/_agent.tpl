{{/* The agent's container. Call with (list . PREFIX-OF-VOLUMES). */}}
{{- define "triton-watch.agent" -}}
{{- $root := index . 0 -}}
{{- $prefix := index . 1 -}}
{{- $watch := $root.Values.watch -}}
{{- $scheme := $watch.web.tls | ternary "HTTPS" "" -}}
- name: triton-watch
  image: {{ include "triton-watch.image" (list $root.Values.image $root.Chart.AppVersion) }}
  imagePullPolicy: {{ $root.Values.image.pullPolicy }}
  {{- with $watch.extraArgs }}
  args:
    - run
    {{- toYaml . | nindent 4 }}
  {{- end }}
  env:
    - name: POD_NAME # the target's name: it must differ from pod to pod
      valueFrom:
        fieldRef:
          fieldPath: metadata.name
    {{- if eq $root.Values.mode "fleet" }}
    - name: POD_NAMESPACE
      valueFrom:
        fieldRef:
          fieldPath: metadata.namespace
    {{- end }}
    - name: POD_IP # alerts link to it
      valueFrom:
        fieldRef:
          fieldPath: status.podIP
    {{- with $watch.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $watch.extraEnvFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    - name: watch
      containerPort: 8003
  startupProbe:
    {{- include "triton-watch.probe" (list "/-/healthy" "watch" $scheme) | nindent 4 }}
    periodSeconds: 2
    timeoutSeconds: 2
    failureThreshold: 30
  livenessProbe:
    {{- include "triton-watch.probe" (list "/-/healthy" "watch" $scheme) | nindent 4 }}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 3
  {{- if eq $root.Values.mode "fleet" }}
  readinessProbe: # every server has been asked once
    {{- include "triton-watch.probe" (list "/-/ready" "watch" $scheme) | nindent 4 }}
    periodSeconds: 5
    timeoutSeconds: 3
    failureThreshold: 3
  {{- end }}
  {{- with (eq $root.Values.mode "sidecar" | ternary $watch $root.Values.fleet).resources }}
  resources:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $watch.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    - name: {{ $prefix }}config # no subPath: changes would not arrive
      mountPath: /etc/triton-watch
      readOnly: true
    - name: {{ $prefix }}state
      mountPath: /var/lib/triton-watch
    - name: {{ $prefix }}tmp
      mountPath: /tmp
    {{- if and (eq $root.Values.mode "sidecar") (not $root.Values.triton.models.url) }}
    {{- include "triton-watch.modelsMount" $root | nindent 4 }}
    {{- end }}
    {{- range (include "triton-watch.readOnlyFolders" $root | fromYamlArray) }}
    - name: {{ $prefix }}{{ .name }}
      mountPath: /etc/triton-watch/{{ .path }}
      readOnly: true
    {{- end }}
    {{- with $watch.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* Call with (list PATH PORT SCHEME). */}}
{{- define "triton-watch.probe" -}}
httpGet:
  path: {{ index . 0 }}
  port: {{ index . 1 }}
  {{- with index . 2 }}
  scheme: {{ . }}
  {{- end }}
{{- end -}}

{{- define "triton-watch.modelsMount" -}}
- name: models
  mountPath: {{ .Values.triton.models.path | quote }}
  {{- with .Values.triton.models.subPath }}
  subPath: {{ . | quote }}
  {{- end }}
  readOnly: true
{{- end -}}

{{/* Folders below /etc/triton-watch that are volumes of their own: the kubelet makes the places where they are mounted. */}}
{{- define "triton-watch.readOnlyFolders" -}}
{{- with .Values.watch.goldensConfigMap }}
- { name: goldens, path: goldens, source: { configMap: { name: {{ . | quote }} } } }
{{- end }}
{{- with .Values.watch.web.existingSecret }}
- { name: web, path: web, source: { secret: { secretName: {{ . | quote }}, defaultMode: 0440 } } }
{{- end }}
{{- with .Values.watch.web.tlsSecret }}
- { name: tls, path: tls, source: { secret: { secretName: {{ . | quote }}, defaultMode: 0440 } } }
{{- end }}
{{- range $i, $secret := .Values.watch.secrets }}
- { name: secret-{{ $i }}, path: secrets/{{ $secret }}, source: { secret: { secretName: {{ $secret | quote }}, defaultMode: 0440 } } }
{{- end }}
{{- if eq .Values.mode "fleet" }}
{{- if .Values.fleet.targetsFiles }}
- { name: targets, path: targets, source: { configMap: { name: {{ include "triton-watch.fullname" . }}-targets } } }
{{- end }}
{{- with .Values.fleet.targetsConfigMap }}
- { name: targets, path: targets, source: { configMap: { name: {{ . | quote }} } } }
{{- end }}
{{- end }}
{{- end -}}

{{/* The agent's volumes but for its state. Call with (list . PREFIX-OF-VOLUMES). */}}
{{- define "triton-watch.agentVolumes" -}}
{{- $root := index . 0 -}}
{{- $prefix := index . 1 -}}
- name: {{ $prefix }}config
  configMap:
    name: {{ include "triton-watch.fullname" $root }}
- name: {{ $prefix }}tmp
  emptyDir:
    medium: Memory
    sizeLimit: 16Mi
{{- range (include "triton-watch.readOnlyFolders" $root | fromYamlArray) }}
- name: {{ $prefix }}{{ .name }}
  {{- toYaml .source | nindent 2 }}
{{- end }}
{{- with $root.Values.watch.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
