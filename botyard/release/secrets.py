"""A Secret that is made once: what is there is never changed."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence

from botyard.contracts import BotyardError
from botyard.later import later
from botyard.tools.kube import FIELD_MANAGER, Kube

kubernetes = later("kubernetes")

_LETTERS = string.ascii_letters
_CHARS = _LETTERS + string.digits


def random_value(length: int = 40) -> str:
    """Letters and digits, a letter first: safe in a URL, in YAML and in a shell."""
    return secrets.choice(_LETTERS) + "".join(secrets.choice(_CHARS) for _ in range(length - 1))


def missing_keys(kube: Kube, namespace: str, name: str, keys: Sequence[str]) -> tuple[bool, list[str]]:
    """Whether the Secret exists, and which keys it lacks (an empty value counts as lacking)."""
    live = kube.get("v1", "Secret", name, namespace)
    if live is None:
        return False, list(keys)
    data = live.get("data") or {}
    return True, [key for key in keys if not data.get(key)]


def add_keys(kube: Kube, namespace: str, name: str, keys: Sequence[str], exists: bool) -> None:
    """Creates the Secret, or adds keys to it, with random values.

    Raises:
        BotyardError: the API server refuses.
    """
    values = {key: random_value() for key in keys}
    try:
        if exists:
            kube.core.patch_namespaced_secret(name, namespace, {"stringData": values}, field_manager=FIELD_MANAGER)
            return
        body = kubernetes.client.V1Secret(
            metadata=kubernetes.client.V1ObjectMeta(name=name, labels={"app.kubernetes.io/managed-by": "botyard"}),
            type="Opaque",
            string_data=values,
        )
        kube.core.create_namespaced_secret(namespace, body, field_manager=FIELD_MANAGER)
    except kubernetes.client.ApiException as error:
        hint = f"make the namespace {namespace} first" if error.status == 404 else ""
        raise BotyardError(f"Secret {namespace}/{name}: refused: {error.status} {error.reason}", hint) from None
