"""The last look at a release that found it as wanted, so that the next one need not do all of it again.

What a chart renders to follows from the chart, the values, helm, what the server offers and what the templates look up.
Whether the cluster differs from it follows from the live objects. Of all these digests are kept, and nothing else.
Where each is the same, so is the answer; where one differs or cannot be told, helm and the server are asked as always.
(What an admission webhook would make of the objects today is not asked.)
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botyard.release import chart_source, desired, pods, sensitive
from botyard.release.chart_source import Unforeseeable
from botyard.release.releases import Decision, Plan
from botyard.tools.helm import STATUS_DEPLOYED, Helm, Release
from botyard.tools.kube import EVERY_KIND, Kube

_FORMAT = 2  # another one wherever what is compared changes
_METADATA = {"Accept": "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"}
_THREADS = 4


@dataclass(frozen=True)
class Known:
    """A release that is as it was when it was found as wanted.

    Args:
        hidden: values of its Secrets.
    """

    release: Release
    hidden: tuple[str, ...]


class Memory:
    """What is remembered of one release; made before a look, and asked to keep what that look found.

    Args:
        folder: of this cluster's state; the file in it is for our eyes only.
    """

    def __init__(self, folder: Path, helm: Helm, kube: Kube, plan: Plan) -> None:
        self.file = folder / f"{plan.namespace}-{plan.name}.json"
        self._helm = helm
        self._kube = kube
        self._plan = plan
        self._lookups: list[str] = []
        self._before = ""

    def same(self, *, ready: bool) -> Known | None:
        """The release, where all that decides about it is as it was at the last good look.

        Args:
            ready: its Deployments must be ready too.
        """
        try:
            kept = json.loads(self.file.read_text())
            if self._world(kept["lookups"]) != kept["world"]:
                return None
            objects, revision = dict(kept["objects"]), int(kept["revision"])
        except (OSError, ValueError, LookupError, TypeError, Unforeseeable):
            return None
        with ThreadPoolExecutor(max_workers=_THREADS) as pool:
            live = list(pool.map(self._object, objects))
        if [desired.fingerprint(body) for body in live] != list(objects.values()):
            return None
        if ready and any(pods.unfinished(body) for body in live if body["kind"] == "Deployment"):
            return None
        release = Release(self._plan.name, self._plan.namespace, revision, STATUS_DEPLOYED, {}, "")
        return Known(release, tuple(value for body in live for value in desired.secret_values(body)))

    def before_a_look(self) -> None:
        """Notes how the world is; what changes during the look is then not remembered."""
        self.file.unlink(missing_ok=True)
        self._before = ""
        texts = [file.read_text(encoding="utf-8", errors="replace") for file in self._plan.values_files]
        try:
            asked = chart_source.asked(self._helm, self._plan.chart, [*texts, *_texts(self._plan.values)])
            # Of a kind that the cluster does not know there is nothing; its coming would change what the server offers.
            places = [self._kube.place_or_none(*one, self._plan.namespace) for one in asked]
            self._lookups = [place for place in places if place is not None]
            self._before = self._world(self._lookups)
        except (OSError, Unforeseeable):
            return

    def keep(self, decision: Decision) -> None:
        """Remembers a look that found nothing to do."""
        live = decision.live
        if not self._before or live is None or decision.why or sensitive.holds_a_secret(live.hooks):
            return
        try:
            if self._world(self._lookups) != self._before:
                return
        except (OSError, Unforeseeable):
            return
        found = {
            "world": self._before,
            "lookups": self._lookups,
            "revision": live.revision,
            "objects": dict(decision.seen),
        }
        self.file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = self.file.with_suffix(f".{os.getpid()}.tmp")
        unfinished.unlink(missing_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as sink:
            json.dump(found, sink)
        unfinished.replace(self.file)

    def _world(self, lookups: Sequence[str]) -> str:
        """One digest of all that decides what helm would make of the plan now, the last revision included."""
        plan, program = self._plan, self._helm.binary.stat()
        if plan.reuse_values or not plan.reset_values:
            raise Unforeseeable("what must be hidden of values of older revisions, only the full look knows")
        records = self._kube.place("v1", "Secret", plan.namespace)
        own = {"labelSelector": f"owner=helm,name={plan.name}"}
        parts = [
            _FORMAT, plan.name, plan.namespace, plan.chart.ref, plan.chart.version, plan.create_namespace,
            chart_source.identity(self._helm, plan.chart),
            [hashlib.sha256(file.read_bytes()).hexdigest() for file in plan.values_files],
            plan.values,
            [str(self._helm.binary), program.st_size, program.st_mtime_ns],
            sorted(item for item in os.environ.items() if item[0].startswith("HELM_")),
            self._answers(
                lambda: self._said("/version"),
                lambda: self._said("/api", EVERY_KIND),
                lambda: self._said("/apis", EVERY_KIND),
                lambda: self._versions(records, own),
                *(functools.partial(self._versions, path) for path in lookups),
            ),
        ]  # fmt: skip
        return hashlib.sha256(json.dumps(parts, default=str).encode()).hexdigest()

    @staticmethod
    def _answers(*questions: Callable[[], Any]) -> list[Any]:
        """All at the same time, as most of each is waiting."""
        with ThreadPoolExecutor(max_workers=_THREADS) as pool:
            return [answer.result() for answer in [pool.submit(ask) for ask in questions]]

    def _object(self, path: str) -> dict[str, Any]:
        answer = self._kube.ask("GET", path)
        return dict(json.loads(answer.body)) if answer.status == 200 else {}

    def _said(self, path: str, headers: Mapping[str, str] | None = None) -> str:
        answer = self._kube.ask("GET", path, headers=headers)
        if answer.status != 200:
            raise Unforeseeable(f"{path}: HTTP {answer.status}")
        return hashlib.sha256(answer.body).hexdigest()

    def _versions(self, path: str, query: Mapping[str, str] | None = None) -> list[list[str]]:
        """Which objects there are, and in which state each: the server's own word for it."""
        answer = self._kube.ask("GET", path, query, _METADATA)
        if answer.status != 200:
            raise Unforeseeable(f"{path}: HTTP {answer.status}")
        every = [item["metadata"] for item in json.loads(answer.body).get("items") or []]
        return sorted([one["name"], one["uid"], one["resourceVersion"]] for one in every)


def _texts(values: Any) -> list[str]:
    if isinstance(values, Mapping):
        return [text for one in values.values() for text in _texts(one)]
    if isinstance(values, list | tuple):
        return [text for one in values for text in _texts(one)]
    return [values] if isinstance(values, str) else []
