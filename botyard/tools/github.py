"""GitHub's HTTP interface: one request, and as much of it as one comment on a pull request needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botyard.contracts import BadInput, BotyardError, Secret
from botyard.later import later

if TYPE_CHECKING:
    import requests
else:
    requests = later("requests")

_TIMEOUT_S = 30.0
_A_PAGE = 100
_MOST_PAGES = 20


@dataclass(frozen=True)
class PullRequest:
    """One pull request.

    Args:
        api: base URL, such as https://api.github.com.
        repository: owner/name.
        token: may write comments on pull requests.
    """

    api: str
    repository: str
    number: int
    token: Secret

    def say(self, marker: str, text: str) -> str:
        """Puts text in place of the comment of ours that begins with the marker, or writes a first one.

        Returns:
            "nothing new", "updated" or "written".

        Raises:
            BadInput: the token may not do that, or there is no such pull request.
            BotyardError: GitHub does not answer.
        """
        found = self._found(marker)
        if found is None:
            self._ask("POST", f"issues/{self.number}/comments", json={"body": text})
            return "written"
        if found["body"].replace("\r\n", "\n").strip() == text.strip():
            return "nothing new"
        self._ask("PATCH", f"issues/comments/{found['id']}", json={"body": text})
        return "updated"

    def _found(self, marker: str) -> dict[str, Any] | None:
        """A comment of a program that begins with the marker: what a person writes is never overwritten."""
        for page in range(1, _MOST_PAGES + 1):
            path = f"issues/{self.number}/comments"
            comments: list[dict[str, Any]] = self._ask("GET", path, params={"per_page": _A_PAGE, "page": page}).json()
            for one in comments:
                if one["user"]["type"] == "Bot" and (one["body"] or "").startswith(marker):
                    return one
            if len(comments) < _A_PAGE:
                break
        return None

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        url = f"{self.api.rstrip('/')}/repos/{self.repository}/{path}"
        told = f"{method} {path} of {self.repository}"
        return ask(self.api, self.token, method, url, told, "pull-requests: write", **options)


def ask(
    api: str,
    token: Secret,
    method: str,
    url: str,
    told: str,
    permission: str,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = _TIMEOUT_S,
    **options: Any,
) -> requests.Response:
    """One request to GitHub.

    Args:
        told: what is asked, for messages.
        permission: what the token needs for it.
        options: what requests takes besides.

    Raises:
        BadInput: the token may not do that, or there is no such thing.
        BotyardError: GitHub does not answer, or with an error.
    """
    known = {
        "Authorization": f"Bearer {token.reveal()}",
        "Accept": "application/vnd.github+json",
        "X-GitHub-Api-Version": "2022-11-28",
        **(headers or {}),
    }
    try:
        reply = requests.request(method, url, headers=known, timeout=timeout_s, allow_redirects=False, **options)
    except requests.RequestException as error:
        raise BotyardError(f"GitHub ({api}) does not answer: {type(error).__name__}") from None
    if reply.status_code in (401, 403, 404):
        cure = f"give the job the permission {permission}, and the step GITHUB_TOKEN"
        raise BadInput(f"GitHub answers {reply.status_code} to {told}", cure)
    if not 200 <= reply.status_code < 300:
        raise BotyardError(f"GitHub answers {reply.status_code} to {told}: {reply.text[:200]}")
    return reply
