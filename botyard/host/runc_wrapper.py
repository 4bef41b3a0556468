#!/usr/bin/python3 -IS
# ruff: noqa: S606, PTH118, PTH123
"""Stands before runc where root's bounding set lacks a capability.

Docker asks for every capability of a privileged container, for a lower OOM score and for higher limits. Where root
lacks CAP_SYS_RESOURCE (some virtual machines), runc then refuses to start the container at all. This program takes out
of the request what this machine cannot give, and hands over to runc. It is copied to /var/lib/botyard and run by
Debian's own Python without any library, so it works whatever becomes of the checkout.
"""

import json
import os
import resource
import sys
from typing import Any

CAPABILITIES = [
    "CHOWN",
    "DAC_OVERRIDE",
    "DAC_READ_SEARCH",
    "FOWNER",
    "FSETID",
    "KILL",
    "SETGID",
    "SETUID",
    "SETPCAP",
    "LINUX_IMMUTABLE",
    "NET_BIND_SERVICE",
    "NET_BROADCAST",
    "NET_ADMIN",
    "NET_RAW",
    "IPC_LOCK",
    "IPC_OWNER",
    "SYS_MODULE",
    "SYS_RAWIO",
    "SYS_CHROOT",
    "SYS_PTRACE",
    "SYS_PACCT",
    "SYS_ADMIN",
    "SYS_BOOT",
    "SYS_NICE",
    "SYS_RESOURCE",
    "SYS_TIME",
    "SYS_TTY_CONFIG",
    "MKNOD",
    "LEASE",
    "AUDIT_WRITE",
    "AUDIT_CONTROL",
    "SETFCAP",
    "MAC_OVERRIDE",
    "MAC_ADMIN",
    "SYSLOG",
    "WAKE_ALARM",
    "BLOCK_SUSPEND",
    "AUDIT_READ",
    "PERFMON",
    "BPF",
    "CHECKPOINT_RESTORE",
]
RUNC = ("/usr/bin/runc", "/usr/sbin/runc", "/usr/local/bin/runc", "/usr/local/sbin/runc")
# runc's options before the command that take a value as the next word.
WITH_VALUE = {"--root", "--log", "--log-format", "--criu", "--rootless"}


def bounding_set(status: str) -> set[str]:
    """Names in the CapBnd line of /proc/self/status."""
    for line in status.splitlines():
        if line.startswith("CapBnd:"):
            bits = int(line.split()[1], 16)
            return {"CAP_" + name for bit, name in enumerate(CAPABILITIES) if bits >> bit & 1}
    return {"CAP_" + name for name in CAPABILITIES}


def command(argv: list[str]) -> tuple[str, list[str]]:
    """The runc command among its arguments, and the words after it."""
    at = 0
    while at < len(argv):
        word = argv[at]
        if not word.startswith("-"):
            return word, argv[at + 1 :]
        at += 2 if word in WITH_VALUE else 1
    return "", []


def option(words: list[str], names: tuple[str, ...]) -> str:
    """Value of an option, given as ``--name value`` or ``--name=value``; empty where it is not there."""
    for at, word in enumerate(words):
        name, equals, value = word.partition("=")
        if name in names:
            return value if equals else (words[at + 1] if at + 1 < len(words) else "")
    return ""


def file_to_edit(argv: list[str]) -> str:
    """The JSON file in which this call describes a process; empty where it describes none."""
    name, words = command(argv)
    if name in ("create", "run", "restore"):
        return os.path.join(option(words, ("--bundle", "-b")) or ".", "config.json")
    if name == "exec":
        return option(words, ("--process", "-p"))
    return ""


def trim(process: dict[str, Any], allowed: set[str]) -> None:
    """Takes out of an OCI process what this machine cannot give."""
    capabilities = process.get("capabilities") or {}
    for kind, names in capabilities.items():
        capabilities[kind] = [name for name in names or [] if name in allowed]
    if "CAP_SYS_RESOURCE" in allowed:
        return
    if (process.get("oomScoreAdj") or 0) < 0:
        process["oomScoreAdj"] = 0
    for limit in process.get("rlimits") or []:
        number = getattr(resource, limit["type"], None)
        if number is None:
            continue
        hard = resource.getrlimit(number)[1]
        if hard != resource.RLIM_INFINITY:
            limit["hard"] = min(limit["hard"], hard)
            limit["soft"] = min(limit["soft"], limit["hard"])


def edit(path: str, allowed: set[str]) -> None:
    """Trims the process in that file: a whole OCI config, or a process alone (exec)."""
    with open(path, encoding="utf-8") as source:
        document = json.load(source)
    process = document.get("process", document)
    trim(process, allowed)
    with open(path, "w", encoding="utf-8") as sink:
        json.dump(document, sink)


def main() -> None:
    path = file_to_edit(sys.argv[1:])
    if path:
        with open("/proc/self/status", encoding="utf-8") as status:
            allowed = bounding_set(status.read())
        edit(path, allowed)
    for runc in RUNC:
        if os.access(runc, os.X_OK):
            os.execv(runc, [runc, *sys.argv[1:]])
    sys.exit("botyard's runc wrapper found no runc in " + ", ".join(RUNC))


if __name__ == "__main__":
    main()
