"""The cases: playbooks of cases/, run by Ansible two at a time while our side is compared one by one."""

from __future__ import annotations

import shutil
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from conformance.compare import Difference, compare
from conformance.engines import Options, Ran, by_ansible, by_ours

CASES = Path(__file__).parent / "cases"
AT_ONCE = 2


@dataclass(frozen=True)
class Case:
    """A playbook of cases/, with what its ``#:`` lines say: options of the run, whether both refuse it before the first
    task, and the places of wanted differences with the words of docs/reference/playbooks.md that tell why."""

    file: Path
    options: Options
    refused: bool = False
    differs: tuple[str, ...] = ()
    why: str = ""

    @property
    def name(self) -> str:
        return f"{self.file.parent.name}/{self.file.stem}"

    @classmethod
    def read(cls, file: Path) -> Case:
        head = [line[2:].removeprefix(" ") for line in file.read_text().splitlines() if line.startswith("#:")]
        said: dict[str, Any] = yaml.safe_load("\n".join(head)) or {}
        refused, differs, why = said.pop("refused", False), tuple(said.pop("differs", ())), said.pop("why", "")
        words = {key: tuple(value) if isinstance(value, list) else value for key, value in said.items()}
        return cls(file, Options(**words), refused, differs, why)


def all_cases() -> list[Case]:
    """Files whose names start with _ are tasks or playbooks that others include."""
    return [Case.read(file) for file in sorted(CASES.glob("*/*.yml")) if not file.name.startswith("_")]


class Both:
    """Runs cases in folders of their own; each engine finds the same files at the same path."""

    def __init__(self, env: Path, folder: Path, cases: list[Case]) -> None:
        self._folder = folder
        self._pool = ThreadPoolExecutor(AT_ONCE)
        self._theirs: dict[str, Future[Ran]] = {
            case.name: self._pool.submit(lambda case=case: by_ansible(env, self._fresh(case), case.options))
            for case in cases
        }

    def _fresh(self, case: Case) -> Path:
        place = self._folder / case.name
        shutil.rmtree(place, ignore_errors=True)
        shutil.copytree(case.file.parent, place)
        return place / case.file.name

    def differences(self, case: Case) -> tuple[list[Difference], Ran, Ran]:
        ansible = self._theirs[case.name].result()
        ours = by_ours(self._fresh(case), case.options)
        return compare(ours, ansible), ours, ansible

    def close(self) -> None:
        self._pool.shutdown(cancel_futures=True)
