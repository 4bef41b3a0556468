"""A real registry with a password and TLS under a private authority, as a company has it: a push by digest into it."""

from __future__ import annotations

from pathlib import Path

from their_cluster import Checkout
from their_registry import Private, login

from botyard.contracts import Secret
from botyard.tools.registry_api import Registry
from botyard.tools.registry_login import Login

PLAY = """\
- name: Push
  hosts: localhost
  connection: local
  gather_facts: false
  tasks:
    - name: One small image
      botyard.core.image:
        images:
          - {name: targets-live, context: "{{ root }}/small"}
      register: images

    - name: Its digest
      ansible.builtin.debug:
        msg: "pull {{ images.refs['targets-live'] }}"
"""


def test_an_image_goes_in_by_digest_with_the_right_login_alone(
    checkout: Checkout, private: Private, tmp_path: Path
) -> None:
    (checkout.root / "small").mkdir()
    (checkout.root / "small/Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    (checkout.root / "push.yml").write_text(PLAY)
    checkout.admin()

    def push(ca: Path | None, **env: str) -> tuple[int, str]:
        registry = {"address": f"{private.address}/bots", **({"ca": str(ca)} if ca else {})}
        checkout.target(registry=registry)
        assert checkout.invoke("target.pin", "--target", "there").code == 0
        done = checkout.invoke("play", "push.yml", "--target", "there", "--plain", **env)
        return done.code, done.out

    good = login(tmp_path / "good", private, "secret")
    code, out = push(None, **good)
    assert code != 0 and "certificate of the registry" in out and "registry.ca" in out, out
    code, out = push(private.ca, DOCKER_CONFIG=str(tmp_path / "nobody"))
    assert code != 0 and "asks for a login, and there is none" in out, out
    code, out = push(private.ca, **login(tmp_path / "bad", private, "guessed"))
    assert code != 0 and "denies" in out and "robot" in out and "guessed" not in out, out
    code, out = push(private.ca, **good)
    assert code == 0 and f"pull {private.address}/bots/botyard/targets-live@sha256:" in out, out
    digest = out.partition("targets-live@")[2].split()[0].rstrip('"')
    code, out = push(private.ca, **good)
    assert code == 0 and "changed=0" in out and digest in out, out
    there = Registry(f"https://{private.address}", Login("robot", Secret("secret")), private.ca)
    found = there.manifest("bots/botyard/targets-live", digest)
    there.close()
    assert found is not None and found.digest == digest
