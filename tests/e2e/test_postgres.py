"""A release with a Postgres of its own: conversations outlive the pods of Rasa and of Postgres."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from botyard.contracts import CommandError
from botyard.tools.helm import Chart, Helm
from botyard.verify.conversations import Conversation, play
from botyard.verify.helm_record import helm_record
from botyard.verify.released import RASA, RASA_CONTAINER, RASA_PORT, Pod, Released
from botyard.verify.rest import REST_PATH, judge
from botyard.verify.second_release import second_release
from botyard.wait import wait_until

pytestmark = pytest.mark.disruptive
NAMESPACE = "botyard-check-postgres"
POSTGRES = "myrasa-postgresql"
POD = f"{POSTGRES}-0"
CONNECT = "import os, socket; socket.create_connection((os.environ['DB_HOST'], int(os.environ['DB_PORT'])), 2)"
COUNT = (
    'PGPASSWORD="$(cat "$POSTGRES_PASSWORD_FILE")" psql --host=127.0.0.1 --username="$POSTGRES_USER" '
    '--dbname="$POSTGRES_DB" --tuples-only --no-align --command="select count(*) from events"'
)
WITHOUT = 'PGPASSWORD=wrong psql --host="$0" --username="$POSTGRES_USER" --dbname="$POSTGRES_DB" --command="select 1"'


@pytest.fixture(scope="module")
def second(
    released: Released, helm: Helm, tmp_path_factory: pytest.TempPathFactory, _may_disrupt: None
) -> Iterator[Released]:
    """One Rasa pod and a Postgres on a volume, no Redis."""
    repository, _, digest = str(released.release["images"]["postgres"]).partition("@")
    values = {
        "postgresql": {
            "install": True,
            "image": {"repository": repository, "digest": digest},
            "persistence": {"size": "100Mi"},
        },
        "redis": {"install": False},
    }
    with second_release(released, helm, NAMESPACE, values, tmp_path_factory.mktemp("second")) as found:
        yield found


def speaker(second: Released) -> Callable[[str, str], str]:
    """Says something to the one Rasa pod of that release."""

    def over_api_server(sender: str, message: str) -> str:
        (pod,) = second.rasa_pods()
        body: dict[str, Any] = {"sender": sender, "message": message}
        return judge(*second.kube.pod_http(pod.name, NAMESPACE, RASA_PORT, "POST", REST_PATH, body), sender).text

    return over_api_server


def between_turns(speak: Callable[[str, str], str], happen: Callable[[], None]) -> Callable[[str, str], str]:
    """Lets something happen once, before the second turn."""
    turns = iter(range(1000))

    def later(sender: str, message: str) -> str:
        if next(turns) == 1:
            happen()
        return speak(sender, message)

    return later


def postgres_is_new(second: Released, old: str) -> None:
    """Waits until there is another Postgres pod than that one (by uid), ready, and Rasa's pod reaches it."""

    def ready() -> tuple[bool, str]:
        body = second.kube.get("v1", "Pod", POD, NAMESPACE)
        if body is None or body["metadata"]["uid"] == old:
            return False, "the old one is still there" if body else "there is none"
        return Pod.of(body).ready, Pod.of(body).why_not_ready()

    wait_until("another Postgres pod", ready, 90, interval_s=0.3)

    def reached() -> tuple[bool, str]:
        (pod,) = second.rasa_pods()
        code, printed = second.kube.exec(pod.name, NAMESPACE, ["python3", "-c", CONNECT], RASA_CONTAINER)
        return code == 0, printed[-100:]

    wait_until("the Service of Postgres", reached, 30, interval_s=0.3)


def delete_postgres(second: Released) -> str:
    """Deletes its pod; gives the uid of the one that was there."""
    body = second.kube.get("v1", "Pod", POD, NAMESPACE)
    assert body is not None
    second.kube.delete("v1", "Pod", POD, NAMESPACE)
    return str(body["metadata"]["uid"])


def secret(second: Released) -> dict[str, str]:
    """Never print it."""
    found = second.kube.get("v1", "Secret", POSTGRES, NAMESPACE)
    assert found is not None
    return dict(found["data"])


def test_a_restart_of_postgres_loses_no_memory(second: Released, memory: Conversation) -> None:
    """The pod of Postgres is deleted between the turns of a conversation; the same Rasa pod goes on without a slip."""
    play(memory, between_turns(speaker(second), lambda: postgres_is_new(second, delete_postgres(second))))


def test_a_conversation_outlives_both_pods(second: Released, memory: Conversation) -> None:
    """Rasa's pod and that of Postgres are deleted together between the turns; the volume has it all."""

    def lose_both() -> None:
        old = delete_postgres(second)
        (rasa,) = second.rasa_pods()
        second.kube.delete("v1", "Pod", rasa.name, NAMESPACE)

        def ready() -> tuple[bool, str]:
            now = second.rasa_pods()
            fresh = len(now) == 1 and now[0].name != rasa.name
            return fresh and now[0].ready, ", ".join(f"{pod.name} {pod.why_not_ready()}" for pod in now)

        wait_until("another Rasa pod", ready, 180, interval_s=0.3)
        postgres_is_new(second, old)

    play(memory, between_turns(speaker(second), lose_both))


def test_the_events_are_in_postgres_and_nobody_reads_them_without_the_password(second: Released) -> None:
    code, printed = second.kube.exec(POD, NAMESPACE, ["sh", "-c", COUNT])
    assert (code, int(printed.strip() or 0) > 10) == (0, True), printed[-200:]
    for host in ("127.0.0.1", "/var/run/postgresql"):
        code, printed = second.kube.exec(POD, NAMESPACE, ["sh", "-c", WITHOUT, host])
        assert code != 0 and "password authentication failed" in printed, f"{host}: {printed[-200:]}"


def test_an_upgrade_keeps_the_password_and_the_pods(second: Released, helm: Helm, memory: Conversation) -> None:
    """The Secret is made once: an upgrade changes neither it nor the pod, and the conversations are there."""
    before, uid = secret(second), second.kube.get("v1", "Pod", POD, NAMESPACE)
    record = helm_record(second, RASA)
    helm.upgrade(RASA, NAMESPACE, Chart("botyard/rasa", record.version), [], reuse_values=True, wait_s=120)
    assert helm_record(second, RASA).revision == record.revision + 1
    assert secret(second) == before, "the password changed, and Postgres has the old one"
    after = second.kube.get("v1", "Pod", POD, NAMESPACE)
    assert uid and after and after["metadata"]["uid"] == uid["metadata"]["uid"]
    play(memory, speaker(second))


def test_a_release_on_redis_is_not_moved_to_an_empty_postgres(released: Released, helm: Helm, tmp_path: Path) -> None:
    """``postgresql.install: true`` is refused for the main release, whose conversations are in Redis; a dry run."""
    record = helm_record(released, RASA)
    chart = Chart("botyard/rasa", record.version)
    file = tmp_path / "values.json"
    file.write_text('{"postgresql": {"install": true}}')
    with pytest.raises(CommandError, match="would begin with an empty Postgres"):
        helm.upgrade(RASA, released.namespace, chart, [file], reuse_values=True, dry_run=True)
    file.write_text('{"postgresql": {"install": true, "startEmpty": true}}')
    helm.upgrade(RASA, released.namespace, chart, [file], reuse_values=True, dry_run=True)
