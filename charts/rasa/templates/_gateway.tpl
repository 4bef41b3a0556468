{{- define "rasa.gatewayName" -}}
{{- printf "%s-gateway" (include "rasa.fullname" . | trunc 55 | trimSuffix "-") -}}
{{- end -}}

{{- /* The headless Service, by whose name the gateway finds Rasa's pods. */ -}}
{{- define "rasa.podsName" -}}
{{- printf "%s-pods" (include "rasa.fullname" . | trunc 58 | trimSuffix "-") -}}
{{- end -}}

{{- define "rasa.gatewaySelector" -}}
app.kubernetes.io/name: {{ printf "%s-gateway" (include "rasa.name" . | trunc 55 | trimSuffix "-") | quote }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end -}}

{{- define "rasa.gatewayLabels" -}}
{{ include "rasa.gatewaySelector" . }}
{{ include "rasa.commonLabels" . }}
{{- end -}}

{{- /* Where a Rasa pod tells the gateway how many messages it can take. */ -}}
{{- define "rasa.agentPort" -}}
5006
{{- end -}}

{{- /* What a gateway adds to the environment of Rasa. */ -}}
{{- define "rasa.gatewayEnv" -}}
{{- if (.Values.gateway).enabled }}
{{- if gt (int .Values.gateway.maxConnPerWaitingPod) (int .Values.gateway.maxConnPerPod) }}
- {name: BOTYARD_AGENT_PORT, value: {{ include "rasa.agentPort" . | quote }}}
- {name: BOTYARD_MESSAGES_BUSY, value: {{ int .Values.gateway.maxConnPerPod | quote }}}
- {name: BOTYARD_MESSAGES_WAITING, value: {{ int .Values.gateway.maxConnPerWaitingPod | quote }}}
{{- end }}
- name: BOTYARD_POD_IP
  valueFrom: {fieldRef: {fieldPath: status.podIP}}
{{- end }}
{{- end -}}

{{- /* Room for the pods of an upgrade beside those of before, and for more by hand. */ -}}
{{- define "rasa.gatewaySlots" -}}
{{- $pods := int .Values.replicaCount -}}
{{- if .Values.autoscaling.enabled }}{{ $pods = int .Values.autoscaling.maxReplicas }}{{ end -}}
{{- max 20 (mul 2 $pods) -}}
{{- end -}}

{{- /* Takes {root, more}: the servers of a backend, one a pod, by the names of the headless Service. */ -}}
{{- define "rasa.gatewayServers" -}}
{{- $pods := include "rasa.podsName" .root -}}
server-template pod {{ include "rasa.gatewaySlots" .root }} _http._tcp.{{ $pods }}.{{ .root.Release.Namespace }}.svc.{{ .root.Values.gateway.clusterDomain }} resolvers cluster init-addr none check{{ .more }}
{{- end -}}

{{- /* Where the chat widget's channel listens. */ -}}
{{- define "rasa.socketioPath" -}}
{{- $channels := .Values.applicationSettings.credentials.additionalChannelCredentials | default dict -}}
{{- $settings := index $channels "socketio" | default dict -}}
{{- $path := $settings.socketio_path | default "" | toString -}}
{{- regexMatch "^/[A-Za-z0-9._/-]+$" $path | ternary $path "/socket.io" -}}
{{- end -}}

{{- define "rasa.gatewayConfig" -}}
{{- $g := .Values.gateway -}}
{{- $app := .Values.applicationSettings -}}
{{- $agent := gt (int $g.maxConnPerWaitingPod) (int $g.maxConnPerPod) -}}
{{- $rate := $g.rateLimit | default dict -}}
global
  log stdout format raw local0
  # One thread: it carries thousands of messages a second, and one queue is a queue.
  nbthread 1
  maxconn {{ int $g.maxConnections }}
  # After SIGUSR1 (the pod ends) or SIGUSR2 (this file is read again) an old process finishes what it has, so long.
  hard-stop-after {{ int $g.drainSeconds }}s
  # An old process hands its ports to the new one.
  stats socket /tmp/haproxy.sock mode 600 level admin expose-fd listeners
  lua-load /etc/gateway/gateway.lua
  {{- if and (include "rasa.edge" .) (include "rasa.edgeSecret" .) }}
  lua-load /etc/gateway/edge.lua
  {{- end }}

