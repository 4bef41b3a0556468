"""Programs built from Go modules: each folder of ``recipes/go`` is a go.mod with its go.sum, which is the lock."""

from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from filelock import FileLock

from botyard.contracts import BotyardError, Paths
from botyard.tools import go

FOLDER = Path(__file__).parent / "recipes" / "go"
# Kubernetes' seven programs took 386 s on two cores, modules fetched; a slow line and one core take several times that.
BUILD_TIMEOUT_S = 3600
# Part of each key: raise it where the build's own flags (tools/go.py) change.
_FLAGS = "v1 CGO_ENABLED=0 -trimpath -buildvcs=false"


@dataclass(frozen=True)
class Recipe:
    """How one folder of ``recipes/go`` is built.

    Args:
        module: the required module whose version is the program's version.
        packages: main packages, each giving the program of the same place in ``programs``.
        version_flags: ``-X`` flags for the linker; ``{version}`` is filled in.
    """

    name: str
    module: str
    packages: tuple[str, ...]
    programs: tuple[str, ...]
    version_flags: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return FOLDER / self.name

    @cached_property
    def version(self) -> str:
        """The module's version in go.mod, such as v1.34.4."""
        text = (self.folder / "go.mod").read_text()
        found = re.search(rf"^\s*(?:require\s+)?{re.escape(self.module)}\s+(v\S+)", text, re.MULTILINE)
        if found is None:
            raise BotyardError(
                f"{self.folder / 'go.mod'} does not require {self.module}", "restore it with git checkout"
            )
        return found[1]

    @cached_property
    def go_version(self) -> str:
        """The Go version that go.mod asks for."""
        found = re.search(r"^go\s+(\S+)", (self.folder / "go.mod").read_text(), re.MULTILINE)
        return found[1] if found else "1.26"

    @property
    def ldflags(self) -> str:
        return " ".join(["-s", "-w", *(f"-X {flag.format(version=self.version)}" for flag in self.version_flags)])

    def key(self) -> str:
        """Names what is built: the recipe's files and flags."""
        digest = hashlib.sha256(f"{_FLAGS}\n{self.ldflags}\n{self.packages}\n".encode())
        for file in sorted(self.folder.iterdir()):
            digest.update(f"{file.name}\n".encode() + file.read_bytes())
        return digest.hexdigest()[:16]


_COMPONENT = "k8s.io/component-base/version"
_KUBERNETES = (
    "kubeadm",
    "kubelet",
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kube-proxy",
    "kubectl",
)
RECIPES = {
    recipe.name: recipe
    for recipe in (
        Recipe("kind", "sigs.k8s.io/kind", ("sigs.k8s.io/kind",), ("kind",)),
        Recipe(
            "kubernetes",
            "k8s.io/kubernetes",
            tuple(f"k8s.io/kubernetes/cmd/{program}" for program in _KUBERNETES),
            _KUBERNETES,
            (
                f"{_COMPONENT}.gitVersion={{version}}",
                f"{_COMPONENT}.gitMajor=1",
                f"{_COMPONENT}.gitMinor=34",
                f"{_COMPONENT}.gitTreeState=clean",
                f"{_COMPONENT}.gitCommit=unknown",
                f"{_COMPONENT}.buildDate=1970-01-01T00:00:00Z",
            ),
        ),
        Recipe(
            "helm",
            "helm.sh/helm/v4",
            ("helm.sh/helm/v4/cmd/helm",),
            ("helm",),
            (
                "helm.sh/helm/v4/internal/version.version={version}",
                "helm.sh/helm/v4/internal/version.gitTreeState=clean",
            ),
        ),
        Recipe("etcd", "go.etcd.io/etcd/server/v3", ("go.etcd.io/etcd/server/v3",), ("etcd",)),
        Recipe("coredns", "github.com/coredns/coredns", (".",), ("coredns",)),
        Recipe(
            "local-path-provisioner",
            "github.com/rancher/local-path-provisioner",
            ("github.com/rancher/local-path-provisioner",),
            ("local-path-provisioner",),
        ),
        # Its go.mod takes every module in the version that Kubernetes' recipe has: what that compiled is compiled once.
        Recipe(
            "metrics-server",
            "sigs.k8s.io/metrics-server",
            ("sigs.k8s.io/metrics-server/cmd/metrics-server",),
            ("metrics-server",),
            ("k8s.io/client-go/pkg/version.gitVersion={version}",),
        ),
    )
}


