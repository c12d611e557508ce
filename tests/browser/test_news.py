"""What a bot writes shows on an open page by itself, over one stream for all pages of a browser."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.support.browsing import Site, site
from tests.support.samples import a_note
from tests.support.wait import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser


def test_an_open_page_shows_what_is_written(browser: Browser, tmp_path: Path) -> None:
    """Two pages of a browser share a stream; both show the note, and nobody reloads."""
    with site(browser, tmp_path, lambda _: None) as running:
        _two_pages(running)


def _two_pages(site: Site) -> None:
    memory = site.served.service.memory
    with site.look("/memory") as look:
        other = look.page.context.new_page()
        other.goto(f"{site.url}/memory")
        for page in (look.page, other):
            page.locator("#live", has_text="live").wait_for()
        origin = site.served.service.client.manual_origin()
        memory.journal.append([a_note(1, origin=origin, content="a word of the day")])
        for page in (look.page, other):
            page.bring_to_front()
            page.get_by_text("a word of the day").wait_for()
        assert site.served.service.pages.news.n_streams == 1
        assert look.errors == []
    assert eventually(lambda: site.served.service.pages.news.n_streams == 0)
