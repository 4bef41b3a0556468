"""What ``rasa test`` 3.6.21 wrote, word for word, and what we say of it."""

from __future__ import annotations

import json
from typing import Any

from botyard.host.bot_verdict import OwnTests, Story, judge

STORIES = {
    "greet": Story("tests/test_a.yml", ["hello", "thank you", "bye"]),
    "name": Story("tests/test_a.yml", ["my name is [Zoe](name)", "what is my name"]),
    "order": Story("tests/test_b.yml", ["where is [order](tea_kind) 2048"]),
}
FAILED = """version: "3.1"
stories:
- story: greet (tests/test_a.yml)
  steps:
  - intent: greet
  - action: action_greet
  - intent: goodbye  # predicted: thanks: thank you
  - action: action_reply
  - intent: goodbye
  - action: action_reply
- story: name (tests/test_a.yml)
  steps:
  - intent: remember_name
    entities:
    - name: Zoe
  - action: action_tell_name  # predicted: action_remember_name
  - action: action_listen  # predicted: action_default_fallback
  - intent: ask_name
  - action: action_tell_name
- story: order (tests/test_b.yml)
  steps:
  - intent: order_status  # predicted: order_status: where is order [2048](order_number)
    entities: []
  - action: action_order_status
"""


def entity(kind: str, value: str, start: int, extractor: str = "") -> dict[str, Any]:
    one = {"entity": kind, "value": value, "start": start, "end": start + len(value)}
    return one | ({"extractor": extractor} if extractor else {})


def results(*, correct: int = 3, total: int = 3, sentences: int = 5, **more: Any) -> dict[str, bytes]:
    """The files of a run where all is right; ``more`` adds files (name without .json or .yml)."""
    files = {
        "story_report.json": {"conversation_accuracy": {"correct": correct, "total": total, "with_warnings": 0}},
        "intent_report.json": {"weighted avg": {"support": sentences}, "accuracy": 1.0},
        "RegexEntityExtractor_report.json": {"accuracy": 1.0},
        "TEDPolicy_report.json": {"accuracy": 0.0},
        "TEDPolicy_errors.json": [{"text": "hello", "entities": [entity("a", "b", 0)], "predicted_entities": []}],
        **{f"{name}.json": data for name, data in more.items() if not isinstance(data, str)},
    }
    packed = {name: json.dumps(data).encode() for name, data in files.items()}
    return packed | {f"{name}.yml": data.encode() for name, data in more.items() if isinstance(data, str)}


OWN = OwnTests(STORIES, written=3, sentences=5, annotated=2, intents=3)


def test_all_right() -> None:
    verdict = judge(OWN, results())
    assert verdict.wrong == [] and verdict.line() == "3 of 3 stories and 5 of 5 sentences right"


def test_each_wrong_story_is_named_with_what_was_said() -> None:
    verdict = judge(OWN, results(correct=0, failed_test_stories=FAILED))
    assert (verdict.stories_passed, verdict.stories_total) == (0, 3)
    assert verdict.wrong == [
        'tests/test_a.yml, story "greet": said "thank you", expected intent goodbye, got thanks',
        'tests/test_a.yml, story "name": said "my name is [Zoe](name)", expected action action_tell_name, '
        "got action_remember_name",
        'tests/test_b.yml, story "order": said "where is [order](tea_kind) 2048", expected the entities marked there, '
        'got "where is order [2048](order_number)"',
    ]


def test_an_entity_of_another_kind_in_a_story() -> None:
    text = "- story: name (tests/test_a.yml)\n  steps:\n  - intent: remember_name\n    entities:\n"
    verdict = judge(OWN, results(correct=2, failed_test_stories=text + "    - name: Zoe  # predicted: city: Zoe\n"))
    assert verdict.wrong == [
        'tests/test_a.yml, story "name": said "my name is [Zoe](name)", expected name: Zoe, got city: Zoe'
    ]


def test_a_failed_story_that_rasa_does_not_explain_is_still_wrong() -> None:
    text = "- story: name (tests/test_a.yml)\n  steps:\n  - intent: ask_name\n"
    assert judge(OWN, results(correct=2, failed_test_stories=text)).wrong == [
        'tests/test_a.yml, story "name": an entity in "my name is [Zoe](name)" has another value, or there is one more'
    ]
    assert judge(OWN, results(correct=1)).wrong == ["2 stories failed, and Rasa does not say why"]


def test_wrong_intents_entities_and_responses_of_sentences() -> None:
    verdict = judge(
        OWN,
        results(
            intent_errors=[{"text": "hi", "intent": "bye", "intent_prediction": {"name": "greet", "confidence": 0.7}}],
            RegexEntityExtractor_errors=[
                {"text": "hi", "entities": [], "predicted_entities": [entity("name", "hi", 0)]},
                {
                    "text": "medium now",
                    "entities": [entity("kind", "medium", 0)],
                    "predicted_entities": [entity("size", "medium", 0)],
                },
            ],
            response_selection_errors=[
                {"text": "why", "intent_response_key_target": "faq/a", "intent_response_key_prediction": {"name": None}}
            ],
        ),
    )
    assert verdict.wrong == [
        'said "hi", expected intent bye, got greet',
        'said "hi", expected no entity, got name = hi',
        'said "why", expected response faq/a, got None',
        'said "medium now", expected kind = medium, got size = medium',
    ]
    assert (verdict.sentences_passed, verdict.sentences_total) == (2, 5)


def test_an_extractor_is_not_blamed_for_what_another_one_finds() -> None:
    found = [entity("name", "Zoe", 3, "CRFEntityExtractor")]
    blamed = [{"text": "am Zoe", "entities": [entity("name", "Zoe", 3)], "predicted_entities": found}]
    assert judge(OWN, results(RegexEntityExtractor_errors=blamed)).wrong == []
    missed = [{"text": "am Zoe", "entities": [entity("name", "Zoe", 3)], "predicted_entities": []}]
    assert judge(OWN, results(RegexEntityExtractor_errors=missed, CRFEntityExtractor_errors=missed)).wrong == [
        'said "am Zoe", expected name = Zoe, got no entity'
    ]


def test_what_rasa_silently_leaves_out_is_wrong() -> None:
    nothing_played = judge(OWN, results(correct=0, total=0))
    assert nothing_played.wrong == ["Rasa played none of the 3 stories"]
    no_intents = {name: data for name, data in results().items() if name != "intent_report.json"}
    assert "no intent was judged" in judge(OWN, no_intents).wrong[0]
    no_entities = {name: data for name, data in results().items() if not name.startswith("Regex")}
    assert judge(OWN, no_entities).wrong == ["no entity was found in any of the 2 sentences that hold one"]


def test_only_what_there_is_is_counted() -> None:
    assert judge(OwnTests(STORIES, written=3), results()).line() == "3 of 3 stories right"
    assert judge(OwnTests(sentences=5, intents=2), results()).line() == "5 of 5 sentences right"
