from pathlib import Path

import pytest
from host_door import Door
from msgspec import structs

from botyard.contracts import BadInput, BotyardError, Paths
from botyard.host import cache, lockfile, recipe, toolbox
from botyard.targets import Sources, Target
from botyard.tools import go


@pytest.fixture
def builder(door: Door, monkeypatch: pytest.MonkeyPatch) -> Door:
    """A Go that writes a file for each program."""

    def build(words: list[str]) -> None:
        output = words[words.index("-o") + 1]
        many = recipe.RECIPES["kubernetes"].programs
        for file in [Path(output) / name for name in many] if output.endswith("/") else [Path(output)]:
            file.write_text("program")

    monkeypatch.setattr(go, "find", lambda: Path("/usr/local/go/bin/go"))
    monkeypatch.setattr(go, "version", lambda toolchain: "1.26.8")
    door.expect("/usr/local/go/bin/go", "build", stdout="go: downloading x\nk8s.io/x\n", does=build)
    return door


def test_versions_of_recipes_are_those_of_the_lock(paths: Paths) -> None:
    locked = lockfile.read(paths.root)
    assert {name: one.version for name, one in recipe.ALL.items()} == {
        name: one.version for name, one in locked.built.items()
    }
    assert {name: one.module for name, one in recipe.ALL.items()} == {
        name: one.module for name, one in locked.built.items()
    }


def test_both_ways_give_the_same_versions(paths: Paths) -> None:
    locked = lockfile.read(paths.root)
    for program, name in (("kind", "kind"), ("kubectl", "kubernetes"), ("helm", "helm")):
        assert locked.downloads[program].version == locked.built[name].version
        assert sorted(locked.downloads[program].sha256) == [
            "darwin-amd64",
            "darwin-arm64",
            "linux-amd64",
            "linux-arm64",
        ]
        for value in locked.downloads[program].sha256.values():
            assert value is None or (len(value) == 64 and int(value, 16))


def test_built_once_and_found_without_any_process(builder: Door, paths: Paths, target: Target, told: list[str]) -> None:
    names = ["kind", "kubernetes", "helm"]
    first = toolbox.ensure(paths, target, names, told.append)
    assert len(first) == 9
    assert all(one.changed and one.path.read_text() == "program" for one in first)
    assert len(builder.calls) == 3
    assert toolbox.tool(paths, "kubelet").parent.name.startswith("v1.34.4-")
    second = toolbox.ensure(paths, target, names, told.append)
    assert not any(one.changed for one in second)
    assert len(builder.calls) == 3


def test_the_build_command_is_pinned_and_carries_the_version(builder: Door, paths: Paths, target: Target) -> None:
    toolbox.ensure(paths, target, ["helm"], print)
    words = builder.calls[0]
    assert "-mod=readonly" in words
    assert "-trimpath" in words
    assert "-X helm.sh/helm/v4/internal/version.version=v4.3.1" in words[words.index("-ldflags") + 1]


def test_minikube_is_built_where_it_is_asked_for_and_no_machine_must_have_it(
    builder: Door, paths: Paths, target: Target
) -> None:
    made = toolbox.ensure(paths, target, ["minikube", "crictl"], print)
    assert [(one.name, one.path.is_file()) for one in made] == [("minikube", True), ("crictl", True)]
    words = builder.calls[0]
    assert "-X k8s.io/minikube/pkg/version.version=v1.36.0" in words[words.index("-ldflags") + 1]
    assert not {"minikube", "crictl"} & recipe.RECIPES.keys()  # what the doctor asks of every machine


def test_what_a_killed_build_left_is_cleared_away(builder: Door, paths: Paths, target: Target) -> None:
    leftover = recipe.home(paths, "kind") / "tmp-abc"
    leftover.mkdir(parents=True)
    (leftover / "kind").write_text("half")
    toolbox.ensure(paths, target, ["kind"], print)
    assert not leftover.exists()


def test_a_folder_that_lacks_a_program_is_made_again(builder: Door, paths: Paths, target: Target) -> None:
    toolbox.ensure(paths, target, ["kind"], print)
    toolbox.tool(paths, "kind").unlink()
    assert [one.changed for one in toolbox.ensure(paths, target, ["kind"], print)] == [True]


def test_another_go_or_recipe_is_another_build(
    builder: Door, paths: Paths, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    toolbox.ensure(paths, target, ["kind"], print)
    monkeypatch.setattr(go, "version", lambda toolchain: "1.27.0")
    assert [one.changed for one in toolbox.ensure(paths, target, ["kind"], print)] == [True]
    monkeypatch.setattr(go, "find", lambda: None)  # without any Go, whatever was built by this recipe will do
    assert [one.changed for one in toolbox.ensure(paths, target, ["kind"], print)] == [False]
    monkeypatch.setattr(recipe, "_FLAGS", "v2")
    with pytest.raises(BotyardError, match="no Go on PATH"):
        toolbox.ensure(paths, target, ["kind"], print)


def test_check_mode_builds_nothing(builder: Door, paths: Paths, target: Target) -> None:
    assert [one.changed for one in toolbox.ensure(paths, target, ["kind"], print, check=True)] == [True]
    assert builder.calls == []
    assert not paths.cache.exists()


def test_bad_input_is_refused_before_anything(builder: Door, paths: Paths, target: Target) -> None:
    with pytest.raises(BadInput, match="unknown tool 'kindd'"):
        toolbox.ensure(paths, target, ["kind", "kindd"], print)
    other = structs.replace(target, kubernetes_version="v1.35.0")
    with pytest.raises(BadInput, match=r"only v1\.34\.4 can be built"):
        toolbox.ensure(paths, other, ["kubernetes"], print)
    registries = Target(name="kind", sources=Sources(mode="registries"))
    with pytest.raises(BadInput, match="upstream's images bring it"):
        toolbox.ensure(paths, registries, ["etcd"], print)
    assert builder.calls == []


def test_a_missing_program_names_the_cure(paths: Paths) -> None:
    with pytest.raises(BotyardError, match="helm is not there yet") as raised:
        toolbox.tool(paths, "helm")
    assert "invoke" in raised.value.cure


def test_go_version_is_read_from_its_folder(tmp_path: Path, door: Door) -> None:
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/go").touch()
    (tmp_path / "VERSION").write_text("go1.26.8\ntime 2026\n")
    assert go.version(tmp_path / "bin/go") == "1.26.8"
    assert go.numbers("1.27rc1") == (1, 27)
    assert door.calls == []


def test_the_cache_is_listed_by_size_and_emptied(tmp_path: Path) -> None:
    root = tmp_path / "cache"
    (root / "tools/kind").mkdir(parents=True)
    (root / "tools/kind/kind").write_bytes(b"x" * 100_000)
    (root / "sources.json").write_text("{}")
    (root / "away").symlink_to(tmp_path)
    (tmp_path / "precious").write_text("stays")
    assert cache.sizes(root)[0][0] == "tools/kind"
    assert cache.sizes(root)[0][1] >= 100_000
    assert cache.clean(root) >= 100_000
    assert list(root.iterdir()) == []
    assert (tmp_path / "precious").exists()
    assert cache.clean(tmp_path / "none") == 0
    assert cache.sizes(tmp_path / "none") == []
