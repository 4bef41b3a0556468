"""Judges what ``rasa test`` left in its results folder: which stories and sentences are right, and what is wrong."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

STORIES_REPORT = "story_report.json"
FAILED_STORIES = "failed_test_stories.yml"
INTENT_REPORT = "intent_report.json"
# `rasa test` judges TED's entities whether or not the bot has a TEDPolicy: where it has none, all are "missed".
_NO_EXTRACTORS = frozenset({"story", "intent", "response_selection", "TEDPolicy"})
_STORY = re.compile(r"^- (?:story|rule): (?P<name>.*?)(?: \((?P<file>[^()]*)\))?$")
_STEP = re.compile(r"^  - (?P<kind>intent|action|bot|user): (?P<expected>.*?)(?:\s+# predicted: (?P<got>.*))?$")
ANNOTATED = re.compile(r"\]\s*[({]")
_ENTITY = re.compile(r"^    - (?P<expected>\S+: .*?)\s+# predicted: (?P<got>.*)$")


@dataclass(frozen=True)
class Story:
    """One test story: its file, seen from the bot's folder, and what the user says in order (empty if not known)."""

    file: str
    said: list[str]


@dataclass(frozen=True)
class OwnTests:
    """A bot's own tests.

    Args:
        stories: by name.
        written: number of stories in the files.
        sentences: number of sentences with an intent.
        annotated: how many of them hold an entity.
        intents: number of different intents in them.
    """

    stories: Mapping[str, Story] = field(default_factory=dict)
    written: int = 0
    sentences: int = 0
    annotated: int = 0
    intents: int = 0


@dataclass(frozen=True)
class Verdict:
    """How a bot did: counts, and one line for each thing that is wrong (none where all is right)."""

    stories_passed: int = 0
    stories_total: int = 0
    sentences_passed: int = 0
    sentences_total: int = 0
    wrong: list[str] = field(default_factory=list)

    def line(self) -> str:
        """The counts as words, only of what there is."""
        stories = f"{self.stories_passed} of {self.stories_total} stories"
        sentences = f"{self.sentences_passed} of {self.sentences_total} sentences"
        both = [text for text, total in ((stories, self.stories_total), (sentences, self.sentences_total)) if total]
        return f"{' and '.join(both) or 'nothing'} right"


def judge(tests: OwnTests, results: Mapping[str, bytes]) -> Verdict:
    """The verdict on a run of ``rasa test`` that ended; what it should have judged and did not is wrong too."""
    passed = total = 0
    wrong: list[str] = []
    if tests.stories:
        counts = _mapping(results, STORIES_REPORT).get("conversation_accuracy") or {}
        passed, total = int(counts.get("correct", 0)), int(counts.get("total", 0))
        wrong += _wrong_stories(tests, results.get(FAILED_STORIES, b"").decode("utf-8", "replace"))
        if not total:
            wrong.append(f"Rasa played none of the {tests.written} stories")
        elif passed < total and not wrong:
            wrong.append(f"{total - passed} stories failed, and Rasa does not say why")
    sentences = 0
    mistaken: dict[str, list[str]] = {}
    if tests.sentences:
        sentences, mistaken = _wrong_sentences(tests, results)
        if not sentences:
            wrong.append("no intent was judged: Rasa does so only where the sentences have two intents or more")
        if tests.annotated and not _extractors(results):
            wrong.append(f"no entity was found in any of the {tests.annotated} sentences that hold one")
        wrong += [line for lines in mistaken.values() for line in lines]
    return Verdict(passed, total, max(0, sentences - len(mistaken)), sentences, wrong)


def _wrong_stories(tests: OwnTests, failed: str) -> list[str]:
    """A line for every misread sentence, and for the first wrong action of a story: what follows comes from it."""
    lines: list[str] = []
    blocks: list[tuple[re.Match[str], list[str]]] = []
    for line in failed.splitlines():
        head = _STORY.match(line)
        if head:
            blocks.append((head, []))
        elif blocks:
            blocks[-1][1].append(line)
    for head, body in blocks:
        written = tests.stories.get(head["name"])
        where = f'{written.file if written else head["file"] or "tests"}, story "{head["name"]}"'
        said = written.said if written else []
        lines += [f"{where}: {text}" for text in _wrong_steps(said, body) or [_unexplained(said)]]
    return lines


