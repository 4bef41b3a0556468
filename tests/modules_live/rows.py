"""The table of the idempotence matrix: what each module makes, changes and takes away. One entry a module."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from kit import ALONE, BESIDE, LIVE, ROOT, Kit
from matrix import one_task

from botyard.targets import Target
from botyard.tools import docker


@dataclass(frozen=True)
class Stage:
    """One of create, modify, delete: a task that changes something the first time and nothing after that.

    Args:
        task: YAML of one task.
        before: what the test does to make it necessary (a file edited, a container stopped).
    """

    name: str
    task: str
    before: Callable[[Kit, Path], None] = lambda _kit, _work: None


@dataclass(frozen=True)
class Row:
    """One module's way through the matrix."""

    name: str
    stages: tuple[Stage, ...]
    target: Target = LIVE


def row(
    name: str,
    create: str,
    modify: str,
    delete: str = "",
    *,
    target: Target = LIVE,
    **edits: Callable[[Kit, Path], None],
) -> Row:
    """``edits`` gives ``create``, ``modify`` or ``delete`` something to do first."""
    tasks = {"create": create, "modify": modify, "delete": delete}
    stages = [Stage(stage, task, edits.get(f"before_{stage}", Stage.before)) for stage, task in tasks.items() if task]
    return Row(name, tuple(stages), target)


SERVICES = """
- botyard.core.registry: {image: "botyard/registry:latest"}
- botyard.core.depot: {image: "botyard/depot:latest"}
"""
NAMESPACE = """
- kubernetes.core.k8s: {definition: {apiVersion: v1, kind: Namespace, metadata: {name: "{{ ns }}"}}}
"""
NO_SERVICES = """
- botyard.core.kind_cluster: {state: absent}
- botyard.core.depot: {state: absent}
- botyard.core.registry: {state: absent}
"""
CONFIG_MAP = """
kubernetes.core.k8s:
  definition:
    apiVersion: v1
    kind: ConfigMap
    metadata: {{name: config, namespace: "{{{{ ns }}}}"}}
    data: {data}
"""
SECRET = """
kubernetes.core.k8s:
  definition:
    apiVersion: v1
    kind: Secret
    metadata: {{name: keys, namespace: "{{{{ ns }}}}"}}
    stringData: {data}
"""
DEPLOYMENT = """
kubernetes.core.k8s:
  wait: true
  namespace: "{{{{ ns }}}}"
  definition:
    apiVersion: apps/v1
    kind: Deployment
    metadata: {{name: sleeper}}
    spec:
      replicas: 1
      selector: {{matchLabels: {{app: sleeper}}}}
      template:
        metadata: {{labels: {{app: sleeper}}}}
        spec:
          terminationGracePeriodSeconds: 0
          containers:
            - name: main
              image: "{{{{ image }}}}"
              command: [sleep, "{seconds}"]
"""
GONE = """
kubernetes.core.k8s:
  {{state: absent, wait: true, kind: {kind}, api_version: {version}, name: {name}, namespace: "{{{{ ns }}}}"}}
"""
HELM = """
kubernetes.core.helm:
  name: {name}
  namespace: "{{{{ {ns} }}}}"
  chart_ref: "{{{{ work }}}}/chart"
  binary_path: "{{{{ binary }}}}"
  wait: true
  wait_timeout: 60s
  release_values: {values}
  create_namespace: {create}
"""
HELM_GONE = """
kubernetes.core.helm: {{name: {name}, namespace: "{{{{ ns }}}}", state: absent, binary_path: "{{{{ binary }}}}"}}
"""
REPOSITORY = """
kubernetes.core.helm_repository: {name: matrix, url: "{{ charts_url }}", binary_path: "{{ binary }}"}
"""
IMAGE = """
botyard.core.image:
  images:
    - name: matrix-tiny
      context: "{{ work }}/image"
      build_args: {BASE: "debian:bookworm-slim"}
"""
SECRET_OF_OURS = """
botyard.core.secret: {{name: made-once, namespace: "{{{{ ns }}}}", generate: {keys}}}
"""
PUBLISH = """
botyard.core.publish: {src: "{{ work }}/note.txt", dest: notes/note.txt}
"""
PACKAGE = """
botyard.core.helm_package: {charts: ["{{ work }}/chart"]}
"""
REGISTRY = """
botyard.core.registry: {image: "botyard/registry:latest"}
"""
DEPOT = """
botyard.core.depot: {image: "botyard/depot:latest"}
"""


