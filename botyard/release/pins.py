"""Writes a pin into values/targets.yml, where people's comments and order stay as they are."""

from __future__ import annotations

import io
from pathlib import Path

import msgspec

from botyard.later import later
from botyard.targets import Pin

ruamel_yaml = later("ruamel.yaml")


def write(root: Path, name: str, pin: Pin) -> None:
    """Puts the pin in place of the one that the target has; the file is written whole or not at all."""
    file = root / "values" / "targets.yml"
    editor = ruamel_yaml.YAML()
    editor.preserve_quotes = True
    editor.width = 4096
    document = editor.load(file.read_text(encoding="utf-8"))
    document["targets"][name]["pin"] = msgspec.to_builtins(pin)
    text = io.StringIO()
    editor.dump(document, text)
    new = file.with_name(f"{file.name}.new")
    new.write_text(text.getvalue(), encoding="utf-8")
    new.replace(file)
