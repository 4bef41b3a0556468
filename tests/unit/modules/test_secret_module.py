from __future__ import annotations

from pathlib import Path

from botyard.contracts import Context, Paths
from botyard.modules import secret
from botyard.targets import Target


def test_check_mode_before_there_is_a_cluster_says_what_would_be_made(tmp_path: Path) -> None:
    paths = Paths(root=tmp_path, state=tmp_path / "state", cache=tmp_path / "cache")
    ctx = Context(check=True, diff=False, paths=paths, target=Target(name="kind"))
    done = secret.run(secret.Args(name="s", namespace="n", generate=["token"]), ctx)
    assert done.changed
    assert done.data["added"] == ["token"]
    assert not paths.state.exists()
