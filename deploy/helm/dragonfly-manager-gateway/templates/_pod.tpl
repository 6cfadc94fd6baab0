{{/* The pod: the same for a StatefulSet and a Deployment. */}}
{{- define "gateway.pod" -}}
metadata:
  labels:
    {{- include "gateway.selectorLabels" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ include "gateway.serviceAccountName" . }}
  automountServiceAccountToken: false
  # Longer than the drain and what comes before it: a pod that is killed earlier leaves its nodes' streams to chance.
  terminationGracePeriodSeconds: {{ add .Values.drainTimeoutSeconds .Values.preStopSeconds 10 }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: manager-gateway
      image: {{ include "gateway.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: ["serve", "--config", "/etc/dragonfly/manager-gateway.yaml"]
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities:
          drop: ["ALL"]
      ports:
        - name: grpc
          containerPort: 65003
        {{- if .Values.metrics.enable }}
        - name: http-metrics
          containerPort: {{ .Values.metrics.port }}
        {{- end }}
      {{- $env := include "gateway.env" . }}
      {{- if $env }}
      env:
        {{- $env | nindent 8 }}
      {{- end }}
      lifecycle:
        preStop:
          exec:
            # So long callers may still find this address; node, because the image may have no sleep.
            command: ["node", "-e", "setTimeout(() => {}, {{ mul .Values.preStopSeconds 1000 }})"]
      {{- include "gateway.probes" . | nindent 6 }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      volumeMounts:
        - name: config
          mountPath: /etc/dragonfly
          readOnly: true
        - name: data
          mountPath: /var/lib/dragonfly/manager-gateway
        {{- if .Values.tls.enable }}
        - name: tls
          mountPath: /etc/dragonfly/tls
          readOnly: true
        {{- end }}
        {{- if .Values.manager.tls.existingSecret }}
        - name: manager-tls
          mountPath: /etc/dragonfly/manager-tls
          readOnly: true
        {{- end }}
        {{- if and .Values.redis.tls.enable .Values.redis.tls.existingSecret }}
        - name: redis-tls
          mountPath: /etc/dragonfly/redis-tls
          readOnly: true
        {{- end }}
  volumes:
    - name: config
      configMap:
        name: {{ include "gateway.fullname" . }}
    {{- if or (eq .Values.kind "Deployment") (not .Values.persistence.enable) }}
    - name: data
      emptyDir: {}
    {{- end }}
    {{- if .Values.tls.enable }}
    - name: tls
      secret:
        secretName: {{ include "gateway.tlsSecret" . }}
    {{- end }}
    {{- with .Values.manager.tls.existingSecret }}
    - name: manager-tls
      secret:
        secretName: {{ . }}
    {{- end }}
    {{- if and .Values.redis.tls.enable .Values.redis.tls.existingSecret }}
    - name: redis-tls
      secret:
        secretName: {{ .Values.redis.tls.existingSecret }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  topologySpreadConstraints:
    {{- if .Values.topologySpreadConstraints }}
    {{- toYaml .Values.topologySpreadConstraints | nindent 4 }}
    {{- else }}
    {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
    - maxSkew: 1
      topologyKey: {{ . }}
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "gateway.selectorLabels" $ | nindent 10 }}
    {{- end }}
    {{- end }}
{{- end }}

{{/* Secrets come by the environment: they are in no ConfigMap. */}}
{{- define "gateway.env" -}}
{{- with .Values.redis.existingSecret }}
- name: DFMGW__REDIS__PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ . }}, key: password, optional: true}
- name: DFMGW__REDIS__SECRET
  valueFrom:
    secretKeyRef: {name: {{ . }}, key: secret, optional: true}
{{- if eq $.Values.redis.mode "sentinel" }}
- name: DFMGW__REDIS__SENTINELPASSWORD
  valueFrom:
    secretKeyRef: {name: {{ . }}, key: sentinelPassword, optional: true}
{{- end }}
{{- end }}
{{- with .Values.admin.existingSecret }}
- name: DFMGW__ADMIN__TOKEN
  valueFrom:
    secretKeyRef: {name: {{ . }}, key: token}
{{- end }}
{{- with .Values.extraEnv }}
{{ toYaml . }}
{{- end }}
{{- end }}

{{/* Alive: it answers. Ready: it is warm, or has something to serve. Over HTTP where the metrics are served, else over gRPC, which cannot speak TLS. */}}
{{- define "gateway.probes" -}}
{{- if .Values.metrics.enable }}
startupProbe:
  httpGet: {path: /healthy, port: http-metrics}
  periodSeconds: 1
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthy, port: http-metrics}
  periodSeconds: 10
  timeoutSeconds: 3
readinessProbe:
  httpGet: {path: /readyz, port: http-metrics}
  periodSeconds: 2
  timeoutSeconds: 2
{{- else if not .Values.tls.enable }}
readinessProbe:
  grpc: {port: 65003}
  periodSeconds: 2
  timeoutSeconds: 2
livenessProbe:
  tcpSocket: {port: grpc}
  periodSeconds: 10
{{- else }}
readinessProbe:
  tcpSocket: {port: grpc}
  periodSeconds: 2
livenessProbe:
  tcpSocket: {port: grpc}
  periodSeconds: 10
{{- end }}
{{- end }}
