"""``botyard.core.model_store``: a model in a store of files, and the URL from which pods fetch it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from botyard.contracts import BadInput, Context, Result
from botyard.modules.spec import arg
from botyard.release import guard, signed_url
from botyard.tools.file_store import Place
from botyard.tools.helm_record import recorded
from botyard.tools.kube import Kube

NAME = "botyard.core.model_store"
RETURNS = {
    "url": "from where pods fetch it, its signature included; in check mode empty where it is not there yet",
    "sha256": "its checksum",
}
EXAMPLE = """\
- name: Model where pods fetch it
  botyard.core.model_store:
    src: "{{ model.path }}"
    sha256: "{{ model.sha256 }}"
    url: az://models/tea
    sign_days: 365
    release: myrasa
    namespace: "{{ target.namespace }}"
  register: stored
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    src: Path = arg("the model file; its name tells its content")
    sha256: str = arg("its checksum")
    url: str = arg("folder in the store, as az://CONTAINER/FOLDER")
    read: str = arg("http or https address of that folder; without it the URL is signed", "")
    sign_days: int = arg("for how many days it is signed", 365)
    release: str = arg("whose URL of this very file stays while it is signed for long enough", "")
    namespace: str = arg("of that release", "")


def run(args: Args, ctx: Context) -> Result:
    """Uploads what is not there by that name and content; check mode says whether it would."""
    place = Place(args.url)
    if ctx.check and not args.src.is_file():  # an earlier task would make it
        return Result(changed=True, msg=f"would upload to {args.url}", data={"url": "", "sha256": ""})
    if not args.src.is_file():
        raise BadInput(f"there is no file {args.src} to upload")
    name = args.src.name
    there = place.holds(name, args.sha256)
    if not there and ctx.check:
        return Result(changed=True, msg=f"would upload {name} to {args.url}", data={"url": "", "sha256": args.sha256})
    if not there:
        place.put(args.src, name, args.sha256, ctx.progress)
    url = (
        f"{args.read.rstrip('/')}/{name}" if args.read else _still_good(args, ctx) or place.signed(name, args.sign_days)
    )
    ctx.hide([urlsplit(url).query])
    msg = f"{name} is in {args.url}" if there else f"uploaded {name} to {args.url}"
    return Result(changed=not there, msg=msg, data={"url": url, "sha256": args.sha256})


def _still_good(args: Args, ctx: Context) -> str:
    """The URL of the release that runs, where it is of this file: signing anew would restart every pod."""
    if not args.release:
        return ""
    kube = Kube(ctx.kubeconfig, ctx.target.context)
    with guard.answering(kube):
        live = recorded(kube, args.release, args.namespace)
    settings = live.values.get("applicationSettings") or {} if live is not None else {}
    url = str(settings.get("initialModel") or "")
    same = url.partition("?")[0].rpartition("/")[2] == args.src.name
    if not same or settings.get("initialModelSha256") != args.sha256:
        return ""
    wrong = signed_url.problem({"applicationSettings": settings}, datetime.now(UTC))
    return "" if wrong else url
