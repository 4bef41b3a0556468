"""What each keyword means. Which there are and what they take is said by ``botyard/playbook/keywords.py`` alone."""

from __future__ import annotations

from botyard.playbook import keywords

LEVELS: dict[str, dict[str, str]] = {
    "play": keywords.PLAY,
    "import_playbook": keywords.IMPORT,
    "block": keywords.BLOCK,
    "task": keywords.TASK,
    "handler": keywords.LISTEN,
    "import_tasks": keywords.IMPORT_TASKS,
    "loop_control": keywords.LOOP_CONTROL,
}

# Modules beside which not every keyword of a task may stand.
BESIDE = {"ansible.builtin.include_tasks": keywords.INCLUDE, "ansible.builtin.meta": keywords.META}

MEANING: dict[str, str] = {
    "name": "what the output, `--list-tasks` and `--start-at-task` call it; may be a template",
    "hosts": "`localhost` or `all`; the target's own name is fine too",
    "connection": "`local`, the only way there is; may be left out",
    "gather_facts": "must be said, and be `false`: nothing is ever asked about machines",
    "vars": "variables by name; the nearest wins: task, blocks, play. Over them stands what a task registered or set, "
    "over all an extra var",
    "vars_files": "YAML files of variables, relative to the playbook; a later file wins, all win over `vars` there",
    "tasks": "tasks and blocks, run in order; the first failure ends the playbook",
    "handlers": "tasks that run after the others, and only where one that changed something notified them; no blocks",
    "force_handlers": "`true`: notified handlers run even after a failure",
    "tags": "words for `--tags` and `--skip-tags`; handed down to all inside; `always` and `never` as in Ansible",
    "environment": "environment variables for the programs that tasks start; handed down, the nearest wins key by key",
    "ignore_errors": "go on after a failure; it counts as ignored",
    "no_log": "show and write nothing of arguments, result and diff",
    "check_mode": "`true`: as with `--check`, `false`: for real even then",
    "diff": "`true`: as with `--diff`, `false`: never",
    "import_playbook": "the file, relative to this one; a template may use extra vars alone",
    "ansible.builtin.import_playbook": "the same by its full name",
    "when": "run only where the expression, or each one of a list, gives `true`; no braces around it",
    "notify": "handlers, by name or by what they listen to, that run later where this changed something",
    "listen": "more names that a handler answers to; it takes all keywords of a task too",
    "import_tasks": "the file whose tasks take this place before the run; a template may use extra vars and the play's",
    "ansible.builtin.import_tasks": "the same by its full name",
    "block": "the tasks",
    "rescue": "tasks that run where one of `block` failed; then the failure counts as rescued",
    "always": "tasks that run last, whatever happened before",
    "loop": "run once for each item, which is `item`",
    "loop_control": "how the loop is done: `loop_var`, `index_var`, `label`, `pause`",
    "register": "the variable that the result goes to",
    "until": "run again until the expression, or each one of a list, gives `true`; the result is known to it",
    "retries": "how often to run again at most; 3 where only `until` is given",
    "delay": "how long to wait before the next try; 5 where nothing is given",
    "changed_when": "counts as changed where the expression gives `true`, whatever the module says",
    "failed_when": "counts as failed where the expression gives `true`, whatever the module says",
    "loop_var": "another name for `item`, for loops inside loops",
    "index_var": "the variable that counts the items, from 0",
    "label": "what the output shows of an item",
    "pause": "how long to wait between items",
}
