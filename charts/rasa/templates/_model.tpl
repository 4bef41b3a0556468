{{- /* "true" where who reads the model's URL may fetch the model: it is signed, or holds a password. */ -}}
{{- define "rasa.modelUrlIsSecret" -}}
{{- $url := .Values.applicationSettings.initialModel | default "" -}}
{{- if and (include "rasa.modelFile" .) (not (.Values.applicationSettings.initialModelImage).repository) -}}
{{- if regexMatch "(?i)^[a-z]+://[^/?#]*@|[?&](sig|signature|x-amz-signature|x-goog-signature)=" $url }}true{{ end -}}
{{- end -}}
{{- end -}}

{{- define "rasa.modelUrlSecret" -}}
{{- printf "%s-model" (include "rasa.fullname" . | trunc 57 | trimSuffix "-") -}}
{{- end -}}

{{- /* Its key in that Secret: another URL is another key, so pods roll, and those of before still find theirs. */ -}}
{{- define "rasa.modelUrlKey" -}}
{{- printf "url-%s" (.Values.applicationSettings.initialModel | sha256sum | trunc 16) -}}
{{- end -}}
