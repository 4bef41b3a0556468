"""Runs a bot's own tests (``rasa test``) in the image that serves it, once for the same input."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from botyard.contracts import BotyardError
from botyard.host.bot import Bot, yaml_files
from botyard.host.bot_verdict import ANNOTATED, INTENT_REPORT, STORIES_REPORT, OwnTests, Story, Verdict, judge
from botyard.host.model import domain_of, training_files
from botyard.host.rasa_container import Ended, content_key, rasa_ended, sha256_of
from botyard.later import later

ruamel_yaml = later("ruamel.yaml")

# Raise it when judging itself changes, so that what passed the old way is run again.
RECIPE = "1"
TEST_TIMEOUT_S = 1800
_EXAMPLE = re.compile(r"^\s*-\s+(.*\S)", re.MULTILINE)
_STOPPED_AT_FIRST = "WrongPredictionException"
_STEPS = (
    (re.compile(r"Loading model \S+\.tar\.gz"), "loading the model"),
    (re.compile(r"Evaluating \d+ stories"), "playing the stories"),
    (re.compile(r"Running model for predictions"), "reading the sentences"),
)


@dataclass(frozen=True)
class Found:
    """A bot's tests/: the files of stories and of sentences, what is in them, and warnings of what is passed over."""

    story_files: list[Path] = field(default_factory=list)
    sentence_files: list[Path] = field(default_factory=list)
    tests: OwnTests = field(default_factory=OwnTests)
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Tested:
    """A verdict; ``seconds`` is what the run took, ``ran`` whether it was just now, ``results`` where all of it is."""

    verdict: Verdict
    seconds: float
    ran: bool
    results: Path | None = None
    warnings: list[str] = field(default_factory=list)


def find_tests(bot: Bot) -> Found:
    """Reads tests/: stories lie in test_*.yml (Rasa reads no others), sentences in any file with the key nlu."""
    found = Found()
    stories: dict[str, Story] = {}
    intents: set[str] = set()
    written = sentences = annotated = 0
    for file in yaml_files(bot.dir / "tests"):
        document = ruamel_yaml.YAML(typ="safe", pure=True).load(file)
        shown = file.relative_to(bot.dir).as_posix()
        if not isinstance(document, dict):
            continue
        own = document.get("stories") or []
        if own and not file.name.startswith("test_"):
            found.warnings.append(f"{shown} is not played: Rasa takes test stories from files named test_*.yml alone")
        elif own:
            found.story_files.append(file)
            written += len(own)
            for story in (one for one in own if isinstance(one, dict)):
                name = str(story.get("story"))
                stories[name] = Story(shown, [] if name in stories else _said(story))  # Rasa names no second one apart
        if document.get("nlu"):
            found.sentence_files.append(file)
            examples = [text for block in document["nlu"] for text in _sentences(block)]
            intents |= {str(block["intent"]).split("/")[0] for block in document["nlu"] if _sentences(block)}
            sentences += len(examples)
            annotated += sum(1 for text in examples if ANNOTATED.search(text))
    tests = OwnTests(stories, written, sentences, annotated, len(intents))
    return Found(found.story_files, found.sentence_files, tests, found.warnings)


def key_of(bot: Bot, image_id: str, model: Path) -> str:
    """What the verdict depends on, as one hash: the model, the tests, the bot's other files, and the image."""
    files = [*training_files(bot.dir), *yaml_files(bot.dir / "tests")]
    return content_key(f"{RECIPE}\n{image_id}\n{sha256_of(model)}\n", bot.dir, files)


def passed_before(cache: Path, key: str) -> Tested | None:
    """The verdict of an earlier run that found all right, or None."""
    try:
        note = json.loads((cache / "bot-tests" / f"{key}.json").read_text())
        stories, sentences = int(note["stories_total"]), int(note["sentences_total"])
        verdict = Verdict(stories, stories, sentences, sentences)
        return Tested(verdict, float(note["seconds"]), ran=False, warnings=[str(line) for line in note["warnings"]])
    except (FileNotFoundError, KeyError, ValueError, TypeError):
        return None