def a_chart(_kit: Kit, work: Path, version: str = "0.1.0") -> None:
    """The suite's own small chart, with this version."""
    shutil.rmtree(work / "chart", ignore_errors=True)
    shutil.copytree(ROOT / "tests" / "modules_live" / "chart", work / "chart")
    file = work / "chart" / "Chart.yaml"
    file.write_text(file.read_text().replace("0.1.0", version))


def _another_template(_kit: Kit, work: Path) -> None:
    (work / "chart" / "templates" / "more.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: '{{ .Release.Name }}-more'}\n"
    )


def _packaged(kit: Kit, work: Path) -> None:
    a_chart(kit, work)
    assert kit.play(one_task(PACKAGE), target=BESIDE, work=str(work)).exit_code == 0


def _packaged_anew(kit: Kit, work: Path) -> None:
    _another_template(kit, work)
    assert kit.play(one_task(PACKAGE), target=BESIDE, work=str(work)).status == "changed"


def _an_image(_kit: Kit, work: Path) -> None:
    (work / "image").mkdir()
    (work / "image" / "Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nCOPY note.txt /note.txt\n")
    (work / "image" / "note.txt").write_text("one\n")


def _another_file(_kit: Kit, work: Path) -> None:
    (work / "image" / "note.txt").write_text("two\n")


def _a_note(_kit: Kit, work: Path) -> None:
    (work / "note.txt").write_text("one\n")


def _another_note(_kit: Kit, work: Path) -> None:
    (work / "note.txt").write_text("two\n")


CLUSTER = """
botyard.core.kind_cluster: {image: "{{ node_image }}"}
"""


def _stopped(name: str) -> Callable[[Kit, Path], None]:
    return lambda _kit, _work: docker.cli("stop", "--time", "1", f"{ALONE.cluster}-{name}") and None


K8S = [
    row(
        "k8s ConfigMap",
        CONFIG_MAP.format(data="{size: small, colour: green}"),
        CONFIG_MAP.format(data="{size: big}"),
        GONE.format(kind="ConfigMap", version="v1", name="config"),
    ),
    row(
        "k8s Secret",
        SECRET.format(data="{token: first-of-all}"),
        SECRET.format(data="{token: second-of-all}"),
        GONE.format(kind="Secret", version="v1", name="keys"),
    ),
    row(
        "k8s Deployment",
        DEPLOYMENT.format(seconds=3600),
        DEPLOYMENT.format(seconds=3601),
        GONE.format(kind="Deployment", version="apps/v1", name="sleeper"),
    ),
]
HELMS = [
    row(
        "helm",
        HELM.format(name="tiny", ns="ns", values="{size: small, image: '{{ image }}'}", create="false"),
        HELM.format(name="tiny", ns="ns", values="{size: big, colour: null, image: '{{ image }}'}", create="false"),
        HELM_GONE.format(name="tiny"),
        before_create=a_chart,
    ),
    row(
        "helm with another template and another version of the chart",
        HELM.format(name="other", ns="ns", values="{replicas: 0}", create="false"),
        HELM.format(name="other", ns="ns", values="{replicas: 0}", create="false"),
        HELM_GONE.format(name="other"),
        before_create=a_chart,
        before_modify=_another_template,
    ),
    row("helm_repository", REPOSITORY, REPOSITORY,
        REPOSITORY.replace("{name: matrix,", "{name: matrix, state: absent,"),
        target=BESIDE, before_create=_packaged, before_modify=_packaged_anew),
]  # fmt: skip
OURS = [
    row("image", IMAGE, IMAGE, target=BESIDE, before_create=_an_image, before_modify=_another_file),
    row("secret", SECRET_OF_OURS.format(keys="[one]"), SECRET_OF_OURS.format(keys="[one, two]")),
    row("publish", PUBLISH, PUBLISH, target=BESIDE, before_create=_a_note, before_modify=_another_note),
    row("helm_package", PACKAGE, PACKAGE, target=BESIDE, before_create=a_chart, before_modify=_another_template),
    row("registry", REGISTRY, REGISTRY, "botyard.core.registry: {state: absent}", target=ALONE,
        before_modify=_stopped("registry")),
    # Another spec is asked for in check mode alone, as making a second cluster anew would double the time.
    row("kind_cluster", CLUSTER, CLUSTER, "botyard.core.kind_cluster: {state: absent}", target=ALONE,
        before_modify=_stopped("worker")),
    row("depot", DEPOT, DEPOT, "botyard.core.depot: {state: absent}", target=ALONE, before_modify=_stopped("depot")),
]  # fmt: skip
