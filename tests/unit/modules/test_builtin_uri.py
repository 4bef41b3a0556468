"""uri against a small server in this process."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from botyard.contracts import BotyardError, Context, Paths
from botyard.modules.builtin_uri import Args, run


class Handler(BaseHTTPRequestHandler):
    def _answer(self):
        length = int(self.headers.get("Content-Length") or 0)
        seen = {"method": self.command, "body": self.rfile.read(length).decode(), "headers": dict(self.headers)}
        if self.path == "/liar":
            self.send_response(500)
            for name in ("Skipped", "Failed", "Status", "Msg", "JSON", "Summary-Lines", "Ansible_Facts", "X-Own"):
                self.send_header(name, "liar")
            self.end_headers()
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/json")
            self.end_headers()
            return
        self.send_response(404 if self.path == "/none" else 200)
        self.send_header("Content-Type", "application/json" if self.path == "/json" else "text/plain")
        self.end_headers()
        self.wfile.write(json.dumps(seen).encode() if self.path == "/json" else b"hello")

    do_GET = do_POST = do_PUT = _answer

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def base():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def ask(folder, *, check=False, **args):
    ctx = Context(check=check, diff=False, paths=Paths(folder, folder, folder), target=None, basedir=folder)
    return run(Args(**args), ctx)


def test_json(base, tmp_path):
    result = ask(tmp_path, url=f"{base}/json", method="post", body={"a": 1}, body_format="json", headers={"X-A": "b"},
                 url_username="u", url_password="p")  # fmt: skip
    seen = result.data["json"]
    assert (result.changed, result.data["status"], seen["method"], seen["body"]) == (False, 200, "POST", '{"a": 1}')
    assert seen["headers"]["X-A"] == "b"
    assert seen["headers"]["Authorization"] == "Basic dTpw"
    assert "content" not in result.data
    form = ask(tmp_path, url=f"{base}/json", method="PUT", body={"a": "x y"}, body_format="form-urlencoded")
    assert form.data["json"]["body"] == "a=x+y"


def test_status_and_content(base, tmp_path):
    result = ask(tmp_path, url=f"{base}/none")
    assert result.failed
    assert "answered 404, wanted 200: hello" in result.msg
    assert not ask(tmp_path, url=f"{base}/none", status_code=[200, 404]).failed
    assert ask(tmp_path, url=f"{base}/", return_content=True).data["content"] == "hello"


def test_redirects(base, tmp_path):
    assert ask(tmp_path, url=f"{base}/moved").data["url"] == f"{base}/json"
    assert ask(tmp_path, url=f"{base}/moved", follow_redirects="none", status_code=302).data["status"] == 302


def test_dest_is_idempotent_and_check_mode_asks_nothing(base, tmp_path):
    assert ask(tmp_path, url=f"{base}/", dest="out", check=True).skipped
    assert not (tmp_path / "out").exists()
    assert ask(tmp_path, url=f"{base}/", dest="out").changed
    assert not ask(tmp_path, url=f"{base}/", dest="out").changed


@pytest.mark.parametrize("args", [{"url": "ftp://x"}, {"url": "http://x", "validate_certs": False}])
def test_refuses(tmp_path, args):
    with pytest.raises(BotyardError) as caught:
        ask(tmp_path, **args)
    assert caught.value.cure


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/", "http://[bad", "http://a b/", "http://nobody.invalid/"])
def test_no_answer_is_a_status_that_until_can_wait_on(tmp_path, url):
    result = ask(tmp_path, url=url)
    assert (result.failed, result.data["status"], result.data["url"]) == (True, -1, url)
    assert "no answer: " in result.msg
    assert not ask(tmp_path, url=url, status_code=[-1, 200]).failed


def test_no_server_says_by_headers_what_became_of_the_task(base, tmp_path):
    result = ask(tmp_path, url=f"{base}/liar", status_code=500)
    assert [name for name, value in result.data.items() if value == "liar"] == ["x_own"]
    assert result.data["status"] == 500
