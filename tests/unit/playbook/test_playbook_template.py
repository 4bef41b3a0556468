"""Values: native types, strict names, and text from tasks that is never read as a template."""

from __future__ import annotations

from pathlib import Path

import pytest

from botyard.contracts import Secret
from botyard.playbook.source import Map, Seq, Text, Where
from botyard.playbook.template import Scope, Templar, TemplateFailed

HERE = Where(Path("x.yml"), 1, 1)


def marked(value):
    if isinstance(value, str):
        return Text(value, HERE)
    if isinstance(value, dict):
        made = Map(HERE)
        made.update({key: marked(item) for key, item in value.items()})
        return made
    if isinstance(value, list):
        items = Seq(HERE)
        items += [marked(item) for item in value]
        return items
    return value


def render(template, /, **names):
    templar = Templar()
    return templar.render(marked(template), Scope(templar, [names]))


@pytest.mark.parametrize(
    ("template", "value"),
    [
        ("plain", "plain"),
        ("{{ 1 }}", 1),
        ("{{ 1 + 1 }}", 2),
        ("{{ true }}", True),
        ("{{ '1' }}", "1"),
        ("{{ '[1, 2]' }}", "[1, 2]"),
        ("{{ [1, 2] }}", [1, 2]),
        ("{{ number }}", 3),
        ("{{ number }} pods", "3 pods"),
        ("{{ text_number }}", "03"),
        ("{{ none }}", None),
        ("a{{ none }}b", "ab"),
        ("{{ [3, 1] | map('string') }}", ["3", "1"]),
        ("{{ m.items() | list }}", [("a", 1)]),
        ("{{ m.keys() }}", ["a"]),
        ("{% if number == 3 %}yes{% endif %}", "yes"),
        ("{% set y = number %}{{ y }}", 3),
        ("{% if number == 4 %}yes{% endif %}", None),
        ("a{{ 'x' if number == 4 }}b", "ab"),
        ("{{ [1, 2] }}\n", [1, 2]),
        ("{{ 'text' }}\n\n", "text\n\n"),
        ("{{ 'a\\nb' }}", "a\\nb"),
        ("{{ {'l': [1], 'm': {'n': 2}} | to_nice_yaml }}", "l:\n- 1\nm:\n    n: 2\n"),
        ("{{ nope | default('d') }}", "d"),
        ("{{ m.x.y.z | default('d') }}", "d"),
        ("{{ nope is defined }}", False),
        ("{{ nope | upper | default('d') }}", "d"),
        ("{{ nope | b64encode | default('d') }}", "d"),
        ("{{ {'b': [1], 'a': 'é'} | to_json }}", '{"b": [1], "a": "\\u00e9"}'),
        ("{{ m | to_nice_json }}", '{\n    "a": 1\n}'),
        ("{{ '[1, 2]' | from_json }}", [1, 2]),
        ("{{ 'a: [1]' | from_yaml }}", {"a": [1]}),
        # YAML 1.1, to the byte what ansible-core 2.19 makes of it
        ("{{ 'a: yes\nb: 010\nc: 2020-01-01' | from_yaml }}", {"a": True, "b": 8, "c": "2020-01-01"}),
        ("{{ m | to_nice_yaml }}", "a: 1\n"),
        ("{{ {'c': [1, {'a': ['q']}], 'b': 'yes', 'a': 'é'} | to_yaml }}", "a: é\nb: 'yes'\nc:\n- 1\n- a: [q]\n"),
        ("{{ {'c': [1, {'a': ['q']}]} | to_nice_yaml }}", "c:\n- 1\n-   a:\n    - q\n"),
        ("{{ 'x' | to_yaml }}", "x\n"),
        ("{{ 'ab' * 3 }}", "ababab"),
        ("{{ 2 ** 10 * 3 }}", 3072),
        ("{{ 2 ** -1 }}", 0.5),
        ("{{ m | combine({'b': 2}) }}", {"a": 1, "b": 2}),
        ("{{ {'x': {'a': 1}} | combine({'x': {'b': 2}}, recursive=True) }}", {"x": {"a": 1, "b": 2}}),
        ("{{ m | dict2items }}", [{"key": "a", "value": 1}]),
        ("{{ m | dict2items | items2dict }}", {"a": 1}),
        ("{{ 'ü' | b64encode }}", "w7w="),
        ("{{ 'w7w=' | b64decode }}", "ü"),
        ("{{ '/a/b.c' | basename }}", "b.c"),
        ("{{ '/a/b.c' | dirname }}", "/a"),
        ("{{ 'abc' | regex_replace('b(.)', '\\1') }}", "ac"),
        ("{{ 'v1.2' | regex_search('[0-9.]+') }}", "1.2"),
        ("{{ 'yes' | bool }}", True),
        ("{{ 'off' | bool }}", False),
        ("{{ [1, [2, [3]]] | flatten }}", [1, 2, 3]),
        ("{{ [1, 2] | product(['a', 'b']) }}", [[1, "a"], [1, "b"], [2, "a"], [2, "b"]]),
        ("{{ [1, 2] | union([2, 3]) }}", [1, 2, 3]),
        ("{{ true | ternary('a', 'b') }}", "a"),
        ("{{ 'a b' | quote }}", "'a b'"),
        ("{{ '1.10' is version('1.9', '>=') }}", True),
        ("{{ '1.10-rc1' is version('1.10', '<') }}", False),
        ("{{ {'changed': true} is changed }}", True),
        ("{{ {'failed': true} is succeeded }}", False),
        ("{{ 'abc' is search('b') }}", True),
        ("{{ lookup('env', 'BOTYARD_NO_SUCH_VARIABLE') }}", ""),
    ],
)
def test_value(template, value):
    found = render(template, number=3, text_number="03", m={"a": 1})
    assert found == value
    assert type(found) is type(value)


