"""The Kubernetes API, always by a named kubeconfig and context; the ambient current context is never used."""

from __future__ import annotations

import functools
import json
import socket
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from botyard.contracts import BotyardError
from botyard.later import later
from botyard.tools import kube_http, kube_login
from botyard.tools.kube_http import Answer

kubernetes = later("kubernetes")
urllib3 = later("urllib3")

FIELD_MANAGER = "botyard"
# Headers by which /api and /apis tell every kind at once, and how fresh that is.
EVERY_KIND = {"Accept": "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList"}
_TIMEOUT_S = 60


def no_answer() -> tuple[type[Exception], type[Exception], type[OSError]]:
    """What is raised where the API server refuses or does not answer."""
    return (kubernetes.client.ApiException, urllib3.exceptions.HTTPError, OSError)


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
        self._server = kube_http.server(kubeconfig, context)
        self._places = {} if self._server is None else self._server.places
        if self._server is None:
            _ = self.api

    @functools.cached_property
    def api(self) -> Any:
        """The library's client; raises BadInput where the login of that context fails."""
        try:
            return kube_login.client(self.kubeconfig, self.context)
        except kubernetes.config.ConfigException as error:
            raise BotyardError(f"kubeconfig {self.kubeconfig}: {error}", "run invoke cluster") from error

    @property
    def host(self) -> str:
        """Address of the API server, to be shown."""
        return self._server.url if self._server is not None else str(self.api.configuration.host)

    @property
    def authority(self) -> str:
        """Certificates (PEM) that vouch for the API server; '' where whoever answers is believed."""
        if self._server is not None:
            return self._server.authority
        settings = self.api.configuration
        trusted = settings.ssl_ca_cert if settings.verify_ssl else None
        return Path(trusted).read_text(encoding="ascii") if trusted else ""

    @functools.cached_property
    def core(self) -> Any:
        """The typed core API; made on first use, as importing its models takes a second."""
        return kubernetes.client.CoreV1Api(self.api)

    @functools.cached_property
    def dynamic(self) -> Any:
        return kubernetes.dynamic.DynamicClient(self.api)

    def answers(self, timeout_s: float = 5) -> bool:
        """Whether the API server answers now."""
        try:
            return self.ask("GET", "/version", timeout_s=timeout_s).status == 200
        except no_answer():
            return False

    def ask(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: str | dict[str, Any] | None = None,
        timeout_s: float = _TIMEOUT_S,
    ) -> Answer:
        """One request to an API path, like ``/api/v1/nodes``; whatever the status, it is an answer.

        Args:
            body: a mapping goes as JSON.

        Raises:
            ApiException, urllib3 HTTPError, OSError: no answer.
        """
        if self._server is not None:
            text = json.dumps(body) if isinstance(body, dict) else body
            return self._server.ask(method, path, query or {}, headers or {}, text, timeout_s)
        request = self.api.param_serialize(
            method,
            path,
            query_params=list((query or {}).items()),
            header_params={"Accept": "application/json", **(headers or {})},
            body=body,
            auth_settings=["BearerToken"],
        )
        reply = self.api.call_api(*request, _request_timeout=timeout_s)
        return Answer(reply.status, reply.reason or "", reply.read())

    def read(self, path: str, timeout_s: float = 5) -> dict[str, Any] | None:
        """GET of an API path as a mapping; None where there is none.

        Raises:
            ApiException, urllib3 HTTPError, OSError: the server refused, or does not answer.
        """
        return _mapping(self.ask("GET", path, timeout_s=timeout_s))

    def post(self, path: str, body: dict[str, Any], timeout_s: float = 5) -> dict[str, Any]:
        """POST to an API path, for questions that the server answers and does not store; raises as ``read`` does."""
        headers = {"Content-Type": "application/json"}
        answer = self.ask("POST", path, headers=headers, body=body, timeout_s=timeout_s)
        return _mapping(answer, may_lack=False) or {}

    def place(self, api_version: str, kind: str, namespace: str | None = None, name: str = "") -> str:
        """The API path of an object, or of all of a kind.

        Raises:
            BotyardError: a name that would make it the path of something else.
            ResourceNotFoundError: the cluster knows no such kind.
        """
        for word in (name, namespace):
            if word in (".", ".."):
                raise BotyardError(f"{kind}: {word!r} is no name", "give the name of an object")
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        if (api_version, kind) not in self._places:
            for one in (self.read(root, _TIMEOUT_S) or {}).get("resources") or []:
                if "/" not in one["name"]:
                    self._places.setdefault((api_version, one["kind"]), (f"{root}/", one["name"], one["namespaced"]))
        if (api_version, kind) not in self._places:
            raise kubernetes.dynamic.exceptions.ResourceNotFoundError(f"no {api_version} {kind}")
        start, plural, namespaced = self._places[api_version, kind]
        within = f"namespaces/{quote(namespace, safe='')}/" if namespace and namespaced else ""
        return f"{start}{within}{plural}" + (f"/{quote(name, safe=':')}" if name else "")

    def get(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> dict[str, Any] | None:
        """One object as a mapping, or None where there is no such object (or no such kind)."""
        path = self.place_or_none(api_version, kind, namespace, _one(kind, name))
        return self.read(path, _TIMEOUT_S) if path else None

    def place_or_none(self, api_version: str, kind: str, namespace: str | None = None, name: str = "") -> str | None:
        """As ``place``; None where the cluster knows no such kind."""
        try:
            return self.place(api_version, kind, namespace, name)
        except kubernetes.dynamic.exceptions.ResourceNotFoundError:
            return None

    def list(
        self, api_version: str, kind: str, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[dict[str, Any]]:
        """All objects of a kind, by label and field selectors."""
        selectors = {"labelSelector": labels, "fieldSelector": fields}
        path = self.place(api_version, kind, namespace)
        found = _mapping(self.ask("GET", path, {key: value for key, value in selectors.items() if value})) or {}
        # A list leaves out of its items what it says itself.
        return [{"apiVersion": api_version, "kind": kind, **item} for item in found.get("items") or []]

    def apply(
        self,
        body: dict[str, Any],
        namespace: str | None = None,
        dry_run: bool = False,
        field_manager: str = FIELD_MANAGER,
    ) -> dict[str, Any]:
        """Server-side apply under a field manager; with dry_run the server answers but stores nothing."""
        namespace = body["metadata"].get("namespace", namespace)
        path = self.place(body["apiVersion"], body["kind"], namespace, _one(body["kind"], body["metadata"]["name"]))
        query = {"fieldManager": field_manager, "force": "true", **({"dryRun": "All"} if dry_run else {})}
        content = {"Content-Type": "application/apply-patch+yaml"}  # JSON is YAML
        answer = self.ask("PATCH", path, query, content, json.dumps(body))
        return _mapping(answer, may_lack=False) or {}

    def delete(self, api_version: str, kind: str, name: str, namespace: str | None = None) -> bool:
        """Deletes one object; False where there was none."""
        path = self.place_or_none(api_version, kind, namespace, _one(kind, name))
        return path is not None and _mapping(self.ask("DELETE", path)) is not None

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
        channel = kubernetes.stream.stream(
            self._streaming().connect_get_namespaced_pod_exec,
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
        status = channel.read_channel(3)  # first: read_all forgets all channels
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

    def port_forward(self, pod: str, namespace: str, port: int) -> socket.socket:
        """One connection to a port of a pod, carried by the API server."""
        carried = kubernetes.stream.portforward(
            self._streaming().connect_get_namespaced_pod_portforward, pod, namespace, ports=str(port)
        )
        found: socket.socket = carried.socket(port)
        found.setblocking(True)
        return found

    def _streaming(self) -> Any:
        """The core API by a client of its own: for a stream the library swaps a method of it, so threads share none."""
        return kubernetes.client.CoreV1Api(kubernetes.client.ApiClient(self.api.configuration))

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


def _one(kind: str, name: str) -> str:
    """The name; without one the path would be that of all objects of the kind."""
    if not name:
        raise BotyardError(f"{kind}: the name is empty", "give the name of an object")
    return name


def _mapping(answer: Answer, may_lack: bool = True) -> dict[str, Any] | None:
    """What the server answered; None for a 404 where something ``may_lack``."""
    if answer.status == 404 and may_lack:
        return None
    if not 200 <= answer.status < 300:
        body = answer.body.decode(errors="replace")
        raise kubernetes.client.ApiException(status=answer.status, reason=answer.reason, body=body)
    found: dict[str, Any] = json.loads(answer.body)
    return found
