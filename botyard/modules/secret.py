"""``botyard.core.secret``: a Secret with random values, made once and never rotated."""

from __future__ import annotations

from dataclasses import dataclass

from botyard.contracts import Context, Result
from botyard.modules.spec import arg
from botyard.release import guard, secrets
from botyard.tools.kube import Kube

NAME = "botyard.core.secret"
RETURNS = {
    "name": "its name",
    "namespace": "its namespace",
    "added": "keys that were missing",
}
EXAMPLE = """\
- name: Tokens and passwords, made once
  botyard.core.secret:
    name: botyard-rasa
    namespace: "{{ target.namespace }}"
    generate: [rasa-token, jwt-secret]
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    name: str = arg("name of the Secret")
    namespace: str = arg("its namespace, which must exist")
    generate: list[str] = arg("keys that get a random value where they are missing; what is there stays")


def run(args: Args, ctx: Context) -> Result:
    """Adds only keys that are missing, and never shows a value; check mode says which."""
    kubeconfig = ctx.kubeconfig
    if ctx.check and not kubeconfig.is_file():
        data = {"name": args.name, "namespace": args.namespace, "added": args.generate}
        return Result(changed=True, msg="there is no cluster yet", data=data)
    kube = Kube(kubeconfig, ctx.target.context)
    with guard.answering(kube):
        exists, missing = secrets.missing_keys(kube, args.namespace, args.name, args.generate)
    data = {"name": args.name, "namespace": args.namespace, "added": missing}
    if exists and not missing:
        return Result(msg=f"Secret {args.name} has every key", data=data)
    if not ctx.check:
        secrets.add_keys(kube, args.namespace, args.name, missing, exists)
    verb = ("would get" if exists else "would be made with") if ctx.check else ("got" if exists else "made with")
    return Result(changed=True, msg=f"Secret {args.name} {verb} {', '.join(missing)}", data=data)
