"""Helm 3 or 4, in a home of our own: nothing of the user's (repositories, plugins, logins) is read or written."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botyard import yaml11
from botyard.contracts import BadInput, BotyardError, CommandError
from botyard.process import Arg, run

STATUS_DEPLOYED = "deployed"
# Each of these in the user's environment would lead to another server, or to ours as somebody else.
_OF_THE_USER = (
    "HELM_KUBEAPISERVER", "HELM_KUBEASGROUPS", "HELM_KUBEASUSER", "HELM_KUBECAFILE", "HELM_KUBECONTEXT",
    "HELM_KUBEINSECURE_SKIP_TLS_VERIFY", "HELM_KUBETLS_SERVER_NAME", "HELM_KUBETOKEN", "KUBECONFIG",
)  # fmt: skip
OLDEST = (3, 13)  # the first with --dry-run=server, get metadata and uninstall --ignore-not-found


@dataclass(frozen=True)
class Release:
    """One revision of a release.

    Args:
        status: deployed, failed, pending-install, pending-upgrade, pending-rollback, superseded, uninstalling.
        values: what the user gave, without the chart's defaults.
        manifest: the rendered objects as YAML text; may hold secrets, so it is never printed as it is.
        hooks: those that helm runs at its own moments, in the same form.
        chart: name and version, as in ``tea-0.1.0``; '' where helm did not say.
    """

    name: str
    namespace: str
    revision: int
    status: str
    values: dict[str, Any]
    manifest: str
    hooks: str = ""
    chart: str = ""

    @property
    def pending(self) -> bool:
        """Whether some helm is at work on it, or was killed while it was."""
        return self.status.startswith("pending-") or self.status == "uninstalling"


@dataclass(frozen=True)
class Chart:
    """Which chart: ``ref`` is a folder, an archive, an oci:// address or repository/name; '' as version: the newest."""

    ref: str
    version: str = ""


