"""Invoke tasks: flags in, exit code out. What happens is said by the playbooks.

Imports here are kept to Invoke itself: `invoke --list` should take no longer than bare Invoke.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence

from invoke.collection import Collection

from botyard.commands import bench, cache, deploy, doc, github, main, publish, quality, released, summary, target
from botyard.commands.typed import refuse


def menu(words: Sequence[str] = ()) -> Collection:
    """The whole menu, as tasks.py shows it.

    Args:
        words: the command line behind the program's name.

    Raises:
        Exit: the words name no task or flag of ours; its message says what was meant.
    """
    root = Collection()
    for task in (
        main.e2e, main.images, main.model, main.cluster, main.release, main.verify, main.play_file, main.talk,
        deploy.deploy, deploy.rollback, released.status, released.drift, main.down, main.doctor, summary.summary,
        doc.doc, quality.test,
    ):  # fmt: skip
        root.add_task(task)
    root.add_collection(Collection.from_module(bench), name="bench")
    root.add_collection(Collection.from_module(cache), name="cache")
    root.add_collection(Collection.from_module(github), name="github")
    root.add_collection(Collection.from_module(publish), name="publish")
    root.add_collection(Collection.from_module(target), name="target")
    if words:
        # Of a copy: a task gives its flags' help texts away as they are first asked for, and --help asks second.
        refuse(words, copy.deepcopy(root).to_contexts())
    return root
