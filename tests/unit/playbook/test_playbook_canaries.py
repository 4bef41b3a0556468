"""Secrets are planted wherever one can enter a run; then every byte that the run wrote is searched for them."""

from __future__ import annotations

import base64
import dataclasses
import functools
import html
import io
import json
import shlex
import sys
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from rich.console import Console

from botyard.contracts import BadInput, BotyardError, Diff, Result, Secret
from botyard.modules import k8s, k8s_info
from botyard.modules.spec import arg
from botyard.report import console as rich_console
from botyard.report.redact import MINIMUM, Redactor
from botyard.targets import Target

# Every sign that some notation writes in another way; the stem is what the search looks for.
AWKWARD = '{} o\'clock "q" b\\s é & <t> 50% a+b/c=\nline two of {}'


def stem(number: int) -> str:
    return f"Canary{number:02}Xk9"


def awkward(number: int) -> str:
    return AWKWARD.format(stem(number), stem(number))


def traces(number: int) -> Iterator[bytes]:
    """What of a stem would be seen: itself, and its base64 wherever in a longer text it starts."""
    data = stem(number).encode()
    yield data
    for lead in range(3):
        every = base64.b64encode(bytes(lead) + data)
        yield every[-(-lead * 8 // 6) : (lead + len(data)) * 8 // 6]


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


SIMPLE, PHRASE, NUMBER = 1, 2, 70000003
FROM_RESULT, ARGUMENT, IN_LIST, FOR_URI = 4, 5, 6, 8
HIDDEN = range(20, 40)
MANIFEST, IN_YAML, LIVE, LISTED = 40, 41, 42, 43

TASKS = """
# A Secret of the extra vars.
- name: named {{ simple }} {{ phrase }}
  debug: {msg: "{{ simple }} / {{ phrase }}"}
- debug: {var: "[simple, {'phrase': phrase}]"}
- command: {argv: [echo, "{{ simple }}", "{{ phrase }}"]}
- command: "false {{ simple }}"
  ignore_errors: true
- command: {argv: ["no-such-program-{{ simple }}"]}
  ignore_errors: true
- name: lines {{ phrase }}
  command: {argv: [printf, "%s", "{{ phrase }}"]}
- command: {argv: [printenv, TOKEN, PHRASE]}
  environment: {TOKEN: "{{ simple }}", PHRASE: "{{ phrase }}"}
  register: seen
- assert: {that: ['seen.stdout_lines[0] == simple', phrase in seen.stdout]}
- debug: {msg: "{{ item }}"}
  loop: ["{{ simple }}", {p: "{{ phrase }}"}]
- debug: {msg: x}
  loop: [1]
  loop_control: {label: "{{ simple }} {{ phrase }}"}
- set_fact: {kept: "{{ phrase }}", inner: {deep: ["{{ simple }}"]}}
- debug: {msg: "{{ kept }} {{ inner }} {{ inner | string }} {{ [kept] | string }}"}
- debug:
    msg:
      - "{{ {'a': phrase} | to_json }} {{ {'a': phrase} | to_nice_json }}"
      - "{{ {'a': phrase, 'b': 'x ' ~ phrase} | to_yaml }}"
      - "{{ {'a': phrase, 'long': 'word ' * 14 ~ spaced} | to_nice_yaml }}"
      - "{{ {'a': phrase} | to_json | to_json }}"
      - "{{ phrase | b64encode }} {{ ('user:' ~ simple) | b64encode }} {{ ('a:' ~ phrase) | b64encode }}"
      - "{{ phrase | quote }} {{ phrase | urlencode }} {{ simple | urlencode }}"
- copy: {content: "k={{ phrase }}\\n", dest: copied}
- copy: {content: {k: "{{ phrase }}"}, dest: copied.json}
- template: {src: conf.j2, dest: templated}
- uri: {url: "http://127.0.0.1:1/?t={{ simple }}&p={{ phrase | urlencode }}"}
  ignore_errors: true
- fail: {msg: "{{ phrase }}"}
  ignore_errors: true
- assert: {that: phrase == 'x', fail_msg: "is {{ phrase }}"}
  ignore_errors: true
- debug: {msg: "{{ phrase | int('x') | bool }}"}
  ignore_errors: true
- set_fact: {wrong: "{{ (phrase ~ '{') | from_json }}"}
  ignore_errors: true
- debug: {msg: "{{ number }} {{ numbered }} {{ shared[0] }}"}
- {debug: {msg: x}, until: false, retries: 1, delay: 0, ignore_errors: true}

# What modules make and take.
- name: uses {{ plain }}
  test.core.thing: {password: "{{ plain }}", more: ["{{ plain_two }}"], mode: good}
  register: made
- debug: {msg: "{{ made }} {{ made.token }} {{ fact_token | default('nothing') }} {{ made | to_nice_json }}"}
- debug: {msg: "{{ plain }} {{ plain_two }}"}
- name: "{{ item }} {{ plain }}"
  test.core.thing: {password: "{{ plain }}", mode: "{{ item }}"}
  loop: [refuses, fails, breaks, hides, good]
  ignore_errors: true
- {test.core.thing: {password: "{{ plain }}", mode: breaks}, ignore_errors: true}
- {test.core.thing: {password: "{{ plain }}", mode: fails}, ignore_errors: true}
- {test.core.thing: {password: "{{ plain }}", mode: hides}, ignore_errors: true}
- test.core.thing: {password: "{{ plain }}", mode: good}
  register: r
  until: false
  retries: 1
  delay: 0
  ignore_errors: true
- uri: {url: "http://127.0.0.1:1/{{ plain_uri }}", url_username: u, url_password: "{{ plain_uri }}"}
  ignore_errors: true

# no_log.
- name: no_log in a name {{ hidden[0] }}
  command: {argv: [echo, "{{ hidden[1] }}"]}
  no_log: true
- {command: {argv: ["false", "{{ hidden[2] }}"]}, no_log: true, ignore_errors: true}
- {command: {argv: [printenv, T]}, environment: {T: "{{ hidden[3] }}"}, no_log: true}
- {debug: {msg: "{{ item }}"}, loop: ["{{ hidden[4] }}"], loop_control: {label: "{{ item }}"}, no_log: true}
- {copy: {content: "{{ hidden[5] }}", dest: hidden}, no_log: true}
- {fail: {msg: "{{ hidden[6] }}"}, no_log: "{{ true }}", ignore_errors: true}
- {test.core.thing: {password: x, mode: "{{ hidden[7] }}"}, no_log: true, ignore_errors: true}
- test.core.thing: {password: x, mode: "loud {{ hidden[8] }}"}
  no_log: true
  until: false
  retries: 1
  delay: 0
  ignore_errors: true
- no_log: true
  block:
    - fail: {msg: "{{ hidden[9] }}"}
  rescue:
    - debug: {msg: "{{ ansible_failed_result }} {{ hidden[10] }}"}
  always:
    - debug: {msg: "{{ hidden[11] }}"}
- {debug: {msg: "{{ hidden[12].nothing.there }}"}, no_log: true, ignore_errors: true}
- {debug: {msg: "{{ hidden[13] }}"}, no_log: "{{ 1 / 0 }}", ignore_errors: true}
- {debug: {msg: x}, no_log: true, changed_when: "hidden[14]", ignore_errors: true}
- {test.core.thing: {password: x, mode: "tells {{ hidden[15] }}"}, no_log: true}

# Kubernetes.
- kubernetes.core.k8s: {definition: "{{ manifest }}"}
  register: applied
- kubernetes.core.k8s: {definition: "{{ manifest_text }}"}
  ignore_errors: true
- debug: {msg: "{{ applied }} {{ applied.result.data.live | b64decode }}"}
- kubernetes.core.k8s_info: {kind: Secret}
  register: listed
- debug: {msg: "{{ listed.resources.0.data.k }} {{ listed.resources.0.data.k | b64decode }}"}

# The end, and what to do next.
- name: ends
  fail: {msg: "{{ phrase }}"}
"""


@dataclasses.dataclass(frozen=True, kw_only=True)
class ThingArgs:
    password: str = arg("p", secret=True)
    more: list[str] = arg("more", [], secret=True)
    mode: str = arg("what to do", "good")


ThingArgs.__annotations__.update(password=str, more=list[str], mode=str)


def thing(args, ctx):
    """Tells all it knows, in every way that a module can."""
    words = [args.password, *args.more]
    ctx.progress(f"using {words} {args.mode}")
    ctx.hide("too late for nobody")
    if args.mode == "refuses":
        raise BadInput(f"not {words}", f"instead of {words} another")
    if args.mode == "fails":
        try:
            raise KeyError(args.password)
        except KeyError as error:
            raise BotyardError(f"no {args.password}", f"without {args.password}") from error
    if args.mode == "breaks":
        raise ValueError(words)
    if args.mode == "hides":
        ctx.hide({"found": [awkward(7)]})
        raise ValueError(awkward(7))
    if args.mode.startswith("Canary"):
        raise ValueError(args.mode)
    text = f"{words} {args.mode}"
    return Result(
        changed=True,
        msg=text,
        data={
            "token": Secret(awkward(FROM_RESULT)),
            "echo": f"<{awkward(FROM_RESULT)}>",
            "ansible_facts": {"fact_token": [Secret(awkward(FROM_RESULT))]},
            "summary_lines": [text],
            args.password: 1,
        },
        diff=[Diff(text, f"{text}\nbefore", f"{text}\nafter")],
        warnings=[text],
    )


class FakeKube:
    """A cluster that stores nothing, answers with a Secret, and repeats what it refuses."""

    def __init__(self, *_):
        pass

    def get(self, _version, _kind, name, _namespace=None):
        stored = {
            "metadata": {
                "annotations": {
                    "kubectl.kubernetes.io/last-applied-configuration": json.dumps({"stringData": {"k": awkward(LIVE)}})
                }
            },
            "data": {"live": b64(awkward(LIVE))},
        }
        return {"apiVersion": "v1", "kind": "Secret", "name": name, **stored}

    def apply(self, body, _namespace=None, **_):
        if body["metadata"]["name"] == "refused":
            raise BotyardError(f"Secret is invalid: {body['stringData']}")
        return body

    def list(self, *_):
        return [{"kind": "Secret", "data": {"k": b64(awkward(LISTED))}}]


MANIFEST_TEXT = """
kind: Secret
apiVersion: v1
metadata: {name: refused}
stringData: {k: %s}
"""


@pytest.mark.parametrize("debug", [False, True])
@pytest.mark.parametrize("style", ["plain", "rich", "terminal"])
def test_no_secret_in_any_byte_written(kit, module, monkeypatch, style, debug):
    module(thing, ThingArgs)
    monkeypatch.setattr(k8s, "Kube", FakeKube)
    monkeypatch.setattr(k8s_info, "Kube", FakeKube)
    monkeypatch.setattr(sys, "argv", ["invoke", "play", "--extra-vars", f"plain={stem(ARGUMENT)}"])
    screen = io.StringIO()
    if style == "terminal":
        terminal = functools.partial(Console, file=screen, force_terminal=True, width=400)
        monkeypatch.setattr(rich_console, "Console", terminal)
    (kit.folder / "conf.j2").write_text("a: '{{ phrase }}'\nb: {{ simple }}\n")
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "s"},
        "data": {"k": b64(awkward(MANIFEST))},
        "stringData": {"k2": awkward(MANIFEST)},
    }
    ran = kit.play(
        TASKS,
        console="plain" if style == "plain" else "rich",
        debug=debug,
        diff=True,
        run_dir=kit.folder / "run",
        target=Target(name="kind", cluster="kind"),
        extra_vars={
            "simple": Secret(stem(SIMPLE)),
            "phrase": Secret(awkward(PHRASE)),
            "spaced": Secret(f"{stem(9)} and more words {stem(9)}"),
            "number": Secret(str(NUMBER)),
            "numbered": {"pin": NUMBER},
            "shared": [Secret(stem(3))],
            "plain": stem(ARGUMENT),
            "plain_two": awkward(IN_LIST),
            "plain_uri": stem(FOR_URI),
            "hidden": [stem(n) for n in HIDDEN],
            "manifest": manifest,
            "manifest_text": MANIFEST_TEXT % json.dumps(awkward(IN_YAML)),
        },
    )
    written = {"console": (ran.out + screen.getvalue()).encode()}
    written |= {file.name: file.read_bytes() for file in (kit.folder / "run").iterdir()}
    assert {"events.jsonl", "report.json", "junit.xml", "report.html", "traceback-1.txt"} <= set(written)
    shown = {
        (name, number): content[max(0, content.index(trace) - 150) : content.index(trace) + 60]
        for name, content in written.items()
        for number in [*range(1, 10), *HIDDEN, *range(40, 44)]
        for trace in traces(number)
        if trace in content
    }
    assert not shown, "\n".join(f"{place}: {around!r}" for place, around in shown.items())
    assert not [name for name, content in written.items() if str(NUMBER).encode() in content]
    # Nothing of it is empty: the values arrived where they were meant to, and all tasks ran.
    assert ran.report.tasks[-1].name == "ends", ran.report.tasks[-1].msg
    assert (kit.folder / "copied").read_text() == f"k={awkward(PHRASE)}\n"
    assert stem(SIMPLE) in (kit.folder / "templated").read_text()
    assert (kit.folder / "hidden").read_text() == stem(HIDDEN[5])
    assert b"***" in written["console"] and b"***" in written["report.html"]
    assert ran.task("named *** ***").status == "ok"
    assert b"undefined" not in written["report.json"] and b"nothing" not in written["report.json"]


