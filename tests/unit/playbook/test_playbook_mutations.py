"""The repository's own playbooks, broken line by line: refused with the place, or the same in meaning.

With ``-s`` each way of breaking prints how many mutations were tried and what became of them.
"""

from __future__ import annotations

import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from mutations import WAYS, Mutation, differences, meaning, mutations, odd_character

from botyard.contracts import BadInput, Paths
from botyard.playbook import RunOptions
from botyard.playbook.load import Loader
from botyard.playbook.model import Playbook
from botyard.playbook.select import select
from botyard.playbook.template import Templar
from botyard.playbook.undefined import refuse_undefined

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
ON_THEIR_OWN = (
    "down.yml",
    "cluster_down.yml",
    "deploy.yml",
    "publish_charts.yml",
    "rollback.yml",
    "tools.yml",
)  # all others are parts of e2e.yml
ALWAYS_THERE: dict[str, Any] = {
    "root": "/r", "state": "/s", "cache": "/c", "run_dir": "/d", "recreate": False, "everything": True,
    "bot": {"name": "tea", "dir": "/t", "actions": "/t/actions", "extra_apt": [], "extra_pip": []},
    "target": {"namespace": "shop", "driver": "kind", "ports": {"rasa": 5005}, "pull_secret": "",
               "model_store": None},
    "given": {"rasa": {"files": [], "set": {}}, "rasa-action-server": {"files": [], "set": {}}}, "timeout_s": 900,
    "to": 0, "greeting": "hello", "charts_version": "",
}  # fmt: skip
AT_MOST = 30  # of each way: every n-th of the hundreds that there are, the same in each run
NEAR_LINES = 3

# (way, places in the tree that may say something else, why nobody can know better before the run)
ANOTHER_MEANING = [
    (
        r".*",
        r"/args/(definition|release_values|releases/\d+/values|secrets|\w+_values|about)/",
        "keys and values that only Kubernetes or the chart knows",
    ),
    (r".*", r"/args/images/\d+/build_args/", "names that only the Dockerfile knows"),
    (
        r"type_changed",
        r"/args/(release_values|revisions|releases|about|images|model_url)\b",
        "a template has its type as the task runs",
    ),
    (r"(in|de)dented", r"/args/(content|msg)$", "a line of a text"),
    (r"indented", r"/args/(wait|images/\d+/add)\b", "moved into such a mapping, right above it"),
    (r"type_changed", r"/tags$", "one tag is as good as a list"),
    (r"type_changed", r"/args/content\b", "takes anything; a list or mapping is written as JSON"),
    (r"quotes_lost", r"/args/mode$", "0644 without quotes is an octal number: the same permissions"),
    (r"dash_lost", r"/args/lines\b", "a template may come to a list; the task refuses it otherwise"),
    (
        r"variable_renamed",
        r"/tasks/\d+/(tasks|rescue)/",
        "in a block with rescue an undefined variable may be meant to fail",
    ),
    (
        r".*",
        r"^/entries/3/tasks/[56]/",
        "a model in a store, in deploy.yml, which a target without model_store surely leaves out",
    ),
    (r".*", r"^/entries/3/tasks/13/", "told by a look alone, so a deploy surely leaves it out"),
    (r".*", r"^/entries/3/vars/\d+/not_pushe?d?e?$", "asked for only where an `or` comes to it"),
    (r"key_renamed", r"^/entries/3/tasks/4/args/model_va\w+", "one of two tasks makes this fact"),
    (r".*", r"^/entries/3/tasks/4/args/model_u\w+(/\w)?$", "empty is what it is where the model is an image"),
    (r"word_changed", r"^/entries/0/tasks/0/register$", "charts of another version, which are surely left out, too"),
    (
        r"word_changed",
        r"^/entries/3/tasks/9/register$",
        "where the releases of deploy.yml stood, which only its rescue reads",
    ),
    (r"comma_lost|word_changed", r"/name$|/args/(generate|lines|releases)/|/args/(release_name|wait_timeout)$", "text"),
]
# (way, text of the line, why the error stands further away)
FAR = [
    ("dedented", "release_values:", "good YAML until the next argument stands where it cannot"),
    ("dedented", "model_values:", "the same"),
    ("value_dropped", "values_files:", "it took the anchor with it, which is missed where it is used"),
    ("value_dropped", "values:", "the same"),
    ("indented", "image:", "good YAML until the next key stands where it cannot"),
    ("type_changed", "values_files: [*actions_files]", "what is wrong is told where the anchor stands"),
    ("type_changed", "values_files: [*rasa_files]", "the same"),
]