def ensure(
    bot: Bot,
    image_id: str,
    model: Path,
    cache: Path,
    state: Path,
    cluster: str,
    *,
    progress: Callable[[str], None] = lambda _line: None,
) -> Tested | None:
    """The verdict on this model, from the cache where all was right or from a run now; None where nothing is tested.

    Args:
        bot: its tests/ folder is played.
        image_id: the Rasa image that serves.
        model: the trained model file.
        cache: notes of runs that passed.
        state: gets bot-tests/<bot>/ with all that ``rasa test`` wrote, where something is wrong.
        cluster: whose container it is.
        progress: gets a short line at each step.

    Raises:
        BotyardError: ``rasa test`` broke off; the message has the end of what Rasa said.
    """
    results = state / "bot-tests" / bot.name
    shutil.rmtree(results, ignore_errors=True)
    key = key_of(bot, image_id, model)
    known = passed_before(cache, key)
    if known is not None:
        return known
    found = find_tests(bot)
    if not found.tests.stories and not found.tests.sentences:
        return None
    started = time.monotonic()
    verdict, files = _run(bot, found, image_id, model, key, cluster, progress)
    seconds = round(time.monotonic() - started, 1)
    if verdict.wrong:
        _write_results(results, files)
        return Tested(verdict, seconds, ran=True, results=results, warnings=found.warnings)
    warnings = list(found.warnings)
    if verdict.stories_total < found.tests.written:
        warnings.append(
            f"Rasa played {verdict.stories_total} of {found.tests.written} stories: it drops doubles and what it "
            "cannot read"
        )
    counts = {"stories_total": verdict.stories_total, "sentences_total": verdict.sentences_total}
    note = {"bot": bot.name, "image": image_id, "seconds": seconds, "warnings": warnings, **counts}
    file = cache / "bot-tests" / f"{key}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    half_made = file.with_suffix(f".{time.monotonic_ns()}.part")
    half_made.write_text(json.dumps(note, indent=2) + "\n")
    half_made.replace(file)
    return Tested(verdict, seconds, ran=True, warnings=warnings)


def _run(
    bot: Bot, found: Found, image: str, model: Path, key: str, cluster: str, progress: Callable[[str], None]
) -> tuple[Verdict, dict[str, bytes]]:
    files = {file.relative_to(bot.dir).as_posix(): file for file in [*training_files(bot.dir), *found.story_files]}
    files |= {f"sentences/{file.relative_to(bot.dir / 'tests').as_posix()}": file for file in found.sentence_files}
    files["model.tar.gz"] = model

    def on_line(line: str) -> None:
        for pattern, text in _STEPS:
            if pattern.search(line):
                progress(text)

    def once(*, stop_at_first: bool) -> tuple[Ended, dict[str, bytes]]:
        argv = _argv(bot, found, stop_at_first=stop_at_first)
        with rasa_ended(
            "test", argv, files, image=image, cluster=cluster, key=key, timeout_s=TEST_TIMEOUT_S, on_line=on_line
        ) as ended:
            return ended, ended.get_files("results")

    ended, results = once(stop_at_first=True)
    stopped = any(_STOPPED_AT_FIRST in line for line in ended.lines)
    if stopped:
        # With that flag Rasa ends at the first wrong story and writes nothing: once more, for every wrong one.
        progress("a story fails; once more to find all that is wrong")
        ended, results = once(stop_at_first=False)
    missing = (found.tests.stories and STORIES_REPORT not in results) or (
        found.tests.intents > 1 and INTENT_REPORT not in results
    )
    if ended.returncode != 0 or missing:
        raise BotyardError(ended.why(f"test {bot.name}"), "mend the files in tests/; rasa data validate tells more")
    verdict = judge(found.tests, results)
    if stopped and not verdict.wrong:
        verdict.wrong.append("a story failed once and was right the second time: the bot is not predictable")
    return verdict, results


def _argv(bot: Bot, found: Found, *, stop_at_first: bool) -> list[str]:
    stories = ["--stories", "tests"]
    sentences = ["--nlu", "sentences", "--domain", domain_of(bot)]
    usual = ["--model", "model.tar.gz", "--out", "results", "--no-plot"]
    flag = ["--fail-on-prediction-errors"] if stop_at_first else []
    if not found.tests.sentences:
        return ["test", "core", "--e2e", *stories, *usual, *flag]
    if not found.tests.stories:
        return ["test", "nlu", *sentences, *usual]
    return ["test", *stories, *sentences, *usual, *flag]


def _said(story: dict[str, object]) -> list[str]:
    steps = story.get("steps")
    if not isinstance(steps, list):
        return []
    said = [step.get("user") or step.get("intent") for step in steps if isinstance(step, dict)]
    return [str(text).strip() for text in said if text]


def _sentences(block: object) -> list[str]:
    examples = block.get("examples") if isinstance(block, dict) and block.get("intent") else None
    if isinstance(examples, str):
        return _EXAMPLE.findall(examples)
    if isinstance(examples, list):
        return [str(one.get("text", "")) for one in examples if isinstance(one, dict)]
    return []


def _write_results(folder: Path, files: dict[str, bytes]) -> None:
    half_made = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(half_made, ignore_errors=True)
    half_made.mkdir(parents=True)
    for name, data in files.items():
        (half_made / name).write_bytes(data)
    half_made.rename(folder)
