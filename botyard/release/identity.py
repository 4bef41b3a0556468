"""Which cluster a context really leads to: a context's name proves nothing, its authority and kube-system's uid do."""

from __future__ import annotations

import hashlib
import re
import ssl
from dataclasses import dataclass
from pathlib import Path

import yaml

from botyard.contracts import BadInput
from botyard.hints import close_to
from botyard.release.guard import answering
from botyard.targets import Pin, Target
from botyard.tools.kube import Kube

_QUICK_S = 3  # asked twice at most
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)


@dataclass(frozen=True)
class Identity:
    """What was found behind a context.

    Args:
        server: URL of the API server, to be shown.
        ca_sha256: over the certificates of the authority that vouches for it, in DER, sorted.
        kube_system_uid: uid of the namespace kube-system: no two clusters share one.
    """

    server: str
    ca_sha256: str
    kube_system_uid: str

    @property
    def pin(self) -> Pin:
        return Pin(ca_sha256=self.ca_sha256, kube_system_uid=self.kube_system_uid)


def open_target(target: Target, state: Path) -> Kube:
    """The API of a target, by its own kubeconfig and context; the ambient current context is never asked.

    Raises:
        BadInput: there is no such file, or no such context in it.
    """
    file = target.kubeconfig_in(state)
    if target.ours:
        return Kube(file, target.context)
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        contexts = sorted(one["name"] for one in document["contexts"])
    except OSError as error:
        cure = (
            f"make it: invoke target.login --target {target.name}"
            if target.azure
            else f"name another: targets.{target.name}.kubeconfig in values/targets.yml; or make it: "
            "az aks get-credentials"
        )
        raise BadInput(f"kubeconfig {file} cannot be read: {error.strerror}", cure) from None
    except (yaml.YAMLError, UnicodeDecodeError, TypeError, KeyError):
        raise BadInput(f"{file} is no kubeconfig: it has no list of contexts", "name another file") from None
    if target.context not in contexts:
        raise BadInput(
            f"{file} has no context {target.context}",
            f"{close_to(target.context, contexts)} It has: {', '.join(contexts)}".lstrip(),
        )
    return Kube(file, target.context)


def must_answer(kube: Kube) -> None:
    """Passes where an API server answers who we say we are; asked first, as what comes then may wait for minutes.

    Raises:
        BotyardError: it does not answer within 15 seconds, or it does not take this login.
    """
    with answering(kube, _not_reached(kube)):
        if kube.ask("GET", "/version", timeout_s=_QUICK_S).status == 401:
            kube.read("/version", timeout_s=_QUICK_S)  # raises it


def _not_reached(kube: Kube) -> str:
    return f"is {kube.host} right, and is this machine in its network (VPN, proxy, allowed addresses)?"


def identify(kube: Kube) -> Identity:
    """Asks the cluster who it is; nothing is changed.

    Raises:
        BadInput: nothing vouches for the API server, or kube-system may not be read.
        BotyardError: the API server does not answer within 15 seconds, or it refuses.
    """
    if not kube.authority:
        raise BadInput(
            f"context {kube.context} names no certificate authority for {kube.host}: whoever answers is believed",
            "put certificate-authority-data into that kubeconfig; insecure-skip-tls-verify is not taken",
        )
    with answering(kube, _not_reached(kube)):
        found = kube.read("/api/v1/namespaces/kube-system", timeout_s=_QUICK_S)
    if found is None:
        raise BadInput(f"context {kube.context} leads to a server without a namespace kube-system", "name another one")
    return Identity(kube.host, fingerprint(kube.authority), str(found["metadata"]["uid"]))


def fingerprint(bundle: str) -> str:
    """SHA-256 over the certificates of a PEM text, whatever their order.

    Raises:
        BadInput: it holds none.
    """
    ders = sorted(ssl.PEM_cert_to_DER_cert(pem) for pem in _PEM.findall(bundle))
    if not ders:
        raise BadInput(
            "the certificate authority of that context holds no certificate",
            "mend certificate-authority in the kubeconfig",
        )
    return hashlib.sha256(b"".join(ders)).hexdigest()


def require_pin(target: Target, seen: Identity) -> None:
    """Passes where the cluster is the one that values/targets.yml pins.

    Raises:
        BadInput: it is not pinned, or another; nothing was changed.
    """
    if target.pin is None:
        raise BadInput(
            f"target {target.name} is not pinned: context {target.context} leads to {seen.server} "
            f"(kube-system {seen.kube_system_uid}), and nothing says that this is the cluster you mean",
            f"look at it, then: invoke target.pin --target {target.name}",
        )
    wrong = [
        f"{what}: expected {wanted}, found {found}"
        for what, wanted, found in (
            ("uid of kube-system", target.pin.kube_system_uid, seen.kube_system_uid),
            ("fingerprint of the authority", target.pin.ca_sha256, seen.ca_sha256),
        )
        if wanted != found
    ]
    if wrong:
        rotated = len(wrong) == 1 and wrong[0].startswith("fingerprint")
        cure = (
            "the cluster is the pinned one with a new authority: was it renewed? Then: "
            if rotated
            else "this is another cluster: mend the context in your kubeconfig; or, where the cluster was made anew: "
        )
        raise BadInput(
            f"target {target.name} is not the cluster that is pinned ({target.context} leads to {seen.server}); "
            f"{'; '.join(wrong)}",
            f"{cure}invoke target.pin --target {target.name} --replace",
        )
