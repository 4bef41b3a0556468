"""The image of a minikube node, from packages alone: kind's node image, and what minikube's docker driver asks for.

Its Dockerfile is dockerfiles/minikube/. What minikube puts into its own base image is taken out of the Go module of
minikube while building, as the node image does it with kind's.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

from filelock import FileLock

from botyard.contracts import LABEL_KEY
from botyard.host import node_image, recipe
from botyard.host.node_image import PodImage
from botyard.tools import docker, go

# Of minikube's deploy/kicbase.
KICBASE_FILES = ("entrypoint", "10-network-security.conf", "11-tcp-mtu-probing.conf")
MAKE_IMAGES = "make-images.sh"


def etcd_image() -> PodImage:
    """etcd under the name that kubeadm asks for, behind dockerfiles/minikube/etcd.sh, which drops a flag."""
    return PodImage(
        f"registry.k8s.io/etcd:{node_image.ETCD_TAG}",
        {"/usr/local/bin/etcd": "etcd.sh", "/usr/local/bin/etcd-server": "etcd", "/bin/sh": "/usr/bin/busybox"},
        ["etcd"],
    )


def tag(version: str) -> str:
    """The name that the image gets."""
    return f"botyard/minikube-node:{version}"


def key(dockerfiles: Path, node_key: str, version: str) -> str:
    """The content key: its Dockerfile's folder, the recipes of what goes in, and the node image below it."""
    digest = hashlib.sha256(f"{node_key} {version} {node_image.images_json([etcd_image()])}".encode())
    digest.update((dockerfiles / "node" / MAKE_IMAGES).read_bytes())
    folders = [dockerfiles / "minikube", *(recipe.WANTED[name].folder for name in ("minikube", "crictl", "etcd"))]
    node_image.add_folders(digest, folders)
    return digest.hexdigest()[:16]


def observe(version: str, wanted_key: str) -> bool:
    """Whether the image is there and up to date."""
    found = docker.image(tag(version))
    return found is not None and (found.labels or {}).get(LABEL_KEY) == wanted_key


def build(
    *,
    dockerfiles: Path,
    programs: Callable[[str], Path],
    base: str,
    version: str,
    image_key: str,
    cache: Path,
    progress: Callable[[str], None],
) -> None:
    """Builds the image.

    Args:
        dockerfiles: the folder of all Dockerfiles.
        programs: name of a program -> its path on this machine.
        base: the node image.
    """
    folder = cache / "minikube"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        context = folder / "context"
        if context.exists():
            shutil.rmtree(context)
        module = go.module_dir(recipe.MINIKUBE.folder, recipe.MINIKUBE.module)
        _assemble(context, dockerfiles, module / "deploy" / "kicbase", programs)
        progress("building the image of a minikube node (half a minute)")
        docker.build(
            context,
            tag(version),
            build_args={"BASE": base, "KUBERNETES_VERSION": version},
            labels={LABEL_KEY: image_key},
            on_line=lambda line: progress(f"minikube node: {line[:90]}") if line.startswith("Step ") else None,
        )
        shutil.rmtree(context)


def _assemble(context: Path, dockerfiles: Path, kicbase: Path, programs: Callable[[str], Path]) -> None:
    shutil.copytree(dockerfiles / "minikube", context)
    shutil.copyfile(dockerfiles / "node" / MAKE_IMAGES, context / MAKE_IMAGES)
    for name in ("kicbase", "bin", "images/bin"):
        (context / name).mkdir(parents=True)
    for name in KICBASE_FILES:
        shutil.copyfile(kicbase / name, context / "kicbase" / name)
    node_image.link(programs("crictl"), context / "bin" / "crictl")
    node_image.link(programs("etcd"), context / "images" / "bin" / "etcd")
    (context / "etcd.sh").rename(context / "images" / "bin" / "etcd.sh")
    (context / "images.json").write_text(node_image.images_json([etcd_image()]))
