"""A deploy with nothing to do, beside the real ansible-playbook with what it knows of the same playbook. Told, not
judged: on a machine that does something else both are slow."""

from __future__ import annotations

import functools
import json
import statistics
import sys
import tempfile
from pathlib import Path

import platformdirs
import pytest
from their_cluster import NAMESPACE
from their_shop import Shop

from botyard.bench.engine import RELEASE_WANTED_S, ROUNDS
from botyard.bench.engines import Engine, on_cluster, theirs
from botyard.bench.figure import Figure
from botyard.contracts import Paths
from botyard.targets import load_target
from botyard.tools.helm_record import recorded

PLAYBOOK = Path(__file__).with_name("standard.yml")
CHARTS = {"rasa-action-server": "rasa-action-server", "myrasa": "rasa"}


def tell(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Prints two ratios of one run, the engines in turn; fails where a run changed something."""
    with tempfile.TemporaryDirectory(prefix="botyard-noop-") as folder:
        home = Path(folder)
        variables = home / "variables.json"
        variables.write_text(_variables(shop, home))
        ours, ansible = _engines(shop, home)
        runs = [(ours.run(Path("deploy")), ansible.run(PLAYBOOK, variables)) for _ in range(ROUNDS + 1)][1:]
    assert not any(run.counts["changed"] for pair in runs for run in pair), runs
    mine, other = (statistics.median(pair[number].duration_s for pair in runs) for number in (0, 1))
    figures = (
        Figure("deploy without a change", mine, other, 0.1, "invoke deploy without its checks / ansible-playbook"),
        Figure(f"deploy without a change / {RELEASE_WANTED_S} s", mine, RELEASE_WANTED_S, 1.0),
    )
    with capsys.disabled():
        print("", *(figure.line() for figure in figures), sep="\n")


def _engines(shop: Shop, home: Path) -> tuple[Engine, Engine]:
    root = shop.checkout.root
    target = load_target(root, "there")
    paths = Paths(root, root / ".botyard" / target.cluster, Path(platformdirs.user_cache_dir("botyard")))
    more = ("--context", "there", "--plain", "--skip-tags", "verify", *shop.values)
    ours = Engine("botyard", (sys.executable, "-m", "invoke"), root, shop.env, more)
    say = functools.partial(print, file=sys.stderr, flush=True)
    return ours, on_cluster(theirs(paths, home, say), target, paths, say)


def _variables(shop: Shop, home: Path) -> str:
    """What is released: with it the playbook has nothing to change."""
    releases = {}
    for name, chart in CHARTS.items():
        live = recorded(shop.checkout.kube, name, NAMESPACE)
        assert live is not None
        releases[name] = {"chart": str(shop.checkout.root / "charts" / chart), "release_values": live.values}
    return json.dumps({"their_namespace": NAMESPACE, "releases": releases, "note": str(home / "release.json")})
