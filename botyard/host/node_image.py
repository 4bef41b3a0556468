"""The image of a kind node, from packages alone.

Its Dockerfile is dockerfiles/node/. Here its build context is put together: kind's own start-up files out of the Go
module of kind, and the programs that the toolbox built. The whole image is one ``docker build``, so a killed run leaves
nothing to clean but the context in the cache, which the next run replaces.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock

from botyard.contracts import LABEL_KEY
from botyard.tools import docker, go, kind

NODE_PROGRAMS = ("kubeadm", "kubelet", "kubectl")
POD_PROGRAMS = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "etcd",
    "coredns",
    "local-path-provisioner",
)
# The images that kubeadm asks for with the Kubernetes version that the recipes pin (kubeadm config images list).
ETCD_TAG = "3.6.5-0"
COREDNS_TAG = "v1.12.1"
PAUSE_TAGS = ("3.10", "3.10.1")  # containerd's configuration names the one, kubeadm the other
STAGE_LABEL = "botyard.stage=node-images"
# Our own have a name that no registry answers to, so they can never be confused with upstream's.
OWN = "botyard.local"


@dataclass(frozen=True)
class PodImage:
    """One image that is put into the node's store.

    Args:
        name: full name with tag.
        files: path in the image -> a program of the toolbox, or an absolute path on the node.
        iptables: add iptables with its plug-ins and a shell.
    """

    name: str
    files: Mapping[str, str]
    entrypoint: Sequence[str]
    iptables: bool = False


def pod_images(version: str) -> list[PodImage]:
    """What a fresh cluster runs; ``version`` is Kubernetes' own, like ``v1.34.4``."""
    kube = [
        PodImage(f"registry.k8s.io/{name}:{version}", {f"/usr/local/bin/{name}": name}, [name], name == "kube-proxy")
        for name in ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "kube-proxy")
    ]
    pause = [
        PodImage(f"registry.k8s.io/pause:{tag}", {"/pause": "/usr/bin/catatonit"}, ["/pause", "-P"])
        for tag in PAUSE_TAGS
    ]
    return [
        *kube,
        *pause,
        PodImage(f"registry.k8s.io/etcd:{ETCD_TAG}", {"/usr/local/bin/etcd": "etcd"}, ["etcd"]),
        PodImage(f"registry.k8s.io/coredns/coredns:{COREDNS_TAG}", {"/coredns": "coredns"}, ["/coredns"]),
        PodImage(
            f"{OWN}/local-path-provisioner:1",
            {"/usr/local/bin/local-path-provisioner": "local-path-provisioner"},
            ["local-path-provisioner"],
        ),
        PodImage(
            f"{OWN}/busybox:1",
            dict.fromkeys(("/bin/sh", "/bin/mkdir", "/bin/rm", "/bin/sleep"), "/usr/bin/busybox"),
            ["/bin/sh"],
        ),
        PodImage(f"{OWN}/pod-network:1", {}, ["/bin/sh"], iptables=True),
    ]


def key(dockerfiles: Path, recipes: Sequence[Path], base: str, version: str) -> str:
    """The content key of the node image: its Dockerfile's folder, the tools' pinned recipes, the base and the version.

    ``base`` is the base image's own content key, or its id where it has none: a base that was lost and made again from
    the same recipe gives the same node image, and the running cluster stays. The programs themselves are not read
    (400 MB): their recipes pin them with every dependency.
    """
    digest = hashlib.sha256(f"{base} {version} {images_json(pod_images(version))}".encode())
    add_folders(digest, (dockerfiles, *recipes))
    return digest.hexdigest()[:16]


def add_folders(digest: hashlib._Hash, folders: Sequence[Path]) -> None:
    """Adds the names, the executable bits and the content of all files in these folders to a hash."""
    for folder in folders:
        for file in sorted(p for p in folder.rglob("*") if p.is_file()):
            digest.update(f"{file.relative_to(folder)} {os.access(file, os.X_OK)}\0".encode())
            digest.update(file.read_bytes())


def tag(version: str) -> str:
    """The name that the node image gets."""
    return f"botyard/node:{version}"


def observe(version: str, wanted_key: str) -> str | None:
    """The id of the node image where it is there and up to date."""
    found = docker.image(tag(version))
    if found is None or (found.labels or {}).get(LABEL_KEY) != wanted_key:
        return None
    return str(found.id)


def build(
    *,
    dockerfiles: Path,
    kind_recipe: Path,
    programs: Callable[[str], Path],
    base: str,
    version: str,
    image_key: str,
    cache: Path,
    progress: Callable[[str], None],
) -> str:
    """Builds the node image; returns its id.

    Args:
        dockerfiles: dockerfiles/node.
        kind_recipe: folder of the go.mod that pins kind.
        programs: name of a program -> its path on this machine.
        base: name of the base image.
    """
    folder = cache / "node"
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        context = folder / "context"
        if context.exists():
            shutil.rmtree(context)
        progress("putting the node image's parts together")
        _assemble(context, dockerfiles, go.module_dir(kind_recipe, kind.MODULE), programs, version)
        progress("building the node image (a minute)")
        built = docker.build(
            context,
            tag(version),
            build_args={"BASE": base, "KUBERNETES_VERSION": version},
            labels={LABEL_KEY: image_key},
            on_line=lambda line: progress(f"node image: {line[:90]}") if line.startswith("Step ") else None,
        )
        shutil.rmtree(context)
        docker.cli("image", "prune", "--force", "--filter", f"label={STAGE_LABEL}", check=False)
    return built


def _assemble(
    context: Path, dockerfiles: Path, kind_module: Path, programs: Callable[[str], Path], version: str
) -> None:
    shutil.copytree(dockerfiles, context)
    shutil.copytree(kind_module / "images/base/files", context / "kind", copy_function=shutil.copyfile)
    for folder in [context / "kind", *(p for p in (context / "kind").rglob("*") if p.is_dir())]:
        folder.chmod(0o755)  # the module cache is read-only, folders too
    for names, where in ((NODE_PROGRAMS, context / "bin"), (POD_PROGRAMS, context / "images/bin")):
        where.mkdir(parents=True)
        for name in names:
            link(programs(name), where / name)
    (context / "images.json").write_text(images_json(pod_images(version)))


def link(source: Path, dest: Path) -> None:
    """A hard link where both lie on one file system, else a copy; executable either way."""
    try:
        os.link(source.resolve(), dest)
    except OSError:
        shutil.copyfile(source, dest)
        dest.chmod(0o755)


def images_json(images: Sequence[PodImage]) -> str:
    """Those images as make-images.sh reads them."""
    rows = [
        {"name": i.name, "files": dict(i.files), "iptables": i.iptables, "entrypoint": list(i.entrypoint)}
        for i in images
    ]
    return json.dumps(rows, indent=1)