class Helm:
    """One helm binary, with its home and, where a cluster is needed, a kubeconfig and context.

    Args:
        binary: the helm program.
        home: folder for its configuration, cache and data.
    """

    def __init__(self, binary: Path, home: Path, kubeconfig: Path | None = None, context: str = "") -> None:
        self.binary = binary
        self.home = home
        self.kubeconfig = kubeconfig
        self.context = context

    @property
    def env(self) -> dict[str, str]:
        """Each one is named, as any of them in the user's environment would win over the three homes."""
        return dict.fromkeys(_OF_THE_USER, "") | {
            "HELM_CONFIG_HOME": str(self.home / "config"),
            "HELM_CACHE_HOME": str(self.home / "cache"),
            "HELM_DATA_HOME": str(self.home / "data"),
            "HELM_PLUGINS": str(self.home / "data" / "plugins"),
            "HELM_REGISTRY_CONFIG": str(self.home / "config" / "registry" / "config.json"),
            "HELM_REPOSITORY_CONFIG": str(self.repository_config),
            "HELM_REPOSITORY_CACHE": str(self.home / "cache" / "repository"),
            "HELM_CONTENT_CACHE": str(self.home / "cache" / "content"),
            "HELM_DRIVER": "secret",
            "KUBECACHEDIR": str(self.home / "cache" / "kube"),  # else ~/.kube/cache
        }

    @property
    def repository_config(self) -> Path:
        return self.home / "config" / "repositories.yaml"

    def repository_index(self, name: str) -> Path:
        """Where helm keeps the last index that it fetched of a repository."""
        return self.home / "cache" / "repository" / f"{name}-index.yaml"

    def fetched(self, digest: str) -> Path:
        """Where Helm 4 keeps a chart's archive that it has fetched, by the SHA-256 of its content."""
        return self.home / "cache" / "content" / digest[:2] / f"{digest}.chart"

    @property
    def version(self) -> tuple[int, int]:
        """Major and minor, asked once for each binary.

        Raises:
            BotyardError: it is no helm, or too old a one.
        """
        changed = self.binary.stat().st_mtime_ns if self.binary.is_file() else 0
        return _version(self.binary, changed, tuple(self.env.items()))

    def _wait_flag(self) -> str:
        # Helm 4's own watcher can hang; what it calls legacy is all that Helm 3 has.
        return "--wait=legacy" if self.version >= (4,) else "--wait"

    def _apply_flags(self) -> list[str]:
        """What others changed in the meantime (kubectl scale, say) goes back to what the chart says.

        Helm 3 patches by client, which asks nobody.
        """
        return ["--server-side=true", "--force-conflicts"] if self.version >= (4,) else []

    def call(self, *argv: Arg, timeout_s: float = 120) -> str:
        """Runs helm without a cluster; returns its standard output."""
        return run([self.binary, *argv], env=self.env, timeout_s=timeout_s).stdout

    def cluster_call(self, namespace: str, *argv: Arg, timeout_s: float = 120) -> str:
        """Runs helm against the cluster; returns its standard output."""
        if self.kubeconfig is None:
            raise BotyardError("helm was given no kubeconfig")
        place: list[Arg] = ["--kubeconfig", self.kubeconfig, "--kube-context", self.context, "--namespace", namespace]
        return self.call(*argv, *place, timeout_s=timeout_s)

    # releases

    def status(self, name: str, namespace: str) -> Release | None:
        """The newest revision, or None where there is no such release."""
        try:
            return release_of(json.loads(self.cluster_call(namespace, "status", name, "--output", "json")))
        except CommandError as error:
            if "release: not found" in error.stderr:
                return None
            raise

    def history(self, name: str, namespace: str) -> list[dict[str, Any]]:
        """All kept revisions, oldest first: revision, status, chart, description."""
        found: list[dict[str, Any]] = json.loads(
            self.cluster_call(namespace, "history", name, "--output", "json", "--max", "256")
        )
        return found

    def upgrade(
        self,
        name: str,
        namespace: str,
        chart: Chart,
        values: Sequence[Path],
        *,
        reuse_values: bool = False,
        reset_values: bool = True,
        create_namespace: bool = False,
        wait_s: int | None = None,
        dry_run: bool = False,
        validate: bool = True,
    ) -> Release:
        """Installs or upgrades; values files are merged by helm, the last one wins.

        Args:
            reuse_values: start from the values of the last revision instead of the chart's own.
            reset_values: start from the chart's own; with neither, helm reuses only where no values are given.
            wait_s: seconds to wait for all objects to be ready; None does not wait.
            dry_run: the server is asked, nothing is stored.
            validate: hold it against the server's schemas first, which takes helm longer than all else in a dry run.
        """
        argv: list[Arg] = ["upgrade", name, chart.ref, "--install", "--output", "json"]
        if chart.version:
            argv += ["--version", chart.version]
        for file in values:
            argv += ["--values", file]
        if reuse_values or reset_values:
            argv.append("--reuse-values" if reuse_values else "--reset-values")
        if create_namespace:
            argv.append("--create-namespace")
        if dry_run:
            argv += ["--dry-run=server", *([] if validate else ["--disable-openapi-validation"])]
        else:
            argv += self._apply_flags()
        if wait_s is not None and not dry_run:
            # A time-out of ours a little later catches a helm that does not end.
            argv += [self._wait_flag(), "--timeout", f"{wait_s}s"]
        return release_of(json.loads(self.cluster_call(namespace, *argv, timeout_s=(wait_s or 120) + 60)))

    def template(self, name: str, namespace: str, chart: Chart, values: Sequence[Path], kube_version: str = "") -> str:
        """The objects that a chart renders with these values, as YAML; no cluster is asked.

        Args:
            kube_version: the Kubernetes to render for, as in v1.34.4; without it the one that helm was made for.
        """
        argv: list[Arg] = ["template", name, chart.ref, "--namespace", namespace]
        argv += ["--version", chart.version] if chart.version else []
        argv += ["--kube-version", kube_version] if kube_version else []
        for file in values:
            argv += ["--values", file]
        return self.call(*argv)

    def rollback(self, name: str, namespace: str, revision: int) -> None:
        """Back to an older revision; does not wait for pods."""
        self.cluster_call(namespace, "rollback", name, str(revision), *self._apply_flags())

    def uninstall(self, name: str, namespace: str, wait_s: int = 180) -> None:
        """Removes a release; objects with the policy ``keep`` stay."""
        self.cluster_call(
            namespace, "uninstall", name, "--ignore-not-found", self._wait_flag(), "--timeout", f"{wait_s}s",
            timeout_s=wait_s + 60,
        )  # fmt: skip

    # repositories and packages

    def repositories(self) -> dict[str, str]:
        """Name and URL of what was added."""
        if not self.repository_config.is_file():
            return {}
        document = yaml11.load(self.repository_config.read_text(encoding="utf-8")) or {}
        return {str(r["name"]): str(r["url"]) for r in document.get("repositories") or []}

    def repo_add(self, name: str, url: str) -> None:
        """Adds a repository, or gives a known name this URL."""
        self.call("repo", "add", name, url, "--force-update")

    def repo_update(self, name: str) -> None:
        self.call("repo", "update", name)

    def repo_remove(self, name: str) -> None:
        self.call("repo", "remove", name)

    def lint(self, chart: Path) -> None:
        """Raises CommandError where the chart has an error or a warning."""
        self.call("lint", "--strict", "--quiet", chart)

    def package(self, chart: Path, name: str, version: str, dest: Path) -> Path:
        """Makes <name>-<version>.tgz in dest; ``name`` is what the chart calls itself, whatever its folder's name.

        The same files give the same archive, bit for bit: when they were written does not count.
        """
        argv: list[Arg] = ["package", chart, "--version", version, "--destination", dest]
        run([self.binary, *argv], env={**self.env, "SOURCE_DATE_EPOCH": "0"}, timeout_s=120)
        made = dest / f"{name}-{version}.tgz"
        if not made.is_file():
            raise BotyardError(f"helm package ended well but there is no {made.name}", f"look at {chart}/Chart.yaml")
        return made

    def repo_index(self, folder: Path, url: str = "", merge: Path | None = None) -> dict[str, Any]:
        """Writes folder/index.yaml over the archives in it and returns it.

        Args:
            url: where the archives will lie; without it, beside the index.
            merge: an older index, whose other versions stay.
        """
        argv: list[Arg] = ["repo", "index", folder]
        argv += ["--url", url] if url else []
        argv += ["--merge", merge] if merge else []
        self.call(*argv)
        return load_yaml((folder / "index.yaml").read_bytes())


