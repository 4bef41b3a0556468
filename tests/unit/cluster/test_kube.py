"""Requests to an API server: by plain HTTP where the kubeconfig allows it, else by the library; both ask the same."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import certifi
import kubernetes
import pytest
import urllib3
import yaml

from botyard.contracts import BotyardError
from botyard.release import desired
from botyard.tools import kube_http
from botyard.tools.kube import Kube

CORE = [{"name": "pods", "kind": "Pod", "namespaced": True}, {"name": "pods/log", "kind": "Pod", "namespaced": True},
        {"name": "namespaces", "kind": "Namespace", "namespaced": False}]  # fmt: skip
POD = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "a"}}
_END = "-----END CERTIFICATE-----\n"
CA = base64.b64encode((Path(certifi.where()).read_text().partition(_END)[0] + _END).encode()).decode()


class Api:
    """An API server on 127.0.0.1 that answers what it was told to; anything else is a 404."""

    def __init__(self) -> None:
        self.answers: dict[str, tuple[int, Any]] = {"GET /api/v1": (200, {"resources": CORE})}
        self.seen: list[tuple[str, dict[str, list[str]], str, Any]] = []
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 16  # one packet an answer

            def answer(self) -> None:
                url = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                body = json.loads(self.rfile.read(length)) if length else None
                api.seen.append((f"{self.command} {url.path}", parse_qs(url.query), self.headers["Content-Type"], body))
                status, said = api.answers.get(f"{self.command} {url.path}", (404, {"message": "not found"}))
                text = json.dumps(said).encode()
                self.send_response(status)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            do_GET = do_PATCH = do_DELETE = answer

            def log_message(self, *_: object) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    thread = threading.Thread(target=api.server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield api
    api.server.shutdown()
    thread.join()
    api.server.server_close()


def kubeconfig(folder: Path, cluster: dict[str, Any], user: dict[str, Any]) -> Path:
    file = folder / "kubeconfig"
    document = {
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "here", "context": {"cluster": "c", "user": "u"}}],
    }
    file.write_text(yaml.safe_dump(document))
    return file


@pytest.fixture(params=["plain HTTP", "library"])
def kube(request: pytest.FixtureRequest, api: Api, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Kube:
    if request.param == "plain HTTP":
        server = kube_http.Server(api.url, urllib3.PoolManager(), {"Accept": "application/json"}, "")
        monkeypatch.setattr(kube_http, "server", lambda *_: server)
    made = Kube(kubeconfig(tmp_path, {"server": api.url}, {"token": "t"}), "here")
    assert ("api" in vars(made)) is (request.param == "library")
    return made


def test_an_object_lies_where_the_server_says_and_is_asked_for_once(kube: Kube, api: Api) -> None:
    api.answers |= {"GET /api/v1/namespaces/shop/pods/a": (200, POD), "GET /api/v1/namespaces/shop": (200, {"a": 1})}
    assert kube.get("v1", "Pod", "a", "shop") == POD
    assert kube.get("v1", "Pod", "b", "shop") is None
    assert kube.get("v1", "Namespace", "shop", "shop") == {"a": 1}, "of the whole cluster, whatever namespace is named"
    asked = [what for what, *_ in api.seen]
    assert asked.count("GET /api/v1") == 1 and "GET /api/v1/namespaces/shop/pods/b" in asked


def test_a_kind_that_there_is_not(kube: Kube, api: Api) -> None:
    assert kube.get("v1", "Nothing", "a", "shop") is None
    assert kube.delete("tea.shop/v1", "Cup", "a", "shop") is False
    with pytest.raises(kubernetes.dynamic.exceptions.ResourceNotFoundError):
        kube.list("tea.shop/v1", "Cup")
    with pytest.raises(BotyardError, match=r"this cluster knows no tea\.shop/v1 Cup"):
        desired.applied(kube, {"apiVersion": "tea.shop/v1", "kind": "Cup", "metadata": {"name": "a"}}, "shop")
    api.answers["GET /apis/tea.shop/v1"] = (200, {"resources": [{"name": "cups", "kind": "Cup", "namespaced": True}]})
    assert kube.get("tea.shop/v1", "Cup", "a", "shop") is None
    assert api.seen[-1][0] == "GET /apis/tea.shop/v1/namespaces/shop/cups/a", "what comes later is found"


def test_a_list_by_selectors_gives_each_item_its_kind(kube: Kube, api: Api) -> None:
    api.answers["GET /api/v1/namespaces/shop/pods"] = (200, {"kind": "PodList", "items": [{"metadata": {"name": "a"}}]})
    api.answers["GET /api/v1/pods"] = (200, {"kind": "PodList", "items": None})
    assert kube.list("v1", "Pod", "shop", labels="a=b,c!=d", fields="spec.nodeName=n") == [POD]
    assert api.seen[-1][1] == {"labelSelector": ["a=b,c!=d"], "fieldSelector": ["spec.nodeName=n"]}
    assert kube.list("v1", "Pod") == []
    assert api.seen[-1][1] == {}


@pytest.mark.parametrize("dry_run", [True, False])
def test_an_apply_is_by_the_server_under_a_name(kube: Kube, api: Api, dry_run: bool) -> None:
    api.answers["PATCH /api/v1/namespaces/shop/pods/a"] = (200, {"applied": True})
    assert kube.apply(POD, "shop", dry_run=dry_run, field_manager="me") == {"applied": True}
    _, query, content, body = api.seen[-1]
    assert query == {"fieldManager": ["me"], "force": ["true"], **({"dryRun": ["All"]} if dry_run else {})}
    assert (content, body) == ("application/apply-patch+yaml", POD)


def test_deleting(kube: Kube, api: Api) -> None:
    api.answers["DELETE /api/v1/namespaces/shop/pods/a"] = (200, {})
    assert kube.delete("v1", "Pod", "a", "shop") is True
    assert kube.delete("v1", "Pod", "b", "shop") is False


@pytest.mark.parametrize(("name", "namespace"), [("", "shop"), (".", "shop"), ("..", "shop"), ("a", "..")])
def test_a_name_never_leads_to_all_objects_or_to_their_namespace(
    kube: Kube, api: Api, name: str, namespace: str
) -> None:
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}}
    for ask in (
        lambda: kube.delete("v1", "Pod", name, namespace),
        lambda: kube.get("v1", "Pod", name, namespace),
        lambda: kube.apply(pod, namespace),
    ):
        with pytest.raises(BotyardError, match="name"):
            ask()
    assert not [asked for asked, *_ in api.seen if asked != "GET /api/v1"]


@pytest.mark.parametrize("status", [401, 403, 422, 500])
def test_what_the_server_refuses_is_told_in_its_words(kube: Kube, api: Api, status: int) -> None:
    place = "/api/v1/namespaces/shop/pods"
    api.answers |= {f"{verb} {place}{name}": (status, {"message": "no tea today"})
                    for verb, name in (("GET", "/a"), ("GET", ""), ("PATCH", "/a"), ("DELETE", "/a"))}  # fmt: skip
    for call in (
        lambda: kube.get("v1", "Pod", "a", "shop"),
        lambda: kube.list("v1", "Pod", "shop"),
        lambda: kube.apply(POD, "shop"),
        lambda: kube.delete("v1", "Pod", "a", "shop"),
    ):
        with pytest.raises(kubernetes.client.ApiException) as error:
            call()
        assert error.value.status == status and desired.reason(error.value) == "no tea today"


def test_an_apply_that_finds_no_place_is_an_error(kube: Kube) -> None:
    with pytest.raises(BotyardError, match="Pod/a: refused by the API server: not found"):
        desired.applied(kube, POD, "shop")


def test_whether_it_answers(kube: Kube, api: Api) -> None:
    assert kube.answers() is False
    api.answers["GET /version"] = (200, {"gitVersion": "v1.34.4"})
    assert kube.answers() is True


def test_a_server_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server = kube_http.Server("http://127.0.0.1:9", urllib3.PoolManager(retries=False), {}, "")
    monkeypatch.setattr(kube_http, "server", lambda *_: server)
    kube = Kube(kubeconfig(tmp_path, {"server": "http://127.0.0.1:9"}, {}), "here")
    assert kube.answers() is False
    with pytest.raises(urllib3.exceptions.HTTPError):
        kube.list("v1", "Pod")


GOOD = {"server": "https://127.0.0.1:6443/", "certificate-authority-data": CA}


def test_a_token_and_an_authority_are_enough(tmp_path: Path) -> None:
    file = kubeconfig(tmp_path, GOOD, {"token": "abc"})
    found = kube_http.server(file, "here")
    assert found is not None
    assert found.url == "https://127.0.0.1:6443" and found.headers["Authorization"] == "Bearer abc"
    assert found.pool.connection_pool_kw["ssl_context"].verify_mode.name == "CERT_REQUIRED"
    assert kube_http.server(file, "here") is found, "all tasks of a run share its connections"
    file.write_text(file.read_text() + "\n# another one\n")
    assert kube_http.server(file, "here") is not found


@pytest.mark.parametrize(
    ("cluster", "user"),
    [
        ({}, {"exec": {"command": "kubelogin"}}),
        ({}, {"username": "a", "password": "b"}),
        ({}, {"tokenFile": "/a"}),
        ({}, {"token": "t", "as": "someone"}),
        ({}, {"client-certificate-data": "%%%", "client-key-data": "%%%"}),
        ({}, {"client-certificate-data": "QUJD"}),
        ({"insecure-skip-tls-verify": True}, {"token": "t"}),
        ({"proxy-url": "http://proxy"}, {"token": "t"}),
        ({"tls-server-name": "other"}, {"token": "t"}),
        ({"certificate-authority-data": "QUJD"}, {"token": "t"}),
        ({"certificate-authority": "/ca"}, {"token": "t"}),
        ({"server": "http://127.0.0.1:6443"}, {"token": "t"}),
        ({"server": None}, {"token": "t"}),
    ],
)
def test_what_asks_for_more_is_left_to_the_library(tmp_path: Path, cluster: Any, user: Any) -> None:
    assert kube_http.server(kubeconfig(tmp_path, {**GOOD, **cluster}, user), "here") is None


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "ALL_PROXY"])
def test_a_proxy_is_left_to_the_library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "http://proxy:3128")
    assert kube_http.server(kubeconfig(tmp_path, GOOD, {"token": "t"}), "here") is None


@pytest.mark.parametrize("text", ["", "[", "a", "clusters: 3", "contexts: []"])
def test_a_file_that_is_no_kubeconfig_is_told_by_the_library(tmp_path: Path, text: str) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text(text)
    assert kube_http.server(file, "here") is None


def test_a_context_that_there_is_not_is_told(tmp_path: Path) -> None:
    with pytest.raises(BotyardError, match="elsewhere"):
        Kube(kubeconfig(tmp_path, GOOD, {"token": "t"}), "elsewhere")
