{{- /* What the values ask for and cannot be had, all of it at once, each with what to do. */ -}}
{{- define "rasa.checks" -}}
{{- with include "rasa.missing" (dict "values" .Values "keys" (include "rasa.needed" . | fromJsonArray)) | fromJsonArray -}}
{{- fail (printf "no value for %s: null in a values file takes the default away, so leave the key out. After helm upgrade --reuse-values, which keeps another chart's values: use --reset-then-reuse-values (or --reset-values --values FILE)" (join ", " .)) -}}
{{- end -}}
{{- $app := .Values.applicationSettings -}}
{{- $ends := $app.endpoints -}}
{{- $wrong := list -}}
{{- $name := include "rasa.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- $wrong = append $wrong (printf "fullnameOverride: Kubernetes takes no Service named %q: set small letters, digits and -, a letter first; without it the name comes from the release and nameOverride" $name) -}}
{{- end -}}
{{- if not (regexMatch "^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$" (include "rasa.name" .)) -}}
{{- $wrong = append $wrong (printf "nameOverride: %q cannot be a label: set letters, digits, -, _ and ., a letter or digit first and last" (include "rasa.name" .)) -}}
{{- end -}}
{{- if (index .Values "rasa-action-server").install -}}
{{- $wrong = append $wrong "rasa-action-server.install: true is not possible: install the chart rasa-action-server as a release of its own and set rasa-action-server.external" -}}
{{- end -}}
{{- if (.Values.duckling).install -}}
{{- $wrong = append $wrong "duckling.install: true is not possible: this chart ships no Duckling; run one and set duckling.external" -}}
{{- end -}}
{{- if (.Values.rabbitmq).install -}}
{{- $wrong = append $wrong "rabbitmq.install: true is not possible: this chart ships no RabbitMQ; run one and set rabbitmq.external" -}}
{{- end -}}
{{- if or ($app.rasaX).enabled ($app.rasaX).useConfigEndpoint (($ends.models).useRasaXasModelServer).enabled -}}
{{- $wrong = append $wrong "applicationSettings.rasaX and endpoints.models.useRasaXasModelServer are not possible: this chart runs Rasa Open Source alone; set credentials and endpoints here, and endpoints.models.url for a model server" -}}
{{- end -}}
{{- if $app.trainInitialModel -}}
{{- $wrong = append $wrong "applicationSettings.trainInitialModel: true is not possible: every pod would train and serve a model of its own; train once and set applicationSettings.initialModel" -}}
{{- end -}}
{{- if ((.Values.nginx).tls).enabled -}}
{{- $wrong = append $wrong "nginx.tls.enabled: true is not possible: there is no nginx in the pod; let the ingress end TLS (ingress.enabled, ingress.tls)" -}}
{{- end -}}
{{- if ($ends.lockStore).enabled -}}
{{- if and (eq (toString ($ends.lockStore.type | default "redis")) "redis") (eq ($ends.lockStore.url | default "${REDIS_HOST}") "${REDIS_HOST}") (not (include "rasa.redisHost" .)) (not (include "rasa.hasEnv" (dict "root" . "name" "REDIS_HOST"))) -}}
{{- $wrong = append $wrong "applicationSettings.endpoints.lockStore needs a Redis: set redis.install or redis.external" -}}
{{- end -}}
{{- end -}}
{{- if ($ends.eventBroker).enabled -}}
{{- if and (eq (toString ($ends.eventBroker.type | default "pika")) "pika") (eq ($ends.eventBroker.url | default "${RABBITMQ_HOST}") "${RABBITMQ_HOST}") (not ((.Values.rabbitmq).external).enabled) (not (include "rasa.hasEnv" (dict "root" . "name" "RABBITMQ_HOST"))) -}}
{{- $wrong = append $wrong "applicationSettings.endpoints.eventBroker needs a RabbitMQ: set rabbitmq.external, or the broker's own url" -}}
{{- end -}}
{{- end -}}
{{- with include "rasa.movesToEmptyPostgres" . -}}
{{- $wrong = append $wrong . -}}
{{- end -}}
{{- if and (include "rasa.ownPostgres" .) (regexMatch "[[:space:][:cntrl:]\"']" (((.Values.global).postgresql).postgresqlPassword | default "")) -}}
{{- $wrong = append $wrong "global.postgresql.postgresqlPassword: Rasa would not read a blank, a quote or a newline in it as it stands: choose another" -}}
{{- end -}}
{{- /* A StatefulSet's pods carry its name and eleven letters more in a label, which may have 63. */ -}}
{{- if include "rasa.ownPostgres" . -}}
{{- $postgres := include "rasa.postgresName" . -}}
{{- if or (gt (len $postgres) 52) (not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $postgres)) -}}
{{- $wrong = append $wrong (printf "postgresql.install: Kubernetes runs no Postgres named %q: name the release with small letters, digits and -, a letter first, 41 at most" $postgres) -}}
{{- end -}}
{{- end -}}
{{- /* redis.conf splits at blanks and quotes. */ -}}
{{- if not .Values.existingSecret -}}
{{- range $key, $secret := dict "redis.auth.password" (.Values.redis.auth).password "global.redis.password" ((.Values.global).redis).password -}}
{{- if regexMatch "[[:space:][:cntrl:]\"']" ($secret | default "") -}}
{{- $wrong = append $wrong (printf "%s: a blank, a quote or a newline in it would stop Redis: choose another" $key) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if ($app.initialModelImage).repository -}}
{{- if $app.initialModel -}}
{{- $wrong = append $wrong "applicationSettings.initialModel and initialModelImage: a pod takes its model from one of them; leave the other empty" -}}
{{- end -}}
{{- if not (regexMatch "^/[A-Za-z0-9._/-]*[A-Za-z0-9_-][.]tar[.]gz$" ($app.initialModelImage.path | default "" | toString)) -}}
{{- $wrong = append $wrong "applicationSettings.initialModelImage.path: give the model's file in that image, as in /models/bot.tar.gz" -}}
{{- end -}}
{{- end -}}
{{- if and $app.initialModel (not ($ends.models).enabled) -}}
{{- /* Rasa's and Python's own parsers of URLs want no less. */ -}}
{{- if not (regexMatch "^https?://([!-~]*@)?([A-Za-z0-9._-]+|\\[[0-9a-fA-F:.]+\\])(:[0-9]{1,5})?/([!-$&-~]|%[0-9a-fA-F]{2})+$" $app.initialModel) -}}
{{- $wrong = append $wrong "applicationSettings.initialModel is no URL of a file: give http:// or https://, a host and a path; write what is no plain ASCII, a blank and % itself as %XX" -}}
{{- else if not (regexMatch "^[^/[:cntrl:]]{1,200}$" (include "rasa.modelName" . | trimPrefix "." | trimPrefix ".")) -}}
{{- $wrong = append $wrong "applicationSettings.initialModel names no file: the last part of its path must be a file's name of 200 letters at most, as in /models/bot.tar.gz" -}}
{{- end -}}
{{- end -}}
{{- range $key, $url := dict "rasa-action-server.external.url" (index .Values "rasa-action-server").external "duckling.external.url" (.Values.duckling).external "applicationSettings.endpoints.models.url" $ends.models -}}
{{- if and ($url).enabled ($url).url (not (regexMatch "^(https?://|[$][{])[!-~]+$" $url.url)) -}}
{{- $wrong = append $wrong (printf "%s: %q is no URL: begin it with http:// or https://, and write a blank as %%20" $key $url.url) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.autoscaling.enabled (gt (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- $wrong = append $wrong (printf "autoscaling.minReplicas (%d) is more than autoscaling.maxReplicas (%d)" (int .Values.autoscaling.minReplicas) (int .Values.autoscaling.maxReplicas)) -}}
{{- end -}}
{{- with .Values.strategy.rollingUpdate -}}
{{- if and (eq ($.Values.strategy.type | default "RollingUpdate") "RollingUpdate") (regexMatch "^0+%?$" (toString .maxSurge)) (regexMatch "^0+%?$" (toString .maxUnavailable)) -}}
{{- $wrong = append $wrong "strategy.rollingUpdate: maxSurge and maxUnavailable are both 0, so no pod could ever be replaced" -}}
{{- end -}}
{{- end -}}
{{- if gt (int64 .Values.preStopSeconds) (int64 .Values.terminationGracePeriodSeconds) -}}
{{- $wrong = append $wrong "preStopSeconds is more than terminationGracePeriodSeconds, so every pod would be killed in the middle of its work: raise the latter" -}}
{{- end -}}
{{- if and (ne (toString .Values.podDisruptionBudget.enabled) "false") (regexMatch "^0+%?$" (toString .Values.podDisruptionBudget.maxUnavailable)) -}}
{{- $wrong = append $wrong "podDisruptionBudget.maxUnavailable: 0 would block every drain of a node; give 1 or more, or podDisruptionBudget.enabled: false" -}}
{{- end -}}
{{- $wrong = concat $wrong (include "rasa.gatewayChecks" . | fromJsonArray) (include "rasa.edgeChecks" . | fromJsonArray) -}}
{{- range $key, $image := include "rasa.images" . | fromJson -}}
{{- if not (regexMatch "^[A-Za-z0-9][A-Za-z0-9._-]*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})$" $image) -}}
{{- $wrong = append $wrong (printf "%s: %q is no image: set repository (or registry and name) without a tag, and tag (in quotes where it is all digits) or digest" $key $image) -}}
{{- end -}}
{{- end -}}
{{- with index (.Values.service.annotations | default dict) "service.beta.kubernetes.io/azure-dns-label-name" -}}
{{- if not (regexMatch "^[a-z][a-z0-9-]{1,61}[a-z0-9]$" (toString .)) -}}
{{- $wrong = append $wrong (printf "service.annotations: Azure takes no DNS label %q (service.beta.kubernetes.io/azure-dns-label-name): 3 to 63 small letters, digits and -, a letter first, no - last" (toString .)) -}}
{{- end -}}
{{- end -}}
{{- $wrong = concat $wrong (include "rasa.collisions" . | fromJsonArray) -}}
{{- if $wrong -}}
{{- fail (printf "these values cannot be met:\n- %s" (join "\n- " $wrong)) -}}
{{- end -}}
{{- end -}}
