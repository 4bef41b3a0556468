"""The demo bot's files fit together; what it says is tested by ``rasa test`` and on a cluster."""

from __future__ import annotations

import ast

from ruamel.yaml import YAML

from botyard.host.bot import load_bot

from .files import ROOT, TEA

DOMAIN = YAML(typ="safe", pure=True).load(TEA / "domain.yml")


def test_loads() -> None:
    assert load_bot(ROOT, "tea").name == "tea"


def test_each_reply_is_there_in_both_languages() -> None:
    replies = set(DOMAIN["responses"]) - {"utter_default"}
    assert {r[:-3] for r in replies if r.endswith("_en")} == {r[:-3] for r in replies if r.endswith("_zh")}
    assert all(r.endswith(("_en", "_zh")) for r in replies)


def test_domain_and_code_have_the_same_actions() -> None:
    tree = ast.parse((TEA / "actions" / "actions.py").read_text())
    coded = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("action_")
    }
    assert coded == set(DOMAIN["actions"])
