"""playbooks/schema.json: what editors take and refuse."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import fastjsonschema
import pytest
from ruamel.yaml import YAML

from botyard import modules
from botyard.reference.facts import module

ROOT = Path(__file__).parents[3]
PLAY = "- name: P\n  hosts: localhost\n  gather_facts: false\n"
TASKS = PLAY + "  tasks:\n"


def read(text: str) -> Any:
    """As an editor reads YAML: 1.2."""
    return YAML(typ="safe", pure=True).load(text)


@pytest.fixture(scope="module")
def validate() -> Any:
    return fastjsonschema.compile(json.loads((ROOT / "playbooks/schema.json").read_text()))


@pytest.mark.parametrize("file", sorted((ROOT / "playbooks").glob("*.yml")), ids=lambda file: file.name)
def test_our_playbooks_fit_and_name_it(validate: Any, file: Path) -> None:
    text = file.read_text()
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    validate(read(text))


@pytest.mark.parametrize("name", sorted(modules.MODULES))
def test_every_example_fits(validate: Any, name: str) -> None:
    validate([{"hosts": "localhost", "gather_facts": False, "tasks": read(module(name).example)}])


FINE = {
    "a template in place of true": TASKS + '    - file: {path: a, recurse: "{{ x }}"}\n',
    "a template in place of a list": TASKS + '    - botyard.core.image: {images: "{{ x }}"}\n',
    "a template in place of a nested value": TASKS
    + '    - botyard.core.image: {images: [{name: a, context: b, add: "{{ x }}"}]}\n',
    "a template in place of one of a few words": TASKS + '    - file: {path: a, state: "{{ x }}"}\n',
    "another name of a required argument": TASKS + "    - kubernetes.core.helm: {name: a, namespace: b}\n",
    "a bare command": TASKS + "    - command: ls\n",
    "any fact": TASKS + "    - set_fact: {a: 1}\n",
    "no arguments": TASKS + "    - fail:\n",
    "a number as text": TASKS + "    - copy: {dest: a, content: 1, mode: 0644}\n",
    "conditions": TASKS + "    - fail: {msg: a}\n      when: [a, true]\n      loop: '{{ x }}'\n",
    "blocks in blocks": TASKS + "    - block:\n        - block: [{debug: {msg: a}}]\n      rescue: [{fail: {}}]\n",
    "handlers": PLAY + "  handlers:\n    - {name: h, debug: {msg: a}, listen: l}\n    - import_tasks: a.yml\n",
    "tasks of files": TASKS + "    - import_tasks: {file: a.yml}\n      notify: h\n    - include_tasks: a.yml\n",
    "a word to the engine": TASKS + "    - meta: flush_handlers\n      when: a\n",
    "import": "- import_playbook: a.yml\n  vars: {side_by_side: x}\n",
}
BROKEN = {
    "no list": "name: P\n",
    "no hosts": "- gather_facts: false\n",
    "facts": "- hosts: localhost\n  gather_facts: true\n",
    "unknown keyword of a play": PLAY + "  taks: []\n",
    "refused keyword": PLAY + "  become: true\n",
    "keyword of an import": "- import_playbook: a.yml\n  hosts: localhost\n",
    "no module": TASKS + "    - name: a\n",
    "unknown module": TASKS + "    - ansible.builtin.debgu: {}\n",
    "unknown argument": TASKS + "    - debug: {mesg: a}\n",
    "missing argument": TASKS + "    - kubernetes.core.helm: {name: a}\n",
    "wrong type": TASKS + "    - pause: {seconds: soon}\n",
    "wrong word": TASKS + "    - file: {path: a, state: gone}\n",
    "wrong type inside": TASKS + "    - botyard.core.image: {images: [{name: a, context: b, add: [{src: a}]}]}\n",
    "unknown key inside": TASKS + "    - botyard.core.image: {images: [{name: a, context: b, ad: []}]}\n",
    "not a variable": TASKS + "    - debug: {msg: a}\n      register: a-b\n",
    "unknown keyword of a loop": TASKS + "    - debug: {msg: a}\n      loop: []\n      loop_control: {lable: a}\n",
    "rescue alone": TASKS + "    - rescue: []\n",
    "a keyword of a task on a block": TASKS + "    - block: []\n      register: a\n",
    "a fault inside a block": TASKS + "    - block: [{debug: {mesg: a}}]\n",
    "a handler that is none": PLAY + "  handlers: [hello]\n",
    "import_tasks with a keyword of a task": TASKS + "    - import_tasks: a.yml\n      register: b\n",
    "include_tasks with what it cannot take": TASKS + "    - include_tasks: a.yml\n      until: b\n",
    "no such word to the engine": TASKS + "    - meta: stop\n",
    "arguments as text": TASKS + "    - debug: hello\n",
}


@pytest.mark.parametrize("case", FINE)
def test_what_fits(validate: Any, case: str) -> None:
    validate(read(FINE[case]))


@pytest.mark.parametrize("case", BROKEN)
def test_what_does_not_fit(validate: Any, case: str) -> None:
    with pytest.raises(fastjsonschema.JsonSchemaValueException):
        validate(read(BROKEN[case]))
