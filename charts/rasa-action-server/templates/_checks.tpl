{{- /* What the values ask for and cannot be had, all of it at once, each with what to do. */ -}}
{{- define "actions.checks" -}}
{{- with include "actions.missing" (dict "values" .Values "keys" (include "actions.needed" . | fromJsonArray)) | fromJsonArray -}}
{{- fail (printf "no value for %s: null in a values file takes the default away, so leave the key out. After helm upgrade --reuse-values, which keeps another chart's values: use --reset-then-reuse-values (or --reset-values --values FILE)" (join ", " .)) -}}
{{- end -}}
{{- $wrong := list -}}
{{- $name := include "actions.fullname" . -}}
{{- if not (regexMatch "^[a-z]([-a-z0-9]*[a-z0-9])?$" $name) -}}
{{- $wrong = append $wrong (printf "fullnameOverride: Kubernetes takes no Service named %q: set small letters, digits and -, a letter first; without it the name comes from the release and nameOverride" $name) -}}
{{- end -}}
{{- if not (regexMatch "^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$" (include "actions.name" .)) -}}
{{- $wrong = append $wrong (printf "nameOverride: %q cannot be a label: set letters, digits, -, _ and ., a letter or digit first and last" (include "actions.name" .)) -}}
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
{{- range $key, $image := include "actions.images" . | fromJson -}}
{{- if not (regexMatch "^[A-Za-z0-9][A-Za-z0-9._-]*(:[0-9]+)?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*(:[A-Za-z0-9_][A-Za-z0-9._-]{0,127}|@sha256:[0-9a-f]{64})$" $image) -}}
{{- $wrong = append $wrong (printf "%s: %q is no image: set repository (or registry and name) without a tag, and tag (in quotes where it is all digits) or digest" $key $image) -}}
{{- end -}}
{{- end -}}
{{- with index (.Values.service.annotations | default dict) "service.beta.kubernetes.io/azure-dns-label-name" -}}
{{- if not (regexMatch "^[a-z][a-z0-9-]{1,61}[a-z0-9]$" (toString .)) -}}
{{- $wrong = append $wrong (printf "service.annotations: Azure takes no DNS label %q (service.beta.kubernetes.io/azure-dns-label-name): 3 to 63 small letters, digits and -, a letter first, no - last" (toString .)) -}}
{{- end -}}
{{- end -}}
{{- $wrong = concat $wrong (include "actions.collisions" . | fromJsonArray) -}}
{{- if $wrong -}}
{{- fail (printf "these values cannot be met:\n- %s" (join "\n- " $wrong)) -}}
{{- end -}}
{{- end -}}