def load_yaml(data: bytes) -> dict[str, Any]:
    """One YAML document that must be a mapping."""
    document = yaml11.load(data.decode())
    return document if isinstance(document, dict) else {}


def about_chart(folder: Path) -> dict[str, Any]:
    """What a chart folder's Chart.yaml says; it has a name and a version.

    Raises:
        BadInput: the folder holds no chart.
    """
    file = folder / "Chart.yaml"
    if not file.is_file():
        raise BadInput(f"{folder} holds no chart: there is no Chart.yaml", "name the folder of a chart")
    about = load_yaml(file.read_bytes())
    if not (about.get("name") and about.get("version")):
        raise BadInput(f"{file}: name or version is missing", "give both")
    return about


@functools.lru_cache
def _version(binary: Path, _mtime_ns: int, env: tuple[tuple[str, str], ...]) -> tuple[int, int]:
    # Even this reads the configuration of registries.
    said = run([binary, "version", "--template", "{{.Version}}"], env=dict(env), timeout_s=60).stdout.strip()
    found = re.match(r"v?(\d+)\.(\d+)", said)
    if found is None:
        raise BotyardError(f"{binary} is no helm: `helm version` says {said[:60]!r}", "give the path of a Helm 3 or 4")
    version = int(found[1]), int(found[2])
    if version < OLDEST:
        raise BotyardError(f"{binary} is Helm {said}, which is too old", f"use {OLDEST[0]}.{OLDEST[1]} or newer")
    return version


def release_of(raw: Mapping[str, Any]) -> Release:
    """A release as helm prints and keeps it."""
    about = (raw.get("chart") or {}).get("metadata") or {}
    return Release(
        name=raw["name"],
        namespace=raw.get("namespace", ""),
        revision=int(raw.get("version", 0)),
        status=raw.get("info", {}).get("status", "unknown"),
        values=raw.get("config") or {},
        manifest=raw.get("manifest", ""),
        hooks="\n---\n".join(hook.get("manifest", "") for hook in raw.get("hooks") or []),
        chart=f"{about['name']}-{about['version']}" if about else "",
    )
