"""`invoke target.login`: az and kubelogin as they are called and as they refuse; nothing else may be called."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from invoke.context import Context
from invoke.exceptions import Exit
from msgspec import structs

from botyard import process
from botyard.commands import session, target
from botyard.contracts import BadInput, BotyardError, CommandError
from botyard.process import Completed
from botyard.targets import AzureOf, load_target
from botyard.tools import azure, registry_login

SHOP = AzureOf(resource_group="shop-rg", cluster="shop")
ENTRA = {"exec": {"command": "kubelogin", "args": ["get-token", "--login", "devicecode"]}}
LOCAL = {"client-certificate-data": "eA=="}


class Door:
    """Stands for the door to programs: each call must be the next one of the script, word by word."""

    def __init__(self) -> None:
        self.script: list[tuple[list[str], str | Exception | Callable[[list[str]], str]]] = []
        self.env: list[Any] = []

    def expect(self, argv: str, answer: str | Exception | Callable[[list[str]], str] = "") -> None:
        self.script.append((argv.split(), answer))

    def run(self, argv: list[Any], **options: Any) -> Completed:
        assert self.script, f"nobody expected {argv}"
        wanted, answer = self.script.pop(0)
        plain = [str(word) for word in argv]
        assert len(plain) == len(wanted), f"expected {wanted}, got {plain}"
        assert all(want in ("*", word) for want, word in zip(wanted, plain, strict=True)), (wanted, plain)
        if isinstance(answer, Exception):
            raise answer
        return Completed(plain, 0, answer(plain) if callable(answer) else answer, "", 0.1)


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Any:
    found = Door()
    monkeypatch.setattr(process, "run", found.run)
    yield found
    assert not found.script, "not everything was called"


def missing(program: str) -> BotyardError:
    error = BotyardError(f"program not found: {program}")
    error.__cause__ = FileNotFoundError()
    return error


def refused(said: str) -> CommandError:
    return CommandError(["az"], 1, "", said)


def writes(user: dict[str, Any]) -> Callable[[list[str]], str]:
    """What `az aks get-credentials` does with its --file."""

    def write(argv: list[str]) -> str:
        file = Path(argv[argv.index("--file") + 1])
        assert file.stat().st_mode & 0o077 == 0, "nobody else may read it, not even for a moment"
        context = argv[argv.index("--context") + 1]
        file.write_text(yaml.safe_dump({"contexts": [{"name": context}], "users": [{"name": "u", "user": user}]}))
        return ""

    return write


GET = "az aks get-credentials --name shop --resource-group shop-rg --file * --context prod"
GET += " --overwrite-existing --only-show-errors"
CONVERT = "kubelogin convert-kubeconfig --login azurecli --kubeconfig * --context prod"
TOKEN = "az account get-access-token --resource 6dae42f8-4368-4678-94ff-3960e28e3630 --query expiresOn --output tsv"


def test_a_cluster_with_entra_is_reached_by_az_and_its_token_is_asked_for_at_once(door: Door, tmp_path: Path) -> None:
    door.expect(GET, writes(ENTRA))
    door.expect(CONVERT)
    door.expect(TOKEN)
    file = tmp_path / "aks/kubeconfig"
    assert "Entra" in azure.fetch_kubeconfig(SHOP, "prod", file)
    assert yaml.safe_load(file.read_text())["contexts"] == [{"name": "prod"}]
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_cluster_with_local_accounts_needs_no_kubelogin(door: Door, tmp_path: Path) -> None:
    door.expect(GET + " --subscription other", writes(LOCAL))
    file = tmp_path / "kubeconfig"
    assert "certificate" in azure.fetch_kubeconfig(structs.replace(SHOP, subscription="other"), "prod", file)


def test_what_was_there_stays_where_it_fails(door: Door, tmp_path: Path) -> None:
    file = tmp_path / "kubeconfig"
    file.write_text("before")
    door.expect(GET, writes(ENTRA))
    door.expect(CONVERT, missing("kubelogin"))
    with pytest.raises(BadInput, match=r"kubelogin.*is not there[\s\S]*az aks install-cli"):
        azure.fetch_kubeconfig(SHOP, "prod", file)
    assert file.read_text() == "before" and list(tmp_path.iterdir()) == [file]
    door.expect(GET)
    with pytest.raises(BadInput, match="wrote no kubeconfig"):
        azure.fetch_kubeconfig(SHOP, "prod", file)
    assert file.read_text() == "before"


@pytest.mark.parametrize(
    ("said", "told", "cure"),
    [
        ("ERROR: Please run 'az login' to setup account.", "az aks get-credentials: ERROR: Please run", "az login"),
        ("AADSTS700082: The refresh token has expired due to inactivity.", "has expired", "az login"),
        ("ERROR: AADSTS700024: Client assertion is not within its valid time range.", "700024", "right after azure/"),
        ("AADSTS70021: No matching federated identity record found", "70021", "docs/tutorials/aks.md"),
        ("ERROR: The subscription of 'x' doesn't exist in cloud 'AzureCloud'.", "doesn't exist", "az account list"),
        ("ERROR: (ResourceGroupNotFound) Resource group 'r' could not be found.\nCode: R", "Group 'r'", "az aks list"),
        ("ERROR: (AuthorizationFailed) The client 'c' does not have authorization", "client 'c'", "Cluster User Role"),
        ("Traceback: something else", "something else", "az said why"),
        ("", "it gave no reason", "az said why"),
    ],
)
def test_what_az_refuses_is_told_with_its_cure(door: Door, tmp_path: Path, said: str, told: str, cure: str) -> None:
    door.expect(GET, refused(said))
    with pytest.raises(BadInput, match=f"(?i){told}") as caught:
        azure.fetch_kubeconfig(SHOP, "prod", tmp_path / "kubeconfig")
    assert cure in caught.value.cure
    assert list(tmp_path.iterdir()) == []


def test_az_that_is_not_there_is_told(door: Door) -> None:
    door.expect("az account show --output json", missing("az"))
    with pytest.raises(BadInput, match="az, the command line of Azure, is not there"):
        azure.account()


@pytest.mark.parametrize(
    ("answer", "told", "cure"),
    [
        (missing("az"), "it is not there", "aka.ms"),
        (refused("ERROR: AADSTS50173: expired"), "AADSTS50173", "az login"),
        (refused("ERROR: The resource 'shop' could not be found in subscription"), "could not be", "acr list"),
        (refused("ERROR: requested access to the resource is denied"), "is denied", "the role AcrPush"),
        ("{}", "holds no token", "az upgrade"),
    ],
)
def test_a_registry_that_lets_nobody_in_says_why(door: Door, answer: Any, told: str, cure: str) -> None:
    door.expect("az acr login --name shop --expose-token --output json", answer)
    with pytest.raises(BadInput, match=told) as caught:
        registry_login.from_az("shop.azurecr.io")
    assert cure in caught.value.cure


TARGETS = """\
targets:
  kind: {driver: kind}
  there: {driver: existing, context: x}
  aks:
    driver: aks
    azure: {resource_group: shop-rg, cluster: shop}
    context: prod
    registry: {address: shop.azurecr.io/bots, login: az}