HOSTILE = ["{{ 1 + 1 }}", "{% for a in b %}", "{{ lookup('env', 'HOME') }}", "{{", "{# #}", "True", "[1]", "{'a': 1}"]


@pytest.mark.parametrize("text", HOSTILE)
def test_text_from_a_task_is_never_a_template(text):
    assert render("{{ r.stdout }}", r={"stdout": text}) == text
    assert render("{{ r }}", r={"stdout": text}) == {"stdout": text}
    assert render("<{{ r.stdout }}>", r={"stdout": text}) == f"<{text}>"
    assert render("{{ v }}", v=marked({"deep": ["{{ r.stdout }}"]}), r={"stdout": text}) == {"deep": [text]}
    assert render("{{ [r.stdout] | first | trim }}", r={"stdout": text}) == text.strip()


def test_variables_are_made_from_variables_when_asked():
    names = {"a": marked("{{ b }}!"), "b": marked("{{ c }}"), "c": 1, "unused": marked("{{ nope }}")}
    assert render("{{ a }}", **names) == "1!"


def test_a_variable_made_from_an_undefined_one_is_undefined():
    names = {"a": marked("{{ nope }}"), "b": marked({"in": "{{ nope }}"})}
    assert render("{{ a | default(1) }}{{ b | default(2) }} {{ a is defined }}", **names) == "12 False"
    with pytest.raises(TemplateFailed, match=r"^x\.yml:1:1: 'nope' is undefined\n"):
        render("{{ a }}", **names)
    with pytest.raises(TemplateFailed, match="made from itself"):
        render("{{ a | default(1) }}", a=marked("{{ a }}"))


def test_a_variable_made_from_itself_is_told():
    with pytest.raises(TemplateFailed, match="made from itself"):
        render("{{ a }}", a=marked("{{ a }}"))


def test_undefined_names_and_keys_are_told_with_a_guess():
    with pytest.raises(TemplateFailed, match="'hots' is undefined") as caught:
        render("{{ hots }}", host="x")
    assert caught.value.cure == "did you mean host?"
    with pytest.raises(TemplateFailed, match=r"no key 'imags'.*did you mean images\?"):
        render("{{ r.imags }}", r={"images": 1})
    with pytest.raises(TemplateFailed):
        render("a {{ nope }} b")


def test_omit_drops_the_argument():
    assert render({"a": "{{ nope | default(omit) }}", "b": "1", "c": ["{{ omit }}", 2]}) == {"b": "1", "c": [2]}


@pytest.mark.parametrize(
    "attack",
    ["{{ ''.__class__.__mro__ }}", "{{ x.__init__.__globals__ }}", "{{ l.append(1) }}", "{{ cycler.__init__ }}"],
)
def test_sandbox(attack):
    with pytest.raises(TemplateFailed):
        render(attack, x=object(), l=[])


@pytest.mark.parametrize(
    "bomb",
    [
        "'x' * 10 ** 10", "10 ** 10 * [0]", "10 ** (10 ** 10)", "10 ** 5000", "range(10 ** 9)",
        "'x' | regex_search('(')", "'a: b: c' | from_yaml", "'!foo x' | from_yaml",
        "'abc' | truncate(2)", "1e400", "[{}] | items2dict",
    ],
)  # fmt: skip
def test_whatever_an_expression_raises_is_told_with_its_place(bomb):
    with pytest.raises(TemplateFailed, match=r"^x\.yml:1:1: "):
        render(f"{{{{ {bomb} }}}}")


def test_lookup_of_a_file_starts_at_the_playbook(tmp_path):
    (tmp_path / "a.txt").write_text("hi\n")
    assert render("{{ lookup('file', 'a.txt') }}", playbook_dir=str(tmp_path)) == "hi"
    with pytest.raises(TemplateFailed, match="lookup 'pipe' is not supported"):
        render("{{ lookup(kind, 'id') }}", kind="pipe")


def test_secret_is_never_written_out():
    assert render("{{ s }}!", s=Secret("canary")) == "***!"
    assert render("{{ {'a': s} | to_json }}", s=Secret("canary")) == '{"a": "***"}'


def test_results_of_templates_are_plain_text():
    assert type(render("plain")) is str
    assert type(render(["{{ a }}", "b"], a="{{ b }}")[0]) is str


def test_extra_layers_win():
    templar = Templar()
    scope = Scope(templar, [{"a": 1}, {"a": 2, "b": 3}])
    assert templar.render(marked("{{ [a, b] }}"), scope.with_layer({"b": 9})) == [1, 9]
