"""Where things come from: upstream's registries and downloads, or package registries alone."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from botyard.contracts import Paths
from botyard.host import mirror
from botyard.host.engine_config import write_if_other
from botyard.later import later
from botyard.targets import Target

if TYPE_CHECKING:
    import requests
else:
    requests = later("requests")

# Long enough for a slow line, short enough that a place where everything is blocked does not wait for it.
PROBE_TIMEOUT_S = 3.0
KEEP_S = 24 * 3600
_FILE = "sources.json"


@dataclass(frozen=True)
class Choice:
    """What was chosen, and why as a sentence."""

    mode: Literal["registries", "packages"]
    why: str


def probes(target: Target) -> list[str]:
    """The addresses that must answer for ``registries`` to work: an image registry and a download host."""
    downloads = target.sources.download_base or "https://github.com/"
    return [f"{mirror.base_url(target.sources.mirror or 'registry-1.docker.io')}/v2/", downloads]


def choose(paths: Paths, target: Target, *, write: bool = True) -> Choice:
    """The target's sources; ``auto`` is decided by probing, and kept in the cache for a day."""
    mode = target.sources.mode
    if mode != "auto":
        return Choice(mode, f"targets.yml says {mode}")
    file = paths.cache / _FILE
    asked = probes(target)
    try:
        kept = json.loads(file.read_text())
        if (
            kept["asked"] == asked
            and 0 <= time.time() - kept["at"] < KEEP_S
            and kept["mode"] in ("registries", "packages")
        ):
            return Choice(kept["mode"], kept["why"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        pass  # never asked, or a file that no longer means anything: ask
    with ThreadPoolExecutor(len(asked)) as pool:
        failures = [failure for failure in pool.map(_probe, asked) if failure]
    if failures:
        choice = Choice("packages", f"{'; '.join(failures)}: everything is made from Debian, PyPI and Go modules")
    else:
        choice = Choice("registries", f"{' and '.join(asked)} answer")
    if write:
        text = json.dumps({"asked": asked, "at": time.time(), "mode": choice.mode, "why": choice.why})
        write_if_other(file, text, 0o644)
    return choice


def _probe(url: str) -> str:
    """Empty where the address answers (a registry says 401 to strangers), else why not."""
    try:
        answer = requests.head(url, timeout=PROBE_TIMEOUT_S, allow_redirects=False)
    except requests.RequestException as error:
        unknown = "NameResolutionError" in str(error)
        return f"{url} {'cannot be resolved' if unknown else 'does not answer'}"
    return "" if answer.status_code < 500 else f"{url} answers {answer.status_code}"
