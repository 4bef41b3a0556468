"""kind's command line, always with a kubeconfig and a Docker network of our own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from botyard.process import Arg, Completed, run

MODULE = "sigs.k8s.io/kind"
LABEL = "io.x-k8s.kind.cluster"
LABEL_ROLE = "io.x-k8s.kind.role"


@dataclass(frozen=True)
class Kind:
    """One kind binary, used for one kubeconfig and one Docker network.

    Args:
        binary: the program.
        kubeconfig: the file that kind writes; never the user's.
        network: the nodes' Docker network.
    """

    binary: Path
    kubeconfig: Path
    network: str

    def create(self, cluster: str, config: str, image: str, on_line: Callable[[str], None] | None = None) -> None:
        """Creates the nodes and joins them; waits for nothing beyond that.

        Raises:
            CommandError: kind failed; the nodes are kept for a look.
        """
        self._run(
            "create", "cluster", "--name", cluster, "--config", "-", "--image", image, "--wait", "0", "--retain",
            "--kubeconfig", self.kubeconfig, stdin=config, on_line=on_line,
        )  # fmt: skip
        self.kubeconfig.chmod(0o600)

    def delete(self, cluster: str) -> None:
        """Deletes the nodes and the cluster's entries in our kubeconfig; no such cluster is fine."""
        self._run("delete", "cluster", "--name", cluster, "--kubeconfig", self.kubeconfig)

    def export_kubeconfig(self, cluster: str) -> None:
        """Writes our kubeconfig for a running cluster anew."""
        self._run("export", "kubeconfig", "--name", cluster, "--kubeconfig", self.kubeconfig)
        self.kubeconfig.chmod(0o600)

    def _run(self, *argv: Arg, stdin: str | None = None, on_line: Callable[[str], None] | None = None) -> Completed:
        self.kubeconfig.parent.mkdir(parents=True, exist_ok=True)
        env = {"KIND_EXPERIMENTAL_DOCKER_NETWORK": self.network, "KIND_EXPERIMENTAL_PROVIDER": "docker"}
        return run([self.binary, *argv, "--quiet"] if on_line is None else [self.binary, *argv],
                   env=env, stdin=stdin, timeout_s=600, on_line=on_line)  # fmt: skip


def steps(progress: Callable[[str], None]) -> Callable[[str], None]:
    """Passes on the steps that kind names as done, without its marks, pictures and advice."""

    def on_line(line: str) -> None:
        text = line.strip()
        if text.startswith("✓"):
            words = text.removeprefix("✓").encode("ascii", "ignore").decode().split("(")[0].strip()
            progress(f"kind: {words.lower()}")
        elif text.startswith("ERROR"):
            progress(text)

    return on_line
