#!/bin/sh
# What kind's images/base/Dockerfile does after its packages are in, for Debian's containerd instead of kind's own build.
set -eu

chmod 755 /kind /kind/bin /kind/bin/*.sh /usr/local/bin/*
rm -f /usr/local/bin/clean-install

# Units that make no sense in a container.
find /lib/systemd/system/sysinit.target.wants/ -name "systemd-tmpfiles-setup.service" -delete
rm -f /lib/systemd/system/multi-user.target.wants/* /etc/systemd/system/*.wants/*
rm -f /lib/systemd/system/local-fs.target.wants/* /lib/systemd/system/basic.target.wants/*
rm -f /lib/systemd/system/sockets.target.wants/*udev* /lib/systemd/system/sockets.target.wants/*initctl*
echo "ReadKMsg=no" >> /etc/systemd/journald.conf

# kind's unit starts containerd from /usr/local/bin; Debian's own unit would win over nothing but confuses a reader.
rm -f /lib/systemd/system/containerd.service
for program in containerd ctr containerd-shim-runc-v2; do
  ln -sf "/usr/bin/${program}" "/usr/local/bin/${program}"
done
systemctl enable containerd.service kubelet.service undo-mount-hacks.service
systemctl mask systemd-binfmt.service

mkdir -p /etc/kubernetes/manifests /opt/cni/bin /kind/manifests /etc/containerd/certs.d
for plugin in host-local loopback portmap ptp; do
  ln -sf "/usr/lib/cni/${plugin}" "/opt/cni/bin/${plugin}"
done

# Where the host's root lacks CAP_SYS_RESOURCE no process may lower its OOM score; this setting keeps containerd from trying.
sed -i 's/restrict_oom_score_adj = false/restrict_oom_score_adj = true/' /etc/containerd/config.toml
grep -q 'restrict_oom_score_adj = true' /etc/containerd/config.toml

ctr oci spec \
  | jq '.hooks.createContainer[.hooks.createContainer | length] |= . + {"path": "/kind/bin/mount-product-files.sh"}
        | del(.process.rlimits)' > /etc/containerd/cri-base.json
test -s /etc/containerd/cri-base.json
