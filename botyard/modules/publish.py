"""``botyard.core.publish``: a file in the depot, where pods and this machine fetch it over HTTP."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from botyard.contracts import Context, Result
from botyard.host.publish import publish
from botyard.modules.spec import arg

NAME = "botyard.core.publish"
RETURNS = {
    "url": "for this machine",
    "cluster_url": "for pods",
    "sha256": "checksum of the file",
}
EXAMPLE = """\
- name: Publish a model
  botyard.core.publish:
    src: "{{ root }}/models/tea.tar.gz"
    dest: models/tea.tar.gz
  register: published
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    src: Path = arg("the file; relative to the playbook")
    dest: str = arg("its path in the depot, without a leading slash")


def run(args: Args, ctx: Context) -> Result:
    """Copies only what the depot does not have by that content; check mode says whether it would."""
    src = args.src if args.src.is_absolute() else ctx.basedir / args.src
    done = publish(src, args.dest, ctx.target, check=ctx.check, progress=ctx.progress)
    verb = "would publish" if ctx.check else "published"
    msg = f"{verb} {done.url}" if done.changed else f"{done.url} is there"
    return Result(
        changed=done.changed,
        msg=msg,
        data={"url": done.url, "cluster_url": done.cluster_url, "sha256": done.sha256},
    )
