"""A team that deploys: its checkout, its login, its rights, and what it types."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from their_cluster import NAMESPACE, Checkout, Done
from their_registry import Private, auths, known_to_nodes, login

# The least that these nodes can hold, and a port of this machine beside the LoadBalancer.
SMALL = """
resources:
  requests: {cpu: 50m, memory: 256Mi}
  limits: {memory: 2Gi}
"""


@dataclass
class Shop:
    """The checkout of a team that deploys, and what it has to type."""

    checkout: Checkout
    values: list[str]
    env: dict[str, str] = field(repr=False)

    def deploy(self, *more: str) -> Done:
        return self.checkout.invoke("deploy", "--context", "there", "--plain", *self.values, *more, **self.env)

    def target(self, **body: Any) -> None:
        """More keys of the target, or other values of them; its pin stays."""
        file = self.checkout.root / "values/targets.yml"
        document = yaml.safe_load(file.read_text())
        document["targets"]["there"] |= body
        file.write_text(yaml.safe_dump(document))

    def greets_with(self, words: str) -> None:
        """Another greeting in the bot and in what is expected of it."""
        for name in ("domain.yml", "conversations.yml"):
            file = self.checkout.root / "bots/tea" / name
            file.write_text(file.read_text().replace("Welcome to the tea shop", words))

    def revisions(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for secret in self.checkout.kube.list("v1", "Secret", NAMESPACE, labels="owner=helm"):
            labels = secret["metadata"]["labels"]
            found[labels["name"]] = max(int(labels["version"]), found.get(labels["name"], 0))
        return found


@contextmanager
def open_shop(checkout: Checkout, private: Private, folder: Path) -> Iterator[Shop]:
    """Pinned, logged in, with the rights of a robot; nodes know the registry's authority."""
    values = []
    for chart, more in (("rasa", "service: {nodePort: 30505}\n"), ("rasa-action-server", "")):
        file = folder / f"{chart}.yaml"
        file.write_text(SMALL + more)
        values += ["--values", f"{chart}:{file}"]
    pull = base64.b64encode(json.dumps(auths(private)).encode()).decode()
    secret: dict[str, Any] = {"apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/dockerconfigjson"}
    about = {"name": "pull", "namespace": NAMESPACE}
    checkout.kube.apply({**secret, "metadata": about, "data": {".dockerconfigjson": pull}})
    checkout.admin()
    checkout.target(registry={"address": f"{private.address}/bots", "ca": str(private.ca)}, pull_secret="pull")
    assert checkout.invoke("target.pin", "--target", "there").code == 0
    checkout.robot()
    with known_to_nodes(checkout.cluster.target, private):
        yield Shop(checkout, values, login(folder / "docker", private))
