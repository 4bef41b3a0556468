"""A model's URL that is as good as a password lies in a Secret; every other one stands where it always stood."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from chart_objects import Render, at

PLAIN = "https://models.example/bot.tar.gz"
SIGNED = [
    f"{PLAIN}?se=2027-01-01&sp=r&sv=2024-11-04&sr=b&sig=a%2Bb%3D",
    f"{PLAIN}?sig=first&se=2027-01-01",
    f"{PLAIN}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=ab12",
    f"{PLAIN}?X-Goog-Signature=ab12",
    f"{PLAIN}?Expires=1700000000&Signature=ab12",
    "https://robot:hush@models.example/bot.tar.gz",
]
ENV = "Deployment/myrasa/spec/template/spec/initContainers/0/env/0"


def settings(url: str, **more: Any) -> dict[str, Any]:
    return {"applicationSettings": {"initialModel": url, **more}}


@pytest.mark.parametrize("url", SIGNED)
def test_who_may_read_the_deployment_may_not_fetch_the_model(render: Render, url: str) -> None:
    objects = render("rasa", **settings(url))
    secret = objects["Secret", "myrasa-model"]
    ((key, kept),) = secret["data"].items()
    assert base64.b64decode(kept).decode() == url and secret["metadata"]["annotations"]["botyard/current"] == key
    assert at(objects, ENV) == {
        "name": "MODEL_URL",
        "valueFrom": {"secretKeyRef": {"name": "myrasa-model", "key": key}},
    }
    assert not [body for body in objects.values() if url in str(body)]


def test_another_signature_rolls_the_pods(render: Render) -> None:
    keys = [at(render("rasa", **settings(url)), ENV)["valueFrom"]["secretKeyRef"]["key"] for url in SIGNED]
    assert len(set(keys)) == len(SIGNED)


@pytest.mark.parametrize(
    "url", [PLAIN, f"{PLAIN}?raw=true", f"{PLAIN}?design=1&assign=2", "https://a.example/sig=1.tar.gz"]
)
def test_a_url_that_tells_nothing_stays(render: Render, url: str) -> None:
    objects = render("rasa", **settings(url))
    assert at(objects, ENV) == {"name": "MODEL_URL", "value": url} and ("Secret", "myrasa-model") not in objects


def test_where_no_pod_fetches_there_is_no_secret(render: Render) -> None:
    server = settings(SIGNED[0], endpoints={"models": {"enabled": True, "url": "https://models.example/bots"}})
    assert ("Secret", "myrasa-model") not in render("rasa", **server)
