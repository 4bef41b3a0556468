"""Invoke tasks: flags in, exit code out. What happens is said by the playbooks.

Imports here are kept to Invoke itself: `invoke --list` should take no longer than bare Invoke.
"""

from __future__ import annotations

from invoke.collection import Collection

from botyard.commands import bench, cache, doc, main, quality


def menu() -> Collection:
    """The whole menu, as tasks.py shows it."""
    root = Collection()
    for task in (
        main.e2e, main.images, main.model, main.cluster, main.release, main.verify, main.play_file, main.talk,
        main.down, main.doctor, doc.doc, quality.test,
    ):  # fmt: skip
        root.add_task(task)
    root.add_collection(Collection.from_module(bench), name="bench")
    root.add_collection(Collection.from_module(cache), name="cache")
    return root
