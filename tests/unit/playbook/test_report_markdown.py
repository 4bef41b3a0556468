"""A run as GitHub shows it."""

from __future__ import annotations

from typing import Any

from botyard.report.markdown import markdown


def a_task(name: str, status: str = "ok", **more: Any) -> dict[str, Any]:
    return {"name": name, "status": status, "msg": "", "cure": "", "data": {}, **more}


def a_run(*tasks: dict[str, Any], exit_code: int = 0) -> dict[str, Any]:
    play = {"name": "Verify", "ok": 1, "changed": 0, "failed": exit_code, "skipped": 0, "duration_s": 2.34}
    return {"exit_code": exit_code, "duration_s": 409.7, "plays": [play], "tasks": list(tasks)}


def check(name: str, outcome: str = "passed", why: str = "") -> dict[str, Any]:
    return {"name": name, "outcome": outcome, "seconds": 1.5 if why else 0.5, "why": why}


def test_a_good_run_has_its_plays_and_checks() -> None:
    doctor = a_task("Look over this machine", data={"checks": [{"name": "memory", "status": "ok"}]})
    text = markdown(a_run(doctor, a_task("Readonly checks", data={"checks": [check("test_a"), check("test_b")]})))
    assert text.startswith("## botyard: passed in 6 min 50 s\n")
    assert "| Verify | 1 | 0 | 0 | 0 | 2.3 |" in text
    assert "**2 of 2 checks passed**; the slowest `test_a`, 0.5 s" in text


def test_a_bad_run_says_what_failed_and_its_cure() -> None:
    checks = [check("test_a"), check("test_b", "failed", "assert 1 == 2\n```\nmore")]
    text = markdown(a_run(a_task("Checks", "failed", msg="1 failed", cure="look <there>", data={"checks": checks}),
                          exit_code=1))  # fmt: skip
    assert "botyard: failed" in text and "1 of 2 checks passed" in text
    assert "### Checks: failed\n\n    1 failed\n\nCure: look &lt;there>" in text
    assert "`test_b`\n\n    assert 1 == 2\n    ```\n    more" in text


def test_a_long_message_is_cut_and_names_stay_in_their_cells() -> None:
    text = markdown(a_run(a_task("a|b\n# c", "failed", msg="x" * 9000), exit_code=1))
    assert "### a\\|b # c: failed" in text and len(text) < 3000