defaults common
  mode http
  log global
  option dontlognull
  option http-ignore-probes
  # Each request goes to the pod that is free, so a connection to a pod ends with its reply, and none is reused that
  # Rasa might be closing. To the client it stays open.
  option http-server-close
  http-reuse never
  # Again only where no connection came about: Rasa has seen nothing of that message. Elsewhere nothing is sent twice.
  retries 3
  retry-on conn-failure
  option redispatch 1
  timeout http-request 15s
  timeout http-keep-alive 30s
  timeout connect 2s
  timeout client {{ int $g.serverTimeoutSeconds }}s
  timeout server {{ int $g.serverTimeoutSeconds }}s
  timeout queue {{ int $g.queueTimeoutSeconds }}s
  http-error status 503 content-type application/json hdr Retry-After {{ int $g.retryAfterSeconds }} string '{"status":"failure","reason":"NoPodIsFree","message":"Every pod is busy or gone: try again later.","code":503}'
  http-error status 504 content-type application/json string '{"status":"failure","reason":"NoReply","message":"The bot did not answer in time.","code":504}'

defaults pods from common
  # As patient as the readiness probe of the chart: a Rasa that is busy answers late, and all pods are busy at once.
  # One that refuses connections is out after ten of those (a second each), and costs nobody a reply meanwhile.
  timeout check 10s
  default-server inter 2s fastinter 1s downinter 1s fall 10 rise 1
  option httpchk GET /webhooks/botyard/ready
  http-check expect status 200
  # A pod that is to end answers 404: it gets no more, and finishes what it has.
  http-check disable-on-404

resolvers cluster
  parse-resolv-conf
  accepted_payload_size 8192
  timeout resolve 1s
  timeout retry 1s
  hold valid 1s
  # Where names cannot be asked for, the pods last known stay: the checks tell which of them live.
  hold obsolete 1s
  hold timeout 1h
  hold refused 1h
  hold other 1h
  hold nx 10s

frontend bot from common
  bind :{{ $app.port }}
  http-request set-var(txn.path) path
  # The path without its query, where tokens may be; no header, no body. Waits in ms: queue, connecting, reply, all.
  log-format "%ci %HM %[var(txn.path)] %ST %b/%s %Tw/%Tc/%Tr/%Ta %tsc %B bytes"
  # While the pod ends, clients are told to come by another connection, before this one is closed.
  http-after-response set-header Connection close if { var(proc.leaving) -m bool }
  {{- if not $g.trustForwardedFor }}
  http-request del-header X-Forwarded-For
  {{- end }}
  option forwardfor
  {{- if int $rate.requests }}
  # A client may ask so often in that time, of each gateway pod. In X-Forwarded-For the last one is the nearest proxy's
  # word; those before it are anyone's.
  stick-table type ipv6 size 100k expire {{ int $rate.seconds }}s store http_req_rate({{ int $rate.seconds }}s)
  http-request track-sc0 {{ if $g.trustForwardedFor }}hdr_ip(X-Forwarded-For,-1) if { req.hdr(X-Forwarded-For) -m found }
  http-request track-sc0 src if !{ req.hdr(X-Forwarded-For) -m found }{{ else }}src{{ end }}
  http-request return status 429 content-type application/json hdr Retry-After {{ int $rate.seconds }} string '{"status":"failure","reason":"TooManyRequests","message":"You ask too often: wait.","code":429}' if { sc_http_req_rate(0) gt {{ int $rate.requests }} }
  {{- end }}
  {{- if int $g.maxBodyBytes }}
  {{- /* What fits a buffer (tune.bufsize less tune.maxrewrite, and some). */}}
  {{- $seen := min 15000 (add1 (int64 $g.maxBodyBytes)) }}
  # The size of a chunked body is not told beforehand: as much of it is read as a buffer takes.
  acl chunked req.hdr(Transfer-Encoding) -m found
  http-request wait-for-body time 15s at-least {{ $seen }} if chunked
  http-request return status 413 content-type application/json string '{"status":"failure","reason":"TooLarge","message":"The body of the request is too large.","code":413}' if { req.hdr(Content-Length) -m int gt {{ int64 $g.maxBodyBytes }} } or chunked { req.body_len ge {{ $seen }} }
  {{- end }}
  acl socketio path_beg {{ include "rasa.socketioPath" . }}
  acl message method POST
  acl message_path path_beg /webhooks/
  {{- /* Queue and servers are those of this gateway pod. */}}
  http-request return status 503 content-type application/json hdr Retry-After {{ int $g.retryAfterSeconds }} string '{"status":"failure","reason":"QueueIsFull","message":"Too many messages wait: try again later.","code":503}' if message message_path !socketio { queue(messages) ge {{ int $g.maxQueue }} }
  use_backend socketio if socketio
  use_backend messages if message message_path
  default_backend other

