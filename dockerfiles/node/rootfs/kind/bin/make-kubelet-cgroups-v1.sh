#!/bin/sh
# Makes kubelet's two cgroups under every cgroup v1 controller; does nothing on cgroup v2.
set -eu
[ ! -f /sys/fs/cgroup/cgroup.controllers ] || exit 0
for controller in /sys/fs/cgroup/*/; do
  [ ! -f "${controller}cgroup.controllers" ] || continue # the unified hierarchy of a hybrid host
  for name in kubelet kubelet.slice; do
    group="${controller}${name}"
    mkdir -p "${group}" || continue
    # An empty cpuset takes no process.
    for file in cpuset.cpus cpuset.mems; do
      if [ -f "${group}/${file}" ] && [ -z "$(cat "${group}/${file}")" ]; then
        cat "${controller}${file}" > "${group}/${file}"
      fi
    done
  done
done
