"""Which cluster a target is, how that is noted, and what may be done there."""

from __future__ import annotations

import types
from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import pytest
import yaml

from botyard.contracts import BadInput, BotyardError
from botyard.release import pins, rights
from botyard.release.identity import Identity, fingerprint, identify, open_target, require_pin
from botyard.targets import Pin, Target, load_target
from botyard.tools.kube import Kube

UID = "74e31513-373e-4f70-9e50-5cd3e9de53b9"
SEEN = Identity("https://there:443", "a" * 64, UID)
PEM = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n"
ONE, TWO = PEM.format("b25l"), PEM.format("dHdv")


def aks(pin: Pin | None = None, **more: Any) -> Target:
    return Target(name="aks", driver="aks", context="prod", pin=pin, **more)


class Cluster:
    """Answers one path, as the API server's client does."""

    context = "prod"
    host = "https://there:443"

    def __init__(self, authority: str, answer: Any = None) -> None:
        self.authority, self.answer = authority, answer

    def read(self, path: str, timeout_s: float) -> Any:
        assert path == "/api/v1/namespaces/kube-system"
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_the_fingerprint_does_not_depend_on_order() -> None:
    found = [fingerprint(text) for text in (ONE + TWO, "# a comment\n" + TWO + ONE, ONE)]
    assert found[0] == found[1] != found[2]
    with pytest.raises(BadInput, match="holds no certificate"):
        fingerprint("nothing")


def test_a_cluster_says_who_it_is() -> None:
    seen = identify(cast(Kube, Cluster(ONE, {"metadata": {"uid": UID}})))
    assert seen == Identity("https://there:443", fingerprint(ONE), UID)


def test_a_server_that_nothing_vouches_for_is_not_believed() -> None:
    with pytest.raises(BadInput, match="no certificate authority"):
        identify(cast(Kube, Cluster("", {"metadata": {"uid": UID}})))


@pytest.mark.parametrize(("ca", "verify", "told"), [(None, True, ""), ("ca.crt", False, ""), ("ca.crt", True, ONE)])
def test_the_librarys_authority_counts_where_it_is_held_to(tmp_path: Path, ca: Any, verify: bool, told: str) -> None:
    (tmp_path / "ca.crt").write_text(ONE)
    kube = object.__new__(Kube)
    settings = types.SimpleNamespace(ssl_ca_cert=ca and str(tmp_path / ca), verify_ssl=verify)
    vars(kube).update(_server=None, api=types.SimpleNamespace(configuration=settings))
    assert kube.authority == told


def test_a_server_that_does_not_answer_is_told_with_its_address() -> None:
    with pytest.raises(BotyardError, match=r"does not answer[\s\S]*https://there:443"):
        identify(cast(Kube, Cluster(ONE, TimeoutError())))


def test_the_pinned_cluster_passes() -> None:
    require_pin(aks(SEEN.pin), SEEN)


@pytest.mark.parametrize(
    ("pin", "told"),
    [
        (None, "is not pinned.*https://there:443"),
        (Pin(ca_sha256="a" * 64, kube_system_uid=UID.replace("7", "8")), f"expected 84e.*found {UID}"),
        (Pin(ca_sha256="b" * 64, kube_system_uid=UID), "fingerprint.*expected b+, found a+[\\s\\S]*new authority"),
        (Pin(ca_sha256="b" * 64, kube_system_uid=UID.replace("7", "8")), "uid.*fingerprint.*[\\s\\S]*another cluster"),
    ],
)
def test_any_other_is_refused_with_what_was_expected_and_found(pin: Pin | None, told: str) -> None:
    with pytest.raises(BadInput, match=told):
        require_pin(aks(pin), SEEN)


def test_a_context_is_looked_for_in_the_targets_own_file(tmp_path: Path) -> None:
    file = tmp_path / "config"
    with pytest.raises(BadInput, match="cannot be read"):
        open_target(aks(kubeconfig=str(file)), tmp_path)
    file.write_text("[]")
    with pytest.raises(BadInput, match="is no kubeconfig"):
        open_target(aks(kubeconfig=str(file)), tmp_path)
    file.write_text(yaml.safe_dump({"contexts": [{"name": "prot"}, {"name": "x"}]}))
    with pytest.raises(BadInput, match=r"has no context prod[\s\S]*did you mean.*prot"):
        open_target(aks(kubeconfig=str(file)), tmp_path)


