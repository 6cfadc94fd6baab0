{{/* The name of the chart, or what is set instead. */}}
{{- define "gateway.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" }}
{{- end }}

{{/* The full name: at most 54 letters, so that what is added stays within 63. */}}
{{- define "gateway.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 54 | trimSuffix "-" }}
{{- else }}
{{- $name := default .Chart.Name .Values.nameOverride }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 54 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 54 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* What Dragonfly's own charts put on everything. */}}
{{- define "gateway.labels" -}}
{{ include "gateway.selectorLabels" . }}
heritage: {{ .Release.Service }}
app.kubernetes.io/name: {{ include "gateway.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "gateway.selectorLabels" -}}
app: dragonfly
release: {{ .Release.Name }}
component: manager-gateway
{{- end }}

{{- define "gateway.serviceAccountName" -}}
{{- if .Values.serviceAccount.enable }}
{{- default (include "gateway.fullname" .) .Values.serviceAccount.name }}
{{- else }}
{{- default "default" .Values.serviceAccount.name }}
{{- end }}
{{- end }}

{{- define "gateway.image" -}}
{{- with .Values.image.registry }}{{ . }}/{{ end }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}
{{- end }}

{{/* Addresses of Redis: those given, or that of the trial. */}}
{{- define "gateway.redisAddrs" -}}
{{- if .Values.redis.addrs }}
{{- toJson .Values.redis.addrs }}
{{- else if .Values.redis.trial.enable }}
{{- list (printf "%s-redis:6379" (include "gateway.fullname" .)) | toJson }}
{{- else }}
{{- list | toJson }}
{{- end }}
{{- end }}

{{- define "gateway.tlsSecret" -}}
{{- default (printf "%s-tls" (include "gateway.fullname" .)) .Values.tls.existingSecret }}
{{- end }}

{{/* What cannot work, refused where it is rendered, with the reason. */}}
{{- define "gateway.refuse" -}}
{{- $redis := include "gateway.redisAddrs" . | fromJsonArray }}
{{- if not .Values.manager.addrs }}
{{- fail "manager.addrs: found none; allowed: at least one host:port, e.g. dragonfly-manager.dragonfly-system.svc.cluster.local:65003" }}
{{- end }}
{{- if and (gt (int .Values.replicas) 1) (not $redis) }}
{{- fail (printf "replicas: found %d without Redis; allowed: 1, or redis.addrs: without it two replicas do not know who holds a node's KeepAlive stream, and the end of one makes the node inactive" (int .Values.replicas)) }}
{{- end }}
{{- if and .Values.hpa.enable (not $redis) }}
{{- fail "hpa.enable: found true without Redis; allowed: false, or redis.addrs (see replicas)" }}
{{- end }}
{{- if and (eq .Values.kind "Deployment") (not $redis) }}
{{- fail "kind: found Deployment without Redis; allowed: StatefulSet, or redis.addrs: with neither a volume nor Redis a restart in an outage knows nothing" }}
{{- end }}
{{- if and $redis (not .Values.fleet.id) }}
{{- fail "fleet.id: found none with Redis; allowed: a name of the fleet, so that two fleets on one Redis never meet" }}
{{- end }}
{{- if and .Values.tls.enable (not .Values.tls.existingSecret) (not .Values.tls.certManager.enable) }}
{{- fail "tls.enable: found true without a certificate; allowed: tls.existingSecret, or tls.certManager.enable" }}
{{- end }}
{{- if and .Values.tls.certManager.enable (not .Values.tls.certManager.issuerRef) }}
{{- fail "tls.certManager.issuerRef: found none; allowed: {kind: …, name: …} of an issuer" }}
{{- end }}
{{- if and .Values.networkPolicy.enable (not .Values.networkPolicy.callers) }}
{{- fail "networkPolicy.callers: found none; allowed: the CIDRs of the nodes: daemons run with hostNetwork, and nobody could call" }}
{{- end }}
{{- end }}

{{/* The gateway's configuration: what the chart knows, and over it what is in `config`. */}}
{{- define "gateway.config" -}}
{{- $redis := include "gateway.redisAddrs" . | fromJsonArray }}
{{- $config := dict
  "mode" .Values.mode
  "server" (dict "listen" "0.0.0.0:65003" "drainTimeout" (printf "%ds" (int .Values.drainTimeoutSeconds)))
  "managers" (dict "addrs" .Values.manager.addrs)
  "metrics" (dict "enable" .Values.metrics.enable "addr" (printf ":%d" (int .Values.metrics.port)))
  "admin" (dict "enable" .Values.admin.enable "addr" "127.0.0.1:8080")
  "snapshot" (dict "dir" "/var/lib/dragonfly/manager-gateway")
}}
{{- if .Values.fleet.id }}
{{- $_ := set $config "fleet" (dict "id" .Values.fleet.id) }}
{{- end }}
{{- if .Values.manager.tls.existingSecret }}
{{- $tls := dict "caCert" "/etc/dragonfly/manager-tls/ca.crt" }}
{{- if .Values.manager.tls.clientCertificate }}
{{- $_ := set $tls "cert" "/etc/dragonfly/manager-tls/tls.crt" }}
{{- $_ := set $tls "key" "/etc/dragonfly/manager-tls/tls.key" }}
{{- end }}
{{- if .Values.manager.tls.serverName }}
{{- $_ := set $tls "serverName" .Values.manager.tls.serverName }}
{{- end }}
{{- $_ := set $config.managers "tls" $tls }}
{{- end }}
{{- if .Values.tls.enable }}
{{- $tls := dict "cert" "/etc/dragonfly/tls/tls.crt" "key" "/etc/dragonfly/tls/tls.key" }}
{{- if ne .Values.tls.clientAuth "none" }}
{{- $_ := set $tls "clientAuth" .Values.tls.clientAuth }}
{{- $_ := set $tls "caCert" "/etc/dragonfly/tls/ca.crt" }}
{{- end }}
{{- $_ := set $config.server "tls" $tls }}
{{- end }}
{{- if $redis }}
{{- $section := dict "addrs" $redis "mode" .Values.redis.mode }}
{{- if eq .Values.redis.mode "sentinel" }}
{{- $_ := set $section "masterName" .Values.redis.masterName }}
{{- end }}
{{- if .Values.redis.username }}
{{- $_ := set $section "username" .Values.redis.username }}
{{- end }}
{{- if .Values.redis.tls.enable }}
{{- $tls := dict "enable" true }}
{{- if .Values.redis.tls.existingSecret }}
{{- $_ := set $tls "caCert" "/etc/dragonfly/redis-tls/ca.crt" }}
{{- end }}
{{- $_ := set $section "tls" $tls }}
{{- end }}
{{- $_ := set $config "redis" $section }}
{{- end }}
{{- mergeOverwrite $config (deepCopy .Values.config) | toYaml }}
{{- end }}
