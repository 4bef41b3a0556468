"""The two engines that the benchmark holds against each other, each started as a user starts it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from botyard.bench.watched import Memory, Watched, watch
from botyard.contracts import Paths
from botyard.host.ansible_env import ansible_env, helm3
from botyard.process import Arg
from botyard.targets import Target


@dataclass(frozen=True)
class Engine:
    """How one engine is started.

    Args:
        argv: the command; the playbook is its next argument.
        more: arguments that come after the playbook.
    """

    name: str
    argv: tuple[Arg, ...]
    cwd: Path
    env: Mapping[str, str] = field(default_factory=dict)
    more: tuple[str, ...] = ()

    def run(self, playbook: Path, variables: Path | None = None) -> Watched:
        """Runs a playbook, with the extra vars of a file.

        Raises:
            BotyardError: it failed.
        """
        extra = ["--extra-vars", f"@{variables}"] if variables else []
        return watch([*self.argv, playbook, *self.more, *extra], self.env, self.cwd)

    def memory_mb(self, playbook: Path, variables: Path | None = None) -> float:
        """The most memory that it holds while it runs a playbook, its child processes included."""
        memory = Memory()
        with memory.watching():
            self.run(playbook, variables)
        return memory.peak_mb


def ours(target: Target, paths: Paths) -> Engine:
    """``invoke play``, with its reports written as always."""
    return Engine("botyard", (sys.executable, "-m", "invoke", "play"), paths.root, more=("--target", target.name))


def theirs(paths: Paths, home: Path, progress: Callable[[str], None]) -> Engine:
    """``ansible-playbook`` as it comes: no ansible.cfg, no inventory; the user's home is neither read nor written.

    Args:
        home: an empty folder for what it writes.
        progress: gets a line where Ansible must be installed first.
    """
    config = home / "ansible.cfg"
    config.touch()
    env = {
        "HOME": str(home),
        "ANSIBLE_CONFIG": str(config),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_INVENTORY_UNPARSED_WARNING": "false",
        "LC_ALL": "C.UTF-8",
    }
    return Engine("ansible-playbook", (ansible_env(paths.cache, progress) / "bin" / "ansible-playbook",), home, env)


def on_cluster(engine: Engine, target: Target, paths: Paths, progress: Callable[[str], None]) -> Engine:
    """The real Ansible with what it needs for a cluster: kubeconfig, context, a Helm 3 and a Helm home of its own."""
    helm = {f"HELM_{name}_HOME": str(engine.cwd / "helm" / name.lower()) for name in ("CONFIG", "CACHE", "DATA")}
    path = os.pathsep.join([str(helm3(paths, progress)), os.environ.get("PATH", os.defpath)])
    cluster = {"K8S_AUTH_KUBECONFIG": str(target.kubeconfig_in(paths.state)), "K8S_AUTH_CONTEXT": target.context}
    return Engine(engine.name, engine.argv, engine.cwd, {**engine.env, **helm, **cluster, "PATH": path})
