"""The model in an image of its own, in place of a URL."""

from __future__ import annotations

from typing import Any

import pytest
from chart_objects import Render

from botyard.contracts import CommandError

DIGEST = "sha256:" + "b" * 64
IMAGE = {"repository": "shop.example/bots/model", "digest": DIGEST, "path": "/models/tea-1.tar.gz"}


def pod(render: Render, **app: Any) -> dict[str, Any]:
    spec: dict[str, Any] = render("rasa", applicationSettings=app)["Deployment", "myrasa"]["spec"]["template"]["spec"]
    return spec


def test_pods_copy_the_model_out_of_its_image(render: Render) -> None:
    spec = pod(render, initialModelImage=IMAGE)
    (copy,) = spec["initContainers"]
    assert copy["image"] == f"shop.example/bots/model@{DIGEST}"
    assert copy["command"] == ["cp", "/models/tea-1.tar.gz", "/app/models/tea-1.tar.gz"]
    assert {"name": "models", "mountPath": "/app/models"} in copy["volumeMounts"]
    args = spec["containers"][0]["args"]
    assert args[args.index("--model") + 1] == "/app/models/tea-1.tar.gz"


def test_a_new_model_image_rolls_the_pods_and_a_model_server_wins(render: Render) -> None:
    other = {**IMAGE, "digest": "sha256:" + "c" * 64}
    assert pod(render, initialModelImage=IMAGE) != pod(render, initialModelImage=other)
    server = pod(render, initialModelImage=IMAGE, endpoints={"models": {"enabled": True, "url": "http://models"}})
    assert not [one for one in server.get("initContainers", []) if one["name"] == "copy-model"]


@pytest.mark.parametrize(
    ("app", "told"),
    [
        ({"initialModelImage": IMAGE, "initialModel": "http://x/m.tar.gz"}, "from one of them"),
        ({"initialModelImage": {**IMAGE, "path": ""}}, "initialModelImage.path"),
        ({"initialModelImage": {**IMAGE, "path": "models"}}, "initialModelImage.path"),
        ({"initialModelImage": {**IMAGE, "digest": "latest"}}, "digest"),
    ],
)
def test_what_cannot_be_is_refused(render: Render, app: dict[str, Any], told: str) -> None:
    with pytest.raises(CommandError) as caught:
        render("rasa", applicationSettings=app)
    assert told in caught.value.stderr
