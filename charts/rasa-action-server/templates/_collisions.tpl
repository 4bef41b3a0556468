{{- /* Takes a list of texts: those that are in it more than once. As JSON. */ -}}
{{- define "actions.twice" -}}
{{- $seen := dict -}}
{{- $twice := list -}}
{{- range . -}}
{{- if hasKey $seen . }}{{ $twice = append $twice . }}{{ end -}}
{{- $_ := set $seen . true -}}
{{- end -}}
{{- uniq $twice | toJson -}}
{{- end -}}

{{- /* Names of the values that are there twice, or that are the chart's own: Kubernetes would refuse them. As JSON. */ -}}
{{- define "actions.collisions" -}}
{{- $v := .Values -}}
{{- $wrong := list -}}
{{- $own := dict "extraEnv" (list) "volumes" (list) "containers" (list "action-server") -}}
{{- range $key, $entries := dict "extraEnv" $v.extraEnv "volumes" $v.volumes "containers" (concat ($v.initContainers | default list) ($v.extraContainers | default list)) -}}
{{- $names := get $own $key -}}
{{- range $entries }}{{ $names = append $names .name }}{{ end -}}
{{- with include "actions.twice" $names | fromJsonArray -}}
{{- $wrong = append $wrong (printf "%s: %s is there twice, or is a name of the chart's own: give it another" ($key | replace "containers" "initContainers and extraContainers") (join ", " .)) -}}
{{- end -}}
{{- end -}}
{{- $paths := (list) -}}
{{- $volumes := concat (get $own "volumes") (list "tmp") -}}
{{- range $v.volumes }}{{ $volumes = append $volumes .name }}{{ end -}}
{{- range $v.volumeMounts -}}
{{- $paths = append $paths (clean .mountPath) -}}
{{- if not (has .name $volumes) -}}
{{- $wrong = append $wrong (printf "volumeMounts: there is no volume %s: add it to volumes" .name) -}}
{{- end -}}
{{- end -}}
{{- with include "actions.twice" $paths | fromJsonArray -}}
{{- $wrong = append $wrong (printf "volumeMounts: %s is there twice, or is a place of the chart's own: mount it elsewhere" (join ", " .)) -}}
{{- end -}}
{{- $selector := list "app.kubernetes.io/name" "app.kubernetes.io/instance" -}}
{{- $labels := concat $selector (list "app.kubernetes.io/managed-by" "app.kubernetes.io/version" "helm.sh/chart") -}}
{{- range $key, $taken := dict "podLabels" $selector "deploymentLabels" $labels "ingress.labels" $labels "podAnnotations" (list) -}}
{{- $given := eq $key "ingress.labels" | ternary ($v.ingress).labels (index $v ($key | replace "ingress.labels" "ingress")) -}}
{{- range $taken -}}
{{- if hasKey ($given | default dict) . -}}
{{- $wrong = append $wrong (printf "%s: %s is set by the chart: leave it out" $key .) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- toJson $wrong -}}
{{- end -}}

{{- /* The chart's own variables, without those that extraEnv sets, and extraEnv. */ -}}
{{- define "actions.env" -}}
{{- $all := list -}}
{{- range include "actions.ownEnv" . | fromYamlArray -}}
{{- if not (include "actions.holds" (dict "list" $.Values.extraEnv "key" "name" "value" .name)) }}{{ $all = append $all . }}{{ end -}}
{{- end -}}
{{- concat $all (.Values.extraEnv | default list) | toYaml -}}
{{- end -}}