# The real Ansible's kubernetes.core calls Helm 3; no release of ours does.
HELM3 = Recipe(
    "helm3",
    "helm.sh/helm/v3",
    ("helm.sh/helm/v3/cmd/helm",),
    ("helm",),
    (
        "helm.sh/helm/v3/internal/version.version={version}",
        "helm.sh/helm/v3/internal/version.gitTreeState=clean",
    ),
)
# Reads .github/workflows, for the tests.
ACTIONLINT = Recipe(
    "actionlint",
    "github.com/rhysd/actionlint",
    ("github.com/rhysd/actionlint/cmd/actionlint",),
    ("actionlint",),
    ("github.com/rhysd/actionlint.version={version}",),
)
# Reads what the charts render; nothing is released with it.
KUBE_SCORE = Recipe(
    "kube-score",
    "github.com/zegl/kube-score",
    ("github.com/zegl/kube-score/cmd/kube-score",),
    ("kube-score",),
    ("main.version={version}",),
)
# For targets of driver minikube alone: no other machine builds them.
MINIKUBE = Recipe(
    "minikube",
    "k8s.io/minikube",
    ("k8s.io/minikube/cmd/minikube",),
    ("minikube",),
    (
        "k8s.io/minikube/pkg/version.version={version}",
        "k8s.io/minikube/pkg/version.isoVersion={version}",
        "k8s.io/minikube/pkg/version.gitCommitID=unknown",
    ),
)
# Of its modules Kubernetes' own are those of Kubernetes' recipe: what that compiled is compiled once.
CRICTL = Recipe(
    "crictl",
    "sigs.k8s.io/cri-tools",
    ("sigs.k8s.io/cri-tools/cmd/crictl",),
    ("crictl",),
    ("sigs.k8s.io/cri-tools/pkg/version.Version={version}",),
)
# What a target may ask for, by name.
WANTED = {**RECIPES, MINIKUBE.name: MINIKUBE, CRICTL.name: CRICTL}
ALL = {**WANTED, **{one.name: one for one in (HELM3, ACTIONLINT, KUBE_SCORE)}}


def home(paths: Paths, name: str) -> Path:
    """Where all builds of one recipe lie."""
    return paths.cache / "tools" / name


def built(paths: Paths, name: str) -> Path | None:
    """The folder of a finished build by this recipe and this machine's Go; without any Go, by whichever Go; or None."""
    recipe = ALL[name]
    toolchain = go.find()
    pattern = f"{recipe.version}-{recipe.key()}-go{go.version(toolchain) if toolchain else '*'}"
    for folder in sorted(home(paths, name).glob(pattern), reverse=True):
        if all((folder / program).is_file() for program in recipe.programs):
            return folder
    return None


def make(paths: Paths, name: str, progress: Callable[[str], None], *, check: bool = False) -> tuple[Path, bool]:
    """The folder with a recipe's programs, built where it is not there; and whether it was (or would be) built now.

    Raises:
        BotyardError: no Go that can build it, or the build failed.
    """
    found = built(paths, name)
    if found is not None:
        return found, False
    recipe = ALL[name]
    toolchain = _toolchain(recipe)
    final = home(paths, name) / f"{recipe.version}-{recipe.key()}-go{go.version(toolchain)}"
    if check:
        return final, True
    home(paths, name).mkdir(parents=True, exist_ok=True)
    lock = FileLock(home(paths, name) / ".lock")
    if not _acquired_at_once(lock):
        progress(f"{name}: another run builds it, waiting")
        lock.acquire(timeout=BUILD_TIMEOUT_S)
    try:
        if built(paths, name) is None:
            _build(recipe, toolchain, final, progress)
            return final, True
    finally:
        lock.release()
    return final, False


def _acquired_at_once(lock: FileLock) -> bool:
    try:
        lock.acquire(blocking=False)
    except TimeoutError:
        return False
    return True


def _toolchain(recipe: Recipe) -> Path:
    toolchain = go.find()
    cure = f"install Go {recipe.go_version} or later: https://go.dev/dl/ (or set sources.mode: registries)"
    if toolchain is None:
        raise BotyardError(f"{recipe.name} is built from Go modules, but there is no Go on PATH", cure)
    if go.numbers(go.version(toolchain)) < go.CAN_FETCH_TOOLCHAIN:
        raise BotyardError(f"Go {go.version(toolchain)} at {toolchain} is too old to build {recipe.name}", cure)
    return toolchain


def _build(recipe: Recipe, toolchain: Path, final: Path, progress: Callable[[str], None]) -> None:
    """Builds into a folder beside, then renames it: a killed build leaves nothing that looks finished."""
    for leftover in final.parent.glob("tmp-*"):  # of a killed run; we hold the lock
        shutil.rmtree(leftover, ignore_errors=True)
    if final.exists():
        shutil.rmtree(final)
    workplace = Path(tempfile.mkdtemp(prefix="tmp-", dir=final.parent))
    workplace.chmod(0o755)
    label = f"building {recipe.name} {recipe.version}"
    progress(f"{label} from Go modules")
    started = time.monotonic()
    many = len(recipe.packages) > 1
    go.build(
        toolchain,
        recipe.folder,
        recipe.packages,
        f"{workplace}/" if many else str(workplace / recipe.programs[0]),
        ldflags=recipe.ldflags,
        timeout_s=BUILD_TIMEOUT_S,
        progress=progress,
        label=label,
    )
    missing = [program for program in recipe.programs if not (workplace / program).is_file()]
    if missing:
        raise BotyardError(f"go build ended well but made no {', '.join(missing)}", "report this as a bug")
    workplace.rename(final)
    progress(f"{label}: done in {time.monotonic() - started:.0f} s")
