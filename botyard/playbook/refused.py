"""Words of Ansible's that there are not here, each with the reason that its user is told."""

from __future__ import annotations


def _by_word(reasons: dict[str, str]) -> dict[str, str]:
    return {word: why for why, words in reasons.items() for word in words.split()}


_ONE_HOST = "everything runs on this machine; the target is chosen by --target"
_NO_FACTS = "facts are never gathered"
_WHOLE_FILE = "write the whole file by ansible.builtin.template or copy"
_SIDE_BY_SIDE = "playbooks run side by side by import_playbook with vars: {side_by_side: GROUP}"

# Keywords and modules.
WORDS = _by_word(
    {
        _ONE_HOST: "delegate_facts delegate_to max_fail_percentage order port remote_user run_once serial throttle",
        _NO_FACTS: "fact_path gather_subset gather_timeout setup",
        _WHOLE_FILE: "blockinfile lineinfile replace",
        "tasks run as the user who started botyard": "become become_exe become_flags become_method become_user",
        "there are no roles; use import_tasks": "import_role include_role roles",
        "there are no roles; use ansible.builtin.assert": "validate_argspec",
        "no shell is ever used; use ansible.builtin.command": "raw script shell",
        f"a task runs to its end; {_SIDE_BY_SIDE}": "async",
        f"tasks run in order; {_SIDE_BY_SIDE}": "strategy",
        "a task runs to its end": "poll",
        "a loop runs to its end": "break_when",
        "a loop has index_var alone": "extended",
        "every task is local: write the module's name as the key": "local_action",
        "long-running modules have a timeout argument of their own": "timeout",
        "only a play has it, as connection: local": "connection",
        "only handlers listen": "listen",
        "put them at the end of tasks, after meta: flush_handlers": "post_tasks",
        "put them at the start of tasks, and meta: flush_handlers after them": "pre_tasks",
        "runs never ask; use --extra-vars": "vars_prompt",
        "the first failure always ends the playbook": "any_errors_fatal",
        "this machine is always reachable": "ignore_unreachable",
        "use --debug and --start-at-task": "debugger",
        "use ansible.builtin.uri or command with until": "wait_for",
        "use ansible.builtin.uri with dest": "get_url",
        "use include_tasks or import_tasks": "include",
        "use lookup('file', PATH)": "slurp",
        "use vars_files of the play": "include_vars",
        "write modules with their full name": "collections",
        "write the arguments at each task": "module_defaults",
        "write the arguments below the module's name": "args",
        "write the module's name as the key": "action",
    }
)
# What meta may be asked for.
META = _by_word(
    {
        _ONE_HOST: "refresh_inventory",
        f"{_ONE_HOST}; use end_play": "end_batch end_host",
        _NO_FACTS: "clear_facts",
        "a failure that no rescue takes up ends the run": "clear_host_errors",
        "tasks run on this machine, without a connection": "reset_connection",
        "there are no roles": "role_complete",
        "there are no roles; use end_play": "end_role",
    }
)
# Variables and functions.
NAMES = _by_word(
    {
        "everything runs on this machine: there is no inventory": "groups group_names",
        "everything runs on this machine: write the variable's name alone": "hostvars",
        "there are no roles; use playbook_dir": "role_path",
        "use lookup('env', NAME) or lookup('file', PATH)": "q query",
        "write the time with ansible.builtin.command: date": "now",
        "write the variable's name alone": "vars",
    }
)
