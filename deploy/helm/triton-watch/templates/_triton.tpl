{{/* Triton's container. */}}
{{- define "triton-watch.tritonContainer" -}}
{{- $triton := .Values.triton -}}
- name: triton
  image: {{ include "triton-watch.image" (list $triton.image "") }}
  imagePullPolicy: {{ $triton.image.pullPolicy }}
  {{- with $triton.command }}
  command:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  args: # of the image's own entry point, which looks for the libraries that the driver needs
    {{- if $triton.args }}
    {{- toYaml $triton.args | nindent 4 }}
    {{- else }}
    {{- if not $triton.command }}
    - tritonserver
    {{- end }}
    - {{ printf "--model-repository=%s" ($triton.models.url | default $triton.models.path) | quote }}
    # A model that cannot be loaded leaves the others running, and the pod not ready: a rollout stops there, and the
    # watcher says which model and why. With true the server ends and is started again and again.
    - --exit-on-error=false
    {{- end }}
    {{- with $triton.extraArgs }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  env:
    - name: HOME # the root file system is read-only; libraries keep caches there
      value: /tmp
    {{- with $triton.extraEnv }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with $triton.extraEnvFrom }}
  envFrom:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  ports:
    - name: http
      containerPort: 8000
    - name: grpc
      containerPort: 8001
    - name: metrics
      containerPort: 8002
  # HTTP opens only when all models were loaded: live is no sooner than ready.
  startupProbe:
    {{- include "triton-watch.probe" (list "/v2/health/live" "http" "") | nindent 4 }}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: {{ mul 6 $triton.startupMinutes }}
  # A busy server may not answer for a while, and a restart costs minutes: a minute of silence.
  livenessProbe:
    {{- include "triton-watch.probe" (list "/v2/health/live" "http" "") | nindent 4 }}
    periodSeconds: 10
    timeoutSeconds: 5
    failureThreshold: 6
  readinessProbe:
    {{- if .Values.servingReadiness.enabled }}
    {{- include "triton-watch.probe" (list "/-/serving" 8003 (.Values.watch.web.tls | ternary "HTTPS" "")) | nindent 4 }}
      {{- with .Values.servingReadiness.authorization }}
      httpHeaders:
        - name: Authorization
          value: {{ . | quote }}
      {{- end }}
    periodSeconds: 5
    timeoutSeconds: 3
    failureThreshold: {{ .Values.servingReadiness.failureThreshold }}
    {{- else }}
    {{- include "triton-watch.probe" (list "/v2/health/ready" "http" "") | nindent 4 }}
    periodSeconds: 5
    timeoutSeconds: 3
    failureThreshold: 3
    {{- end }}
  {{- if $triton.drainSeconds }}
  lifecycle:
    preStop: # clients learn that the pod leaves before it stops
      exec:
        command: [sleep, {{ $triton.drainSeconds | toString | quote }}]
  {{- end }}
  {{- with include "triton-watch.tritonResources" . }}
  resources:
    {{- . | nindent 4 }}
  {{- end }}
  {{- with $triton.securityContext }}
  securityContext:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  volumeMounts:
    {{- if not $triton.models.url }}
    {{- include "triton-watch.modelsMount" . | nindent 4 }}
    {{- end }}
    - name: shm
      mountPath: /dev/shm
    - name: tmp
      mountPath: /tmp
    {{- with $triton.extraVolumeMounts }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
{{- end -}}

{{/* `resources` with the GPUs, which Kubernetes wants in requests and limits alike. */}}
{{- define "triton-watch.tritonResources" -}}
{{- $triton := .Values.triton -}}
{{- $resources := deepCopy ($triton.resources | default dict) -}}
{{- if $triton.gpus -}}
{{- $gpus := dict $triton.gpuResource (toString $triton.gpus) -}}
{{- $resources = mergeOverwrite $resources (dict "requests" $gpus "limits" (deepCopy $gpus)) -}}
{{- end -}}
{{- if $resources -}}
{{- toYaml $resources -}}
{{- end -}}
{{- end -}}

{{/* The volumes of Triton's container. */}}
{{- define "triton-watch.tritonVolumes" -}}
{{- $models := .Values.triton.models -}}
{{- if $models.volume }}
- name: models
  {{- toYaml $models.volume | nindent 2 }}
{{- else if not $models.url }}
- name: models
  persistentVolumeClaim:
    claimName: {{ include "triton-watch.modelsClaim" . }}
    readOnly: true
{{- end }}
- name: shm # tensors of Python models; counts as memory of the container
  emptyDir:
    medium: Memory
    sizeLimit: {{ .Values.triton.sharedMemory }}
- name: tmp # environments of Python models are unpacked there
  emptyDir:
    sizeLimit: {{ .Values.triton.tmpSize }}
{{- with .Values.triton.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{/* Soft: two replicas on one node are better than one. */}}
{{- define "triton-watch.spread" -}}
{{- if .Values.triton.topologySpreadConstraints -}}
{{- toYaml .Values.triton.topologySpreadConstraints -}}
{{- else -}}
{{- range $i, $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
- maxSkew: 1
  topologyKey: {{ $key }}
  whenUnsatisfiable: ScheduleAnyway
  labelSelector:
    matchLabels:
      {{- include "triton-watch.selector" (list $ "triton") | nindent 6 }}
{{- end }}
{{- end -}}
{{- end -}}