{{- if include "rasa.edge" . }}

{{ include "rasa.edgeConfig" . }}
{{- end }}

# Messages by webhook. Rasa is one event loop: what it cannot begin waits here, for whichever pod is free first.
backend messages from pods
  balance leastconn
  # A client that gave up while it waited costs nothing.
  option abortonclose
  http-request lua.await_server messages if { nbsrv(messages) eq 0 }
  {{ include "rasa.gatewayServers" (dict "root" . "more" (printf " maxconn %d%s" (int $g.maxConnPerPod) ($agent | ternary (printf " agent-check agent-port %s agent-inter 200ms" (include "rasa.agentPort" .)) ""))) }}

# A chat widget's session stays on the pod that began it; open connections are no messages, so they are not counted.
backend socketio from pods
  balance leastconn
  timeout tunnel 1h
  http-request lua.await_server socketio if { nbsrv(socketio) eq 0 }
  http-request lua.find_server socketio if { url_param(sid) -m found }
  use-server %[var(txn.server)] if { var(txn.server) -m found }
  {{ include "rasa.gatewayServers" (dict "root" . "more" "") }}

# All else (/, /status, /model, GET of a webhook) is no message and does not wait in their queue.
backend other from pods
  balance leastconn
  http-request lua.await_server other if { nbsrv(other) eq 0 }
  {{ include "rasa.gatewayServers" (dict "root" . "more" "") }}

frontend watch from common
  bind :{{ int $g.metricsPort }}
  no log
  http-request use-service prometheus-exporter if { path /metrics }
  # Ready once it has seen a pod; later, without one, it still has an answer for the client.
  http-request set-var(proc.seen) bool(true) if { nbsrv(messages) gt 0 }
  http-request return status 200 content-type text/plain string "ready\n" if { path /ready } { var(proc.seen) -m bool }
  http-request return status 503 content-type text/plain string "no pod of Rasa is known yet\n" if { path /ready }
  http-request return status 200 content-type text/plain string "alive\n" if { path /alive }
  # Asked by the pod's own preStop.
  http-request set-var(proc.leaving) bool(true) if { path /leave } { src 127.0.0.1 }
  http-request return status 200 content-type text/plain string "leaving\n" if { path /leave } { src 127.0.0.1 }
  http-request return status 404
{{- end -}}


{{- /* What the gateway's values ask for and cannot be had. As JSON. */ -}}
{{- define "rasa.gatewayChecks" -}}
{{- $wrong := list -}}
{{- if (.Values.gateway).enabled -}}
{{- $g := .Values.gateway -}}
{{- $port := int .Values.applicationSettings.port -}}
{{- if eq (int $g.metricsPort) $port -}}
{{- $wrong = append $wrong (printf "gateway.metricsPort: %d is applicationSettings.port as well: choose another" $port) -}}
{{- end -}}
{{- if eq $port (include "rasa.agentPort" . | int) -}}
{{- $wrong = append $wrong (printf "applicationSettings.port: at %d a pod tells the gateway how many messages it can take: choose another, or gateway.enabled: false" $port) -}}
{{- end -}}
{{- if gt (int $g.maxConnPerPod) (int $g.maxConnPerWaitingPod) -}}
{{- $wrong = append $wrong (printf "gateway.maxConnPerWaitingPod (%d) is less than gateway.maxConnPerPod (%d): a pod that waits can take no fewer messages" (int $g.maxConnPerWaitingPod) (int $g.maxConnPerPod)) -}}
{{- end -}}
{{- if and (int ($g.rateLimit).requests) (not ($g.rateLimit).seconds) -}}
{{- $wrong = append $wrong "gateway.rateLimit.seconds: set in how many seconds a client may send gateway.rateLimit.requests" -}}
{{- end -}}
{{- if hasKey ($g.podAnnotations | default dict) "botyard/config" -}}
{{- $wrong = append $wrong "gateway.podAnnotations: botyard/config is set by the chart: leave it out" -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end -}}
