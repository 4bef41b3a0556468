{{- /* Takes {values, keys}: those of the keys, as in service.port, that have no value. As JSON. */ -}}
{{- define "rasa.missing" -}}
{{- $missing := list -}}
{{- range $key := .keys -}}
{{- $at := $.values -}}
{{- range $part := splitList "." $key -}}
{{- if kindIs "map" $at }}{{ $at = index $at $part }}{{ else }}{{ $at = index (dict) $part }}{{ end -}}
{{- end -}}
{{- if kindIs "invalid" $at }}{{ $missing = append $missing $key }}{{ end -}}
{{- end -}}
{{- toJson $missing -}}
{{- end -}}

{{- /* Keys without which nothing can be rendered: helm takes a default away where a values file says null. As JSON. */ -}}
{{- define "rasa.needed" -}}
{{- $v := .Values -}}
{{- $keys := list "applicationSettings.port" "applicationSettings.telemetry" "applicationSettings.credentials" "applicationSettings.endpoints" "rasa-action-server" "image" "redis.image" "redis.persistence" "serviceAccount" "service.port" "autoscaling" "podDisruptionBudget" "strategy" "terminationGracePeriodSeconds" -}}
{{- if ($v.autoscaling).enabled }}{{ $keys = append $keys "autoscaling.maxReplicas" }}{{ end -}}
{{- if ($v.gateway).enabled -}}
{{- range $key := list "image" "replicas" "maxConnPerPod" "maxConnPerWaitingPod" "maxQueue" "queueTimeoutSeconds" "serverTimeoutSeconds" "retryAfterSeconds" "maxConnections" "preStopSeconds" "drainSeconds" "metricsPort" "clusterDomain" "resources" -}}
{{- $keys = append $keys (printf "gateway.%s" $key) -}}
{{- end -}}
{{- end -}}
{{- if include "rasa.edge" . }}{{ $keys = concat $keys (list "gateway.edge.port" "gateway.edge.redirectPort" "gateway.edge.maxConnections") }}{{ end -}}
{{- if ($v.ingress).enabled }}{{ $keys = concat $keys (list "ingress.path" "ingress.pathType") }}{{ end -}}
{{- if (($v.redis).persistence).enabled }}{{ $keys = append $keys "redis.persistence.size" }}{{ end -}}
{{- if include "rasa.ownPostgres" . }}{{ $keys = append $keys "postgresql.persistence" }}{{ end -}}
{{- if (($v.postgresql).persistence).enabled }}{{ $keys = append $keys "postgresql.persistence.size" }}{{ end -}}
{{- if kindIs "map" ($v.podSecurityContext).seccompProfile }}{{ $keys = append $keys "podSecurityContext.seccompProfile.type" }}{{ end -}}
{{- range $name := list "startupProbe" "readinessProbe" "livenessProbe" -}}
{{- $probe := index $v $name | default dict -}}
{{- if and $probe.httpGet (not (or $probe.exec $probe.tcpSocket $probe.grpc)) }}{{ $keys = append $keys (printf "%s.httpGet.port" $name) }}{{ end -}}
{{- end -}}
{{- toJson $keys -}}
{{- end -}}
