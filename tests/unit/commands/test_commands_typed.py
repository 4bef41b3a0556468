"""A command line with a mistake in it: said with what was meant, by exit code 2."""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from invoke.exceptions import Exit

from botyard.commands import menu

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("typed", "message", "cure"),
    [
        ("e2e --targt kind", "e2e has no flag '--targt'", "did you mean --target? invoke --help e2e tells all flags"),
        ("e2e -x", "e2e has no flag '-x'", "invoke --help e2e tells all flags"),
        ("e2", "there is no task 'e2'", "did you mean e2e? invoke --list tells all tasks"),
        ("bench.e3e", "there is no task 'bench.e3e'", "did you mean bench.e2e?"),
        ("e2e zzzzz", "there is no task 'zzzzz'", "invoke --list tells all tasks"),
        ("--lst", "invoke has no flag '--lst'", "did you mean --list? invoke --help tells all flags"),
        ("talk hello you", "there is no task 'you'", "put words that belong together into quotes; "),
        ("talk", "talk needs one more word, the text", "invoke --help talk tells all flags"),
        ("e2e --skip-tags", "e2e --skip-tags needs a value", "invoke --help e2e tells all flags"),
        ("play x.yml --start-at-task", "play --start-at-task needs a value", "invoke --help play"),
        ("bench.engine --bott tea", "bench.engine has no flag '--bott'", "did you mean --target? invoke --help bench."),
    ],
)
def test_what_was_typed_wrong_is_told_with_what_was_meant(typed: str, message: str, cure: str) -> None:
    with pytest.raises(Exit) as caught:
        menu(shlex.split(typed))
    first, second = caught.value.message.split("\n  cure: ")
    assert first == f"botyard: {message}"
    assert second.startswith(cure)
    assert caught.value.code == 2


@pytest.mark.parametrize(
    "typed",
    [
        "", "--list", "--help", "--help e2e", "e2e --help", "e2e --check --diff", "-e e2e --bot tea release -t kind",
        "talk hello", "talk 'hello you' --sender me", "play x.yml --extra-vars a=1 --extra-vars b=2", "cache.show",
        "--complete -- invoke e2e --ta", "verify -- --anything",
    ],
)  # fmt: skip
def test_what_invoke_takes_is_left_to_it(typed: str) -> None:
    assert menu(shlex.split(typed)).task_names


MISSING = """
from botyard.commands import menu
contexts = menu(["--help", "e2e"]).to_contexts()
assert len(contexts) > 10
print([f"{c.name} --{name}" for c in contexts for name, flag in c.args.items() if not flag.help])
"""


def test_every_flag_of_every_task_has_its_help_text() -> None:
    """In a process of its own: tasks give their help texts away as they are first asked for."""
    done = subprocess.run([sys.executable, "-c", MISSING], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("words", ["talk --help", "play -h"])
def test_help_of_a_task_that_needs_a_word(words: str) -> None:
    told = subprocess.run([sys.executable, "-m", "invoke", *words.split()], cwd=ROOT, capture_output=True, text=True,
                          check=False, timeout=60)  # fmt: skip
    assert told.returncode == 0
    assert told.stdout.startswith(f"Usage: inv[oke] [--core-opts] {words.split()[0]} "), told.stdout + told.stderr


@pytest.mark.parametrize(
    ("typed", "told", "cure"),
    [
        ("-i hosts", "'-i'", "there is no inventory"),
        ("--inventory=hosts", "'--inventory=hosts'", "there is no inventory"),
        ("--limit web", "'--limit'", "--target"),
        ("-C", "'-C'", "write --check"),
        ("-vvv", "'-vvv'", "--debug"),
        ("--become", "'--become'", "as the user who started botyard"),
    ],
)
def test_a_flag_of_ansible_s_own_is_told_with_ours(typed: str, told: str, cure: str) -> None:
    with pytest.raises(Exit) as caught:
        menu(["play", "x.yml", *typed.split()])
    assert caught.value.code == 2 and f"play has no flag {told} as ansible-playbook has it" in caught.value.message
    assert cure in caught.value.message


@pytest.mark.parametrize("typed", ["-i", "-i --plain", "--check", "-e a=1"])
def test_a_flag_of_ours_is_not_taken_for_one_of_ansible_s(typed: str) -> None:
    menu(["play", "x.yml", *typed.split()])
