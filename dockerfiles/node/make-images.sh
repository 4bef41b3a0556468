#!/bin/bash
# Puts the cluster's own images into containerd's content store, each made of a few static files, without any registry.
# Usage: make-images.sh DIR, where DIR holds images.json (a list of {name, files, iptables, entrypoint}) and bin/.
set -euo pipefail
dir=$1
store=${dir}/archive
mkdir -p "${store}"

# A layer's bytes must depend on nothing but its files.
pack() { tar --sort=name --mtime=@0 --owner=0 --group=0 --numeric-owner -C "$1" -cf "$2" .; }

# iptables, for kube-proxy and the pod network, with all that its plug-ins load: libm is needed by some of them, and
# without it iptables-restore fails with no message and no Service answers.
iptables_root() {
  local root=$1 libs
  libs=$(dirname "$(find /usr/lib -name libxt_tcp.so)")
  mkdir -p "${root}/usr/sbin" "${root}/usr/bin" "${root}${libs}" "${root}/tmp" "${root}/run" "${root}/etc"
  ln -s usr/bin "${root}/bin"
  ln -s usr/sbin "${root}/sbin"
  ln -s usr/lib "${root}/lib"
  [ ! -e /lib64 ] || ln -s usr/lib64 "${root}/lib64"
  cp /usr/sbin/xtables-nft-multi /usr/sbin/xtables-legacy-multi /usr/sbin/conntrack "${root}/usr/sbin/"
  cp /usr/bin/busybox "${root}/usr/bin/"
  cp "${libs}"/*.so "${root}${libs}/"
  local name
  for name in iptables ip6tables iptables-save ip6tables-save iptables-restore ip6tables-restore; do
    ln -s xtables-nft-multi "${root}/usr/sbin/${name}"
  done
  # busybox has an iproute2 of its own; the rest is what a shell script needs.
  for name in sh cat cp mv mkdir ip sleep echo grep sed; do ln -s busybox "${root}/usr/bin/${name}"; done
  { ldd /usr/sbin/xtables-nft-multi /usr/sbin/xtables-legacy-multi /usr/sbin/conntrack "${libs}"/*.so || true; } \
    | grep -oE '/[^ ]+' | grep -v ':$' | sort -u \
    | while read -r lib; do
        local real
        real=$(realpath "$(dirname "${lib}")")/$(basename "${lib}")
        mkdir -p "${root}$(dirname "${real}")"
        cp -Ln "${real}" "${root}${real}" || true
      done
}

manifest='[]'
while read -r image; do
  name=$(jq -r .name <<<"${image}")
  layers=()
  if [ "$(jq -r .iptables <<<"${image}")" = true ]; then
    if [ ! -f "${store}/iptables.tar" ]; then
      iptables_root "${dir}/iptables"
      # Fails the build here rather than Services later.
      chroot "${dir}/iptables" /usr/sbin/iptables --version
      chroot "${dir}/iptables" /usr/bin/sh -c 'ip -V || true'
      pack "${dir}/iptables" "${store}/iptables.tar"
    fi
    layers+=(iptables.tar)
  fi
  root=$(mktemp -d "${dir}/root.XXXXXX")
  chmod 755 "${root}"
  while read -r from to; do
    mkdir -p "${root}$(dirname "${to}")"
    case "${from}" in
      /*) cp "${from}" "${root}${to}" ;;
      *) ln "${dir}/bin/${from}" "${root}${to}" ;;
    esac
    chmod 755 "${root}${to}"
  done < <(jq -r '.files | to_entries[] | "\(.value) \(.key)"' <<<"${image}")
  layer=$(basename "${root}").tar
  pack "${root}" "${store}/${layer}"
  layers+=("${layer}")
  rm -rf "${root}"
  ids='[]'
  for file in "${layers[@]}"; do
    ids=$(jq -c --arg id "sha256:$(sha256sum "${store}/${file}" | cut -d' ' -f1)" '. + [$id]' <<<"${ids}")
  done
  config="$(basename "${root}").json"
  jq -c --argjson ids "${ids}" --arg arch "$(dpkg --print-architecture)" \
    '{architecture: $arch, os: "linux", created: "1970-01-01T00:00:00Z",
      config: {Entrypoint: .entrypoint, Env: ["PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]},
      rootfs: {type: "layers", diff_ids: $ids}}' <<<"${image}" > "${store}/${config}"
  manifest=$(jq -c --arg config "${config}" --arg name "${name}" \
    '. + [{Config: $config, RepoTags: [$name], Layers: $ARGS.positional}]' --args "${layers[@]}" <<<"${manifest}")
done < <(jq -c '.[]' "${dir}/images.json")
printf %s "${manifest}" > "${store}/manifest.json"

containerd > "${dir}/containerd.log" 2>&1 &
daemon=$!
for _ in $(seq 100); do
  if [ -S /run/containerd/containerd.sock ] && ctr version > /dev/null 2>&1; then break; fi
  sleep 0.1
done
tar -C "${store}" -cf - . \
  | ctr -n k8s.io images import --label=io.cri-containerd.pinned=pinned --all-platforms --no-unpack --digests - \
  || { cat "${dir}/containerd.log"; exit 1; }
ctr -n k8s.io images list -q | grep -v sha256 | sort
kill "${daemon}"
wait "${daemon}" || true
