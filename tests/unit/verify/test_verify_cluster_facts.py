"""What is read out of pods, Deployments, logs and Helm's records."""

from __future__ import annotations

import hashlib
import io
import tarfile
from datetime import UTC, datetime
from typing import Any

import pytest

from botyard.verify.faulty import as_made_by, not_a_model
from botyard.verify.inside_pod import NOBODY, PROGRAM, answered, webhook_call
from botyard.verify.logs import error_lines, moment
from botyard.verify.put_back import rollout_state
from botyard.verify.released import Pod


def deployment(wanted: int, updated: int, ready: int, total: int, generation: int = 2, seen: int = 2) -> dict[str, Any]:
    return {
        "metadata": {"generation": generation},
        "spec": {"replicas": wanted},
        "status": {
            "observedGeneration": seen,
            "updatedReplicas": updated,
            "readyReplicas": ready,
            "replicas": total,
        },
    }


@pytest.mark.parametrize(
    ("body", "done"),
    [
        (deployment(2, 2, 2, 2), True),
        (deployment(2, 1, 2, 3), False),  # a broken new pod beside two old ones
        (deployment(2, 2, 1, 2), False),
        (deployment(2, 2, 2, 3), False),  # an old pod is left
        (deployment(2, 2, 2, 2, generation=3), False),  # the controller has not looked yet
        ({"metadata": {"generation": 1}, "spec": {"replicas": 0}, "status": {"observedGeneration": 1}}, True),
    ],
)
def test_rollout_state(body: dict[str, Any], done: bool) -> None:
    assert rollout_state(body)[0] is done


def pod(**status: Any) -> Pod:
    return Pod.of({"metadata": {"name": "p"}, "spec": {"nodeName": None}, "status": status})


@pytest.mark.parametrize(
    ("action", "status", "body", "good"),
    [
        ("action_greet", 200, '{"responses": [{"text": "hello"}]}', True),
        ("action_greet", 200, '{"responses": []}', False),
        ("action_greet", 0, "URLError: refused", False),
        (NOBODY, 404, f'{{"action_name": "{NOBODY}"}}', True),
        (NOBODY, 404, "no such page", False),  # something else listens there
        (NOBODY, 200, f'{{"responses": ["{NOBODY}"]}}', False),
    ],
)
def test_what_counts_as_an_answer_of_an_action_server(action: str, status: int, body: str, good: bool) -> None:
    assert answered({"status": status, "body": body}, action) is good


def test_a_pending_pod_says_why() -> None:
    told = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/4 nodes: anti-affinity"}
    found = pod(phase="Pending", conditions=[told])
    assert not found.ready and found.node == ""
    assert found.why_not_ready() == "Unschedulable: 0/4 nodes: anti-affinity"


def test_a_crashing_container_says_why() -> None:
    waiting = {"name": "fetch-model", "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "404"}}}
    assert "fetch-model waiting: CrashLoopBackOff 404" in pod(initContainerStatuses=[waiting]).why_not_ready()


def test_a_ready_pod_has_no_reason() -> None:
    assert pod(conditions=[{"type": "Ready", "status": "True"}]).why_not_ready() == ""


def test_errors_count_at_the_start_and_since_the_checks_began() -> None:
    log = "\n".join(
        [
            "2026-01-01T10:00:05.123456789Z 2026-01-01 10:00:05 ERROR rasa: at the start",
            "2026-01-01T10:10:00Z ERROR of an earlier run that broke things on purpose",
            "2026-01-01T10:20:00Z [error    ] now",
            "2026-01-01T10:20:01Z INFO no errors here, ERRORS is another word",
            "2026-01-01T10:20:02Z Traceback (most recent call last):",
            "2026-01-01T10:20:03Z [ALERT]    (115) : Lua function 'await_server': runtime error",
        ]
    )
    found = error_lines(log, datetime(2026, 1, 1, 10, tzinfo=UTC), datetime(2026, 1, 1, 10, 20, tzinfo=UTC))
    assert [line.split()[0] for line in found] == [
        "2026-01-01T10:00:05.123456789Z",
        "2026-01-01T10:20:00Z",
        "2026-01-01T10:20:02Z",
        "2026-01-01T10:20:03Z",
    ]


def test_what_sanic_forgets_of_a_closed_websocket_is_no_error() -> None:
    """Seen in a deploy, which was put back for it; any other task that is lost is told."""
    stamp = "2026-01-01T10:20:00.311378570Z"
    forgot = f"{stamp} 2026-01-01 10:20:00 ERROR    asyncio  - Task was destroyed but it is pending!"
    task = (
        f"{stamp} task: <Task pending name='Task-753' coro=<{{}}() running at impl.py:780> wait_for=<Future pending>>"
    )
    sanic, other = task.format("WebsocketImplProtocol.async_data_received"), task.format("Agent.handle_message")
    log = "\n".join([forgot, sanic, forgot, sanic, f"{stamp} INFO on it goes", forgot, other, forgot])
    found = error_lines(log, None, datetime(2026, 1, 1, 10, tzinfo=UTC))
    assert found == [forgot, forgot]


def test_moment_cuts_nanoseconds() -> None:
    assert moment("2026-01-01T10:00:05.123456789Z") == datetime(2026, 1, 1, 10, 0, 5, 123456, tzinfo=UTC)


def test_junk_is_a_good_archive_and_always_the_same() -> None:
    data, sha256 = not_a_model()
    assert hashlib.sha256(data).hexdigest() == sha256 == not_a_model()[1]
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert tar.getnames() == ["readme.txt"]


def test_a_model_says_that_another_rasa_made_it_and_is_the_same_but_for_that() -> None:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w:gz") as tar:
        folder = tarfile.TarInfo("components")
        folder.type = tarfile.DIRTYPE
        tar.addfile(folder)
        for name, text in (("components/a", b"weights"), ("metadata.json", b'{"rasa_open_source_version": "3.6.21"}')):
            info = tarfile.TarInfo(name)
            info.size = len(text)
            tar.addfile(info, io.BytesIO(text))
    data, sha256 = as_made_by(sink.getvalue(), "3.5.17")
    assert hashlib.sha256(data).hexdigest() == sha256
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        assert tar.getnames() == ["components", "components/a", "metadata.json"]
        assert tar.extractfile("components/a").read() == b"weights"
        assert tar.extractfile("metadata.json").read() == b'{"rasa_open_source_version": "3.5.17"}'


def test_the_program_for_pods_compiles() -> None:
    compile(PROGRAM, "inside", "exec")
    assert webhook_call("action_x", "me")["tracker"]["sender_id"] == "me"
