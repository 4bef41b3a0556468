"""Azure by its own command line, az: who is logged in, and the kubeconfig of an AKS cluster.

Nothing of the user's is written but what az itself keeps (its tokens): the kubeconfig is a file of ours.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botyard import process, yaml11
from botyard.contracts import BadInput, BotyardError, CommandError
from botyard.targets import AzureOf

# The application as which every AKS asks Microsoft Entra who we are.
_AKS_SERVER = "6dae42f8-4368-4678-94ff-3960e28e3630"
_TIMEOUT_S = 120.0
# Azure's own roles with the right to pull; the last ones are those of registries that give rights by repository.
_PULLING = {
    "AcrPull",
    "AcrPush",
    "Reader",
    "Contributor",
    "Owner",
    "Container Registry Repository Reader",
    "Container Registry Repository Writer",
    "Container Registry Repository Contributor",
}
_LOG_IN = "log in: az login (in a workflow: the action azure/login, with the permission id-token: write)"
# What az says, and what to do about it; the first that fits.
_CURES = (
    (
        r"AADSTS700024",
        "a workflow's proof of who it is lasts some minutes: run invoke target.login right after azure/login",
    ),
    (
        r"AADSTS70021\b|AADSTS700213|No matching federated identity",
        "the federated credential names another repository, environment or form of subject: docs/tutorials/aks.md",
    ),
    (r"az login|AADSTS\d+|[Nn]o subscription|[Cc]redentials have expired|Interactive authentication", _LOG_IN),
    (
        r"[Ss]ubscription .*(doesn't exist|not recognized|not found)|SubscriptionNotFound",
        "az account list shows those that you have; is azure.subscription in values/targets.yml one of them?",
    ),
    (
        r"ResourceGroupNotFound|ResourceNotFound|could not be found",
        "are azure.resource_group, cluster and subscription right? az aks list --output table shows what there is",
    ),
    (
        r"AuthorizationFailed|does not have authorization|Forbidden",
        "have the role `Azure Kubernetes Service Cluster User Role` on that cluster assigned to you",
    ),
)


@dataclass(frozen=True)
class Account:
    """Who is logged in: user or application, and the subscription that az takes where none is named."""

    user: str
    subscription: str


def account() -> Account:
    """Who is logged in with az; no server is asked.

    Raises:
        BadInput: az is not there, or nobody is logged in.
    """
    found = json.loads(_az("account", "show", "--output", "json"))
    return Account(str(found["user"]["name"]), str(found["name"]))


def fetch_kubeconfig(azure: AzureOf, context: str, file: Path) -> str:
    """Writes the way to an AKS cluster into ``file``, whole or not at all; returns in words how one logs in by it.

    Where the cluster asks Microsoft Entra, kubelogin answers with az's own login, and its first token is fetched at
    once: a workflow's login lasts only minutes for what has not been asked for yet.

    Raises:
        BadInput: az or kubelogin is missing, nobody is logged in, or there is no such cluster or no right to it.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    argv = ["aks", "get-credentials", "--name", azure.cluster, "--resource-group", azure.resource_group]
    argv += ["--file", str(new), "--context", context, "--overwrite-existing", "--only-show-errors"]
    argv += ["--subscription", azure.subscription] if azure.subscription else []
    try:
        new.touch(mode=0o600)
        _az(*argv)
        entra = _asks_entra(new)
        if entra:
            _convert(new, context)
            # What it prints is a token: it is asked for and not looked at.
            _az("account", "get-access-token", "--resource", _AKS_SERVER, "--query", "expiresOn", "--output", "tsv")
        new.chmod(0o600)
        new.replace(file)
    finally:
        new.unlink(missing_ok=True)
    return "by Microsoft Entra: kubelogin, as who is logged in with az" if entra else "by a certificate within"


def pulling_roles(azure: AzureOf, host: str) -> list[str]:
    """By which roles the nodes of a cluster may pull from a registry; [] where none of Azure's own lets them.

    Args:
        host: of the registry, as shop.azurecr.io.

    Raises:
        BadInput: that is not to be seen by who is logged in.
    """
    within = ["--subscription", azure.subscription] if azure.subscription else []
    argv = ["aks", "show", "--name", azure.cluster, "--resource-group", azure.resource_group, *within]
    nodes = _az(*argv, "--query", "identityProfile.kubeletidentity.objectId", "--output", "tsv").strip()
    registry = _az("acr", "show", "--name", host.partition(".")[0], "--query", "id", "--output", "tsv").strip()
    argv = ["role", "assignment", "list", "--scope", registry, "--include-inherited", "--output", "json"]
    found = json.loads(_az(*argv))
    roles = {str(one["roleDefinitionName"]) for one in found if one["principalId"] == nodes}
    return sorted(roles & _PULLING)


def _asks_entra(file: Path) -> bool:
    """Whether the kubeconfig calls kubelogin for a token.

    Raises:
        BadInput: az wrote none.
    """
    document: Any = yaml11.load(file.read_text(encoding="utf-8"))
    users = document.get("users") if isinstance(document, dict) else None
    if not users:
        raise BadInput("az aks get-credentials ended well, but wrote no kubeconfig", "is az the Azure CLI? az version")
    return any(
        Path((one["user"].get("exec") or {}).get("command", "")).name == "kubelogin" or "auth-provider" in one["user"]
        for one in users
    )


def _convert(file: Path, context: str) -> None:
    argv = ["kubelogin", "convert-kubeconfig", "--login", "azurecli", "--kubeconfig", str(file), "--context", context]
    try:
        process.run(argv, timeout_s=_TIMEOUT_S)
    except CommandError as error:
        raise BadInput(f"kubelogin: {_last(error.stderr)}", "a newer one: az aks install-cli") from None
    except BotyardError:
        raise BadInput(
            "this cluster asks Microsoft Entra who you are, and kubelogin, which answers it, is not there",
            "az aks install-cli (in a workflow: the action azure/use-kubelogin)",
        ) from None


def _az(*argv: str) -> str:
    """Runs az; returns its standard output.

    Raises:
        BadInput: it is not there or it refuses, with what to do.
    """
    try:
        return process.run(["az", *argv], timeout_s=_TIMEOUT_S).stdout
    except CommandError as error:
        said = error.stderr.strip() or error.stdout
        cure = next((cure for pattern, cure in _CURES if re.search(pattern, said)), "az said why; put that right first")
        raise BadInput(f"az {' '.join(argv[:2])}: {_last(said)}", cure) from None
    except BotyardError as error:
        if isinstance(error.__cause__, FileNotFoundError):
            raise BadInput(
                "az, the command line of Azure, is not there", "install it: https://aka.ms/installazurecli"
            ) from None
        raise


def _last(said: str) -> str:
    """The line that tells what was wrong: the first that begins with ERROR, else the last one."""
    lines = [line.strip() for line in said.splitlines() if line.strip()]
    return next((line for line in lines if line.startswith("ERROR")), lines[-1] if lines else "it gave no reason")
