{{- define "actions.ownEnv" -}}
- {name: SANIC_KEEP_ALIVE_TIMEOUT, value: {{ int64 .Values.applicationSettings.keepAliveSeconds | quote }}}
- {name: RASA_TELEMETRY_ENABLED, value: {{ .Values.applicationSettings.telemetry.enabled | default false | quote }}}
- {name: HOME, value: /tmp}
# Actions may tell which pod served them.
- name: POD_NAME
  valueFrom: {fieldRef: {fieldPath: metadata.name}}
- name: NODE_NAME
  valueFrom: {fieldRef: {fieldPath: spec.nodeName}}
{{- end -}}
