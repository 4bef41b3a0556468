"""command, pause, debug, assert, fail, set_fact."""

from __future__ import annotations

from pathlib import Path

import pytest

from botyard import process
from botyard.contracts import BotyardError, Context, Paths
from botyard.modules import (
    builtin_assert,
    builtin_command,
    builtin_debug,
    builtin_fail,
    builtin_pause,
    builtin_set_fact,
)
from botyard.modules.spec import Expression


class Door:
    """Stands at the process door; a command that was not announced fails the test."""

    def __init__(self) -> None:
        self.answers: dict[tuple[str, ...], process.Completed] = {}
        self.calls: list[dict] = []

    def expect(self, *argv: str, code: int = 0, out: str = "", err: str = "") -> None:
        self.answers[argv] = process.Completed(list(argv), code, out, err, 0.1)

    def run(self, argv, **options):
        self.calls.append(options)
        return self.answers.pop(tuple(argv))


@pytest.fixture
def door(monkeypatch) -> Door:
    made = Door()
    monkeypatch.setattr(process, "run", made.run)
    return made


def run(folder: Path, *, check: bool = False, **args):
    ctx = Context(check=check, diff=False, paths=Paths(folder, folder, folder), target=None, basedir=folder,
                  environment={"A": "1"})  # fmt: skip
    return builtin_command.run(builtin_command.Args(**args), ctx)


def test_runs_a_line_and_a_list(tmp_path, door):
    door.expect("echo", "a b", "c", out="a b c\n\n")
    result = run(tmp_path, cmd="echo 'a b' c", stdin="in")
    assert (result.changed, result.failed, result.data["stdout"]) == (True, False, "a b c")
    assert (door.calls[0]["env"], door.calls[0]["stdin"]) == ({"A": "1"}, "in\n")
    door.expect("echo", "a; rm -rf /", out="x\n")
    assert run(tmp_path, argv=["echo", "a; rm -rf /"], strip_empty_ends=False).data["stdout"] == "x\n"


def test_failure_keeps_output(tmp_path, door):
    door.expect("false", code=3, err="why\n")
    result = run(tmp_path, cmd="false")
    assert (result.failed, result.data["rc"], result.data["stderr_lines"]) == (True, 3, ["why"])
    assert result.msg == "non-zero return code"


def test_variables_and_home_are_put_in_as_ansible_does(tmp_path, door, monkeypatch):
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("WORD", "a b")
    door.expect("echo", "a b", "a bs", "$NOT_SET", "/home/me/x", "x~")
    result = run(tmp_path, argv=["echo", "$WORD", "${WORD}s", "$NOT_SET", "~/x", "x~"])
    assert result.data["cmd"][1] == "$WORD"
    door.expect("echo", "$WORD", "~")
    assert run(tmp_path, argv=["echo", "$WORD", "~"], expand_argument_vars=False).data["rc"] == 0


def test_a_program_that_cannot_be_started(tmp_path):
    for name, code in (("/no/such/program", 2), (str(tmp_path), 13)):
        result = run(tmp_path, argv=[name])
        assert (result.failed, result.data["rc"], result.data["msg"]) == (True, code, "Error executing command.")
        assert name in result.msg


def test_creates_and_removes(tmp_path, door):
    (tmp_path / "made").touch()
    for args in ({"creates": "made"}, {"creates": "ma*"}, {"removes": "none"}):
        result = run(tmp_path, cmd="x", **args)
        assert not (result.changed or result.failed or result.skipped)
    assert run(tmp_path, cmd="x", creates="other", check=True).changed


def test_check_mode_runs_nothing(tmp_path, door):
    result = run(tmp_path, cmd="x", check=True)
    assert (result.skipped, result.changed) == (True, False)


@pytest.mark.parametrize(
    "args", [{}, {"cmd": "a", "argv": ["b"]}, {"cmd": "'a"}, {"cmd": ""}, {"cmd": "a", "chdir": "no"}]
)
def test_refuses(tmp_path, door, args):
    with pytest.raises(BotyardError) as caught:
        run(tmp_path, **args)
    assert caught.value.cure


CTX = Context(check=False, diff=False, paths=Paths(Path(), Path(), Path()), target=None)


def yes(text="a", value=True):
    return Expression(text, lambda: value)


def test_assert():
    args = builtin_assert.Args
    assert not builtin_assert.run(args(that=[yes(), yes()]), CTX).failed
    result = builtin_assert.run(args(that=[yes(), yes("b", False)], fail_msg="no"), CTX)
    assert (result.failed, result.msg, result.data["assertion"]) == (True, "no", "b")
    assert builtin_assert.run(args(that=yes("b", False)), CTX).msg == "Assertion failed: b"
    assert "not true or false" in builtin_assert.run(args(that=yes("b", "text")), CTX).msg
    assert builtin_assert.run(args(that=yes(), success_msg=["x", "y"]), CTX).msg == "x\ny"


def test_debug():
    assert builtin_debug.run(builtin_debug.Args(msg={"a": 1}), CTX).msg == '{\n    "a": 1\n}'
    result = builtin_debug.run(builtin_debug.Args(var=yes("x.y", 3)), CTX)
    assert (result.msg, result.data) == ("x.y: 3", {"x.y": 3})
    with pytest.raises(BotyardError, match="not both"):
        builtin_debug.run(builtin_debug.Args(var=yes(), msg="x"), CTX)


def test_fail_set_fact_pause(monkeypatch):
    assert builtin_fail.run(builtin_fail.Args(msg="why"), CTX).failed
    assert builtin_set_fact.run(builtin_set_fact.Args(facts={"a": 1}), CTX).data == {"ansible_facts": {"a": 1}}
    slept = []
    monkeypatch.setattr(builtin_pause.time, "sleep", slept.append)
    assert not builtin_pause.run(builtin_pause.Args(minutes=1, seconds=2), CTX).changed
    assert slept == [62.0]
