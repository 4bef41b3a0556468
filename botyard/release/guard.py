"""Is this cluster one of ours? A context's name proves nothing; our mark in kube-system does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from botyard.contracts import MARK_CONFIGMAP, BadInput, BotyardError
from botyard.later import later
from botyard.release.desired import reason
from botyard.tools.kube import Kube

kubernetes = later("kubernetes")
urllib3 = later("urllib3")

_CURES = {
    401: "the token or certificate of that context has expired or is unknown there: log in again",
    403: "ask for that right; invoke target.rbac prints the least roles that a deploy needs",
}


@contextmanager
def answering(kube: Kube, cure: str = "run invoke cluster") -> Iterator[None]:
    """Turns what the API server's client raises into one sentence.

    Args:
        cure: what to do where the server does not answer.

    Raises:
        BotyardError: the server does not answer, or it refuses.
    """
    try:
        yield
    except (urllib3.exceptions.HTTPError, ConnectionError, TimeoutError) as error:
        cause = getattr(error, "reason", None) or error
        raise BotyardError(
            f"the API server of context {kube.context} does not answer: {type(cause).__name__}", cure
        ) from error
    except kubernetes.client.ApiException as error:
        raise BotyardError(
            f"the API server of context {kube.context} refuses: {reason(error)}", _CURES.get(error.status, "")
        ) from error


def require_mark(kube: Kube, cluster: str) -> None:
    """Passes where the cluster carries botyard's mark.

    Raises:
        BadInput: it does not; nothing was changed.
        BotyardError: the API server does not answer.
    """
    with answering(kube):
        mark = kube.get("v1", "ConfigMap", MARK_CONFIGMAP, "kube-system")
    if mark is None:
        raise BadInput(
            f"context {kube.context} leads to a cluster without botyard's mark "
            f"(ConfigMap kube-system/{MARK_CONFIGMAP}); it is left alone",
            f"choose another cluster name than {cluster} in values/targets.yml, or make one with invoke cluster",
        )
