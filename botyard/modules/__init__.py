"""Task modules: one file each, found by the name that playbooks use.

A module file has
- ``NAME``: the fully qualified name;
- ``Args``: a frozen keyword-only dataclass; each field made by ``arg`` in spec.py, which carries its meaning;
- ``run(args, ctx) -> Result``: observe, decide, act; nothing is written where ``ctx.check`` is true.
"""

from __future__ import annotations

import importlib
from types import ModuleType

# Name -> file in this folder. Imported on first use: a module may bring a large library with it.
MODULES: dict[str, str] = {
    "ansible.builtin.assert": "builtin_assert",
    "ansible.builtin.command": "builtin_command",
    "ansible.builtin.copy": "builtin_copy",
    "ansible.builtin.debug": "builtin_debug",
    "ansible.builtin.fail": "builtin_fail",
    "ansible.builtin.file": "builtin_file",
    "ansible.builtin.include_tasks": "builtin_include_tasks",
    "ansible.builtin.meta": "builtin_meta",
    "ansible.builtin.pause": "builtin_pause",
    "ansible.builtin.set_fact": "builtin_set_fact",
    "ansible.builtin.stat": "builtin_stat",
    "ansible.builtin.template": "builtin_template",
    "ansible.builtin.uri": "builtin_uri",
    "botyard.core.addons": "addons",
    "botyard.core.base_image": "base_image",
    "botyard.core.chart_artifact": "chart_artifact",
    "botyard.core.depot": "depot",
    "botyard.core.deploy_record": "deploy_record",
    "botyard.core.diagnostics": "diagnostics",
    "botyard.core.docker_engine": "docker_engine",
    "botyard.core.doctor": "doctor",
    "botyard.core.guard": "guard",
    "botyard.core.helm_package": "helm_package",
    "botyard.core.image": "image",
    "botyard.core.kind_cluster": "kind_cluster",
    "botyard.core.minikube_cluster": "minikube_cluster",
    "botyard.core.model_store": "model_store",
    "botyard.core.node_image": "node_image",
    "botyard.core.preflight": "preflight",
    "botyard.core.publish": "publish",
    "botyard.core.pytest": "pytest_run",
    "botyard.core.rasa_model": "rasa_model",
    "botyard.core.rasa_test": "rasa_test",
    "botyard.core.registry": "registry",
    "botyard.core.release_unit": "release_unit",
    "botyard.core.secret": "secret",
    "botyard.core.summary": "summary",
    "botyard.core.talk": "talk",
    "botyard.core.tool": "tool",
    "kubernetes.core.helm": "helm",
    "kubernetes.core.helm_repository": "helm_repository",
    "kubernetes.core.k8s": "k8s",
    "kubernetes.core.k8s_info": "k8s_info",
}


def load(name: str) -> ModuleType:
    """The module file behind a name of MODULES.

    Raises:
        KeyError: there is no such module.
    """
    return importlib.import_module(f"{__name__}.{MODULES[name]}")
