"""A burst: its program for the pod, and who counts as lost."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from botyard.verify import burst, inside_pod


class Web:
    """A bot that answers all, but the third message with an empty list."""

    def __init__(self) -> None:
        self.url = ""
        self.senders: Counter[str] = Counter()
        self.lock = threading.Lock()


@pytest.fixture
def bot() -> Iterator[Web]:
    state = Web()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            said = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with state.lock:
                state.senders[said["sender"]] += 1
                empty = state.senders.total() == 3
            self._send([] if empty else [{"recipient_id": said["sender"], "text": said["message"]}])

        def do_GET(self) -> None:
            self._send({})

        def _send(self, found: object) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(found).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    yield state
    server.shutdown()
    server.server_close()


def test_each_person_says_one_thing_and_who_got_nothing_is_lost(bot: Web) -> None:
    ask = {"people": 8, "timeout_s": 5, "message": "hello", "name": "b", "marker": inside_pod.MARKER,
           "rest": f"{bot.url}/rest", "ready": f"{bot.url}/ready"}  # fmt: skip
    done = subprocess.run([sys.executable, "-c", burst.PROGRAM, json.dumps(ask)], check=True, capture_output=True,
                          text=True, timeout=30)  # fmt: skip
    found = burst.judged(json.loads(done.stdout.strip().removeprefix(inside_pod.MARKER)))
    assert len(found.waits_s) == 8 and len(bot.senders) == 8
    assert len(found.lost) == 1 and "(empty)" in found.lost[0]
    assert "8 messages" in found.line() and "1 lost" in found.line()


def test_no_answer_at_all_is_a_loss() -> None:
    answers = [
        ["b-1", 0, "ConnectionResetError: gone", 2.5],
        ["b-2", 200, '[{"recipient_id": "b-2", "text": "hi"}]', 1.0],
    ]
    found = burst.judged({"seconds": 3.0, "answers": answers, "probes": [[200, 0.4]]})
    assert [text.split()[0] for text in found.lost] == ["b-1"]
    assert found.probes_s == [0.4]