class Broken:
    """A copy of the playbooks, of which one is broken at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = Path(shutil.copytree(PLAYBOOKS, folder / "playbooks"))
        self._options = RunOptions(paths=Paths(folder, folder, folder), extra_vars=ALWAYS_THERE)
        self._templar = Templar()  # one for all: what it compiled once need not be compiled again
        self.meant = {file.name: meaning(self._load(file.name)) for file in sorted(self.folder.glob("*.yml"))}

    def _load(self, name: str) -> Playbook:
        return Loader(self._templar, ALWAYS_THERE).load(self.folder / name)

    def tried(self, mutation: Mutation) -> BadInput | list[str]:
        """The error, or the places that mean something else. All that loads but for that is checked as a run does it:
        from the playbook that it is a part of."""
        file = self.folder / mutation.file.name
        file.write_text(mutation.text)
        try:
            other = differences(self.meant[file.name], meaning(self._load(file.name)))
            if other:
                books = [self._load(file.name if file.name in ON_THEIR_OWN else "e2e.yml")]
                refuse_undefined(books, select(books, (), (), None), self._templar, self._options)
            return other
        except BadInput as error:
            return error
        except Exception as error:
            error.add_note(str(mutation))
            raise
        finally:
            shutil.copy(mutation.file, file)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Broken:
    return Broken(tmp_path_factory.mktemp("broken"))


def chosen(way: Callable[..., object]) -> list[Mutation]:
    every = list(mutations(sorted(PLAYBOOKS.glob("*.yml")), way))  # type: ignore[arg-type]
    return every[:: max(1, -(-len(every) // AT_MOST))]


def test_there_are_enough() -> None:
    assert sum(len(chosen(way)) for way in WAYS) >= 200


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_a_broken_playbook_is_refused_where_it_is_broken(
    way: Callable[..., object], broken: Broken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(broken.folder)
    became: Counter[str] = Counter()
    for mutation in chosen(way):
        became[_judged(mutation, broken.tried(mutation))] += 1
    print(f"\n{way.__name__}: {became.total()} mutations: {dict(became)}")
    assert became["refused"] > 0


def test_whatever_is_typed_there_is_no_traceback(broken: Broken, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(broken.folder)
    for mutation in chosen(odd_character):
        found = broken.tried(mutation)
        assert isinstance(found, list) or re.match(r"[\w.]+:\d+:\d+: ", found.message), mutation


def _judged(mutation: Mutation, found: BadInput | list[str]) -> str:
    """What became of it, in a word; fails where that is not good enough."""
    line = mutation.text.splitlines()[mutation.line - 1].strip()
    if isinstance(found, BadInput):
        place = re.match(r"([\w.]+):(\d+):\d+: ", found.message)
        assert place, f"{mutation}\n{found}"
        near = place[1] == mutation.file.name and abs(int(place[2]) - mutation.line) <= NEAR_LINES
        by_name = line.startswith("register: ") and " is undefined" in found.message
        fact = mutation.file.read_text().splitlines()[mutation.line - 1].strip().partition(":")[0]
        by_name |= f"'{fact}' is undefined" in found.message  # a fact is missed where it is used
        assert near or by_name or (mutation.way, line) in [(way, text) for way, text, _ in FAR], f"{mutation}\n{found}"
        return "refused"
    silent = [place for place in found if not (_may_differ(mutation.way, place) or _unread(mutation, place))]
    assert not silent, f"{mutation}\nmeans something else now, and nobody says so: {silent}"
    return "another meaning, as allowed" if found else "the same meaning"


def _may_differ(way: str, place: str) -> bool:
    return any(re.fullmatch(ways, way) and re.search(places, place) for ways, places, _ in ANOTHER_MEANING)


def _unread(mutation: Mutation, place: str) -> bool:
    """A result that got another name and that no template reads: else its reader would have been refused."""
    name = mutation.file.read_text().splitlines()[mutation.line - 1].split()[-1]
    reads = re.compile(rf"\{{\{{[^}}]*(?<![.\w]){name}\b")
    return place.endswith("/register") and not any(reads.search(f.read_text()) for f in PLAYBOOKS.glob("*.yml"))
