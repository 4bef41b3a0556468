"""``botyard.core.rasa_test``: the bot's own tests (``rasa test``), run in the image that serves it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from botyard.contracts import BotyardError, Context, Result
from botyard.host import bot_test
from botyard.host.bot import load_bot
from botyard.modules.spec import arg
from botyard.tools import docker

NAME = "botyard.core.rasa_test"
SHOWN_LINES = 8
RETURNS = {
    "stories_passed": "stories that went as written",
    "stories_total": "stories in all",
    "sentences_passed": "sentences understood as written",
    "sentences_total": "sentences in all",
    "wrong": "one line for each that went wrong",
    "seconds": "that the tests took",
    "ran": "false where the result was known from before",
    "results": "folder of Rasa's own reports",
    "summary_lines": "lines for the recap",
}
EXAMPLE = """\
- name: The bot's own tests
  botyard.core.rasa_test:
    bot: "{{ bot.dir }}"
    image: botyard/rasa
    model: "{{ root }}/models/tea.tar.gz"
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    bot: Path = arg("the bot's folder; its tests/ is played")
    image: str = arg("local name or id of the Rasa image that serves")
    model: Path = arg("the trained model file; empty where check mode has none yet")


def run(args: Args, ctx: Context) -> Result:
    """Failed where a story or sentence goes wrong. Never counts as a change; check mode tells only what is known."""
    folder = args.bot if args.bot.is_absolute() else ctx.basedir / args.bot
    bot = load_bot(ctx.paths.root, str(folder))
    if not (bot.dir / "tests").is_dir():
        return Result(skipped=True, msg=f"{bot.name} has no folder tests")
    image = docker.image(args.image) if args.image else None
    model = args.model if args.model.is_absolute() else ctx.basedir / args.model
    if ctx.check:
        known = None
        if image is not None and model.is_file():
            known = bot_test.passed_before(ctx.paths.cache, bot_test.key_of(bot, str(image.id), model))
        return _result(bot.name, known) if known else Result(msg=f"would run the tests of {bot.name}")
    if image is None:
        raise BotyardError(f"there is no local image {args.image} to test {bot.name} in", "run invoke images")
    if not model.is_file():
        raise BotyardError(f"there is no model file {model}", "run invoke model")
    tested = bot_test.ensure(
        bot, str(image.id), model, ctx.paths.cache, ctx.paths.state, ctx.target.cluster, progress=ctx.progress
    )
    if tested is None:
        return Result(skipped=True, msg=f"{bot.name}/tests holds no stories and no sentences")
    return _result(bot.name, tested)


def _result(name: str, tested: bot_test.Tested) -> Result:
    verdict = tested.verdict
    line = f"{name}'s own tests: {verdict.line()}"
    data = {
        "stories_passed": verdict.stories_passed,
        "stories_total": verdict.stories_total,
        "sentences_passed": verdict.sentences_passed,
        "sentences_total": verdict.sentences_total,
        "wrong": verdict.wrong,
        "seconds": tested.seconds,
        "ran": tested.ran,
        "results": str(tested.results or ""),
        "summary_lines": [line],
    }
    if not verdict.wrong:
        took = f", in {tested.seconds:.0f} s" if tested.ran else ", as before"
        return Result(msg=line + took, data=data, warnings=tested.warnings)
    more = len(verdict.wrong) - SHOWN_LINES
    shown = [*verdict.wrong[:SHOWN_LINES], *([f"... and {more} more"] if more > 0 else [])]
    msg = "\n".join([line, *(f"    {text}" for text in shown), f"    all of it: {tested.results}"])
    return Result(failed=True, msg=msg, data=data, warnings=tested.warnings)
