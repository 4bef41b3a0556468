"""The module from arguments to result, with an engine that knows only what a test says and refuses the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from botyard.contracts import LABEL_KEY, BotyardError, CommandError, Context, Paths
from botyard.host import image_push
from botyard.host.image_context import ImageSpec
from botyard.modules import image
from botyard.targets import Target
from botyard.tools import docker


@dataclass
class FakeImage:
    id: str
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def attrs(self) -> dict[str, Any]:
        return {
            "Os": "linux",
            "Architecture": "amd64",
            "Size": 2_500_000,
            "RootFS": {"Layers": [f"layer of {self.id}"]},
        }


@dataclass
class Engine:
    """Local images by name and by id; what was built and tagged, in order."""

    images: dict[str, FakeImage] = field(default_factory=lambda: {"debian:x": FakeImage("sha256:base")})
    done: list[str] = field(default_factory=list)
    fails: bool = False

    def image(self, ref: str) -> FakeImage | None:
        return self.images.get(ref)

    def build(self, context: Path, tag: str, *, labels: dict[str, str], **options: Any) -> str:
        assert (context / "Dockerfile").is_file()
        if self.fails:
            raise CommandError(["docker", "build"], 1, "Step 3/4 : RUN x\nboom", "returned a non-zero code: 1")
        options["on_line"]("Step 3/4 : RUN pip install")
        self.done.append(f"build {tag.split(':')[0]} {dict(options['build_args'])}")
        made = FakeImage(f"sha256:{len(self.done)}", labels)
        self.images |= {tag: made, made.id: made}
        return made.id

    def tags_of(self, repository: str) -> list[str]:
        return [tag for tag in reversed(self.images) if tag.startswith(f"{repository}:")]

    def cli(self, *argv: str, check: bool = True) -> None:
        if argv[0] == "rmi":
            assert not check
            del self.images[argv[1]]
            return
        assert argv[0] == "tag", argv
        self.images[argv[2]] = self.images[argv[1]]
        self.done.append(f"tag {argv[2]}")


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Engine:
    fake = Engine()
    for name in ("image", "build", "cli", "tags_of"):
        monkeypatch.setattr(docker, name, getattr(fake, name))
    return fake


@pytest.fixture
def ctx(tmp_path: Path) -> Context:
    paths = Paths(tmp_path, tmp_path / "state", tmp_path / "cache")
    return Context(check=False, diff=False, paths=paths, target=Target(name="kind"), basedir=tmp_path)


def args(spec: ImageSpec, extra: str | Sequence[str] = (), push: bool = False) -> image.Args:
    one = {"name": "shop", "context": str(spec.context), "build_args": {"BASE": "debian:x", "EXTRA": extra}}
    return TypeAdapter(image.Args).validate_python({"images": [one], "push": push})


def test_built_once_then_left_alone_then_built_again_when_an_input_changed(
    engine: Engine, spec: ImageSpec, ctx: Context
) -> None:
    first = image.run(args(spec, ["a", "b"]), ctx)
    assert (first.changed, first.msg) == (True, "built: shop")
    assert engine.done == ["build botyard/shop {'BASE': 'debian:x', 'EXTRA': 'a b'}", "tag botyard/shop:latest"]
    told = first.data["images"]["shop"]
    assert first.data["refs"]["shop"] == told["local"] == told["ref"]
    assert (told["digest"], told["size_mb"], told["repository"]) == ("", 2.5, "botyard/shop")
    assert engine.images[told["local"]].labels[LABEL_KEY].startswith(told["local"].split(":")[1])
    assert not image.run(args(spec, ["a", "b"]), ctx).changed
    assert image.run(args(spec, "c"), ctx).changed
    assert not list((ctx.paths.state / "build").iterdir())


def test_older_builds_go_but_for_the_newest(engine: Engine, spec: ImageSpec, ctx: Context) -> None:
    made = [image.run(args(spec, str(number)), ctx).data["refs"]["shop"] for number in range(5)]
    assert set(engine.tags_of("botyard/shop")) == {*made[2:], "botyard/shop:latest"}
    assert engine.images["botyard/shop:latest"] is engine.images[made[4]]


def test_check_mode_says_what_would_be_and_writes_nothing(engine: Engine, spec: ImageSpec, ctx: Context) -> None:
    ctx.check = True
    result = image.run(args(spec), ctx)
    assert (result.changed, result.msg) == (True, "would be built: shop")
    assert engine.done == []
    assert not ctx.paths.state.exists()
    assert not ctx.paths.cache.exists()


def test_pushed_by_digest_where_the_registry_has_it_not(
    engine: Engine, spec: ImageSpec, ctx: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("botyard.tools.registry_api.Registry.answers", lambda _self: True)
    held: list[str] = []
    monkeypatch.setattr(image_push, "pushed", lambda _r, repository, *_: "sha256:d" if repository in held else "")

    def push(_registry: object, repository: str, tag: str, image_id: str, layers: list[str], _tell: object) -> str:
        assert layers == [f"layer of {image_id}"]
        held.append(repository)
        return "sha256:d"

    monkeypatch.setattr(image_push, "push", push)
    result = image.run(args(spec, push=True), ctx)
    assert result.msg == "built: shop; pushed: shop"
    assert result.data["refs"] == {"shop": "localhost:5001/botyard/shop@sha256:d"}
    assert not image.run(args(spec, push=True), ctx).changed
    held.clear()  # the registry was made anew
    assert image.run(args(spec, push=True), ctx).msg == "pushed: shop"


def test_an_image_of_that_tag_without_our_key_is_not_trusted(engine: Engine, spec: ImageSpec, ctx: Context) -> None:
    local = image.run(args(spec), ctx).data["images"]["shop"]["local"]
    engine.images[local] = FakeImage("sha256:other")
    assert image.run(args(spec), ctx).changed


def test_a_missing_base_and_a_failed_step_are_told(engine: Engine, spec: ImageSpec, ctx: Context) -> None:
    engine.fails = True
    with pytest.raises(BotyardError, match=r"(?s)shop could not be built.*boom"):
        image.run(args(spec), ctx)
    engine.images.clear()
    with pytest.raises(BotyardError, match="base image debian:x is not on this machine"):
        image.run(args(spec), ctx)


def test_progress_lines_name_image_and_step(engine: Engine, spec: ImageSpec, ctx: Context) -> None:
    lines: list[str] = []
    ctx.progress = lines.append
    image.run(args(spec), ctx)
    assert lines == ["shop: step 3/4 RUN pip install"]