TARGETS = """\
# What people wrote stays.
targets:
  kind: {driver: kind}   # here
  aks:
    driver: aks
    context: prod  # theirs
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "values").mkdir()
    (tmp_path / "values/targets.yml").write_text(TARGETS)
    return tmp_path


def test_a_pin_is_written_beside_what_people_wrote(root: Path) -> None:
    pins.write(root, "aks", SEEN.pin)
    text = (root / "values/targets.yml").read_text()
    assert text == TARGETS + f"    pin:\n      ca_sha256: {'a' * 64}\n      kube_system_uid: {UID}\n"
    assert load_target(root, "aks").pin == SEEN.pin
    pins.write(root, "aks", Pin(ca_sha256="c" * 64, kube_system_uid=UID))
    assert load_target(root, "aks").pin == Pin(ca_sha256="c" * 64, kube_system_uid=UID)


def test_an_existing_cluster_has_the_users_kubeconfig_and_a_state_of_its_own(root: Path) -> None:
    found = load_target(root, "aks")
    assert (found.cluster, found.context, found.ours) == ("aks", "prod", False)
    assert found.kubeconfig_in(root) == Path("~/.kube/config").expanduser()
    ours = load_target(root, "kind")
    assert (ours.cluster, ours.context, ours.kubeconfig_in(root)) == ("botyard", "kind-botyard", root / "kubeconfig")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("{driver: aks}", "needs a context"),
        ("{driver: aks, context: x, workers: 2}", "workers is of drivers kind and minikube alone"),
        ("{context: x}", "context is of a cluster that exists"),
        ("{driver: existing, context: x, pin: {ca_sha256: 12, kube_system_uid: x}}", r"targets.x.pin.ca_sha256"),
    ],
)
def test_what_a_driver_cannot_use_is_refused(root: Path, body: str, told: str) -> None:
    (root / "values/targets.yml").write_text(f"targets:\n  x: {body}\n")
    with pytest.raises(BadInput, match=told):
        load_target(root, "x")


class Judge:
    """Refuses every verb of one resource; lists these rules of what it allows."""

    context = "prod"

    def __init__(self, refused: str, rules: Sequence[dict[str, Any]] = ()) -> None:
        self.refused, self.rules, self.asked = refused, list(rules), 0

    def post(self, path: str, body: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        if path == "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews":
            assert body["spec"] == {"namespace": "shop"}
            return {"status": {"resourceRules": self.rules, "incomplete": True}}
        assert path == "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
        self.asked += 1
        asked = body["spec"]["resourceAttributes"]
        assert asked.get("namespace", "shop") == "shop"
        return {
            "status": {"allowed": "/".join(filter(None, (asked["resource"], asked.get("subresource")))) != self.refused}
        }


def test_what_is_refused_is_named_with_its_verbs() -> None:
    missing = [one for one in rights.ask(cast(Kube, Judge("pods/log")), "shop") if one.refused]
    assert [(str(one.right), one.refused, one.right.optional) for one in missing] == [("pods/log", ("get",), True)]


ROBOT = [rule for body in rights.roles("shop", "robot") for rule in body.get("rules", [])]


@pytest.mark.parametrize(
    ("rules", "asked"),
    [
        (ROBOT, 0),
        ([{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}], 0),
        ([rule for rule in ROBOT if "resourceNames" not in rule], 3),  # kube-system, and the namespace itself
        ([{"apiGroups": [""], "resources": ["namespaces"], "verbs": ["get", "patch"], "resourceNames": ["x"]}], None),
        ([], None),
    ],
)
def test_only_what_no_rule_lists_is_asked_one_by_one(rules: list[dict[str, Any]], asked: int | None) -> None:
    judge = Judge("", rules)
    assert not any(one.refused for one in rights.ask(cast(Kube, judge), "shop"))
    assert judge.asked == (sum(len(one.verbs) for one in rights.needed("shop")) if asked is None else asked)


def test_a_missing_right_stops_a_deploy_and_an_optional_one_does_not() -> None:
    verdicts = rights.ask(cast(Kube, Judge("nodes")), "shop")
    assert rights.require(verdicts, "aks", "shop") == ["not allowed: get, list nodes (preflight: can it roll out?)"]
    with pytest.raises(BadInput, match="create, update, patch, delete secrets") as refused:
        rights.require(rights.ask(cast(Kube, Judge("secrets")), "shop"), "aks", "shop")
    assert "invoke target.rbac --target aks" in refused.value.cure


def test_who_only_plans_is_asked_about_reading_alone() -> None:
    verbs = {verb for one in rights.ask(cast(Kube, Judge("")), "shop", reading=True) for verb in one.right.verbs}
    assert verbs == {"get", "list", "watch"}


def test_the_roles_hold_every_right_and_no_other() -> None:
    granted = set()
    for body in rights.roles("shop", "robot"):
        for rule in body.get("rules", []):
            for group in rule["apiGroups"]:
                for resource in rule["resources"]:
                    for name in rule.get("resourceNames", [""]):
                        granted |= {(body["kind"], group, resource, name, verb) for verb in rule["verbs"]}
    kinds = {"cluster": "ClusterRole", "namespace": "Role"}
    needed = rights.needed("shop")
    assert granted == {(kinds[r.scope], r.group, r.resource, r.name, verb) for r in needed for verb in r.verbs}
    assert not any("*" in part for one in granted for part in one)


def test_a_user_of_elsewhere_gets_the_same_roles_and_no_account_is_made() -> None:
    found = rights.roles("shop", "robot", user="0a1b")
    bodies = [body for body in rights.roles("shop", "robot") if body["kind"] != "ServiceAccount"]
    for one, two in zip(found, bodies, strict=True):
        if "subjects" in one:
            assert one.pop("subjects") == [{"kind": "User", "name": "0a1b", "apiGroup": "rbac.authorization.k8s.io"}]
            del two["subjects"]
        assert one == two


def test_who_only_plans_may_change_nothing() -> None:
    found = rights.roles("shop", "robot", read_only=True)
    rules = [rule for body in found for rule in body.get("rules", [])]
    verbs = {verb for rule in rules for verb in rule["verbs"]}
    assert verbs == {"get", "list", "watch"}
    assert "secrets" in {resource for rule in rules for resource in rule["resources"]}, "Helm's records are Secrets"
    resources = {resource for rule in rules for resource in rule["resources"]}
    assert not {"pods/exec", "pods/portforward", "pods/proxy"} & resources
