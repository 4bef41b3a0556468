{{- define "rasa.ownEnv" -}}
{{- $app := .Values.applicationSettings -}}
{{- $model := include "rasa.modelFile" . -}}
{{- $words := toYaml (list .Values.command .Values.args .Values.extraArgs) -}}
- {name: PYTHONPATH, value: /opt/botyard}
- {name: BOTYARD_AUTH_TOKEN_FILE, value: /run/botyard/rasa-token}
- {name: BOTYARD_JWT_SECRET_FILE, value: /run/botyard/jwt-secret}
{{- if $model }}
- {name: BOTYARD_MODEL_FILE, value: {{ printf "/app/models/%s" $model | quote }}}
{{- end }}
- {name: RASA_TELEMETRY_ENABLED, value: {{ $app.telemetry.enabled | default false | quote }}}
- {name: HOME, value: /tmp}
- {name: MPLCONFIGDIR, value: /tmp/matplotlib}
{{- if include "rasa.redisHost" . }}
- {name: REDIS_HOST, value: {{ include "rasa.redisHost" . | quote }}}
- {name: REDIS_PORT, value: {{ include "rasa.redisPort" . | quote }}}
- name: REDIS_PASSWORD
  valueFrom: {secretKeyRef: {{ include "rasa.redisSecret" . }}}
{{- end }}
{{- range list "rasa.postgresEnv" "rasa.externalEnv" "rasa.gatewayEnv" }}
{{- with include . $ | trim }}
{{- . | nindent 0 }}
{{- end }}
{{- end }}
# Arguments of the user's own may name what the official chart had in its environment.
{{- range $name, $key := dict "RASA_TOKEN" "rasa-token" "JWT_SECRET" "jwt-secret" }}
{{- if contains (printf "$(%s)" $name) $words }}
- name: {{ $name }}
  valueFrom: {secretKeyRef: {name: {{ include "rasa.secretName" $ | quote }}, key: {{ $key }}}}
{{- end }}
{{- end }}
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: NODE_NAME
  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
{{- end -}}
