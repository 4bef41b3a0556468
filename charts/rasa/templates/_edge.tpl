{{- /* Whether the gateway has a listener of its own for the internet: "true" or nothing. */ -}}
{{- define "rasa.edge" -}}
{{- if and (.Values.gateway).enabled ((.Values.gateway).edge).enabled }}true{{ end -}}
{{- end -}}

{{- define "rasa.edgeName" -}}
{{- printf "%s-edge" (include "rasa.fullname" . | trunc 58 | trimSuffix "-") -}}
{{- end -}}

{{- /* Secret with the edge's certificate; empty where it speaks plain HTTP. */ -}}
{{- define "rasa.edgeSecret" -}}
{{- $tls := (.Values.gateway).tls | default dict -}}
{{- if $tls.secretName -}}
{{- $tls.secretName -}}
{{- else if ($tls.certManager).issuer -}}
{{- printf "%s-tls" (include "rasa.edgeName" .) -}}
{{- end -}}
{{- end -}}

{{- /* The frontends that face the internet. What they do not name is not there for anyone outside. */ -}}
{{- define "rasa.edgeConfig" -}}
{{- $e := .Values.gateway.edge -}}
{{- $g := .Values.gateway -}}
{{- $tls := include "rasa.edgeSecret" . -}}
{{- $rate := $e.rateLimit | default dict -}}
{{- $origins := $e.origins | default list -}}
frontend edge from common
  bind :{{ int $e.port }}{{ if $tls }} ssl crt /etc/edge-tls/edge.pem ssl-min-ver TLSv1.2 no-tls-tickets ciphers ECDHE+AESGCM:ECDHE+CHACHA20 alpn http/1.1{{ end }}
  maxconn {{ int $e.maxConnections }}
  http-request set-var(txn.path) path
  log-format "%ci %HM %[var(txn.path)] %ST %b/%s %Tw/%Tc/%Tr/%Ta %tsc %B bytes"
  http-after-response set-header Connection close if { var(proc.leaving) -m bool }
  # What a browser may be told, by us alone: not by the bot, and our own answer to its first question stays whole.
  http-response del-header Access-Control- -m beg
  http-after-response del-header Server
  http-after-response set-header X-Content-Type-Options nosniff
  http-after-response set-header Referrer-Policy no-referrer
  http-after-response set-header X-Frame-Options DENY
  http-after-response set-header Vary Origin
  {{- if $tls }}
  http-after-response set-header Strict-Transport-Security max-age=31536000
  {{- end }}
  http-after-response set-header Access-Control-Allow-Origin %[var(txn.origin)] if { var(txn.origin) -m found }
  {{- if int $rate.requests }}
  # An IPv6 client has a whole /64.
  stick-table type ipv6 size 100k expire {{ int $rate.seconds }}s store http_req_rate({{ int $rate.seconds }}s)
  {{- if $e.trustForwardedFor }}
  # The last one is the nearest proxy's; those before it are anyone's.
  http-request track-sc0 hdr_ip(X-Forwarded-For,-1),ipmask(32,64) if { req.hdr(X-Forwarded-For) -m found }
  http-request track-sc0 src,ipmask(32,64) if !{ req.hdr(X-Forwarded-For) -m found }
  {{- else }}
  http-request track-sc0 src,ipmask(32,64)
  {{- end }}
  http-request return status 429 content-type application/json hdr Retry-After {{ int $rate.seconds }} string '{"status":"failure","reason":"TooManyRequests","message":"You ask too often: wait.","code":429}' if { sc_http_req_rate(0) gt {{ int $rate.requests }} }
  {{- end }}
  # Plain paths alone, as they stand: nothing encoded, no dots, no second slash, no whole URL, so nothing is read in another
  # way behind this line.
  acl plain url_beg /
  acl verb method GET HEAD POST OPTIONS
  acl message method POST
  acl message_path path_reg ^/webhooks/[A-Za-z0-9_-]+/webhook/?$
  acl socketio path -m str {{ include "rasa.socketioPath" . | trimSuffix "/" }} {{ include "rasa.socketioPath" . | trimSuffix "/" }}/
  {{- with $e.pages }}
  acl page path -m str {{ join " " . }}
  {{- end }}
  http-request return status 404 content-type text/plain string "not found\n" if !plain or !verb or !message_path !socketio{{ if $e.pages }} !page{{ end }}
  {{- with $e.pages }}
  http-request return status 404 content-type text/plain string "not found\n" if page message
  {{- end }}
  # A browser says whose page asks; servers and command lines say nothing.
  acl from_page req.fhdr_cnt(Origin) gt 0
  acl one_page req.fhdr_cnt(Origin) eq 1
  {{- if has "*" $origins }}
  acl known_page always_true
  {{- else if $origins }}
  acl known_page req.fhdr(Origin) -m str {{ join " " $origins }}
  {{- else }}
  acl known_page always_false
  {{- end }}
  http-request return status 403 content-type text/plain string "origin not allowed\n" if from_page !one_page or from_page !known_page
  http-request set-var(txn.origin) req.fhdr(Origin) if from_page
  http-request return status 204 hdr Access-Control-Allow-Methods "GET, POST" hdr Access-Control-Allow-Headers "Content-Type, Authorization" hdr Access-Control-Max-Age 600 if from_page { method OPTIONS } { req.hdr(Access-Control-Request-Method) -m found }
  # Words by which a proxy or a framework could be led elsewhere.
  http-request del-header X-Original- -m beg
  http-request del-header X-Rewrite- -m beg
  http-request del-header X-HTTP-Method -m beg
  http-request del-header X-Forwarded- -m beg
  http-request del-header Forwarded
  http-request del-header Upgrade unless socketio
  http-request set-header X-Forwarded-Proto {{ ternary "https" "http" (ne $tls "") }}
  option forwardfor
  {{- if int $g.maxBodyBytes }}
  {{- $seen := min 15000 (add1 (int64 $g.maxBodyBytes)) }}
  acl chunked req.hdr(Transfer-Encoding) -m found
  http-request wait-for-body time 15s at-least {{ $seen }} if chunked
  http-request return status 413 content-type application/json string '{"status":"failure","reason":"TooLarge","message":"The body of the request is too large.","code":413}' if { req.hdr(Content-Length) -m int gt {{ int64 $g.maxBodyBytes }} } or chunked { req.body_len ge {{ $seen }} }
  {{- end }}
  http-request return status 503 content-type application/json hdr Retry-After {{ int $g.retryAfterSeconds }} string '{"status":"failure","reason":"QueueIsFull","message":"Too many messages wait: try again later.","code":503}' if message message_path !socketio { queue(messages) ge {{ int $g.maxQueue }} }
  use_backend socketio if socketio
  use_backend messages if message message_path
  default_backend other
{{- if $tls }}

