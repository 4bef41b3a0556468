"""`invoke deploy` as it runs against AKS: a foreign kubeconfig, the least rights, a private registry."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from their_cluster import LIVE, NAMESPACE, Checkout
from their_registry import Private, auths, known_to_nodes, login

SMALL = """
resources:
  requests: {cpu: 50m, memory: 256Mi}
  limits: {memory: 2Gi}
"""


def revisions(checkout: Checkout) -> dict[str, int]:
    found: dict[str, int] = {}
    for secret in checkout.kube.list("v1", "Secret", NAMESPACE, labels="owner=helm"):
        labels = secret["metadata"]["labels"]
        found[labels["name"]] = max(int(labels["version"]), found.get(labels["name"], 0))
    return found


def test_a_bot_is_deployed_upgraded_and_put_back(checkout: Checkout, private: Private, tmp_path: Path) -> None:
    """A look, a first deploy, one with nothing to do, and one whose bot does not say what it should."""
    for chart in ("rasa", "rasa-action-server"):
        file = checkout.root / f"values/{chart}/aks.yaml"
        text = file.read_text()
        file.write_text(text[: text.index("\nresources:")] + SMALL)
    checkout.kube.apply(
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "type": "kubernetes.io/dockerconfigjson",
            "metadata": {"name": "pull", "namespace": NAMESPACE},
            "data": {".dockerconfigjson": base64.b64encode(json.dumps(auths(private)).encode()).decode()},
        }
    )
    checkout.admin()
    checkout.target(registry={"address": f"{private.address}/bots", "ca": str(private.ca)}, pull_secret="pull")
    assert checkout.invoke("target.pin", "--target", "there").code == 0
    checkout.robot()
    env = login(tmp_path / "docker", private)
    with known_to_nodes(LIVE, private):
        looked = checkout.invoke("deploy", "--context", "there", "--check", "--diff", "--plain", **env)
        assert looked.code == 0 and not revisions(checkout), looked.out

        first = checkout.invoke("deploy", "--context", "there", "--plain", **env)
        assert first.code == 0, first.out
        assert revisions(checkout) == {"rasa-action-server": 1, "myrasa": 1}
        shown = checkout.invoke("status", "--target", "there")
        assert shown.code == 0 and f"{private.address}/bots/botyard/rasa@sha256:" in shown.out, shown.out

        again = checkout.invoke("deploy", "--target", "there", "--plain", **env)
        assert again.code == 0 and "changed=0" in again.out, again.out
        assert revisions(checkout) == {"rasa-action-server": 1, "myrasa": 1}

        domain = checkout.root / "bots/tea/domain.yml"
        text = domain.read_text()
        greeting = next(line for line in text.splitlines() if "text:" in line)
        domain.write_text(text.replace(greeting, greeting.partition("text:")[0] + 'text: "something else"'))
        bad = checkout.invoke("deploy", "--target", "there", "--plain", "--skip-tags", "bot_test", **env)
        assert bad.code == 1, bad.out
        assert "back to revision 1" in bad.out and "serves again" in bad.out, bad.out
        domain.write_text(text)
        checked = checkout.invoke("deploy", "--target", "there", "--plain", **env)
        assert checked.code == 0, checked.out
        assert "All of it back" not in checked.out
