"""Every key of the values, given nothing or something odd: rendered, or refused in our own words about a key."""

from __future__ import annotations

import copy
import itertools
import json
import os
import re
import subprocess
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import fastjsonschema
import platformdirs

from botyard import yaml11
from botyard.reference.charts import VERSIONS, official

ROOT = Path(__file__).resolve().parents[2]
RELEASES = {"rasa": "myrasa", "rasa-action-server": "rasa-action-server"}
# Parts that are off by default, so that what reads their keys is rendered.
OWN: dict[str, Any] = {
    "replicaCount": 2,
    "service": {"type": "LoadBalancer"},
    "ingress": {"enabled": True},
    "networkPolicy": {"enabled": True, "denyAll": True},
    "autoscaling": {"enabled": True},
    "applicationSettings": {"initialModel": "http://depot/m.tar.gz"},
    "redis": {"persistence": {"enabled": True}},
    "postgresql": {"install": True},
    "gateway": {
        "enabled": True,
        "edge": {"enabled": True},
        "tls": {"certManager": {"issuer": "ours", "dnsNames": ["bot.example"]}},
    },
}
OTHERS: dict[str, Any] = {
    "applicationSettings": {
        "initialModelImage": {"repository": "r/m", "tag": "1", "path": "/m.tar.gz"},
        "endpoints": {"eventBroker": {"enabled": True}, "lockStore": {"enabled": True}},
    },
    "redis": {"external": {"enabled": True, "host": "r"}},
    "postgresql": {"external": {"enabled": True, "host": "pg"}},
    "rabbitmq": {"external": {"enabled": True, "host": "mq"}},
    "duckling": {"external": {"enabled": True, "url": "http://d"}},
    "rasa-action-server": {"external": {"enabled": True, "url": "http://actions/webhook"}},
}
SERVER: dict[str, Any] = {"applicationSettings": {"endpoints": {"models": {"enabled": True, "url": "http://m"}}}}
SETTINGS: dict[str, list[dict[str, Any]]] = {"rasa": [{}, OWN, OTHERS, SERVER], "rasa-action-server": [{}, OWN]}
ODD: list[Any] = ["odd", 7, [], {}, {"odd": "x"}, ""]
# What helm says where a template was given what it cannot take.
PANIC = re.compile(
    r"nil pointer|wrong type|runtime error|error calling|can't|YAML parse|error converting|interface|panic|expected "
    r"|incompatible|invalid value"
)


def keys(values: Mapping[str, Any], *above: str) -> Iterator[str]:
    for key, value in values.items():
        yield ".".join([*above, key])
        if isinstance(value, dict):
            yield from keys(value, *above, key)


def given(values: Mapping[str, Any], key: str, value: Any) -> dict[str, Any]:
    whole: dict[str, Any] = copy.deepcopy(dict(values))
    place = whole
    *parents, last = key.split(".")
    for parent in parents:
        if not isinstance(place.get(parent), dict):
            place[parent] = {}
        place = place[parent]
    place[last] = value
    return whole


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """As helm merges values: null takes a key away."""
    whole = dict(under)
    for key, value in over.items():
        if value is None and key in whole:
            del whole[key]
        elif isinstance(value, dict) and isinstance(whole.get(key), dict):
            whole[key] = merged(whole[key], value)
        else:
            whole[key] = value
    return whole


def test_no_value_ends_in_a_panic(tmp_path: Path) -> None:
    helm = sorted((Path(platformdirs.user_cache_dir("botyard")) / "tools/helm").glob("*/helm"))[-1]
    jobs = [(chart, *job) for chart in VERSIONS for job in _jobs(chart)]

    def panics(number: int) -> str:
        chart, key, value, values = jobs[number]
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps(values))
        command = [helm, "template", RELEASES[chart], ROOT / "charts" / chart, "-f", file]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        file.unlink()
        wrong = done.returncode and PANIC.search(done.stderr) and "specifications of the schema" not in done.stderr
        return f"{chart}: {key}: {value!r}: {done.stderr[-300:]}" if wrong else ""

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [told for told in pool.map(panics, range(len(jobs))) if told]
    assert found == []
    assert len(jobs) > 1000


def _jobs(chart: str) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Key, value and all values; without those that the schema refuses, as it names the key."""
    defaults = dict(yaml11.load((ROOT / "charts" / chart / "values.yaml").read_text()))
    takes = fastjsonschema.compile(json.loads((ROOT / "charts" / chart / "values.schema.json").read_text()))
    official_keys = official(chart)
    parents = [key.rsplit(".", up)[0] for key in official_keys for up in range(1, key.count(".") + 1)]
    every = dict.fromkeys([*keys(defaults), *official_keys, *parents])
    for settings, key in itertools.product(SETTINGS[chart], every):
        for value in [None, *(ODD if settings in (OWN, OTHERS) else [])]:
            values = given(settings, key, value)
            try:
                takes(merged(defaults, values))
            except fastjsonschema.JsonSchemaValueException:
                continue
            yield key, value, values
