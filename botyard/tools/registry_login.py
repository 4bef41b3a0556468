"""Who we are to a container registry: a user and password, turned into what it asks for (Basic, or a token)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botyard import process
from botyard.contracts import BadInput, BotyardError, Secret
from botyard.later import later

if TYPE_CHECKING:
    import requests
else:
    requests = later("requests")
docker_auth = later("docker.auth")
docker_errors = later("docker.errors")

# What Azure's registry wants as the user's name beside an access token.
AZURE_TOKEN_USER = "00000000-0000-0000-0000-000000000000"  # noqa: S105 - public, the same for everyone
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_TIMEOUT_S = 10.0


@dataclass(frozen=True)
class Login:
    """A user and password, or a token in the password's place."""

    user: str
    password: Secret


def from_docker(host: str) -> Login | None:
    """What `docker login` noted for a registry; the user's file is read, credential helpers in it are asked.

    Raises:
        BadInput: the helper fails.
    """
    try:
        found = docker_auth.load_config().resolve_authconfig(host)
    except docker_errors.DockerException as error:
        raise BadInput(
            f"Docker's login for {host} cannot be read: {error}", f"log in again: docker login {host}"
        ) from None
    if not found:
        return None
    if token := found.get("IdentityToken") or found.get("identitytoken"):
        return Login(AZURE_TOKEN_USER, Secret(token))
    user = found.get("username") or found.get("Username") or ""
    return Login(user, Secret(found.get("password") or found.get("Password") or ""))


def from_az(host: str) -> Login:
    """An access token of Azure's registry, for who is logged in with `az`; no Docker is needed for it.

    Raises:
        BadInput: az is not there, or nobody is logged in.
    """
    name = host.partition(".")[0]
    argv = ["az", "acr", "login", "--name", name, "--expose-token", "--output", "json"]
    try:
        said = process.run(argv, timeout_s=120).stdout
        return Login(AZURE_TOKEN_USER, Secret(json.loads(said)["accessToken"]))
    except BotyardError as error:
        missing = isinstance(error.__cause__, FileNotFoundError)
        why = "it is not there" if missing else (str(error).splitlines() or [""])[-1]
        cure = "install it: https://aka.ms/installazurecli" if missing else _az_cure(str(error), name)
        raise BadInput(f"az gives no access to the registry {name}: {why}", cure) from None
    except (ValueError, KeyError):
        raise BadInput(
            f"az gives no access to the registry {name}: what it printed holds no token", "a newer az: az upgrade"
        ) from None


def _az_cure(said: str, name: str) -> str:
    """What to do about az's words; being logged in is not being let in."""
    if re.search(r"az login|AADSTS", said):
        return "log in: az login"
    if "could not be found" in said or "Could not connect" in said or "ResourceNotFound" in said:
        return f"is {name} the registry's name, in a subscription of yours, and reached from here? az acr list"
    return f"have the role AcrPush on the registry {name} assigned to you; or log in as another: az login"


def authorize(reply: requests.Response, login: Login | None, repository: str, *, verify: Any, url: str) -> str:
    """The Authorization header that a 401 asks for.

    Args:
        verify: as requests takes it, for the server of tokens, which may be another.
        url: of the registry; a password never goes to a server of tokens by plain HTTP where the registry has TLS.

    Raises:
        BadInput: there is no login, or it is refused.
        BotyardError: the server of tokens does not answer.
    """
    host = urlsplit(url).netloc
    scheme, _, rest = reply.headers.get("WWW-Authenticate", "").partition(" ")
    asked = dict(_CHALLENGE.findall(rest))
    if scheme.lower() == "basic":
        if login is None:
            raise _refused(host, None)
        return requests.auth._basic_auth_str(login.user, login.password.reveal())
    safe = ("https://", "http://") if url.startswith("http://") else ("https://",)
    if scheme.lower() != "bearer" or not asked.get("realm", "").startswith(safe):
        raise BotyardError(f"registry {host} asks for a login of a kind that is not known: {scheme or 'none'}")
    wanted = {"service": asked.get("service", ""), "scope": f"repository:{repository}:pull,push"}
    try:
        given = requests.get(
            asked["realm"],
            params=wanted,
            auth=(login.user, login.password.reveal()) if login else None,
            timeout=_TIMEOUT_S,
            verify=verify,
        )
    except requests.RequestException as error:
        raise BotyardError(
            f"{asked['realm']}, which gives tokens for {host}, does not answer: {type(error).__name__}"
        ) from None
    if given.status_code != 200:
        raise _refused(host, login)
    body = given.json()
    return f"Bearer {body.get('token') or body.get('access_token')}"


def _refused(host: str, login: Login | None) -> BadInput:
    who = f"refuses the login of {login.user}" if login else "asks for a login, and there is none"
    return BadInput(f"registry {host} {who}", f"log in: docker login {host} (Azure: az acr login --name ...)")
