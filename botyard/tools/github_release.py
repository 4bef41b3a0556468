"""GitHub's HTTP interface as far as one release with its files needs it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botyard.contracts import BadInput, Secret
from botyard.tools.github import ask

if TYPE_CHECKING:
    import requests

_TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Repository:
    """One repository.

    Args:
        api: base URL, such as https://api.github.com.
        name: owner/name.
        token: may write releases.
    """

    api: str
    name: str
    token: Secret

    def release(self, tag: str, files: Sequence[Path]) -> str:
        """Makes the release of a tag with these files, or completes one that is still a draft.

        Returns:
            What was done, with its address.

        Raises:
            BadInput: it is out already with other files, or the token may not do that.
            BotyardError: GitHub does not answer.
        """
        found = self._found(tag)
        if found is not None and not found["draft"]:
            return self._is_out(found, tag, files)
        if found is None:
            body = {"tag_name": tag, "name": tag, "draft": True, "generate_release_notes": True}
            found = self._ask("POST", f"{self._root}/releases", json=body).json()
        for old in found.get("assets") or []:  # of a run that was broken off
            self._ask("DELETE", f"{self._root}/releases/assets/{old['id']}")
        upload = str(found["upload_url"]).partition("{")[0]
        for file in files:
            self._ask(
                "POST", upload, params={"name": file.name}, data=file.read_bytes(),
                headers={"Content-Type": "application/octet-stream"},
            )  # fmt: skip
        done = self._ask("PATCH", f"{self._root}/releases/{found['id']}", json={"draft": False}).json()
        return f"released {tag} with {len(files)} files: {done['html_url']}"

    @property
    def _root(self) -> str:
        return f"{self.api.rstrip('/')}/repos/{self.name}"

    def _found(self, tag: str) -> dict[str, Any] | None:
        """By the list, as a draft has no address by its tag."""
        listed: list[dict[str, Any]] = self._ask("GET", f"{self._root}/releases", params={"per_page": 100}).json()
        return next((one for one in listed if one["tag_name"] == tag), None)

    def _is_out(self, found: dict[str, Any], tag: str, files: Sequence[Path]) -> str:
        there = {one["name"]: one.get("digest") for one in found.get("assets") or []}
        here = {file.name: f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}" for file in files}
        if there != here:
            raise BadInput(
                f"release {tag} is out with other files: {', '.join(sorted(there)) or 'none'}",
                "a release that is out is never changed: make a new tag",
            )
        return f"release {tag} is out already: {found['html_url']}"

    def _ask(self, method: str, url: str, **options: Any) -> requests.Response:
        told = f"{method} {url.split('?')[0]}"
        return ask(self.api, self.token, method, url, told, "contents: write", timeout_s=_TIMEOUT_S, **options)
