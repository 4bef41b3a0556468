"""``kubernetes.core.k8s_info``: reads objects."""

from __future__ import annotations

from dataclasses import dataclass

from botyard.contracts import Context, Result
from botyard.later import later
from botyard.modules.spec import arg
from botyard.release import desired, guard
from botyard.tools.kube import Kube

kubernetes = later("kubernetes")

NAME = "kubernetes.core.k8s_info"
RETURNS = {
    "resources": "the objects",
    "api_found": "false where the cluster knows no such kind, or there is no cluster",
}
EXAMPLE = """\
- name: Pods of the bot
  kubernetes.core.k8s_info:
    kind: Pod
    namespace: "{{ target.namespace }}"
    label_selectors: [app.kubernetes.io/name=rasa]
  register: pods

- name: Their names
  ansible.builtin.debug:
    msg: "{{ pods.resources | map(attribute='metadata.name') | list }}"
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    kind: str = arg("kind of the objects, as in Pod")
    api_version: str = arg("its API version", "v1", aliases=("api", "version"))
    name: str = arg("one object; without it all of them", "")
    namespace: str = arg("namespace; without it all of them", "")
    label_selectors: list[str] = arg("only objects with these labels, as in app=x", [])
    field_selectors: list[str] = arg("only objects with these fields, as in status.phase=Running", [])


def run(args: Args, ctx: Context) -> Result:
    """Reads only, so it does the same in check mode; where there is no cluster yet, that finds nothing."""
    kubeconfig = ctx.kubeconfig
    if ctx.check and not kubeconfig.is_file():
        return Result(msg="there is no cluster yet", data={"resources": [], "api_found": False})
    kube = Kube(kubeconfig, ctx.target.context)
    fields = [*args.field_selectors, *([f"metadata.name={args.name}"] if args.name else [])]
    try:
        with guard.answering(kube):
            found = kube.list(
                args.api_version, args.kind, args.namespace or None, ",".join(args.label_selectors), ",".join(fields)
            )
    except kubernetes.dynamic.exceptions.ResourceNotFoundError:
        told = f'Failed to find API for resource with apiVersion "{args.api_version}" and kind "{args.kind}"'
        return Result(msg=told, data={"resources": [], "api_found": False, "msg": told})  # Ansible's words
    ctx.hide([desired.secret_values(body) for body in found])
    return Result(msg=f"{len(found)} found", data={"resources": found, "api_found": True})
