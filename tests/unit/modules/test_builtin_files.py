"""copy, template, file, stat: the matrix of create, again, modify, delete, each in check mode first."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from botyard.contracts import BotyardError, Context, Paths
from botyard.modules import builtin_copy, builtin_file, builtin_files, builtin_stat, builtin_template


def context(folder: Path, **more) -> Context:
    return Context(**{"check": False, "diff": True, "paths": Paths(folder, folder, folder), "target": None,
                      "basedir": folder, **more})  # fmt: skip


def snapshot(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        str(p.relative_to(folder)): (p.lstat().st_mode, p.read_bytes() if p.is_file() else b"")
        for p in sorted(folder.rglob("*"))
    }


def matrix(module, args, folder: Path, **more) -> None:
    """Changed once, in check mode without writing, and never again."""
    before = snapshot(folder)
    assert module.run(args, context(folder, check=True, **more)).changed
    assert snapshot(folder) == before
    assert module.run(args, context(folder, **more)).changed
    after = snapshot(folder)
    assert after != before
    for check in (True, False):
        assert not module.run(args, context(folder, check=check, **more)).changed
    assert snapshot(folder) == after


def test_copy_content(tmp_path):
    matrix(builtin_copy, builtin_copy.Args(dest="a.txt", content="one\n"), tmp_path)
    matrix(builtin_copy, builtin_copy.Args(dest="a.txt", content="two\n"), tmp_path)
    matrix(builtin_copy, builtin_copy.Args(dest="a.txt", content="two\n", mode="0600"), tmp_path)
    matrix(builtin_copy, builtin_copy.Args(dest="a.txt", content="three\n"), tmp_path)
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o600  # kept
    matrix(builtin_copy, builtin_copy.Args(dest="j.json", content={"a": [1]}), tmp_path)
    assert (tmp_path / "j.json").read_text() == '{"a": [1]}'
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_copy_shows_what_changes(tmp_path):
    (tmp_path / "a").write_text("old\n")
    diff = builtin_copy.run(builtin_copy.Args(dest="a", content="new\n"), context(tmp_path, check=True)).diff[0]
    assert (diff.before, diff.after) == ("old\n", "new\n")
    (tmp_path / "a").write_bytes(b"\0")
    diff = builtin_copy.run(builtin_copy.Args(dest="a", content="new\n"), context(tmp_path)).diff[0]
    assert diff.before.startswith("(1 bytes")


def test_copy_src(tmp_path):
    (tmp_path / "from").mkdir()
    (tmp_path / "from" / "x").write_text("x")
    (tmp_path / "from" / "sub").mkdir()
    (tmp_path / "from" / "sub" / "run").write_text("y")
    (tmp_path / "from" / "sub" / "run").chmod(0o755)
    matrix(builtin_copy, builtin_copy.Args(src="from/x", dest="to"), tmp_path)
    matrix(builtin_copy, builtin_copy.Args(src="from/x", dest="folder/"), tmp_path)
    matrix(builtin_copy, builtin_copy.Args(src="from/", dest="flat", mode="preserve"), tmp_path)
    matrix(builtin_copy, builtin_copy.Args(src="from", dest="whole"), tmp_path)
    assert (tmp_path / "whole" / "from" / "sub" / "run").read_text() == "y"
    assert stat.S_IMODE((tmp_path / "flat" / "sub" / "run").stat().st_mode) == 0o755


def test_copy_force_and_backup(tmp_path):
    (tmp_path / "a").write_text("old")
    assert not builtin_copy.run(builtin_copy.Args(dest="a", content="n", force=False), context(tmp_path)).changed
    result = builtin_copy.run(builtin_copy.Args(dest="a", content="new", backup=True), context(tmp_path))
    assert Path(result.data["backup_file"]).read_text() == "old"


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"dest": "a"}, "either src or content"),
        ({"dest": "a", "src": "b", "content": "c"}, "either src or content"),
        ({"dest": "a", "src": "nome.txt"}, "no such file"),
        ({"dest": "no/a", "content": "x"}, "no folder"),
        ({"dest": "a", "content": "x", "mode": "u+x"}, "not octal"),
        ({"dest": "a", "content": "x", "mode": "99999"}, "not octal"),
        ({"dest": ".", "content": "x"}, "is a folder"),
    ],
)
def test_copy_refuses(tmp_path, args, words):
    (tmp_path / "name.txt").write_text("x")
    with pytest.raises(BotyardError, match=words) as caught:
        builtin_copy.run(builtin_copy.Args(**args), context(tmp_path))
    assert caught.value.cure


def test_a_failed_write_leaves_no_half_file(tmp_path, monkeypatch):
    (tmp_path / "a").write_text("old")

    def full(self, target):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(BotyardError, match="No space left"):
        builtin_files.put(tmp_path / "a", b"new", context(tmp_path))
    assert snapshot(tmp_path).keys() == {"a"}
    assert (tmp_path / "a").read_text() == "old"


def test_a_killed_write_is_cleared_by_the_next(tmp_path, monkeypatch):
    args = builtin_copy.Args(dest="a.txt", content="new")

    class Killed(BaseException):
        pass

    def killed(_path, _other):
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", killed)
        patched.setattr(Path, "unlink", lambda _path, missing_ok=False: None)  # kill -9 leaves no time for it
        with pytest.raises(Killed):
            builtin_copy.run(args, context(tmp_path))
    assert [p.name for p in tmp_path.iterdir()] == [".a.txt.botyard"]
    assert builtin_copy.run(args, context(tmp_path)).changed
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("name", ["a\0b", "\ud800", "~nobody-of-this-name/x"])
def test_what_is_no_path(tmp_path, name):
    with pytest.raises(BotyardError, match="is no path"):
        builtin_stat.run(builtin_stat.Args(path=name), context(tmp_path))


def test_modes():
    assert [builtin_files.mode_of(m) for m in ("0644", "644", 0o644, None, "preserve")] == [420, 420, 420, None, None]


def test_template(tmp_path):
    (tmp_path / "templates").mkdir()
    (tmp_path / "templates" / "a.conf.j2").write_text("x={{ x }}\n")
    (tmp_path / "out").mkdir()
    args = builtin_template.Args(src="a.conf.j2", dest="out", mode="0640")
    matrix(builtin_template, args, tmp_path, render_file=lambda f: f.read_text().replace("{{ x }}", "1"))
    assert (tmp_path / "out" / "a.conf").read_text() == "x=1\n"
    with pytest.raises(BotyardError, match="no such template") as caught:
        builtin_template.run(builtin_template.Args(src="a.cnf.j2", dest="out"), context(tmp_path))
    assert caught.value.cure == "did you mean a.conf.j2?"


def test_file(tmp_path):
    matrix(builtin_file, builtin_file.Args(path="d/e", state="directory", mode="0700"), tmp_path)
    matrix(builtin_file, builtin_file.Args(path="d/e", mode="0755"), tmp_path)
    (tmp_path / "d" / "f").write_text("x")
    matrix(builtin_file, builtin_file.Args(path="d", state="directory", mode="0750", recurse=True), tmp_path)
    matrix(builtin_file, builtin_file.Args(path="l", state="link", src="d"), tmp_path)
    matrix(builtin_file, builtin_file.Args(path="l", state="link", src="d/f"), tmp_path)
    matrix(builtin_file, builtin_file.Args(path="l", state="absent"), tmp_path)
    assert (tmp_path / "d" / "f").exists()
    matrix(builtin_file, builtin_file.Args(path="d", state="absent"), tmp_path)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"path": "f", "state": "directory"}, "is no folder"),
        ({"path": "f", "state": "link", "src": "x"}, "in the way"),
        ({"path": "x", "state": "link"}, "needs src"),
    ],
)
def test_file_refuses(tmp_path, args, words):
    (tmp_path / "f").write_text("x")
    with pytest.raises(BotyardError, match=words):
        builtin_file.run(builtin_file.Args(**args), context(tmp_path))


def test_file_that_is_not_there_fails_and_tells_what_is(tmp_path):
    result = builtin_file.run(builtin_file.Args(path="none"), context(tmp_path))
    assert (result.failed, result.changed, result.data["state"]) == (True, False, "absent")
    assert "is no file" in result.msg


def test_folders_on_the_way_get_the_mode_too(tmp_path):
    builtin_file.run(builtin_file.Args(path="a/b", state="directory", mode="0750"), context(tmp_path))
    assert [f"{(tmp_path / name).stat().st_mode & 0o777:o}" for name in ("a", "a/b")] == ["750", "750"]


def test_stat(tmp_path):
    (tmp_path / "f").write_text("x")
    (tmp_path / "f").chmod(0o640)
    (tmp_path / "l").symlink_to("f")
    look = lambda path, **more: builtin_stat.run(builtin_stat.Args(path=path, **more), context(tmp_path)).data["stat"]  # noqa: E731
    assert look("none") == {"exists": False}
    found = look("f")
    assert (found["exists"], found["isreg"], found["mode"], found["size"]) == (True, True, "0640", 1)
    assert found["checksum"] == "11f6ad8ec52a2984abaafd7c3b516503785c2072"
    assert (look("l")["islnk"], look("l")["lnk_target"], look("l", follow=True)["isreg"]) == (True, "f", True)
    assert look(".")["isdir"]