frontend edge_plain from common
  bind :{{ int $e.redirectPort }}
  maxconn {{ int $e.maxConnections }}
  no log
  http-request redirect scheme https code 308
{{- end }}
{{- end -}}

{{- /* What the edge's values ask for and cannot be had. As JSON. */ -}}
{{- define "rasa.edgeChecks" -}}
{{- $wrong := list -}}
{{- $edge := (.Values.gateway).edge | default dict -}}
{{- if and $edge.enabled (not (.Values.gateway).enabled) -}}
{{- $wrong = append $wrong "gateway.edge.enabled: the edge is a listener of the gateway: set gateway.enabled: true" -}}
{{- end -}}
{{- if and (include "rasa.edgeSecret" .) (not (include "rasa.edge" .)) -}}
{{- $wrong = append $wrong "gateway.tls: TLS is of the edge alone: set gateway.enabled and gateway.edge.enabled: true" -}}
{{- end -}}
{{- if include "rasa.edge" . -}}
{{- if not (or (include "rasa.edgeSecret" .) $edge.insecure) -}}
{{- $wrong = append $wrong "gateway.edge: without TLS anyone on the way reads the conversations: set gateway.tls.secretName or gateway.tls.certManager.issuer, or say gateway.edge.insecure: true" -}}
{{- end -}}
{{- if and ((.Values.gateway.tls).certManager).issuer (not ((.Values.gateway.tls).certManager).dnsNames) -}}
{{- $wrong = append $wrong "gateway.tls.certManager.dnsNames: give the names that the certificate is for" -}}
{{- end -}}
{{- $ports := list (int .Values.applicationSettings.port) (int .Values.gateway.metricsPort) (int $edge.port) (int $edge.redirectPort) -}}
{{- if ne (len $ports) (len (uniq $ports)) -}}
{{- $wrong = append $wrong "gateway.edge.port and redirectPort: these, gateway.metricsPort and applicationSettings.port must all differ" -}}
{{- end -}}
{{- if and (int ($edge.rateLimit).requests) (not ($edge.rateLimit).seconds) -}}
{{- $wrong = append $wrong "gateway.edge.rateLimit.seconds: set in how many seconds a client may send gateway.edge.rateLimit.requests" -}}
{{- end -}}
{{- range $edge.pages -}}
{{- if regexMatch "^/(status|model|conversations|domain|version|webhooks)?(/|$)" . -}}
{{- $wrong = append $wrong (printf "gateway.edge.pages: %q is Rasa's own, which never leaves the cluster: leave it out" .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end -}}
