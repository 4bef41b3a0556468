"""The Kubernetes API, always by a named kubeconfig and context; the ambient current context is never used."""

from __future__ import annotations

import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from botyard.contracts import BotyardError
from botyard.later import later

kubernetes = later("kubernetes")
urllib3 = later("urllib3")

FIELD_MANAGER = "botyard"


def no_answer() -> tuple[type[Exception], type[Exception], type[OSError]]:
    """What is raised where the API server refuses or does not answer."""
    return (kubernetes.client.ApiException, urllib3.exceptions.HTTPError, OSError)


def _absent() -> tuple[type[Exception], ...]:
    return (kubernetes.dynamic.exceptions.NotFoundError, kubernetes.dynamic.exceptions.ResourceNotFoundError)


class Kube:
    """One cluster.

    Args:
        kubeconfig: a file of ours or one that the target names.
        context: the context in it.
    Raises:
        BotyardError: the file or the context is not there.
    """

    def __init__(self, kubeconfig: Path, context: str) -> None:
        self.kubeconfig = kubeconfig
        self.context = context
        if not kubeconfig.is_file():
            raise BotyardError(f"there is no kubeconfig at {kubeconfig}", "run invoke cluster")
        try:
            self.api = kubernetes.config.new_client_from_config(str(kubeconfig), context=context)
        except kubernetes.config.ConfigException as error:
            raise BotyardError(f"kubeconfig {kubeconfig}: {error}", "run invoke cluster") from error
        self._core: Any = None
        self._dynamic: Any = None
        self._lock = threading.Lock()

    @property
    def core(self) -> Any:
        """The typed core API; made on first use, as importing its models takes a second."""
        if self._core is None:
            self._core = kubernetes.client.CoreV1Api(self.api)
        return self._core

    @property
    def dynamic(self) -> Any:
        with self._lock:
            if self._dynamic is None:
                self._dynamic = kubernetes.dynamic.DynamicClient(self.api)
            return self._dynamic

    def answers(self, timeout_s: float = 5) -> bool:
        """Whether the API server answers now."""
        try:
            kubernetes.client.VersionApi(self.api).get_code(_request_timeout=timeout_s)
        except no_answer():
            return False
        return True

    def read(self, path: str, timeout_s: float = 5) -> dict[str, Any] | None:
        """GET of an API path, like ``/api/v1/nodes``, as a mapping; None where there is none. Quick.

        Raises:
            ApiException, urllib3 HTTPError, OSError: the server refused, or does not answer.
        """
        request = self.api.param_serialize(
            "GET", path, header_params={"Accept": "application/json"}, auth_settings=["BearerToken"]
        )
        answer = self.api.call_api(*request, _request_timeout=timeout_s)
        body = answer.read()
        if answer.status == 404:
            return None
        if not 200 <= answer.status < 300:
            raise kubernetes.client.ApiException(status=answer.status, reason=answer.reason, body=str(body[:500]))
        found: dict[str, Any] = json.loads(body)
        return found

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """One object as a mapping, or None where there is no such object (or no such kind)."""
        try:
            found = self.dynamic.resources.get(api_version=api_version, kind=kind).get(name=name, namespace=namespace)
        except _absent():
            return None
        return dict(found.to_dict())

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[dict[str, Any]]:
        """All objects of a kind, by label and field selectors."""
        resource = self.dynamic.resources.get(api_version=api_version, kind=kind)
        found = resource.get(namespace=namespace, label_selector=labels or None, field_selector=fields or None)
        return [dict(item) for item in found.to_dict()["items"]]

    def apply(
        self,
        body: dict[str, Any],
        namespace: str | None = None,
        dry_run: bool = False,
        field_manager: str = FIELD_MANAGER,
    ) -> dict[str, Any]:
        """Server-side apply under a field manager; with dry_run the server answers but stores nothing."""
        resource = self.dynamic.resources.get(api_version=body["apiVersion"], kind=body["kind"])
        extra: dict[str, Any] = {"dry_run": "All"} if dry_run else {}
        done = resource.server_side_apply(
            body=body,
            name=body["metadata"]["name"],
            namespace=body["metadata"].get("namespace", namespace),
            field_manager=field_manager,
            force_conflicts=True,
            **extra,
        )
        return dict(done.to_dict())

    def delete(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> bool:
        """Deletes one object; False where there was none."""
        try:
            self.dynamic.resources.get(api_version=api_version, kind=kind).delete(name=name, namespace=namespace)
        except _absent():
            return False
        return True

    def logs(
        self,
        pod: str,
        namespace: str,
        container: str | None = None,
        tail: int | None = None,
        previous: bool = False,
        timestamps: bool = False,
    ) -> str:
        """A container's log, '' where it has none yet; ``timestamps`` puts the RFC 3339 time before each line."""
        try:
            return str(
                self.core.read_namespaced_pod_log(
                    pod, namespace, container=container, tail_lines=tail, previous=previous, timestamps=timestamps
                )
            )
        except kubernetes.client.ApiException as error:
            if error.status in (400, 404):
                return ""
            raise

    def exec(
        self, pod: str, namespace: str, argv: Sequence[str], container: str | None = None, timeout_s: float = 60
    ) -> tuple[int, str]:
        """Runs a program in a container; returns its exit code and what it printed (both streams)."""
        # The library's stream() swaps a method of the client while it works: a client of its own keeps threads apart.
        core = kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(self.api.configuration))
        channel = kubernetes.stream.stream(
            core.connect_get_namespaced_pod_exec,
            pod,
            namespace,
            command=list(argv),
            container=container,
            stderr=True,
            stdin=False,
            stdout=True,
            tty=False,
            _preload_content=False,
        )
        channel.run_forever(timeout=timeout_s)
        status = channel.read_channel(3)  # before read_all, which throws all channels away
        printed = channel.read_all()
        channel.close()
        if not status:
            return -1, printed
        outcome = json.loads(status)
        if outcome.get("status") == "Success":
            return 0, printed
        for cause in outcome.get("details", {}).get("causes", []):
            if cause.get("reason") == "ExitCode":
                return int(cause["message"]), printed
        return -1, printed + str(outcome.get("message", ""))

    def pod_http(
        self, pod: str, namespace: str, port: int, method: str, path: str, body: Any = None, timeout_s: float = 20
    ) -> tuple[int, str]:
        """One HTTP request to one port of one pod, carried by the API server; returns status and body.

        Args:
            body: sent as JSON; None sends none.
        """
        call = self.api.param_serialize(
            method,
            f"/api/v1/namespaces/{namespace}/pods/{pod}:{port}/proxy/{path.lstrip('/')}",
            header_params={"Content-Type": "application/json", "Accept": "*/*"},
            body=body,
            auth_settings=["BearerToken"],
        )
        response = self.api.call_api(*call, _request_timeout=timeout_s)
        response.read()
        return int(response.status), response.data.decode(errors="replace")