def _unexplained(said: Sequence[str]) -> str:
    # Rasa writes nothing where an entity of the right kind has a wrong value, or where it found one more.
    marked = ", ".join(f'"{text}"' for text in said if ANNOTATED.search(text))
    return f"an entity in {marked or 'it'} has another value, or there is one more"


def _wrong_steps(said: Sequence[str], body: Sequence[str]) -> list[str]:
    found: list[str] = []
    turn, action_seen = -1, False
    for line in body:
        step = _STEP.match(line)
        entity = _ENTITY.match(line)
        if step and step["kind"] in ("intent", "user"):
            turn += 1
        words = f'said "{said[turn]}", ' if 0 <= turn < len(said) else ""
        if entity:
            found.append(f"{words}expected {entity['expected']}, got {entity['got']}")
        elif step and step["got"] and step["kind"] == "intent":
            intent, _, read = step["got"].partition(": ")
            words = words or f'said "{read}", '
            if intent == step["expected"]:
                found.append(f'{words}expected the entities marked there, got "{read}"')
            else:
                found.append(f"{words}expected intent {step['expected']}, got {intent}")
        elif step and step["got"] and not action_seen:
            action_seen = True
            found.append(f"{words}expected {step['kind']} {step['expected']}, got {step['got']}")
    return found


def _wrong_sentences(tests: OwnTests, results: Mapping[str, bytes]) -> tuple[int, dict[str, list[str]]]:
    """How many sentences Rasa judged, and what is wrong by sentence."""
    wrong: dict[str, list[str]] = {}

    def note(text: str, expected: str, got: str) -> None:
        wrong.setdefault(text, []).append(f'said "{text}", expected {expected}, got {got}')

    total = int((_mapping(results, INTENT_REPORT).get("weighted avg") or {}).get("support", 0))
    for one in _list(results, "intent_errors.json"):
        note(one["text"], f"intent {one['intent']}", str(one["intent_prediction"]["name"]))
    for one in _list(results, "response_selection_errors.json"):
        got = one["intent_response_key_prediction"]["name"]
        note(one["text"], f"response {one['intent_response_key_target']}", str(got))
    seen: set[str] = set()
    for extractor in _extractors(results):
        # Every extractor is blamed for what another one found: compare with what all of them found together.
        for one in _list(results, f"{extractor}_errors.json"):
            if one["text"] not in seen and _marks(one["entities"]) != _marks(one["predicted_entities"]):
                seen.add(one["text"])
                note(one["text"], _entities(one["entities"]), _entities(one["predicted_entities"]))
    return total, wrong


def _extractors(results: Mapping[str, bytes]) -> list[str]:
    names = {name.removesuffix("_report.json") for name in results if name.endswith("_report.json")}
    return sorted(names - _NO_EXTRACTORS)


def _marks(entities: Sequence[Mapping[str, Any]]) -> set[tuple[Any, ...]]:
    # No values, as in Rasa: a synonym's value is not what the sentence holds.
    return {(e["start"], e["end"], e["entity"], e.get("role"), e.get("group")) for e in entities}


def _entities(entities: Sequence[Mapping[str, Any]]) -> str:
    shown = sorted({(e["start"], f"{e['entity']} = {e['value']}") for e in entities})
    return ", ".join(text for _, text in shown) or "no entity"


def _mapping(results: Mapping[str, bytes], name: str) -> dict[str, Any]:
    found = json.loads(results[name]) if name in results else {}
    return found if isinstance(found, dict) else {}


def _list(results: Mapping[str, bytes], name: str) -> list[dict[str, Any]]:
    found = json.loads(results[name]) if name in results else []
    return found if isinstance(found, list) else []
