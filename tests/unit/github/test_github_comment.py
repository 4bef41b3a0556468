"""A plan as a comment: one per pull request, kept up to date, and nothing of a stranger's is touched."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from invoke.context import Context
from invoke.exceptions import Exit

from botyard.commands import github
from botyard.report.plan import MARKER, plan


def a_task(name: str, status: str = "changed", **more: Any) -> dict[str, Any]:
    return {"name": name, "status": status, "changed": status == "changed", "msg": "", "cure": "", "data": {},
            "items": [], "diff": [], "warnings": [], **more}  # fmt: skip


def a_run(*tasks: dict[str, Any], exit_code: int = 0) -> dict[str, Any]:
    return {"exit_code": exit_code, "duration_s": 9.0, "plays": [], "tasks": list(tasks), "check": True}


def a_diff(before: str, after: str) -> list[dict[str, str]]:
    return [{"header": "Deployment/rasa", "before": before, "after": after}]


class Page:
    """GitHub's part: the comments of pull request 7, and what was asked."""

    def __init__(self) -> None:
        self.comments: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.status = 0

    def has(self, body: str, kind: str = "Bot") -> None:
        self.comments.append({"id": len(self.comments) + 1, "body": body, "user": {"type": kind}})


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Page]:
    held = Page()

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            path, _, query = self.path.partition("?")
            held.asked.append(f"{self.command} {path}")
            assert self.headers["Authorization"] == "Bearer s3cret"
            body = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)) or b"{}")
            answer: Any = {}
            if self.command == "GET":
                number = int(query.rpartition("page=")[2])
                answer = held.comments[(number - 1) * 100 : number * 100]
            elif self.command == "POST":
                held.has(body["body"])
            else:
                held.comments[int(path.rpartition("/")[2]) - 1]["body"] = body["body"]
            data = json.dumps(answer).encode()
            self.send_response(held.status or 200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        do_GET = do_POST = do_PATCH = do

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    (tmp_path / "event.json").write_text('{"pull_request": {"number": 7}}')
    monkeypatch.setenv("GITHUB_API_URL", f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setenv("GITHUB_REPOSITORY", "o/r")
    monkeypatch.setenv("GITHUB_TOKEN", "s3cret")
    monkeypatch.setenv("GITHUB_EVENT_PATH", str(tmp_path / "event.json"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield held
    server.shutdown()
    server.server_close()


def put(folder: Path, report: dict[str, Any], name: str = "20261125-090000") -> str:
    (folder / "plan" / name).mkdir(parents=True, exist_ok=True)
    (folder / "plan" / name / "report.json").write_text(json.dumps(report))
    return str(folder / "plan")


def test_the_comment_is_written_once_and_then_kept_up_to_date(
    page: Page, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page.has("a person's words", "User")
    page.has(f"{MARKER} quoted by a person", "User")
    folder = put(tmp_path, a_run(a_task("Helm install myrasa")))
    github.comment(Context(), folder=folder)
    github.comment(Context(), folder=folder)
    put(tmp_path, a_run(), "20261125-090001")
    github.comment(Context(), folder=folder)
    said = capsys.readouterr().out
    assert [line.rpartition(": ")[2] for line in said.splitlines()] == ["written", "nothing new", "updated"]
    assert [one["body"] for one in page.comments[:2]] == ["a person's words", f"{MARKER} quoted by a person"]
    assert len(page.comments) == 3 and "nothing would change" in page.comments[2]["body"]
    assert "s3cret" not in said


def test_it_is_found_behind_many_others(page: Page, tmp_path: Path) -> None:
    for number in range(150):
        page.has(f"comment {number}")
    page.has(f"{MARKER}\nold")
    github.comment(Context(), folder=put(tmp_path, a_run()))
    assert len(page.comments) == 151 and "nothing would change" in page.comments[150]["body"]


def test_what_github_refuses_is_told_without_the_token(page: Page, tmp_path: Path) -> None:
    page.status = 403
    with pytest.raises(Exit, match="pull-requests: write") as caught:
        github.comment(Context(), folder=put(tmp_path, a_run()))
    assert caught.value.code == 2 and "s3cret" not in str(caught.value)


def test_bad_input_asks_nothing(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Exit, match="there is no report"):
        github.comment(Context(), folder=str(tmp_path))
    with pytest.raises(Exit, match="is no report of a run"):
        github.comment(Context(), folder=put(tmp_path, {"tasks": 1}))
    (tmp_path / "event.json").write_text('{"ref": "refs/heads/main"}')
    with pytest.raises(Exit, match="is no pull request"):
        github.comment(Context(), folder=put(tmp_path, a_run()))
    monkeypatch.delenv("GITHUB_TOKEN")
    with pytest.raises(Exit, match="GITHUB_TOKEN: not set"):
        github.comment(Context(), folder=put(tmp_path, a_run()))
    assert page.asked == []


def test_a_plan_shows_what_would_change_and_how() -> None:
    items = [{"label": "a", "status": "changed", "msg": "", "diff": a_diff("x: 1", "x: 2")}]
    text = plan(
        a_run(
            a_task("Images", msg="would be built: rasa"),
            a_task("Charts", items=items),
            a_task("Same", "ok", diff=a_diff("a", "b")),
            a_task("Room", "ok", warnings=["no right to list nodes"]),
        )
    )
    assert text.startswith(f"{MARKER}\n## Plan: 2 tasks would change something\n")
    assert "- **Images**: would be built: rasa" in text and "Same" not in text
    assert (
        "```diff\n--- before: Deployment/rasa\n+++ after: Deployment/rasa\n" in text and "\n-x: 1\n+x: 2\n```" in text
    )
    assert "**Warning**, Room: no right to list nodes" in text


def test_a_plan_that_failed_says_so_with_its_cure() -> None:
    text = plan(a_run(a_task("Room", "failed", msg="three pods, two nodes", cure="add a node"), exit_code=1))
    assert "this could not be deployed" in text and "three pods, two nodes" in text and "Cure: add a node" in text


def test_nothing_in_a_plan_breaks_out_of_its_place() -> None:
    text = plan(a_run(a_task("<img> @eve `x`", diff=a_diff("a", "````\n@eve </details>"))))
    assert "`````diff\n" in text and text.rstrip().endswith("`````\n\n</details>")
    assert "<img>" not in text and "@eve" not in text.split("`````")[0]


def test_a_plan_that_is_too_long_keeps_whole_parts() -> None:
    text = plan(a_run(*(a_task(f"t{n}", diff=a_diff("a", "b" * 9000)) for n in range(9))))
    assert len(text) < 65_536 and "3 more do not fit here" in text
    assert text.count("```diff") == text.count("</details>") == 6
