{{- define "rasa.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "rasa.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "rasa.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "rasa.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* What never changes between versions: for selectors. */ -}}
{{- define "rasa.selector" -}}
app.kubernetes.io/name: {{ include "rasa.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "rasa.labels" -}}
{{ include "rasa.selector" . }}
{{ include "rasa.commonLabels" . }}
{{- end -}}

{{- /* helm.sh/chart changes with every chart, so it stays off the pods: they would roll for nothing. */ -}}
{{- define "rasa.commonLabels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "rasa.redisSelector" -}}
app.kubernetes.io/name: {{ include "rasa.name" . }}-redis
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- /* Takes {image, registry}: repository wins over registry/name, digest over tag. */ -}}
{{- define "rasa.image" -}}
{{- $repository := .image.repository | default (printf "%s/%s" .registry .image.name) -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (.image.tag | toString) -}}
{{- end -}}
{{- end -}}

{{- define "rasa.secretName" -}}
{{- .Values.existingSecret | default (include "rasa.fullname" .) -}}
{{- end -}}

{{- /* File name of the model: the last part of the URL's path, without ?query. */ -}}
{{- define "rasa.modelFile" -}}
{{- with .Values.applicationSettings.initialModel -}}
{{- (urlParse .).path | base -}}
{{- end -}}
{{- end -}}

{{- define "rasa.redisHost" -}}
{{- if .Values.redis.external.enabled -}}
{{- required "redis.external.host is missing" .Values.redis.external.host -}}
{{- else if .Values.redis.install -}}
{{- include "rasa.fullname" . }}-redis
{{- end -}}
{{- end -}}

{{- define "rasa.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "rasa.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- define "rasa.credentials" -}}
{{- $channels := dict "botyard_health.HealthChannel" dict -}}
{{- if .Values.applicationSettings.credentials.enabled -}}
{{- $channels = merge $channels (.Values.applicationSettings.credentials.additionalChannelCredentials | default dict) -}}
{{- end -}}
{{- toYaml $channels -}}
{{- end -}}

{{- define "rasa.endpoints" -}}
{{- $given := .Values.applicationSettings.endpoints -}}
{{- $action := index .Values "rasa-action-server" -}}
{{- $all := dict -}}
{{- if $action.external.enabled -}}
{{- $_ := set $all "action_endpoint" (dict "url" (required "rasa-action-server.external.url is missing" $action.external.url)) -}}
{{- end -}}
{{- $tracker := $given.trackerStore | default dict -}}
{{- if omit $tracker "enabled" -}}
{{- if ne (toString $tracker.enabled) "false" -}}
{{- $_ := set $all "tracker_store" (omit $tracker "enabled") -}}
{{- end -}}
{{- else if and (include "rasa.redisHost" .) (ne (toString $tracker.enabled) "false") -}}
{{- $_ := set $all "tracker_store" (dict "type" "redis" "url" (include "rasa.redisHost" .) "port" (.Values.redis.external.enabled | ternary (int .Values.redis.external.port) 6379) "db" 0 "password" "${REDIS_PASSWORD}" "record_exp" (int64 .Values.redis.recordExpirySeconds)) -}}
{{- end -}}
{{- if $given.lockStore.enabled -}}
{{- $_ := set $all "lock_store" (omit $given.lockStore "enabled") -}}
{{- end -}}
{{- if $given.eventBroker.enabled -}}
{{- $_ := set $all "event_broker" (omit $given.eventBroker "enabled") -}}
{{- end -}}
{{- if $given.models.enabled -}}
{{- $models := dict "url" $given.models.url "token" $given.models.token "wait_time_between_pulls" (int64 ($given.models.waitTimeBetweenPulls | default 20)) -}}
{{- $_ := set $all "models" $models -}}
{{- end -}}
{{- toYaml (merge (deepCopy ($given.additionalEndpoints | default dict)) $all) -}}
{{- end -}}
