"""botyard.core.pytest: run the checks of a released bot and judge them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from botyard.contracts import BadInput, Context, Result
from botyard.modules.spec import arg
from botyard.release.guard import require_mark
from botyard.tools.kube import Kube
from botyard.verify.suite import run_suite
from botyard.verify.way_in import base_url

NAME = "botyard.core.pytest"
RETURNS = {
    "passed": "checks that passed",
    "failed_checks": "checks that failed",
    "skipped_checks": "checks that were skipped",
    "total": "checks in all",
    "seconds": "that the checks took",
    "failures": "one line for each check that failed",
    "checks": "name, outcome, seconds and why of each check, in the order they ended",
    "summary_lines": "lines for the recap",
    "collected": "in check mode: how many would run",
}
EXAMPLE = """\
- name: Readonly checks
  botyard.core.pytest:
    path: "{{ root }}/tests/e2e"
    marks: readonly
    run_dir: "{{ run_dir }}"
"""


@dataclass(frozen=True, kw_only=True)
class Args:
    path: Path = arg("folder or file of the checks")
    marks: Literal["readonly", "disruptive"] = arg("which checks: readonly ones change nothing")
    extra: list[str] = arg("more arguments for pytest", [])
    run_dir: str = arg("where JUnit files and diagnostics go; '' is the folder of this checkout's state", "")
    timeout_s: float = arg("seconds until the checks are ended", 1800.0)


def run(args: Args, ctx: Context) -> Result:
    """Failed where a check fails or none was found. Never counts as a change; check mode only lists the checks."""
    path = args.path if args.path.is_absolute() else ctx.basedir / args.path
    if not path.exists():
        raise BadInput(f"there are no checks at {path}")
    run_dir = Path(args.run_dir) if args.run_dir else ctx.paths.state / "checks"
    env = {
        **ctx.environment,
        "BOTYARD_TARGET": str(ctx.target.name),
        "BOTYARD_STATE": str(ctx.paths.state),
        "BOTYARD_RUN_DIR": str(run_dir),
    }
    junit: Path | None = None
    if not ctx.check:
        if args.marks == "disruptive":
            require_mark(Kube(ctx.kubeconfig, ctx.target.context), ctx.target.cluster)
        run_dir.mkdir(parents=True, exist_ok=True)
        junit = run_dir / f"pytest-{args.marks}.xml"
    with _reached(ctx) as reached:
        verdict, printed = run_suite(
            path,
            args.marks,
            root=ctx.paths.root,
            env={**env, **reached},
            junit=junit,
            progress=ctx.progress,
            extra=args.extra,
            timeout_s=args.timeout_s,
        )
    if junit is None:
        found = verdict.collected
        msg = f"would run {found} {args.marks} checks" if found else f"no {args.marks} check was found in {path}"
        msg = "\n".join([*verdict.failures, msg]) if verdict.failures else msg
        return Result(msg=msg, failed=not found or bool(verdict.failures), data={**verdict.data(), "collected": found})
    (run_dir / f"pytest-{args.marks}.log").write_text(printed)
    if verdict.good:
        return Result(msg=verdict.line(), data=verdict.data())
    if not verdict.total and not verdict.failures:
        verdict.failures.append(f"no {args.marks} check was found in {path}")
    elif not verdict.passed and not verdict.failures:
        verdict.failures.append(f"every {args.marks} check was skipped")
    kept = f"evidence: {run_dir / 'diagnostics'}" if verdict.failed else ""
    lines = [verdict.line(), *verdict.failures] if verdict.total else verdict.failures
    return Result(failed=True, msg="\n".join(filter(None, [*lines, kept])), data=verdict.data())


@contextmanager
def _reached(ctx: Context) -> Iterator[dict[str, str]]:
    """What the checks must be told to reach a bot on a cluster that is not ours: a forwarded port."""
    if ctx.target.ours or ctx.check:
        yield {}
        return
    with base_url(ctx.target, ctx.paths.state) as url:
        yield {"BOTYARD_BASE_URL": url}
