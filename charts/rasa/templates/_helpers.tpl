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
app.kubernetes.io/name: {{ include "rasa.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- /* Selector of the Rasa pods; podLabels are part of it, as they were in the official chart. */ -}}
{{- define "rasa.podSelector" -}}
{{ include "rasa.selector" . }}
{{- with .Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- define "rasa.labels" -}}
{{ include "rasa.selector" . }}
{{ include "rasa.commonLabels" . }}
{{- end -}}

{{- /* helm.sh/chart changes with every chart, so it stays off the pods: they would roll for nothing. */ -}}
{{- define "rasa.commonLabels" -}}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "rasa.redisSelector" -}}
app.kubernetes.io/name: {{ printf "%s-redis" (include "rasa.name" . | trunc 57 | trimSuffix "-") | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- /* Takes {image, registry}: repository wins over registry/name, digest over tag. */ -}}
{{- define "rasa.image" -}}
{{- $repository := .image.repository | default (printf "%s/%s" (.registry | default "") (.image.name | default "") | trimPrefix "/") -}}
{{- if .image.digest -}}
{{- printf "%s@%s" $repository .image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (.image.tag | default "" | toString) -}}
{{- end -}}
{{- end -}}

{{- define "rasa.secretName" -}}
{{- .Values.existingSecret | default (include "rasa.fullname" .) -}}
{{- end -}}

{{- /* File name of the model: the last part of the URL's path, without ?query. A model server comes before the URL. */ -}}
{{- define "rasa.modelFile" -}}
{{- if not ((.Values.applicationSettings.endpoints).models).enabled -}}
{{- if (.Values.applicationSettings.initialModelImage).repository -}}
{{- splitList "/" (.Values.applicationSettings.initialModelImage.path | default "") | last -}}
{{- else if .Values.applicationSettings.initialModel -}}
{{- include "rasa.modelName" . -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{- /* Not sprig's base: it takes a folder's name for a file's. */ -}}
{{- define "rasa.modelName" -}}
{{- splitList "/" (urlParse .Values.applicationSettings.initialModel).path | last -}}
{{- end -}}

{{- /* Takes {list, key, value}: "true" where an entry of the list has that value. */ -}}
{{- define "rasa.holds" -}}
{{- $wanted := . -}}
{{- range .list | default list -}}
{{- if eq (get . $wanted.key | toString | trimSuffix "/") $wanted.value }}true{{ end -}}
{{- end -}}
{{- end -}}

{{- /* Values helm merged a default handler into: one handler is left, the one that is no httpGet. */ -}}
{{- define "rasa.probe" -}}
{{- if or .exec .tcpSocket .grpc -}}
{{- toYaml (omit . "httpGet") -}}
{{- else -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{- /* The smallest number of pods there is meant to be. */ -}}
{{- define "rasa.minPods" -}}
{{- if .Values.autoscaling.enabled }}{{ int .Values.autoscaling.minReplicas }}{{ else }}{{ int .Values.replicaCount }}{{ end -}}
{{- end -}}

{{- define "rasa.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "rasa.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- /* What the release runs, by the key of the image. As JSON. */ -}}
{{- define "rasa.images" -}}
{{- $images := dict "image" (include "rasa.image" (dict "image" .Values.image "registry" .Values.registry)) -}}
{{- with .Values.applicationSettings.initialModelImage -}}
{{- if .repository -}}
{{- $_ := set $images "applicationSettings.initialModelImage" (include "rasa.image" (dict "image" .)) -}}
{{- end -}}
{{- end -}}
{{- if include "rasa.ownRedis" . -}}
{{- $_ := set $images "redis.image" (include "rasa.image" (dict "image" .Values.redis.image "registry" .Values.redis.registry)) -}}
{{- end -}}
{{- if (.Values.gateway).enabled -}}
{{- $_ := set $images "gateway.image" (include "rasa.image" (dict "image" .Values.gateway.image "registry" .Values.gateway.registry)) -}}
{{- end -}}
{{- if include "rasa.ownPostgres" . -}}
{{- $_ := set $images "postgresql.image" (include "rasa.image" (dict "image" .Values.postgresql.image "registry" .Values.postgresql.registry)) -}}
{{- end -}}
{{- toJson $images -}}
{{- end -}}
