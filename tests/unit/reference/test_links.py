"""Pages lead somewhere: no dead link or anchor, no page that nobody links to, no file named that is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PAGES = sorted(
    [
        *ROOT.glob("*.md"),
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("bots/*/README.md"),
        *ROOT.glob("charts/*/README.md"),
    ]
)
LINK = re.compile(r"\]\((?!https?:)([^)\s#]*)(?:#([^)\s]+))?\)")
NAMED = re.compile(r"(?<![\w./<>-])(?:docs|tests|playbooks|values|dockerfiles|charts)/[\w./-]*\w")


def _prose(page: Path) -> str:
    return re.sub(r"^ *```.*?^ *```", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)


def _anchors(page: Path) -> set[str]:
    headings = re.findall(r"^#+ +(.+)$", _prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading).strip().lower().replace(" ", "-") for heading in headings}


def _links(page: Path) -> list[tuple[Path, str]]:
    found = LINK.findall(_prose(page))
    return [((page.parent / to).resolve() if to else page, anchor) for to, anchor in found]


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_links_lead_to_files_and_headings(page: Path) -> None:
    for to, anchor in _links(page):
        assert to.exists(), f"there is no {to}"
        assert not anchor or anchor in _anchors(to), f"{to.name} has no heading #{anchor}"


def test_every_page_is_reached_from_the_readme() -> None:
    reached, new = set[Path](), {ROOT / "README.md"}
    while new:
        reached |= new
        new = {to for page in new for to, _ in _links(page) if to.suffix == ".md"} - reached
    assert {str(page.relative_to(ROOT)) for page in PAGES if page not in reached} == set()


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_files_that_a_page_names_are_there(page: Path) -> None:
    named = {
        name
        for name in NAMED.findall(_prose(page))
        if not any(base.joinpath(name).exists() for base in (ROOT, page.parent))
    }
    assert named == set()
