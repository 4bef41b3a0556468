"""What a reader can do with report.html: a real run, opened from disk in a browser that is offline."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from botyard.contracts import Paths
from botyard.playbook import RunOptions, run_playbooks

HEAD = "- name: {name}\n  hosts: localhost\n  connection: local\n  gather_facts: false\n  tasks:\n"
HOSTILE = "</script><img src=x onerror=\"document.title='taken'\">"
FILES = {
    "first": """
        - name: quick
          debug: {msg: hello}
        - name: writes
          copy: {dest: made, content: "new line\\n"}
    """,
    "left": """
        - name: sleeps left
          command: sleep 0.4
        - name: many
          command: echo said {{ item }}
          loop: [one, two]
    """,
    "right": """
        - name: sleeps right
          command: sleep 0.4
        - block:
            - name: goes wrong
              command: ls no-such-file
          rescue:
            - name: mends
              debug: {msg: "{{ hostile }}"}
    """,
    "last": """
        - name: stops {{ hostile }}
          fail: {msg: "it is over"}
    """,
}
TOP = """
- import_playbook: first.yml
- import_playbook: left.yml
  vars: {side_by_side: both}
- import_playbook: right.yml
  vars: {side_by_side: both}
- import_playbook: last.yml
"""


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("run")
    for name, tasks in FILES.items():
        body = textwrap.indent(textwrap.dedent(tasks), "    ")
        (folder / f"{name}.yml").write_text(HEAD.format(name=f"Play {name}") + body)
    (folder / "top.yml").write_text(TOP)
    (folder / "made").write_text("old line\n")
    options = RunOptions(
        paths=Paths(folder, folder / "state", folder / "cache"),
        run_dir=folder / "out",
        console="plain",
        diff=True,
        extra_vars={"hostile": HOSTILE},
    )
    assert run_playbooks([folder / "top.yml"], ctx=options).exit_code == 1
    return folder / "out" / "report.html"


Open = Callable[..., Any]


@pytest.fixture
def open_page(browser: Any, report: Path) -> Iterator[Open]:
    """Opens the report; fails where the page asks for anything else or its script complains."""
    contexts, wrong = [], []

    def opened(fragment: str = "", **options: Any) -> Any:
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, "offline": True, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("console", lambda message: wrong.append(message.text))
        page.on("request", lambda request: None if request.url.startswith("file:") else wrong.append(request.url))
        page.goto(report.as_uri() + fragment)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert wrong == []


def row(page: Any, name: str) -> Any:
    return page.locator("details.task", has=page.locator("b", has_text=name))


def test_a_bar_opens_its_task(open_page: Open) -> None:
    page = open_page()
    page.locator(".bar", has_text="sleeps left").click()
    assert row(page, "sleeps left").evaluate("task => task.open")
    page.get_by_label("writes, changed").click()
    diff = row(page, "writes").locator("pre.diff")
    assert diff.locator(".minus").all_inner_texts() == ["-old line"]
    assert diff.locator(".plus").all_inner_texts() == ["+new line"]
    assert page.url.endswith("#t1")


def test_a_click_shows_items_and_what_they_said(open_page: Open) -> None:
    page = open_page()
    many = row(page, "many")
    many.locator("summary").first.click()
    item = many.locator(".body > details", has_text="two")
    assert not item.locator("pre", has_text="said two").is_visible()
    item.locator("summary").first.click()
    assert item.locator("pre", has_text="said two").first.is_visible()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('{"a": [1, 0.5], "b": "x"}', '{\n  "a": [\n    1,\n    0.5\n  ],\n  "b": "x"\n}'),
        ('{"a": 12345678901234567890}', '{"a": 12345678901234567890}'),
        ('{"a": "cut he', '{"a": "cut he'),
    ],
)
def test_data_is_indented_where_that_changes_nothing(open_page: Open, text: str, shown: str) -> None:
    assert open_page().evaluate("text => indented(text)", text) == shown


def test_the_failure_stands_first_and_leads_to_its_task(open_page: Open) -> None:
    page = open_page()
    card = page.locator(".bad")
    assert "it is over" in card.inner_text()
    card.locator("a").click()
    assert row(page, "stops").evaluate("task => task.open")


def test_values_are_text_and_never_html(open_page: Open) -> None:
    page = open_page()
    row(page, "mends").locator("summary").first.click()
    assert row(page, "mends").locator(".body pre").first.inner_text() == HOSTILE
    assert page.locator("img").count() == 0
    assert page.title().startswith("Failed ")


def test_it_works_with_the_keyboard_alone(open_page: Open) -> None:
    page = open_page()
    page.locator(".bar[tabindex='0']").focus()  # one bar alone is a stop of the Tab key
    for key in ("End", "Home", "ArrowRight", "ArrowRight", "ArrowLeft"):
        page.keyboard.press(key)
    assert page.evaluate("document.activeElement.hash") == "#t1"
    assert page.locator(".hint").inner_text().startswith("writes, changed, ")
    page.keyboard.press("Enter")
    page.wait_for_function("document.activeElement.tagName === 'SUMMARY'")
    assert row(page, "writes").evaluate("task => task.open")
    page.keyboard.press("Space")
    assert not row(page, "writes").evaluate("task => task.open")
    assert page.locator(".bar[tabindex='0']").count() == 1


def test_filters_by_text_and_by_status(open_page: Open) -> None:
    page = open_page()
    shown = page.locator("details.task:visible")
    everything = shown.count()
    find = page.get_by_label("Show tasks that contain")
    find.fill("SAID ONE")  # the output of an item
    assert [shown.count(), shown.locator("b").inner_text()] == [1, "many"]
    assert page.locator(".bar.faint").count() == everything - 1
    assert page.get_by_role("status").inner_text() == f"1 of {everything} tasks"
    find.fill("")
    page.get_by_role("button", name="failed 1").click()
    page.get_by_role("button", name="rescued 1").click()
    assert shown.locator("b").all_inner_texts() == ["goes wrong", f"stops {HOSTILE}"]
    page.locator(".bar", has_text="sleeps left").click()  # what is looked for by its bar is never filtered away
    assert row(page, "sleeps left").is_visible()
    assert shown.count() == everything


def test_neighbours_stand_below_each_other_at_the_same_seconds(open_page: Open) -> None:
    page = open_page()
    left, right = (page.locator(".bar", has_text=f"sleeps {side}").bounding_box() for side in ("left", "right"))
    assert left["y"] < right["y"]
    assert abs(left["x"] - right["x"]) < left["width"] / 2
    assert page.locator(".row.lane").count() == 2
    labels = page.locator(".axis span").all_inner_texts()
    assert labels[0] == "0 s" and len(labels) > 2


def test_a_playbook_can_be_seen_alone(open_page: Open) -> None:
    page = open_page()
    bar = page.locator(".bar", has_text="sleeps left")
    before = bar.bounding_box()["width"]
    name = page.get_by_role("button", name="left", exact=True)
    name.click()
    assert bar.bounding_box()["width"] > before
    name.click()
    assert bar.bounding_box()["width"] == pytest.approx(before, abs=1)


def test_a_link_to_a_task_opens_it(open_page: Open) -> None:
    assert row(open_page("#t1"), "writes").evaluate("task => task.open")


@pytest.mark.parametrize("width", [320, 390, 800, 1600])
def test_no_width_needs_scrolling_sideways(open_page: Open, width: int) -> None:
    page = open_page(viewport={"width": width, "height": 800})
    page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_it_follows_the_scheme_of_the_system(open_page: Open) -> None:
    def background(scheme: str) -> str:
        page = open_page(color_scheme=scheme)
        return str(page.evaluate("getComputedStyle(document.body).backgroundColor"))

    assert background("light") == "rgb(255, 255, 255)"
    assert background("dark") == "rgb(15, 19, 24)"


def test_without_scripts_the_overview_is_there(open_page: Open) -> None:
    page = open_page(java_script_enabled=False)
    assert page.locator("details.task").count() == 8
    assert page.locator(".bar", has_text="sleeps left").bounding_box()["width"] > 20
    assert "scripts are off here" in page.locator("body").inner_text()
