"""A container registry's HTTP interface (OCI distribution) as far as a push needs it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin

from botyard.contracts import BadInput, BotyardError
from botyard.later import later
from botyard.tools.registry_login import Login, authorize

if TYPE_CHECKING:
    import requests
else:
    requests = later("requests")

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER_ZSTD = "application/vnd.oci.image.layer.v1.tar+zstd"
ACCEPTED = f"{MANIFEST}, application/vnd.docker.distribution.manifest.v2+json"
QUICK_S = 10.0
Spool = SpooledTemporaryFile[bytes]  # small ones stay in memory
UPLOAD_S = 600.0  # without a byte moved


@dataclass(frozen=True)
class Blob:
    """What a manifest says of one blob."""

    digest: str
    size_bytes: int
    media_type: str

    def as_json(self) -> dict[str, Any]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size_bytes}


@dataclass(frozen=True)
class Manifest:
    """A manifest that the registry has, and the digest it has it under."""

    digest: str
    body: dict[str, Any]

    @property
    def config_digest(self) -> str:
        return str(self.body.get("config", {}).get("digest", ""))

    @property
    def layers(self) -> list[Blob]:
        return [Blob(one["digest"], one["size"], one["mediaType"]) for one in self.body.get("layers", [])]


def sha256(data: bytes) -> str:
    """As registries write it: ``sha256:<hex>``."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Registry:
    """One registry, by its base URL such as ``http://127.0.0.1:5001``. One object a thread: a session is not shared.

    Every method raises BotyardError where the registry does not answer or refuses, BadInput where it does not take the
    login.

    Args:
        login: for a registry that asks who we are.
        ca: certificates (PEM) of the authority that vouches for it, where that is a private one.
    """

    def __init__(self, url: str, login: Login | None = None, ca: Path | None = None) -> None:
        self.url = url.rstrip("/")
        self._login = login
        self._session = requests.Session()
        if url.startswith("http://"):
            self._session.trust_env = False  # a proxy never leads to 127.0.0.1
        # Said with each request: of a session, REQUESTS_CA_BUNDLE would win over it.
        self._verify: bool | str = str(ca) if ca is not None else True
        self._tokens: dict[str, str] = {}  # repository -> Authorization

    def close(self) -> None:
        self._session.close()

    def _ask(
        self, method: str, repository: str, path: str, *, wanted: tuple[int, ...], **options: Any
    ) -> requests.Response:
        """``path`` is what stands behind the repository, or an address that the registry gave."""
        path = path if path.startswith(("/", "http")) else f"/v2/{repository}/{path}"
        reply = self._send(method, path, repository, options)
        if reply.status_code == 401:
            self._tokens[repository] = authorize(reply, self._login, repository, verify=self._verify, url=self.url)
            if hasattr(options.get("data"), "seek"):
                options["data"].seek(0)
            reply = self._send(method, path, repository, options)
        if reply.status_code in (401, 403):
            who = f"user {self._login.user}" if self._login else "nobody in particular"
            raise BadInput(
                f"registry {self.url} denies {method} in {repository} to {who}",
                "log in as one who may push there (Azure: the role AcrPush; in a GitHub workflow: packages: write)",
            )
        if reply.status_code not in wanted:
            text = reply.text.strip()[:300]
            raise BotyardError(f"registry {self.url}: {method} {path.split('?')[0]} gave {reply.status_code} {text}")
        return reply

    def _send(self, method: str, path: str, repository: str, options: dict[str, Any]) -> requests.Response:
        headers = dict(options.get("headers") or {})
        if repository in self._tokens:
            headers["Authorization"] = self._tokens[repository]
        try:
            return self._session.request(
                method,
                urljoin(f"{self.url}/", path),
                **{"timeout": QUICK_S, "verify": self._verify, **options, "headers": headers},
            )
        except requests.exceptions.SSLError as error:
            raise BadInput(
                f"the certificate of the registry {self.url} is not believed: {error}",
                "name its authority: registry.ca in values/targets.yml",
            ) from None
        except requests.RequestException as error:
            ours = self.url.startswith("http://127.")
            cure = "run playbooks/services.yml" if ours else "is its address right, and may this machine go there?"
            raise BotyardError(f"the registry at {self.url} does not answer: {type(error).__name__}", cure) from error

    def answers(self) -> bool:
        """Whether a registry answers there now, if only to ask who we are."""
        try:
            return self._session.get(f"{self.url}/v2/", timeout=QUICK_S, verify=self._verify).status_code in (200, 401)
        except requests.RequestException:
            return False

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """The manifest under a tag or digest, or None."""
        reply = self._ask("GET", repository, f"manifests/{reference}", wanted=(200, 404), headers={"Accept": ACCEPTED})
        if reply.status_code == 404:
            return None
        return Manifest(sha256(reply.content), reply.json())

    def has_blob(self, repository: str, digest: str) -> bool:
        return self._ask("HEAD", repository, f"blobs/{digest}", wanted=(200, 404)).status_code == 200

    def blob_json(self, repository: str, digest: str) -> dict[str, Any]:
        """A small blob (an image's configuration) as a mapping."""
        found: dict[str, Any] = self._ask("GET", repository, f"blobs/{digest}", wanted=(200,)).json()
        return found

    def blob(self, repository: str, digest: str) -> bytes:
        """A small blob as it is; whether it has that digest is for the caller to look at."""
        return bytes(self._ask("GET", repository, f"blobs/{digest}", wanted=(200,)).content)

    def put_blob(
        self, repository: str, content: Spool, media_type: str, tell: Callable[[str], None] = lambda _line: None
    ) -> Blob:
        """Sends one blob, from a file that stands at its start, unless the repository has it."""
        digest = f"sha256:{hashlib.file_digest(content, 'sha256').hexdigest()}"
        size_bytes = content.seek(0, os.SEEK_END)
        content.seek(0)
        blob = Blob(digest, size_bytes, media_type)
        if self.has_blob(repository, digest):
            return blob
        tell(f"{repository}: sending {size_bytes / 1e6:.1f} MB")
        place = self._ask("POST", repository, "blobs/uploads/", wanted=(202,)).headers["Location"]
        self._ask(
            "PUT",
            repository,
            f"{place}{'&' if '?' in place else '?'}digest={digest}",
            wanted=(201,),
            data=content,
            headers={"Content-Type": "application/octet-stream", "Content-Length": str(size_bytes)},
            timeout=UPLOAD_S,
        )
        return blob

    def put_manifest(self, repository: str, reference: str, body: bytes) -> str:
        """Writes a manifest under a tag; returns its digest."""
        self._ask(
            "PUT",
            repository,
            f"manifests/{reference}",
            wanted=(201,),
            data=body,
            headers={"Content-Type": MANIFEST},
        )
        return sha256(body)
