#!/bin/sh
# What minikube's deploy/kicbase/Dockerfile does after its packages are in, on top of a node of kind.
set -eu
: "${KUBERNETES_VERSION:?}"

chmod 755 /usr/local/bin/entrypoint /usr/local/bin/crictl

# minikube writes the kubelet's unit and its settings itself; kind's would be read beside them.
systemctl disable kubelet.service undo-mount-hacks.service
rm -rf /etc/systemd/system/kubelet.service /etc/systemd/system/kubelet.service.d /etc/systemd/system/kubelet.slice \
  /etc/systemd/system/undo-mount-hacks.service /etc/default/kubelet /kind/manifests
# It will write the unit to this place, and start it once. A node that is started again starts its kubelet by itself.
ln -s /lib/systemd/system/kubelet.service /etc/systemd/system/multi-user.target.wants/kubelet.service

# It looks for the programs here and copies its own where they are missing: a download, where there is none.
binaries=/var/lib/minikube/binaries/${KUBERNETES_VERSION}
mkdir -p "${binaries}"
for program in kubeadm kubelet kubectl; do
  ln -s "/usr/bin/${program}" "${binaries}/${program}"
done

# minikube puts values of its own into lines written with these very spaces: "restrict_oom_score_adj = false", with which
# no pod starts where the host's root lacks CAP_SYS_RESOURCE, and a pause image that is not here.
config=/etc/containerd/config.toml
for name in restrict_oom_score_adj sandbox_image; do
  sed -i "s/${name} = /${name}=/" "${config}"
  grep -q "${name}=" "${config}"
done
grep -q 'restrict_oom_score_adj=true' "${config}"
printf '\n[plugins."io.containerd.grpc.v1.cri".registry]\n  config_path = "/etc/containerd/certs.d"\n' >> "${config}"

# Its user. A locked account is refused by sshd, one with no valid password is not.
groupadd docker
useradd --create-home --gid docker --groups sudo --shell /bin/bash docker
usermod --password '*' docker
install -d -o docker -g docker -m 700 /home/docker/.ssh
echo '%sudo ALL=(ALL) NOPASSWD:ALL' > /etc/sudoers.d/minikube
chmod 440 /etc/sudoers.d/minikube
# kubeadm looks for programs in the sbin folders, which sshd leaves out.
printf 'UsePAM no\nUseDNS no\nSetEnv PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\n' \
  > /etc/ssh/sshd_config.d/minikube.conf
systemctl enable ssh.service
sed -i -E 's/^(hosts:\s*).*/\1files dns/' /etc/nsswitch.conf
