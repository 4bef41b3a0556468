"""Charts into a real registry with a password and TLS under a private authority, and back by helm and by us."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from their_cluster import Done, copy_of_this, invoke
from their_registry import PASSWORD, Private, login, private_registry

from botyard.contracts import Paths, Secret
from botyard.host import chart_artifacts, toolbox
from botyard.host.registry_place import Place
from botyard.process import run
from botyard.targets import Target
from botyard.tools.helm import Chart, Helm
from botyard.tools.registry_login import Login

NAME = "botyard-charts-live"  # of the target and of the registry's container
CACHE = Path.home() / ".cache/botyard"


class Publisher:
    """A checkout whose target names a registry; no cluster is asked, so there is none behind its context."""

    def __init__(self, root: Path) -> None:
        self.root = root
        copy_of_this(root)

    def target(self, private: Private, ca: bool = True) -> None:
        registry = {"address": f"{private.address}/bots", **({"ca": str(private.ca)} if ca else {})}
        there: dict[str, Any] = {"driver": "aks", "context": "nowhere", "registry": registry}
        (self.root / "values/targets.yml").write_text(yaml.safe_dump({"targets": {NAME: there}}))

    def publish(self, *more: str, **env: str) -> Done:
        return invoke(self.root, "publish.charts", "--target", NAME, "--plain", *more, **env)


@pytest.fixture
def shop(tmp_path: Path) -> Publisher:
    return Publisher(tmp_path / "checkout")


def test_charts_go_in_once_and_come_back(shop: Publisher, tmp_path: Path) -> None:
    # Beside the nodes of the end-to-end run's cluster, as far as the network goes; they are not asked.
    with private_registry(Target(name="kind"), tmp_path, NAME) as private:
        good = login(tmp_path / "good", private)
        shop.target(private, ca=False)
        done = shop.publish(**good)
        assert done.code == 2 and "certificate of the registry" in done.out, done.out
        shop.target(private)
        done = shop.publish(DOCKER_CONFIG=str(tmp_path / "nobody"))
        assert done.code == 2 and "asks for a login, and there is none" in done.out, done.out
        done = shop.publish(**login(tmp_path / "bad", private, "guessed"))
        assert done.code == 2 and "robot" in done.out and "guessed" not in done.out, done.out

        done = shop.publish("--check", **good)
        assert done.code == 0 and "would be pushed: rasa-action-server 0.3.0, rasa 0.3.0" in done.out, done.out
        done = shop.publish(**good)
        assert done.code == 0 and "changed=1" in done.out, done.out
        assert f"rasa: oci://{private.address}/bots/charts/rasa:0.3.0@sha256:" in done.out, done.out
        for command in ((), ("--check",)):
            done = shop.publish(*command, **good)
            assert done.code == 0 and "published already" in done.out and "changed=0" in done.out, done.out

        notes = shop.root / "charts/rasa/templates/NOTES.txt"
        notes.write_text(notes.read_text() + "\nOne line more.\n")
        done = shop.publish(**good)
        assert done.code == 2 and "charts/rasa:0.3.0 is in the registry with other content" in done.out, done.out
        assert "raise the version" in done.out
        chart = shop.root / "charts/rasa/Chart.yaml"
        chart.write_text(chart.read_text().replace("version: 0.3.0", "version: 0.3.1", 1))
        done = shop.publish(**good)
        assert done.code == 0 and "rasa 0.3.1" in done.out and "changed=1" in done.out, done.out

        _comes_back(private, shop, tmp_path, good)


def _comes_back(private: Private, shop: Publisher, tmp_path: Path, good: dict[str, str]) -> None:
    """Helm itself pulls what we pushed; what we fetch is the chart of the checkout, file by file."""
    helm = Helm(toolbox.tool(Paths(shop.root, shop.root / ".botyard" / NAME, CACHE), "helm"), tmp_path / "helm")
    ref = f"oci://{private.address}/bots/charts/rasa"
    known = ["--registry-config", Path(good["DOCKER_CONFIG"], "config.json"), "--ca-file", private.ca]
    run([helm.binary, "pull", ref, "--version", "0.3.1", *known, "--destination", tmp_path], env=helm.env)
    assert (tmp_path / "rasa-0.3.1.tgz").is_file()

    place = Place(f"https://{private.address}", private.address, "bots", Login("robot", Secret(PASSWORD)), private.ca)
    with place.open() as registry:
        found = chart_artifacts.fetched(registry, place, "rasa", "0.3.1", tmp_path / "cache")
    ours = shop.root / "charts/rasa"
    for file in ("templates/NOTES.txt", "values.yaml", "values.schema.json"):
        assert (found.folder / file).read_bytes() == (ours / file).read_bytes(), file
    values = [shop.root / "values/rasa/base.yaml"]  # which name a Secret: else each rendering makes its own
    from_there, from_here = (
        helm.template("myrasa", "shop", Chart(str(folder)), values) for folder in (found.folder, ours)
    )
    assert "kind: Deployment" in from_there and from_there == from_here
