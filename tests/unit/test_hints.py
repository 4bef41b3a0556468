"""The line and the word that an error shows."""

from __future__ import annotations

from pathlib import Path

from botyard.hints import close_to, excerpt


def test_the_caret_stands_below_its_column(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_text("a: 1\n\tb: \x1b[2J2\n")
    assert excerpt(file, 1, 4) == "    a: 1\n       ^"
    assert excerpt(file, 2, 2) == "    \tb: \ufffd[2J2\n    \t^"  # a tab stays, what steers a terminal does not


def test_of_a_long_line_the_part_round_its_column_is_shown(tmp_path: Path) -> None:
    file = tmp_path / "a.yml"
    file.write_text("a" * 1000 + "!" + "b" * 1000)
    line, caret = excerpt(file, 1, 1001).splitlines()
    assert len(line) < 200 and line[caret.index("^")] == "!"


def test_where_there_is_no_such_line_nothing_is_shown(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("a: 1\n")
    assert excerpt(tmp_path / "a.yml", 2, 1) == excerpt(tmp_path / "a.yml", 0, 1) == excerpt(tmp_path, 1, 1) == ""


def test_a_word_is_found_by_its_last_part_too() -> None:
    assert close_to("clean", ["cache.clean", "e2e"]) == "did you mean cache.clean?"
