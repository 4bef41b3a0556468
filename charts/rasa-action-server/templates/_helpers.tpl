{{- define "actions.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 63 | trimSuffix "-" -}}
{{- end -}}

{{- define "actions.fullname" -}}
{{- if .Values.fullnameOverride -}}
{{- .Values.fullnameOverride | trunc 63 | trimSuffix "-" -}}
{{- else if contains (include "actions.name" .) .Release.Name -}}
{{- .Release.Name | trunc 63 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-%s" .Release.Name (include "actions.name" .) | trunc 63 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{- /* What never changes between versions: for selectors. */ -}}
{{- define "actions.selector" -}}
app.kubernetes.io/name: {{ include "actions.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- with .Values.podLabels }}
{{ toYaml . }}
{{- end }}
{{- end -}}

{{- /* helm.sh/chart changes with every chart, so it stays off the pods: they would roll for nothing. */ -}}
{{- define "actions.labels" -}}
app.kubernetes.io/name: {{ include "actions.name" . | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service | quote }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- /* repository wins over registry/name, digest over tag. */ -}}
{{- define "actions.image" -}}
{{- $repository := .Values.image.repository | default (printf "%s/%s" (.Values.registry | default "") (.Values.image.name | default "") | trimPrefix "/") -}}
{{- if .Values.image.digest -}}
{{- printf "%s@%s" $repository .Values.image.digest -}}
{{- else -}}
{{- printf "%s:%s" $repository (.Values.image.tag | default "" | toString) -}}
{{- end -}}
{{- end -}}

{{- define "actions.serviceAccountName" -}}
{{- if .Values.serviceAccount.create -}}
{{- .Values.serviceAccount.name | default (include "actions.fullname" .) -}}
{{- else -}}
{{- .Values.serviceAccount.name | default "default" -}}
{{- end -}}
{{- end -}}

{{- /* Takes {list, key, value}: "true" where an entry of the list has that value. */ -}}
{{- define "actions.holds" -}}
{{- $wanted := . -}}
{{- range .list | default list -}}
{{- if eq (get . $wanted.key | toString | trimSuffix "/") $wanted.value }}true{{ end -}}
{{- end -}}
{{- end -}}

{{- /* Values helm merged a default handler into: one handler is left, the one that is no httpGet. */ -}}
{{- define "actions.probe" -}}
{{- if or .exec .tcpSocket .grpc -}}
{{- toYaml (omit . "httpGet") -}}
{{- else -}}
{{- toYaml . -}}
{{- end -}}
{{- end -}}

{{- /* The smallest number of pods there is meant to be. */ -}}
{{- define "actions.minPods" -}}
{{- if .Values.autoscaling.enabled }}{{ int .Values.autoscaling.minReplicas }}{{ else }}{{ int .Values.replicaCount }}{{ end -}}
{{- end -}}

{{- /* What the release runs, by the key of the image. As JSON. */ -}}
{{- define "actions.images" -}}
{{- dict "image" (include "actions.image" .) | toJson -}}
{{- end -}}
