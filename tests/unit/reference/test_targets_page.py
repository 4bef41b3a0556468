"""docs/reference/targets.md names every key of a target with its default."""

from __future__ import annotations

import re
from pathlib import Path

from msgspec import Struct, structs

from botyard.targets import AzureOf, RegistryOf, StoreOf, Target

PAGE = (Path(__file__).parents[3] / "docs/reference/targets.md").read_text()


def _keys(model: Struct, before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in structs.asdict(model).items():
        found |= _keys(value, f"{name}.") if isinstance(value, Struct) else {before + name: str(value or "none")}
    return found


def test_every_key_stands_there_with_its_default() -> None:
    rows = re.findall(r"^\| (`.+?) \| (.*?) ?\|", PAGE, re.MULTILINE)
    told = {key: default.strip("`") for keys, default in rows for key in re.findall(r"`([^`]+)`", keys)}
    wanted = _keys(Target(name="x")) | _keys(RegistryOf(address="a.example")) | {"address": ""}
    wanted |= _keys(AzureOf(resource_group="x", cluster="x"), "azure.")
    wanted |= {"azure.resource_group": "", "azure.cluster": ""}  # must be given
    wanted |= _keys(StoreOf(url="az://x/y"), "model_store.") | {"model_store.url": ""}
    del wanted["name"]
    wanted["context"] = "none"  # of driver kind it follows from the cluster's name and cannot be given
    assert told == wanted
