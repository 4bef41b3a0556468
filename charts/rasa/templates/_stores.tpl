{{- /* Where conversations are kept: memory (of each pod), redis, postgres or own (as it stands). The official chart's default,
${DB_HOST}, was its own Postgres: where there is none here, Redis takes its place unless something else sets DB_HOST. */ -}}
{{- define "rasa.store" -}}
{{- $given := .Values.applicationSettings.endpoints.trackerStore | default dict -}}
{{- $sql := eq (lower (toString ($given.type | default "sql"))) "sql" -}}
{{- $host := $given.url | default (eq (toString $given.dialect) "sqlite" | ternary "" "${DB_HOST}") -}}
{{- $lost := and (eq $host "${DB_HOST}") (not (include "rasa.hasEnv" (dict "root" . "name" "DB_HOST"))) -}}
{{- if eq (toString $given.enabled) "false" -}}
memory
{{- else if and (omit $given "enabled") (not $sql) -}}
own
{{- else if and (or ((.Values.postgresql).external).enabled (include "rasa.ownPostgres" .)) (ne (toString $given.dialect) "sqlite") -}}
postgres
{{- else if or (not $given.type) $lost -}}
{{- if or .Values.redis.install (.Values.redis.external).enabled (.Values.postgresql).install }}redis{{ else }}memory{{ end -}}
{{- else -}}
own
{{- end -}}
{{- end -}}

{{- /* Takes {root, name}: whether the user's own environment has that variable, or may have it. */ -}}
{{- define "rasa.hasEnv" -}}
{{- include "rasa.holds" (dict "list" .root.Values.extraEnv "key" "name" "value" .name) -}}
{{- if .root.Values.extraEnvFrom }}true{{ end -}}
{{- end -}}

{{- /* Whether this release runs its own Redis. */ -}}
{{- define "rasa.ownRedis" -}}
{{- if not (.Values.redis.external).enabled -}}
{{- if or .Values.redis.install (and (.Values.postgresql).install (eq (include "rasa.store" .) "redis")) }}true{{ end -}}
{{- end -}}
{{- end -}}

{{- /* A Service's name: 63 letters at most. */ -}}
{{- define "rasa.redisName" -}}
{{- printf "%s-redis" (include "rasa.fullname" . | trunc 57 | trimSuffix "-") -}}
{{- end -}}

{{- define "rasa.redisHost" -}}
{{- if (.Values.redis.external).enabled -}}
{{- required "redis.external.host is missing: set it, or redis.external.enabled: false" .Values.redis.external.host -}}
{{- else if include "rasa.ownRedis" . -}}
{{- include "rasa.redisName" . -}}
{{- end -}}
{{- end -}}

{{- define "rasa.redisPort" -}}
{{- if (.Values.redis.external).enabled -}}
{{- .Values.redis.external.port | default (((.Values.redis.master).service).port) | default 6379 | int -}}
{{- else -}}
6379
{{- end -}}
{{- end -}}

{{- /* Where the password of Redis is: {name, key} as JSON. */ -}}
{{- define "rasa.redisSecret" -}}
{{- if .Values.redis.existingSecret -}}
{{- dict "name" .Values.redis.existingSecret "key" (.Values.redis.existingSecretPasswordKey | default "redis-password") | toJson -}}
{{- else -}}
{{- dict "name" (include "rasa.secretName" .) "key" "redis-password" | toJson -}}
{{- end -}}
{{- end -}}

{{- /* What an external RabbitMQ and Duckling put into the environment. */ -}}
{{- define "rasa.externalEnv" -}}
{{- if ((.Values.rabbitmq).external).enabled }}
{{- $auth := .Values.rabbitmq.auth | default dict }}
- {name: RABBITMQ_HOST, value: {{ required "rabbitmq.external.host is missing" .Values.rabbitmq.external.host | quote }}}
- {name: RABBITMQ_PORT, value: {{ ((.Values.rabbitmq.service).port) | default 5672 | int | quote }}}
- {name: RABBITMQ_USERNAME, value: {{ $auth.username | default "user" | quote }}}
- name: RABBITMQ_PASSWORD
  valueFrom:
    secretKeyRef:
      name: {{ $auth.existingPasswordSecret | default (printf "%s-rabbitmq" .Release.Name) | quote }}
      key: rabbitmq-password
{{- end }}
{{- if ((.Values.duckling).external).enabled }}
- {name: RASA_DUCKLING_HTTP_URL, value: {{ required "duckling.external.url is missing" .Values.duckling.external.url | quote }}}
{{- end }}
{{- if include "rasa.modelServerToken" . }}
- name: MODEL_SERVER_TOKEN
  valueFrom: {secretKeyRef: {name: {{ include "rasa.secretName" . | quote }}, key: model-server-token}}
{{- end }}
{{- end -}}

{{- define "rasa.modelServerToken" -}}
{{- $models := .Values.applicationSettings.endpoints.models | default dict -}}
{{- if $models.enabled }}{{ $models.token }}{{ end -}}
{{- end -}}

{{- /* Whether the pods have a lock store: where it is not said, wherever this chart knows a Redis. */ -}}
{{- define "rasa.sharesLocks" -}}
{{- $enabled := (.Values.applicationSettings.endpoints.lockStore).enabled -}}
{{- if kindIs "invalid" $enabled }}{{ if include "rasa.redisHost" . }}true{{ end }}{{ else if $enabled }}true{{ end -}}
{{- end -}}

{{- define "rasa.credentials" -}}
{{- $channels := dict -}}
{{- if .Values.applicationSettings.credentials.enabled -}}
{{- /* Not merge: it would lose a channel without settings, as in `rest:`. */ -}}
{{- range $name, $settings := .Values.applicationSettings.credentials.additionalChannelCredentials -}}
{{- $_ := set $channels $name $settings -}}
{{- end -}}
{{- end -}}
{{- $_ := set $channels "botyard_health.HealthChannel" dict -}}
{{- toYaml $channels -}}
{{- end -}}

