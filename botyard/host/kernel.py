"""Kernel settings and folders that nodes in containers need from their host."""

from __future__ import annotations

from pathlib import Path

from botyard.host import ledger

# Each node runs a kubelet, a containerd and about ten pods that watch files; the usual 128 instances are gone with the
# second node.
# 8192 and 524288 carried four nodes with room to spare.
WANTED_SYSCTLS = {"fs.inotify.max_user_instances": 8192, "fs.inotify.max_user_watches": 524288}
# kind mounts this folder into each node; it is missing where the kernel has no modules.
MODULES = Path("/lib/modules")


def sysctl_file(key: str, proc: Path = Path("/proc")) -> Path:
    return proc / "sys" / key.replace(".", "/")


def read_sysctl(key: str, proc: Path = Path("/proc")) -> int | None:
    """A number setting of the running kernel; None where it has no such setting."""
    try:
        return int(sysctl_file(key, proc).read_text())
    except FileNotFoundError:
        return None


def too_low(proc: Path = Path("/proc")) -> dict[str, tuple[int, int]]:
    """Settings below what is wanted: key -> (value now, wanted)."""
    found = {}
    for key, wanted in WANTED_SYSCTLS.items():
        now = read_sysctl(key, proc)
        if now is not None and now < wanted:
            found[key] = (now, wanted)
    return found


def raise_limits(book: ledger.Ledger, home: Path, proc: Path = Path("/proc"), modules: Path = MODULES) -> list[str]:
    """Raises what is too low and makes /lib/modules; each noted in the ledger first. Returns what was done."""
    done = []
    for key, (now, wanted) in too_low(proc).items():
        before = book.sysctls.get(key, [str(now)])[0]
        book.sysctls[key] = [before, str(wanted)]
        ledger.write(book, home)
        sysctl_file(key, proc).write_text(str(wanted))
        done.append(f"{key} {now} -> {wanted}")
    if not modules.exists():
        note_made(book, home, modules)
        modules.mkdir(parents=True)
        done.append(f"made {modules}")
    return done


def note_made(book: ledger.Ledger, home: Path, *paths: Path) -> None:
    """Writes into the ledger those of the paths that do not exist yet, as they are about to be made."""
    new = [str(path) for path in paths if not path.exists() and str(path) not in book.made]
    if new:
        book.made += new
        ledger.write(book, home)


def restore(sysctls: dict[str, list[str]], proc: Path = Path("/proc")) -> list[str]:
    """Puts settings back that still have the value which we gave them; returns what was done."""
    done = []
    for key, (before, ours) in sysctls.items():
        file = sysctl_file(key, proc)
        if file.exists() and file.read_text().strip() == ours:
            file.write_text(before)
            done.append(f"{key} {ours} -> {before}")
    return done
