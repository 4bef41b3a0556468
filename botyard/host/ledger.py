"""What this project changed on the machine itself, and what was there before.

One file for the whole machine, in /var/lib/botyard: these changes belong to the machine and not to a checkout or a
user, must be found by any later run, and must survive `cache.clean`. It is written before each change, so a run that is
killed in between leaves at worst an entry for a change that never came; undoing that one does nothing.
"""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from botyard.contracts import BotyardError
from botyard.host.processes import Identity

HOST_HOME = Path("/var/lib/botyard")


@dataclass(kw_only=True)
class Ledger:
    """Every change, in a form that can be undone.

    Args:
        sysctls: kernel setting -> [value before, value that we set].
        made: files and folders that were not there before; removed (folders with their content) on undo.
        packages: Debian packages that were not installed before.
        engine: the Docker engine that we started.
        forward_policy: default policy of iptables' FORWARD chain before our engine; empty where unknown.
    """

    sysctls: dict[str, list[str]] = field(default_factory=dict)
    made: list[str] = field(default_factory=list)
    packages: list[str] = field(default_factory=list)
    engine: Identity | None = None
    forward_policy: str = ""

    def sentences(self) -> list[str]:
        """Each change as one line for a person."""
        lines = [f"{key} was {before}, now {after}" for key, (before, after) in self.sysctls.items()]
        lines += [f"made {path}" for path in self.made]
        if self.packages:
            lines.append(f"installed packages {' '.join(self.packages)}")
        if self.engine is not None:
            lines.append(f"started a Docker engine (pid {self.engine.pid})")
        return lines


def file_of(home: Path) -> Path:
    """Where the ledger of that home lies."""
    return home / "host-changes.json"


def read(home: Path = HOST_HOME) -> Ledger:
    """The ledger; an empty one where nothing was ever changed.

    Raises:
        BotyardError: the file cannot be understood.
    """
    file = file_of(home)
    try:
        raw = json.loads(file.read_text())
        engine = raw.pop("engine", None)
        return Ledger(**raw, engine=Identity(**engine) if engine else None)
    except FileNotFoundError:
        return Ledger()
    except PermissionError as error:
        raise BotyardError(f"{file} cannot be read", "run as the user that started the engine (root)") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise BotyardError(
            f"{file} is damaged: {error}", f"look at it, mend it or move it away: mv {file} {file}.bad"
        ) from error


def write(ledger: Ledger, home: Path = HOST_HOME) -> None:
    """Writes the ledger in one step: a reader sees the old one or the new one."""
    home.mkdir(parents=True, exist_ok=True)
    file = file_of(home)
    temporary = file.with_suffix(".tmp")
    with temporary.open("w") as sink:
        json.dump(dataclasses.asdict(ledger), sink, indent=2)
        sink.flush()
        os.fsync(sink.fileno())
    temporary.replace(file)
