"""The documentation as a site: it builds without a warning, and asks no other server."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path

import markdown
import pytest
from markdown_it import MarkdownIt

from tests.support.wait import HANG_S

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
LOADS = re.compile(r"<(?:script|link|img|iframe)[^>]*\s(?:src|href)=[\"']?(?:https?:)?//[^\"' >]+")
MARKDOWN = ("attr_list", "md_in_html", "sane_lists", "tables", "pymdownx.superfences")
SHOWN = re.compile(r"<(li|pre|table|tr|h\d|blockquote)[ >]")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the site as `make docs` does; a warning, such as a dead link, is an error."""
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
        timeout=HANG_S,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


def test_every_page_is_built(site: Path) -> None:
    """Also decisions, which their first page lists, and the changelog from the project's root."""
    for page in DOCS.rglob("*.md"):
        assert (site / page.relative_to(DOCS)).with_suffix(".html").is_file(), page
    listed = (site / "decisions" / "index.html").read_text(encoding="utf-8")
    for decision in (DOCS / "decisions").glob("0*.md"):
        assert f'href="{decision.stem}.html"' in listed
    changelog = (site / "changelog.html").read_text(encoding="utf-8")
    assert "Unreleased" in changelog
    assert 'href="concepts/floor.html"' in changelog


def test_no_page_loads_anything_from_elsewhere(site: Path) -> None:
    """No font, script, picture or frame of another server: readers stay between you and them."""
    pages = list(site.rglob("*.html"))
    assert len(pages) > 50
    found = [(page.name, each) for page in pages for each in LOADS.findall(page.read_text("utf-8"))]
    assert found == []


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=lambda page: page.stem)
def test_a_page_reads_the_same_on_the_site_and_on_github(page: Path) -> None:
    """Lists, blocks, tables and headings: both kinds of Markdown see as many."""
    text = re.sub(r"\A---\n.*?\n---\n", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    there = MarkdownIt("commonmark").enable("table").render(text)
    names = [
        "admonition",
        "attr_list",
        "md_in_html",
        "sane_lists",
        "tables",
        "pymdownx.superfences",
    ]
    here = markdown.markdown(text, extensions=names)
    assert Counter(SHOWN.findall(here)) == Counter(SHOWN.findall(there))
