{{- /* Whether this release runs its own Postgres. Before chart 0.3.0 there was none, and postgresql.install: true, the default
then, meant Redis in its place. helm upgrade --reuse-values keeps that default, but not an image that was not there: without
one, install means what it meant, so that no release moves to an empty Postgres by itself. */ -}}
{{- define "rasa.ownPostgres" -}}
{{- $postgres := .Values.postgresql | default dict -}}
{{- if and $postgres.install $postgres.image (not ($postgres.external).enabled) }}true{{ end -}}
{{- end -}}

{{- /* As the official chart named its Service, StatefulSet and Secret. */ -}}
{{- define "rasa.postgresName" -}}
{{- printf "%s-postgresql" (.Release.Name | trunc 52 | trimSuffix "-") -}}
{{- end -}}

{{- define "rasa.postgresSelector" -}}
app.kubernetes.io/name: {{ printf "%s-postgresql" (include "rasa.name" . | trunc 52 | trimSuffix "-") | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "rasa.postgresUser" -}}
{{- ((.Values.global).postgresql).postgresqlUsername | default "postgres" -}}
{{- end -}}

{{- define "rasa.postgresDatabase" -}}
{{- ((.Values.global).postgresql).postgresqlDatabase | default "rasa" -}}
{{- end -}}

{{- /* Where the password is: {name, key} as JSON. */ -}}
{{- define "rasa.postgresSecret" -}}
{{- $key := eq (include "rasa.postgresUser" .) "postgres" | ternary "postgresql-password" "postgresql-postgres-password" -}}
{{- dict "name" (((.Values.global).postgresql).existingSecret | default (include "rasa.postgresName" .)) "key" (.Values.postgresql.existingSecretKey | default $key) | toJson -}}
{{- end -}}

{{- /* What Postgres, of this release or an external one, puts into Rasa's environment. */ -}}
{{- define "rasa.postgresEnv" -}}
{{- $external := ((.Values.postgresql).external).enabled -}}
{{- if or $external (include "rasa.ownPostgres" .) -}}
{{- $host := include "rasa.postgresName" . -}}
{{- if $external }}{{ $host = required "postgresql.external.host is missing" .Values.postgresql.external.host }}{{ end -}}
- {name: DB_HOST, value: {{ $host | quote }}}
- {name: DB_PORT, value: {{ ((.Values.global).postgresql).servicePort | default 5432 | int | quote }}}
- {name: DB_USER, value: {{ include "rasa.postgresUser" . | quote }}}
- {name: DB_DATABASE, value: {{ include "rasa.postgresDatabase" . | quote }}}
- name: DB_PASSWORD
  valueFrom: {secretKeyRef: {{ include "rasa.postgresSecret" . }}}
{{- end -}}
{{- end -}}

{{- /* An upgrade that would leave the conversations behind in this release's Redis: why not. Helm asks the cluster. */ -}}
{{- define "rasa.movesToEmptyPostgres" -}}
{{- if and .Release.IsUpgrade (include "rasa.ownPostgres" .) (eq (include "rasa.store" .) "postgres") (not .Values.postgresql.startEmpty) -}}
{{- $before := (lookup "v1" "ConfigMap" .Release.Namespace (include "rasa.fullname" .)).data | default dict -}}
{{- $store := (index $before "endpoints.yml" | default "" | fromYaml).tracker_store | default dict -}}
{{- if and (eq (toString $store.type) "redis") (not (lookup "apps/v1" "StatefulSet" .Release.Namespace (include "rasa.postgresName" .))) -}}
postgresql.install: true would begin with an empty Postgres, and the conversations of this release are in Redis: set postgresql.install: false to go on with Redis, or postgresql.startEmpty: true to leave them behind
{{- end -}}
{{- end -}}
{{- end -}}