def test_what_no_log_registered_is_shown_by_a_later_task_as_in_ansible(kit):
    ran = kit.play("""
    - {command: echo visible-value, register: r, no_log: true}
    - debug: {msg: "{{ r.stdout }}"}
    """)
    assert ran.report.tasks[0].msg == "output hidden by no_log"
    assert ran.report.tasks[1].msg == "visible-value"


def test_half_a_secret_is_not_shown_where_a_message_is_cut(kit, monkeypatch):
    from botyard.modules import builtin_uri

    body = b"x " * 95 + b"tok=" + stem(1).encode() * 3
    monkeypatch.setattr(builtin_uri, "_ask", lambda _: (500, {}, body, ""))
    ran = kit.play(
        "- uri: {url: 'http://127.0.0.1:1/'}",
        extra_vars={"p": Secret(stem(1) * 3)},
        run_dir=kit.folder / "run",
    )
    assert "answered 500" in ran.report.tasks[0].msg
    assert "Canary" not in "".join(file.read_text() for file in (kit.folder / "run").iterdir())


def test_short_secrets_are_hidden_alone_but_do_not_blot_out_other_words():
    redactor = Redactor()
    short = "a" * (MINIMUM - 1)
    redactor.learn(["ok", short, True, None, 7, "", " "])
    assert redactor.text(short) == "***"
    assert redactor.clean({"a": "ok", "n": 7, "yes": True, "none": None}) == {
        "a": "***", "n": 7, "yes": True, "none": None,
    }  # fmt: skip
    assert redactor.text(f"look: {short} 17 ") == f"look: {short} 17 "
    redactor.learn(short + "a")
    assert redactor.text(f"x{short}ax") == "x***x"


