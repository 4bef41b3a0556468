"""What this checkout releases to AKS has no address on the internet but the edge that its target opens."""

from __future__ import annotations

from typing import Any

import pytest
from chart_objects import Render

from botyard.exposure import Exposure
from botyard.release import public

FILES = ("values/rasa/base.yaml", "values/rasa/aks.yaml")
OPEN = Exposure(public=True, tls_secret="shop")


def told(render: Render, exposure: Exposure, **values: Any) -> list[str]:
    objects = render("rasa", *FILES, gateway=exposure.gateway("aks"), **values).values()
    return [found.message for body in objects if (found := public.problem(body, "aks", exposure.public))]


@pytest.mark.parametrize("exposure", [Exposure(), Exposure(tls_secret="shop"), OPEN])
def test_the_values_of_this_checkout_pass(render: Render, exposure: Exposure) -> None:
    assert told(render, exposure) == []


def test_values_that_open_the_main_service_are_refused_whatever_the_target_says(render: Render) -> None:
    for exposure in (Exposure(), OPEN):
        (found,) = told(render, exposure, service={"annotations": {public.INTERNAL: "false"}})
        assert found.startswith("Service/myrasa: ")


def test_values_that_open_the_edge_are_refused_where_the_target_does_not(render: Render) -> None:
    inside = Exposure(tls_secret="shop").gateway("aks")
    inside["edge"]["service"]["annotations"] = {public.INTERNAL: "false"}
    objects = render("rasa", *FILES, gateway=inside).values()
    (found,) = [one for body in objects if (one := public.problem(body, "aks", False))]
    assert found.message.startswith("Service/myrasa-edge: ")
