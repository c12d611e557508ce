"""The list of trades and the drawer, as somebody uses them: keys, addresses, the back button."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.browsing import PHONE, WIDE
from tests.support.hostile_memory import MARKUP, N

if TYPE_CHECKING:
    from tests.support.browsing import Look, Site

BOT = "/trades?run=live/Trend/bot-1"


def _closed(look: Look) -> int:
    return look.page.locator("table.trades tbody tr").count()


def test_the_drawer_opens_and_closes_by_keys_and_has_an_address(full: Site) -> None:
    """The list stays behind it, and the back button and Escape lead to it."""
    with full.look(BOT) as look:
        page = look.page
        listed = page.url
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("k")
        page.keyboard.press("Enter")
        drawer = page.locator("#drawer")
        drawer.get_by_role("heading", name="From the proposed stake").wait_for()
        opened = page.url
        assert opened != listed
        assert look.axe() == []
        page.keyboard.press("Escape")
        page.wait_for_url(listed)
        assert not drawer.is_visible()
        page.go_forward()
        drawer.get_by_role("heading", name="From the proposed stake").wait_for()
        page.go_back()
        page.wait_for_url(listed)
        assert look.errors == []
    with full.look(opened.removeprefix(full.url)) as look:
        assert look.page.get_by_role("heading", name="From the proposed stake").is_visible()
        assert look.errors == []


@pytest.mark.parametrize("size", [WIDE, PHONE])
@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_a_trade_is_sound(full: Site, size: tuple[int, int], scheme: str) -> None:
    """Also where its every text is hostile."""
    ids = [
        trade.id
        for _, trade in full.served.service.memory.journal.records()
        if trade.kind == "trade" and MARKUP in str(trade)
    ]
    with full.look(f"/trades/{ids[-1]}", size, scheme) as look:
        assert MARKUP in look.page.inner_text("main")
        assert look.errors == []
        assert look.axe() == []
        assert not look.is_too_wide()
        fits = "all => all.every(each => each.scrollWidth <= each.clientWidth)"
        assert look.page.locator(".fit").evaluate_all(fits)
        assert look.page.locator("main script").count() == 0


def test_filters_are_in_the_address_and_pages_go_both_ways(full: Site) -> None:
    """A choice applies at once; n and p turn the pages."""
    with full.look(BOT) as look:
        page = look.page
        assert _closed(look) == 50
        first = page.locator("table.trades tbody tr a").first.get_attribute("href")
        page.keyboard.press("n")
        page.wait_for_url("**before=**")
        page.keyboard.press("n")
        page.get_by_role("link", name="Older").wait_for(state="detached")
        assert _closed(look) == N - 1 - 100
        page.keyboard.press("p")
        page.get_by_role("link", name="Older").wait_for()
        page.get_by_role("link", name="Newest").click()
        page.wait_for_url(lambda url: "before" not in url and "after" not in url)
        assert page.locator("table.trades tbody tr a").first.get_attribute("href") == first
        page.get_by_label("Outcome").select_option("lost")
        page.wait_for_url("**outcome=lost**")
        assert page.locator("table.trades td.number .up").count() >= 0
        assert "enter_tag" not in page.url
        page.go_back()
        page.wait_for_url(lambda url: "outcome" not in url)
        assert look.errors == []


def test_a_hostile_tag_can_be_chosen(full: Site) -> None:
    """And shows its trades."""
    with full.look(BOT) as look:
        look.page.get_by_label("Enter tag").select_option(label=MARKUP)
        look.page.wait_for_url("**enter_tag=**")
        assert _closed(look) >= 1
        assert look.errors == []


def test_somebody_without_scripts_sees_all_of_it(full: Site) -> None:
    """Links and forms are plain."""
    with full.look(BOT, scripts=False) as look:
        look.page.locator("table.trades tbody a").first.click()
        look.page.get_by_role("heading", name="From the proposed stake").wait_for()