@pytest.mark.parametrize("odd", ["a\\ 'b\"  c\\\\d", "  \\\" ' x", "x" * 9 + "\U0001f600é", '& <<>> " &amp;'])
def test_no_notation_inside_another_shows_a_secret_nor_takes_long(odd):
    redactor = Redactor()
    redactor.learn(f"start{odd}end")
    text = f"start{odd}end"
    for write in (
        json.dumps,
        functools.partial(json.dumps, ensure_ascii=False),
        repr,
        shlex.quote,
        html.escape,
        quote,
    ) * 3:
        assert "start" not in redactor.text(f"<{text}>"), text
        text = write(text)
        if len(text) > 2000:
            break
    started = time.process_time()
    for run in ("\\", "'", "\\\\n", " ", "&amp;", "%25"):
        assert redactor.text(f"start{run * 3000}x") == f"start{run * 3000}x"
    assert time.process_time() - started < 1


def test_values_come_out_fit_for_json_and_utf_8():
    clean = Redactor().clean(
        {"nan": float("nan"), "inf": float("inf"), "lone": "\udc80é", "bytes": b"\xff", 1: (2.5, 10**400)}
    )
    assert json.loads(json.dumps(clean, allow_nan=False)) == {
        "nan": "nan", "inf": "inf", "lone": "\\udc80é", "bytes": "\ufffd", "1": [2.5, 10**400],
    }  # fmt: skip
    assert clean["lone"].encode()


def test_a_run_with_odd_values_still_leaves_whole_reports(kit, module):
    module(lambda args, ctx: Result(msg="\ud800 \x00", data={"nan": float("nan"), "lone": ["\udfff"]}))
    ran = kit.play("- test.core.thing:", run_dir=kit.folder / "run")
    assert ran.report.exit_code == 0
    report = json.loads((kit.folder / "run" / "report.json").read_text(), parse_constant=pytest.fail)
    assert report["tasks"][0]["data"]["lone"] == ["\\udfff"]
