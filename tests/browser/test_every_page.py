"""What holds for each page: shown without an error, usable by everybody, hostile texts as texts.

The pages are those in the navigation, so a new one is in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from freqtrade_mem0.config.discovery import modules_in
from freqtrade_mem0.service.app import PAGES
from tests.support.browsing import PHONE, WIDE

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.service.shell.page import Page
    from tests.support.browsing import Look, Site

ADDRESSES = [
    cast("Page", module.PAGE).path
    for module in modules_in(PAGES).values()
    if hasattr(module, "PAGE")
]
LOOKS = ((WIDE, "dark"), (PHONE, "light"))


@pytest.mark.parametrize("address", ADDRESSES)
@pytest.mark.parametrize("memory", ["empty", "full"])
def test_a_page_is_sound(
    memory: str, address: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """No error of a script, nothing from elsewhere, nothing for axe, no scrolling sideways.

    Of a page that is not sound there is a picture in the folder of the test.
    """
    site: Site = request.getfixturevalue(memory)
    for size, scheme in LOOKS:
        with site.look(address, size, scheme) as look:
            try:
                _is_sound(look)
            except AssertionError:
                look.page.screenshot(path=tmp_path / f"{size[0]}-{scheme}.png", full_page=True)
                raise


TOO_WIDE = (
    "[...document.querySelectorAll('.fit')].filter(t => t.scrollWidth > t.clientWidth).length"
)
"""How many of the tables that must be whole on a phone are not."""


def _is_sound(look: Look) -> None:
    assert look.errors == []
    assert look.from_elsewhere == []
    assert look.axe() == []
    assert not look.is_too_wide()
    assert look.page.evaluate(TOO_WIDE) == 0
    assert look.page.locator("main script, main img[onerror], main iframe").count() == 0


def test_the_page_to_sign_in_is_sound(locked: Site) -> None:
    """A browser without a cookie is told how to get in; a key lets it in, to where it wanted."""
    site = locked
    with site.look("/dashboard?pair=ETH/USDT") as look:
        look.errors.clear()  # Chromium notes the status 401
        _is_sound(look)
        look.page.locator("#key").fill(site.served.key("reader"))
        look.page.get_by_role("button", name="Sign in").click()
        look.page.wait_for_url("**/dashboard?pair=ETH/USDT")
        assert look.page.get_by_role("navigation").is_visible()
