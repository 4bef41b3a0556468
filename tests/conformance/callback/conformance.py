"""Runs inside ansible-playbook: writes what happened as one JSON document, for compare.py.

The file is the one that CONFORMANCE_OUT names. Besides each task's result it holds what the host knows at the end:
what tasks registered and set, as the next task would read it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible.playbook.handler import Handler
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: conformance
type: stdout
short_description: one JSON document of a run
description: [what happened and what was registered]
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "conformance"

    def __init__(self, *args, **named):
        super().__init__(*args, **named)
        self._tasks = []
        self._title = ""
        self._variables = None

    def v2_playbook_on_play_start(self, play):
        self._variables = play.get_variable_manager()

    def v2_playbook_on_task_start(self, task, is_conditional):
        self._title = task.name  # only here its templates are worked out

    def v2_playbook_on_handler_task_start(self, task):
        self._title = task.name

    def _add(self, result, status):
        task = result.task
        self._tasks.append(
            {
                "name": self._title or None,
                "module": task.resolved_action or task.action,
                "handler": isinstance(task, Handler),
                "status": status,
                "result": dict(result.result),
            }
        )

    def v2_runner_on_ok(self, result):
        self._add(result, "changed" if result.result.get("changed") else "ok")

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._add(result, "ignored" if ignore_errors else "failed")

    def v2_runner_on_skipped(self, result):
        self._add(result, "skipped")

    def v2_runner_on_unreachable(self, result):
        self._add(result, "unreachable")

    def v2_playbook_on_stats(self, stats):
        recap = dict.fromkeys(("ok", "changed", "unreachable", "failures", "skipped", "rescued", "ignored"), 0)
        for host in stats.processed:
            for name, count in stats.summarize(host).items():
                recap[name] += count
        recap["failed"] = recap.pop("failures")
        known = self._variables._nonpersistent_fact_cache if self._variables else {}
        facts = {name: value for host in known.values() for name, value in host.items()}
        document = {"recap": recap, "tasks": self._tasks, "registered": facts}
        text = json.dumps(document, default=str)
        Path(os.environ["CONFORMANCE_OUT"]).write_text(text, encoding="utf-8")
