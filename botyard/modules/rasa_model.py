"""``botyard.core.rasa_model``: a bot's model, trained in the image that serves it, named by its content."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from botyard.contracts import BotyardError, Context, Result
from botyard.host import model
from botyard.host.bot import load_bot
from botyard.modules.spec import arg
from botyard.tools import docker

NAME = "botyard.core.rasa_model"
RETURNS = {
    "path": "the model file",
    "file": "its name",
    "sha256": "checksum of the file",
    "key": "hash of what it was trained from",
    "seconds": "how long training took",
    "trained": "false where it was in the cache",
}
EXAMPLE = """\
- name: Train
  botyard.core.rasa_model:
    bot: "{{ bot.dir }}"
    image: botyard/rasa
  register: model
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    bot: Path = arg("the bot's folder")
    image: str = arg("local name or id of the Rasa image that trains and serves")


def run(args: Args, ctx: Context) -> Result:
    """Trains where the bot's files or the image are new; check mode says whether it would."""
    folder = args.bot if args.bot.is_absolute() else ctx.basedir / args.bot
    bot = load_bot(ctx.paths.root, str(folder))
    found = docker.image(args.image) if args.image else None
    if ctx.check:
        key = model.training_key(bot.dir, str(found.id)) if found is not None else ""
        ready = model.cached(ctx.paths.cache, key) if key else None
        if ready is None:
            data = {"path": "", "file": f"{bot.name}-untrained.tar.gz", "sha256": "", "key": key, "seconds": 0.0}
            return Result(changed=True, msg=f"would train {bot.name}", data={**data, "trained": False})
    elif found is None:
        raise BotyardError(
            f"there is no local image {args.image} to train {bot.name} in", "run invoke e2e --tags images"
        )
    else:
        ready = model.ensure(bot, str(found.id), ctx.paths.cache, ctx.target.cluster, progress=ctx.progress)
    data = {
        "path": str(ready.path),
        "file": ready.file,
        "sha256": ready.sha256,
        "key": ready.key,
        "seconds": ready.seconds,
        "trained": ready.trained,
    }
    msg = f"trained {ready.file} in {ready.seconds:.0f} s" if ready.trained else f"{ready.file} is up to date"
    warnings = []
    if ready.trained and not model.has_assistant_id(bot):
        warnings.append(
            f"config.yml has no assistant_id of its own, Rasa made one up; write into it: assistant_id: {bot.name}"
        )
    return Result(changed=ready.trained, msg=msg, data=data, warnings=warnings)