"""


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "values").mkdir()
    (tmp_path / "values/targets.yml").write_text(TARGETS)
    for module in (session, target):
        monkeypatch.setattr(module, "root_folder", lambda: tmp_path)
    return tmp_path


def test_the_task_logs_in_to_cluster_and_registry(
    door: Door, root: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(root / "home"))
    door.expect("az account show --output json", json.dumps({"user": {"name": "eve@x.example"}, "name": "Prod"}))
    door.expect(GET, writes(LOCAL))
    door.expect("az acr login --name shop --expose-token --output json", '{"accessToken": "jwt"}')
    assigned(door, ("n1", "AcrPull"))
    target.login(Context(), target="aks")
    said = capsys.readouterr().out
    assert "the cluster's nodes may pull from it (AcrPull)" in said
    assert "logged in as eve@x.example, subscription Prod" in said
    assert "the registry shop.azurecr.io lets you in" in said and "next: invoke target.pin --target aks" in said
    assert (root / ".botyard/aks/kubeconfig").is_file() and "jwt" not in said
    assert not (root / "home").exists(), "the user's own kubeconfig is not touched"


def assigned(door: Door, *roles: tuple[str, str]) -> None:
    """The nodes are n1; who has which role on the registry."""
    nodes = "--query identityProfile.kubeletidentity.objectId --output tsv"
    door.expect(f"az aks show --name shop --resource-group shop-rg {nodes}", "n1\n")
    door.expect("az acr show --name shop --query id --output tsv", "/subscriptions/s/shop\n")
    found = [{"principalId": who, "roleDefinitionName": role} for who, role in roles]
    listing = "az role assignment list --scope /subscriptions/s/shop --include-inherited --output json"
    door.expect(listing, json.dumps(found))


@pytest.mark.parametrize(
    ("roles", "found"),
    [
        ([("n1", "AcrPull"), ("n1", "Owner"), ("n1", "AcrDelete")], ["AcrPull", "Owner"]),
        ([("n1", "Container Registry Repository Reader")], ["Container Registry Repository Reader"]),
        ([("somebody", "AcrPull")], []),
        ([], []),
    ],
)
def test_nodes_may_pull_by_roles_of_theirs(door: Door, roles: list[tuple[str, str]], found: list[str]) -> None:
    assigned(door, *roles)
    assert azure.pulling_roles(SHOP, "shop.azurecr.io") == found


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (None, "no role of Azure's own .* --attach-acr shop"),
        (refused("ERROR: (AuthorizationFailed) no right"), "is not to be seen: .*AuthorizationFailed"),
    ],
)
def test_a_registry_that_is_not_attached_is_a_warning(
    door: Door, root: Path, capsys: pytest.CaptureFixture[str], answer: Any, told: str
) -> None:
    door.expect("az account show --output json", json.dumps({"user": {"name": "eve"}, "name": "Prod"}))
    door.expect(GET, writes(LOCAL))
    door.expect("az acr login --name shop --expose-token --output json", '{"accessToken": "jwt"}')
    if answer is None:
        assigned(door)
    else:
        nodes = "--query identityProfile.kubeletidentity.objectId --output tsv"
        door.expect(f"az aks show --name shop --resource-group shop-rg {nodes}", answer)
    target.login(Context(), target="aks")
    assert re.search(told, capsys.readouterr().out)


@pytest.mark.parametrize("name", ["kind", "there"])
def test_a_target_that_azure_does_not_have_is_refused_and_nothing_is_called(door: Door, root: Path, name: str) -> None:
    with pytest.raises(Exit, match="does not say where Azure") as caught:
        target.login(Context(), target=name)
    assert caught.value.code == 2


def test_a_target_with_azure_has_a_kubeconfig_of_ours(root: Path) -> None:
    found = load_target(root, "aks")
    assert found.kubeconfig_in(root / ".botyard/aks") == root / ".botyard/aks/kubeconfig"
    text = TARGETS.replace("    context: prod\n", "")
    (root / "values/targets.yml").write_text(text)
    assert load_target(root, "aks").context == "shop", "as az calls it where nothing else is said"


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{driver: aks, azure: {resource_group: a, cluster: b}, kubeconfig: x}", "exclude each other"),
        ("{driver: existing, context: x, azure: {resource_group: a, cluster: b}}", "azure is of driver aks alone"),
        ("{driver: kind, azure: {resource_group: a, cluster: b}}", "azure is of a cluster that exists"),
        ("{driver: aks, azure: {cluster: b}}", r"azure.resource_group: Object missing required field"),
        ("{driver: aks, azure: {resource_group: --file, cluster: b}}", "azure.resource_group"),
        ("{driver: aks, azure: {resource_group: a, cluster: b, subscription: --x}}", "azure.subscription"),
        ("{driver: aks, context: x, azure: true}", "azure"),
    ],
)
def test_what_is_wrong_with_the_keys_is_told(root: Path, body: str, told: str) -> None:
    (root / "values/targets.yml").write_text(f"targets:\n  x: {body}\n")
    with pytest.raises(BadInput, match=told):
        load_target(root, "x")
