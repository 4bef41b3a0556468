"""Every fault that can be seen before the run: where it is, the line, a caret, what to do."""

from __future__ import annotations

import pytest

from botyard.contracts import BadInput
from botyard.playbook import load_playbooks

PLAY = "- name: P\n  hosts: localhost\n  gather_facts: false\n"
TASKS = PLAY + "  tasks:\n"

CASES = {
    "empty file": ("", "1:1", "list of plays", ""),
    "a mapping": ("name: P\n", "1:1", "list of plays", ""),
    "a play that is text": ("- hello\n", "1:3", "a play is a mapping", ""),
    "bad indent": (PLAY + "   vars: {}\n", "4:8", "not valid YAML", "indent"),
    "open quote": (PLAY + "  vars: {a: 'b}\n", "4:13", "runs on into other lines", ""),
    "lost quote": (TASKS + '    - fail:\n        msg: "a\n    - fail: {msg: "b"}\n', "6:14", "runs on", "end it"),
    "lost dash": (TASKS + "      fail:\n        msg: a\n    - fail:\n", "5:5", "goes on in line 7", "write -"),
    "a dash moved in": (TASKS + "    - fail:\n     - fail:\n", "6:6", "not valid YAML", "the same indent"),
    "a dash moved out": (TASKS + "    - fail:\n   - fail:\n", "6:4", "not valid YAML", "the same indent"),
    "no blank after a dash": (TASKS + '    - fail:\n      tags:\n        -"a"\n', "7:9", "blank is missing", ""),
    "quote only at the end": (TASKS + '    - fail: {}\n      name: a"\n', "6:13", "ends with a quote", "quotes"),
    "bracket only at the end": (PLAY + "  tags: a]\n", "4:9", "has no [", ""),
    "braces only at the end": (TASKS + '    - fail: {msg: "{ a }}"}\n', "5:19", "}} without {{", "!unsafe"),
    "an argument without value": (TASKS + "    - file: {path: a, mode: }\n", "5:23", "mode is empty", "fill it"),
    "two tags without a comma": (PLAY + "  tags: [a b, c]\n", "4:9", "takes a tag or a list of tags", ""),
    "unknown argument inside": (
        TASKS + '    - botyard.core.image: {images: [{name: a, contxet: "{{ b }}"}]}\n', "5:56", "images.0.contxet", ""
    ),
    "missing argument inside": (
        TASKS + '    - botyard.core.image: {images: [{name: "{{ a }}"}]}\n', "5:37", "images.0.context", ""
    ),
    "tab": (PLAY + "\ttasks: []\n", "4:1", "not valid YAML", ""),
    "duplicate key": (PLAY + "  vars:\n    a: 1\n    a: 2\n", "6:5", "'a'; it stands first in line 5", ""),
    "unquoted braces": (TASKS + "    - debug:\n        msg: {{ x }}\n", "6:15", "plain word", "quote"),
    "unknown tag": (PLAY + "  vars: {a: !vault b}\n", "4:13", "unknown YAML tag", ""),
    "no hosts": ("- name: P\n  gather_facts: false\n", "1:3", "no hosts", "hosts: localhost"),
    "unknown host": ("- hosts: web\n  gather_facts: false\n", "1:10", "unknown host 'web'", "localhost"),
    "no gather_facts": ("- hosts: localhost\n", "1:3", "gather_facts: false", "never gathered"),
    "gather_facts true": ("- hosts: localhost\n  gather_facts: true\n", "2:17", "must be false", "never gathered"),
    "connection ssh": (PLAY + "  connection: ssh\n", "4:15", "only connection: local", "--target"),
    "unknown play keyword": (PLAY + "  taks: []\n", "4:3", "unknown keyword of a play 'taks'", "did you mean tasks?"),
    "refused play keyword": (PLAY + "  become: true\n", "4:3", "'become' is not supported", "user who started"),
    "roles": (PLAY + "  roles: [a]\n", "4:3", "'roles' is not supported", "import_tasks"),
    "tasks is text": (PLAY + "  tasks: hello\n", "4:10", "tasks takes a list", ""),
    "vars is a list": (PLAY + "  vars: [a]\n", "4:9", "vars takes a mapping", ""),
    "bad variable name": (PLAY + "  vars: {a-b: 1}\n", "4:10", "'a-b' is not a variable name", ""),
    "missing vars_files": (PLAY + "  vars_files: [none.yml]\n", "4:16", "no such file: none.yml", ""),
    "missing import": ("- import_playbook: pley.yml\n", "1:20", "no such file: pley.yml", "mend its name"),
    "imports itself": ("- import_playbook: play.yml\n", "1:20", "imports itself", "play.yml -> play.yml"),
    "import keyword": ("- import_playbook: a.yml\n  hosts: all\n", "2:3", "unknown keyword of import_playbook", ""),
    "undefined import": ('- import_playbook: "{{ nope }}.yml"\n', "1:20", "'nope' is undefined", "extra vars"),
    "a task that is text": (TASKS + "    - hello\n", "5:7", "a task is a mapping", ""),
    "no module": (TASKS + "    - name: x\n", "5:7", "no module", ""),
    "unknown module": (TASKS + "    - ansible.builtin.debgu:\n", "5:7", "unknown module", "ansible.builtin.debug?"),
    "unknown own module": (TASKS + "    - botyard.core.imag:\n", "5:7", "unknown module", "botyard.core.image?"),
    "unknown short word": (TASKS + "    - debug:\n      wen: true\n", "6:7", "'wen'", "did you mean when?"),
    "refused task keyword": (TASKS + "    - debug:\n      delegate_to: x\n", "6:7", "'delegate_to'", "--target"),
    "shell": (TASKS + "    - ansible.builtin.shell: ls\n", "5:7", "not supported", "ansible.builtin.command"),
    "with_items": (TASKS + "    - debug:\n      with_items: [1]\n", "6:7", "'with_items'", "use loop"),
    "two modules": (TASKS + "    - debug:\n      fail:\n", "6:7", "one task, one module", ""),
    "unknown argument": (TASKS + "    - debug:\n        mesg: x\n", "6:9", "no argument 'mesg'", "did you mean msg?"),
    "missing argument": (TASKS + "    - assert:\n        quiet: true\n", "5:7", "needs the argument 'that'", "that:"),
    "argument and alias": (TASKS + "    - stat: {path: a, name: b}\n", "5:23", "given twice", ""),
    "wrong type": (TASKS + "    - pause: {seconds: soon}\n", "5:24", "seconds: input should be a valid number", "wait"),
    "wrong literal": (TASKS + "    - file: {path: a, state: gone}\n", "5:30", "'absent'", ""),
    "arguments as text": (TASKS + "    - debug: hello\n", "5:7", "takes its arguments as a mapping", ""),
    "bad Jinja": (TASKS + '    - debug: {msg: "{{ a b }}"}\n', "5:20", "bad Jinja2", ""),
    "bad Jinja in name": (TASKS + '    - name: "{{ a"\n      debug:\n', "5:13", "bad Jinja2", ""),
    "bad block": (TASKS + "    - debug:\n       msg: |\n         fine\n         {{ a b }}\n", "8:13", "bad Jinja", ""),
    "unknown filter behind an if": (
        TASKS + '    - debug: {msg: "{{ 1 | to_jsn if false else 2 }}"}\n', "5:20", "No filter named", "to_json?"
    ),
    "unknown test behind an if": (
        TASKS + '    - debug: {msg: "{% if false %}{{ 1 is strng }}{% endif %}"}\n', "5:20", "No test named", "string?"
    ),
    "bad Jinja in vars": (PLAY + '  vars: {a: "{% if %}"}\n', "4:13", "bad Jinja2", ""),
    "unknown filter": (TASKS + '    - debug: {msg: "{{ 1 | to_jsn }}"}\n', "5:20", "No filter named", "to_json?"),
    "unknown test": (TASKS + "    - debug:\n      when: a is chnged\n", "6:13", "No test named", "changed?"),
    "bad condition": (TASKS + "    - debug:\n      when: a ==\n", "6:13", "bad Jinja2", ""),
    "condition of a list": (TASKS + "    - debug:\n      when: [{a: 1}]\n", "6:13", "when takes an expression", ""),
    "bad assertion": (TASKS + "    - assert: {that: ['a =']}\n", "5:23", "bad Jinja2", ""),
    "ignore_errors maybe": (TASKS + "    - debug:\n      ignore_errors: maybe\n", "6:22", "true or false", ""),
    "register a-b": (TASKS + "    - debug:\n      register: a-b\n", "6:17", "a variable name", ""),
    "retries text": (TASKS + "    - debug:\n      retries: many\n", "6:16", "a whole number", ""),
    "loop of text": (TASKS + "    - debug:\n      loop: abc\n", "6:13", "loop takes a list", ""),
    "loop_control alone": (TASKS + "    - debug:\n      loop_control: {label: a}\n", "6:7", "without loop", ""),
    "loop_control word": (
        TASKS + "    - debug:\n      loop: [1]\n      loop_control: {lable: a}\n", "7:22", "'lable'", "mean label?"
    ),
    "rescue alone": (TASKS + "    - rescue: []\n", "5:7", "beside block", ""),
    "block keyword": (TASKS + "    - block: []\n      register: a\n", "6:7", "unknown keyword of a block", ""),
    "set_fact name": (TASKS + "    - set_fact: {a-b: 1}\n", "5:18", "not a variable name", ""),
    "a key that is a number": (TASKS + "    - 1: 2\n", "5:7", "the key 1 is no text", "quote"),
    "a key that is true": (TASKS + "    - debug:\n      on: x\n", "6:7", "the key true is no text", "quote"),
    "a variable that is a number": (PLAY + "  vars: {1: a}\n", "4:10", "vars: the key 1 is no text", ""),
    "an unsafe condition": (TASKS + "    - debug:\n      when: !unsafe a\n", "6:13", "takes an expression", ""),
    "a tag on a list": (TASKS + "    - debug: {msg: !!python/tuple [a]}\n", "5:20", "unknown YAML tag", "!unsafe"),
    "a tag on a mapping": (TASKS + "    - debug: {msg: !vault {a: 1}}\n", "5:20", "unknown YAML tag", "!unsafe"),
    "aliases of aliases": (
        PLAY + "  vars:\n    a0: &a0 [x]\n"
        + "".join(f"    a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
        "5:9", "too large", "",
    ),
    "a control sign": (TASKS + "    - debug: {msg: 'a\x07b'}\n", "5:22", "#x0007 is not allowed", "take it out"),
    "nested brackets": (TASKS + f"    - debug: {{msg: {'[' * 900}{']' * 900}}}\n", "1:1", "nested too deeply", ""),
    "nested expression": (
        TASKS + f"    - debug: {{msg: '{{{{ {'(' * 900}1{')' * 900} }}}}'}}\n", "5:20", "nested too deeply", ""
    ),
    "a long condition": (TASKS + f"    - debug:\n      when: {'true and ' * 3000}true\n", "6:13", "too deeply", ""),
    "a lookup that there is not": (
        TASKS + "    - debug: {msg: \"{{ lookup('pipe', 'id') }}\"}\n", "5:20", "lookup 'pipe' is not supported", ""
    ),
    "a test as a filter": (TASKS + "    - debug: {msg: '{{ 1 | version(2) }}'}\n", "5:20", "No filter", "is version"),
    "a filter as a test": (TASKS + "    - debug: {msg: '{{ 1 is basename }}'}\n", "5:20", "No test", "| basename"),
    "a module of Ansible's": (TASKS + "    - lineinfile: {path: a}\n", "5:7", "not supported", "the whole file"),
    "listen": (TASKS + "    - debug:\n      listen: a\n", "6:7", "'listen' is not supported", "only handlers"),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_refused_with_place_line_and_cure(kit, case):
    text, place, problem, cure = CASES[case]
    file = kit.folder / "play.yml"
    file.write_text(text)
    with pytest.raises(BadInput) as caught:
        load_playbooks([file])
    head, *rest = caught.value.message.splitlines()
    assert head.startswith(f"play.yml:{place}: "), caught.value
    assert problem in head
    assert cure in caught.value.cure
    lines = text.splitlines()
    number, column = map(int, place.split(":"))
    if number <= len(lines):
        assert rest[0] == "    " + lines[number - 1][:160].replace("\x07", "\ufffd")
        assert rest[1].expandtabs(1).index("^") == 4 + column - 1


@pytest.mark.parametrize(
    ("data", "place"),
    [
        (TASKS.encode() + b"    - debug: {msg: caf\xe9}\n", "5:23"),
        (b"# \xc3\xa4\xc3\xa4 \xff\n", "1:6"),
        (PLAY.encode("utf-16"), "1:1"),
        (b"\x00\xff", "1:2"),
    ],
)
def test_what_is_not_utf8_is_refused_with_its_place(kit, data, place):
    file = kit.folder / "play.yml"
    file.write_bytes(data)
    with pytest.raises(BadInput, match=f"^play.yml:{place}: not UTF-8"):
        load_playbooks([file])


def test_of_a_long_line_the_part_around_the_fault_is_shown(kit):
    file = kit.folder / "play.yml"
    file.write_text(PLAY + "  vars: {a: " + "x" * 5000 + ", b: !nope y, c: " + "z" * 5000 + "}\n")
    with pytest.raises(BadInput) as caught:
        load_playbooks([file])
    _, line, caret = caught.value.message.splitlines()
    assert len(line) == 4 + 160
    assert line[caret.index("^") :].startswith("!nope y, c: z")


@pytest.mark.parametrize("ends", ["\r\n", "\r"])
def test_other_line_ends_and_a_byte_order_mark_are_fine(kit, ends):
    file = kit.folder / "play.yml"
    file.write_bytes(("\ufeff" + TASKS + "    - debug: {msg: hi}\n").replace("\n", ends).encode())
    assert kit.run(file).report.ok == 1


def test_nothing_runs_when_a_later_file_is_bad(kit):
    good = kit.tasks("- copy: {dest: made, content: x}", name="good.yml")
    bad = kit.tasks("- debgu:", name="bad.yml")
    with pytest.raises(BadInput):
        kit.run(good, bad)
    assert not (kit.folder / "made").exists()


def test_missing_playbook_names_its_neighbour(kit):
    kit.tasks("- debug:", name="release.yml")
    with pytest.raises(BadInput) as caught:
        load_playbooks([kit.folder / "relaese.yml"])
    assert caught.value.cure == "did you mean release.yml?"


def test_fault_in_an_imported_file_names_that_file(kit):
    kit.tasks("- debgu:", name="inner.yml")
    top = kit.write("- import_playbook: inner.yml\n", "top.yml")
    with pytest.raises(BadInput, match=r"inner\.yml:6:7"):
        load_playbooks([top])


def test_templates_inside_literals_are_left_for_the_run(kit):
    load_playbooks([kit.tasks('- uri: {url: "{{ a }}", headers: {X: "{{ b }}"}, status_code: ["{{ c }}", 200]}')])
    with pytest.raises(BadInput, match="headers"):
        load_playbooks([kit.tasks('- uri: {url: "{{ a }}", headers: {X: "{{ b }}", Y: [2]}}')])
