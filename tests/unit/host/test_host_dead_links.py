"""Links of killed containers go before a new engine starts; links of living ones stay."""

from __future__ import annotations

from pathlib import Path

import pytest

from botyard.host import dead_links, processes


@pytest.fixture
def net(tmp_path: Path) -> Path:
    for bridge in ("docker0", "br-12ab", "cni0"):
        (tmp_path / bridge).mkdir()
    for link, master in (("veth1", "docker0"), ("veth2", "br-12ab"), ("veth3", "cni0"), ("veth4", ""), ("eth0", "")):
        (tmp_path / link).mkdir()
        if master:
            (tmp_path / link / "master").symlink_to(tmp_path / master)
    return tmp_path


def test_links_on_dockers_bridges_are_left_over(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "find", {"containerd-shim": []}.__getitem__)
    assert dead_links.left_over(net) == ["veth1", "veth2"]


def test_none_is_left_over_while_a_container_lives(net: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(processes, "find", {"containerd-shim": [7]}.__getitem__)
    assert dead_links.left_over(net) == []
