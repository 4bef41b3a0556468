"""The rules of Pod Security `restricted`: https://kubernetes.io/docs/concepts/security/pod-security-standards/"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}
SECCOMP = ("RuntimeDefault", "Localhost")
SYSCTLS = {
    "kernel.shm_rmid_forced", "net.ipv4.ip_local_port_range", "net.ipv4.ip_unprivileged_port_start",
    "net.ipv4.tcp_syncookies", "net.ipv4.ping_group_range", "net.ipv4.ip_local_reserved_ports",
    "net.ipv4.tcp_keepalive_time", "net.ipv4.tcp_fin_timeout", "net.ipv4.tcp_keepalive_intvl",
    "net.ipv4.tcp_keepalive_probes",
}  # fmt: skip


def violations(spec: dict[str, Any]) -> list[str]:
    """What a pod does against the profile; empty where it fits."""
    return [*_of_pod(spec), *(f"{c['name']}: {why}" for c in containers(spec) for why in _of_container(c, spec))]


def containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [c for kind in ("initContainers", "containers", "ephemeralContainers") for c in spec.get(kind) or []]


def _of_pod(spec: dict[str, Any]) -> Iterator[str]:
    yield from (f"{key} is on" for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key))
    for volume in spec.get("volumes") or []:
        yield from (f"volume of type {kind}" for kind in set(volume) - {"name"} - VOLUMES)
    context = spec.get("securityContext") or {}
    yield from (f"sysctl {s['name']}" for s in context.get("sysctls") or [] if s["name"] not in SYSCTLS)
    yield from _of_any(context)


def _of_container(container: dict[str, Any], spec: dict[str, Any]) -> Iterator[str]:
    context = container.get("securityContext") or {}
    both = {**(spec.get("securityContext") or {}), **context}
    yield from _of_any(context)
    if context.get("privileged"):
        yield "privileged"
    if context.get("allowPrivilegeEscalation") is not False:
        yield "may escalate its privileges"
    capabilities = context.get("capabilities") or {}
    if "ALL" not in (capabilities.get("drop") or []):
        yield "keeps capabilities"
    if set(capabilities.get("add") or []) - {"NET_BIND_SERVICE"}:
        yield "adds capabilities"
    if context.get("procMount", "Default") != "Default":
        yield "sees more of /proc"
    if both.get("runAsNonRoot") is not True:
        yield "may run as root"
    if (both.get("seccompProfile") or {}).get("type") not in SECCOMP:
        yield "has no seccomp profile"
    if any(port.get("hostPort") for port in container.get("ports") or []):
        yield "takes a port of the node"


def _of_any(context: dict[str, Any]) -> Iterator[str]:
    """Rules for a pod's security context as well as for a container's."""
    if context.get("runAsUser") == 0:
        yield "runs as root"
    if context.get("runAsNonRoot") is False:
        yield "may run as root"
    if (context.get("seccompProfile") or {"type": SECCOMP[0]}).get("type") not in SECCOMP:
        yield "seccomp is off"
    if (context.get("appArmorProfile") or {}).get("type") == "Unconfined":
        yield "AppArmor is off"
    if (context.get("windowsOptions") or {}).get("hostProcess"):
        yield "is a process of the host"
    selinux = context.get("seLinuxOptions") or {}
    if selinux.get("user") or selinux.get("role") or selinux.get("type", "") not in ("", "container_t"):
        yield "SELinux options of its own"