{{- /* Takes {into, from}: sets what is not given. Sprig's merge would also replace a 0 or an empty text that is given. */ -}}
{{- define "rasa.fill" -}}
{{- $into := .into -}}
{{- range $key, $value := .from -}}
{{- if not (hasKey $into $key) }}{{ $_ := set $into $key $value }}{{ end -}}
{{- end -}}
{{- end -}}

{{- /* A lock store or event broker of the official chart's own kind may leave out what that chart had as a default. */ -}}
{{- define "rasa.endpoints" -}}
{{- $given := .Values.applicationSettings.endpoints -}}
{{- $action := index .Values "rasa-action-server" -}}
{{- $all := dict -}}
{{- if ($action.external).enabled -}}
{{- $_ := set $all "action_endpoint" (dict "url" (required "rasa-action-server.external.url is missing" $action.external.url)) -}}
{{- end -}}
{{- $store := include "rasa.store" . -}}
{{- $tracker := omit ($given.trackerStore | default dict) "enabled" -}}
{{- if eq $store "redis" -}}
{{- $_ := set $all "tracker_store" (dict "type" "redis" "url" (include "rasa.redisHost" .) "port" (include "rasa.redisPort" . | int) "db" 0 "password" "${REDIS_PASSWORD}" "record_exp" (int64 .Values.redis.recordExpirySeconds)) -}}
{{- else if eq $store "postgres" -}}
{{- include "rasa.fill" (dict "into" $tracker "from" (dict "type" "sql" "dialect" "postgresql" "url" "${DB_HOST}" "port" "${DB_PORT}" "username" "${DB_USER}" "password" "${DB_PASSWORD}" "db" "${DB_DATABASE}" "login_db" "${DB_DATABASE}")) -}}
{{- $_ := set $all "tracker_store" $tracker -}}
{{- else if eq $store "own" -}}
{{- $_ := set $all "tracker_store" $tracker -}}
{{- end -}}
{{- if include "rasa.sharesLocks" . -}}
{{- $lock := omit ($given.lockStore | default dict) "enabled" -}}
{{- if has (toString ($lock.type | default "redis")) (list "redis" "botyard_locks.RedisLocks") -}}
{{- include "rasa.fill" (dict "into" $lock "from" (dict "type" "botyard_locks.RedisLocks" "url" "${REDIS_HOST}" "port" "${REDIS_PORT}" "password" "${REDIS_PASSWORD}" "db" "1")) -}}
{{- end -}}
{{- $_ := set $all "lock_store" $lock -}}
{{- end -}}
{{- if ($given.eventBroker).enabled -}}
{{- $broker := omit $given.eventBroker "enabled" -}}
{{- if eq (toString ($broker.type | default "pika")) "pika" -}}
{{- include "rasa.fill" (dict "into" $broker "from" (dict "type" "pika" "url" "${RABBITMQ_HOST}" "port" "${RABBITMQ_PORT}" "username" "${RABBITMQ_USERNAME}" "password" "${RABBITMQ_PASSWORD}" "queues" (list "rasa_production_events"))) -}}
{{- end -}}
{{- $_ := set $all "event_broker" $broker -}}
{{- end -}}
{{- if ($given.models).enabled -}}
{{- $models := dict "url" (required "applicationSettings.endpoints.models.url is missing" $given.models.url) "wait_time_between_pulls" (int64 ($given.models.waitTimeBetweenPulls | default 20)) -}}
{{- if include "rasa.modelServerToken" . -}}
{{- $_ := set $models "token" "${MODEL_SERVER_TOKEN}" -}}
{{- end -}}
{{- $_ := set $all "models" $models -}}
{{- end -}}
{{- $more := deepCopy ($given.additionalEndpoints | default dict) -}}
{{- include "rasa.fill" (dict "into" $more "from" $all) -}}
{{- toYaml $more -}}
{{- end -}}

{{- /* Ports that Rasa must reach outside of this release: the web, and those of its URLs and external services. As JSON. */ -}}
{{- define "rasa.egressPorts" -}}
{{- $ports := list 80 443 -}}
{{- $app := .Values.applicationSettings -}}
{{- $action := index .Values "rasa-action-server" -}}
{{- $urls := list $app.initialModel -}}
{{- if ($action.external).enabled }}{{ $urls = append $urls $action.external.url }}{{ end -}}
{{- if ((.Values.duckling).external).enabled }}{{ $urls = append $urls .Values.duckling.external.url }}{{ end -}}
{{- if ($app.endpoints.models).enabled }}{{ $urls = append $urls $app.endpoints.models.url }}{{ end -}}
{{- range compact $urls -}}
{{- $port := regexFind ":[0-9]+$" (regexReplaceAll "^[a-z]+://([^/?#]*@)?([^/?#]*)(?s:.*)$" . "${2}") | trimPrefix ":" -}}
{{- if $port }}{{ $ports = append $ports (int $port) }}{{ end -}}
{{- end -}}
{{- if (.Values.redis.external).enabled }}{{ $ports = append $ports (include "rasa.redisPort" . | int) }}{{ end -}}
{{- if ((.Values.postgresql).external).enabled }}{{ $ports = append $ports ((((.Values.global).postgresql).servicePort) | default 5432 | int) }}{{ end -}}
{{- if ((.Values.rabbitmq).external).enabled }}{{ $ports = append $ports (((.Values.rabbitmq.service).port) | default 5672 | int) }}{{ end -}}
{{- uniq $ports | toJson -}}
{{- end -}}
