"""report.html and junit.xml as files: whole, safe, quick. What a browser makes of the page: tests/browser."""

from __future__ import annotations

import json
import re
import time
from html.parser import HTMLParser
from xml.dom.minidom import parse

import pytest

from botyard.contracts import Diff, Result
from botyard.report.page import page
from botyard.report.records import ItemRecord, PlayRecord, RunReport, TaskRecord

HOSTILE = "</script></details><img src=x onerror=alert(1)><!-- \"' & {{ 1 + 1 }}"


class Reader(HTMLParser):
    """The tags of a page, and the text in some of them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, {key: value or "" for key, value in attrs}))

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag, kind=""):
        return [a for t, a in self.tags if t == tag and kind in [*a.get("class", "").split(), ""]]


def details(text: str) -> list[dict]:
    found = re.search(r'<script type="application/json" id="details">(.*?)</script>', text, re.DOTALL)
    assert found
    return json.loads(found[1])


def a_report(count: int = 1, **more) -> RunReport:
    report = RunReport(duration_s=float(count), go_on="invoke e2e")
    play = PlayRecord("Play", "localhost", "book", "", 0.0, float(count))
    report.plays.append(play)
    for n in range(count):
        values = {"status": "ok", "duration_s": 0.9, "msg": "said", **more}
        task = TaskRecord(f"task {n}", "m", "book.yml:1:1", "Play", "book", "", float(n), **values)
        report.tasks.append(task)
        play.count(task)
    return report


def test_the_page_holds_every_task_and_what_it_said():
    report = a_report(
        3,
        data={"stdout": "out", "stderr": "err", "msg": "said", "extra": {"a": [1]}},
        diff=[Diff("file", "a\n", "b\n")],
        cure="mend it",
        warnings=["careful"],
        traceback="Traceback ...",
    )
    text = page(report)
    reader = Reader(text)
    assert [a["id"] for a in reader.all("details", "task")] == ["t0", "t1", "t2"]
    assert [a["href"] for a in reader.all("a", "bar")] == ["#t0", "#t1", "#t2"]
    assert details(text)[2] == {
        "msg": "said", "stdout": "out", "stderr": "err", "cure": "mend it", "warnings": ["careful"], "items": [],
        "checks": [], "traceback": "Traceback ...", "data": '{"extra": {"a": [1]}}',
        "diff": "--- before: file\n+++ after: file\n@@ -1 +1 @@\n-a\n+b",
    }  # fmt: skip


def test_items_of_a_loop_show_their_own_output():
    items = [ItemRecord("one", "ok", "fine"), ItemRecord("two", "failed", "bad", [Diff("f", "", "x\n")])]
    data = {"results": [{"stdout": "1"}, {"stdout": "2", "rc": 1}], "all": True}
    of = details(page(a_report(items=items, data=data)))[0]
    assert [(i["label"], i["status"], i["msg"], i["stdout"]) for i in of["items"]] == [
        ("one", "ok", "fine", "1"), ("two", "failed", "bad", "2"),
    ]  # fmt: skip
    assert "+x" in of["items"][1]["diff"]
    assert json.loads(of["items"][1]["data"]) == {"rc": 1}
    assert json.loads(of["data"]) == {"all": True}


def test_the_checks_of_a_suite_become_a_table():
    checks = [{"name": "test_a", "outcome": "passed", "seconds": 0.1, "why": ""}]
    assert details(page(a_report(data={"checks": checks})))[0]["checks"] == checks
    assert details(page(a_report(data={"checks": "all good"})))[0]["checks"] == []


def test_nothing_in_a_value_is_read_as_html():
    report = a_report(
        msg=HOSTILE,
        status="failed",
        cure=HOSTILE,
        data={"stdout": HOSTILE, HOSTILE: HOSTILE},
        diff=[Diff(HOSTILE, "", HOSTILE)],
        items=[ItemRecord(HOSTILE, "ok", HOSTILE)],
        summary_lines=[HOSTILE],
    )
    report.tasks[0].name = report.plays[0].name = report.tasks[0].play = report.go_on = HOSTILE
    text = page(report)
    tags = [tag for tag, _ in Reader(text).tags]
    plain = [tag for tag, _ in Reader(page(a_report(status="failed", summary_lines=["x"]))).tags]
    assert tags == plain
    assert details(text)[0]["items"][0]["label"] == HOSTILE
    assert "{{ 1 + 1 }}" in text


def test_the_page_needs_nothing_else():
    text = page(a_report())
    reader = Reader(text)
    assert not [tag for tag, a in reader.tags if tag in ("link", "img", "iframe") or (tag == "script" and "src" in a)]
    assert {a["href"] for a in reader.all("a") if not a["href"].startswith("#")} == {
        "report.json", "junit.xml", "events.jsonl",
    }  # fmt: skip
    assert "default-src 'none'" in text
    assert not re.search(r"url\(|@import|https?://", text)


def test_lines_of_the_timeline_are_playbooks_and_lanes():
    report = a_report(2)
    for n, lane in enumerate(("images", "cluster", "images")):
        report.plays.append(PlayRecord(f"p{n}", "localhost", lane, lane, 1.0, 2.0))
        report.tasks.append(TaskRecord("t", "m", "w", f"p{n}", lane, lane, 1.0 + n, "ok"))
    reader = Reader(page(report))
    assert len(reader.all("div", "row")) == 3
    assert len(reader.all("div", "lane")) == 2
    assert len(reader.all("a", "bar")) == 5


def test_a_long_output_keeps_its_start_and_its_end():
    of = details(page(a_report(data={"stdout": "first" + "x" * 100_000 + "last"})))[0]
    assert of["stdout"].startswith("first") and of["stdout"].endswith("last")
    assert "60009 characters left out, see report.json" in of["stdout"]


def test_a_hundred_tasks_take_no_time_that_anyone_notices():
    report = a_report(100, data={"stdout": "line\n" * 200, "rc": 0})
    page(report)
    started = time.process_time()
    page(report)
    assert time.process_time() - started < 0.2  # 0.03 where nothing else runs


@pytest.mark.parametrize(
    ("tasks", "code", "verdict"),
    [
        ("- {name: a, debug: {}}", 0, "Done"),
        ("- {name: a, debug: {}}\n- {name: b, fail: {msg: broken}}", 1, "Failed"),
        ("- {name: a, debug: {}}\n- {name: b, test.core.stops: {}}", 130, "Interrupted"),
    ],
)
def test_every_run_leaves_a_page_and_names_it(kit, module, tasks, code, verdict):
    def run(args, ctx):
        raise KeyboardInterrupt

    module(run, name="stops")
    ran = kit.play(tasks, run_dir=kit.folder / "run")
    assert ran.report.exit_code == code
    assert ran.out.rstrip().endswith("report: run/report.html")
    text = (kit.folder / "run" / "report.html").read_text()
    assert f"<title>{verdict} " in text
    assert len(Reader(text).all("div", "bad")) == (1 if code else 0)


def test_a_run_that_did_nothing_has_a_page():
    assert "No task ran." in page(RunReport())


# Contrast, as WCAG counts it: 4.5 for text.


def luminance(colour: str) -> float:
    parts = (
        [int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5)]
        if len(colour) == 7
        else [int(colour[1] * 2, 16) / 255] * 3
    )
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(scheme):
    blocks = re.findall(r":root \{(.*?)\}", page(a_report()), re.DOTALL)
    colour = dict(re.findall(r"--([a-z]+): (#[0-9a-f]{3,6})", blocks[scheme == "dark"]))
    statuses = ("ok", "changed", "failed", "rescued", "skipped", "stopped")
    pairs = [(name, on) for name in ("text", "dim", "link", *statuses) for on in ("bg", "soft")]
    pairs += [("on", name) for name in statuses] + [("text", "plus"), ("text", "minus")]
    weak = {pair: contrast(colour[pair[0]], colour[pair[1]]) for pair in pairs}
    assert {pair: ratio for pair, ratio in weak.items() if ratio < 4.5} == {}


def suites(kit) -> list[dict[str, str]]:
    found = parse(str(kit.folder / "run" / "junit.xml"))  # noqa: S318 - our own file
    return [dict(suite.attributes.items()) for suite in found.getElementsByTagName("testsuite")]


def test_junit_counts_what_its_cases_say(kit, module):
    def run(args, ctx):
        raise KeyboardInterrupt

    module(run)
    kit.play(
        "- {name: a, debug: {}}\n- {name: s, debug: {}, when: false}\n- {name: i, fail: {}, ignore_errors: true}\n"
        "- {name: b, test.core.thing: {}}\n- {name: never, debug: {}}",
        run_dir=kit.folder / "run",
    )
    (suite,) = suites(kit)
    assert {key: suite[key] for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "4", "failures": "0", "errors": "1", "skipped": "1",
    }  # fmt: skip
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", suite["timestamp"])
    root = parse(str(kit.folder / "run" / "junit.xml")).documentElement  # noqa: S318
    assert {key: root.getAttribute(key) for key in ("tests", "failures", "errors")} == {
        "tests": "4", "failures": "0", "errors": "1",
    }  # fmt: skip
    (error,) = root.getElementsByTagName("error")
    assert error.getAttribute("type") == "test.core.thing"


def test_junit_tells_two_runs_of_one_playbook_apart(kit):
    kit.tasks("- {name: a, debug: {}}\n- {name: b, debug: {}}", name="twice.yml")
    top = kit.write("- import_playbook: twice.yml\n- import_playbook: twice.yml\n", "top.yml")
    kit.run(top, run_dir=kit.folder / "run")
    assert [suite["tests"] for suite in suites(kit)] == ["2", "2"]


def test_registered_data_of_any_kind_can_be_shown(kit, module):
    module(lambda args, ctx: Result(data={"set": {1}, "path": kit.folder, "results": "no list", "none": None}))
    ran = kit.play("- {name: t, test.core.thing: {}, loop: [1, 2]}\n- test.core.thing:", run_dir=kit.folder / "run")
    assert ran.report.exit_code == 0
    assert len(details((kit.folder / "run" / "report.html").read_text())[0]["items"]) == 2
