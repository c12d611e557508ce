"""Pictures of the dashboard for the site: `python -m docs.screenshots`, before `make docs`.

They are made by Chromium from a service that runs, with the ledger of an invented bot, and are not
committed: `docs/hooks.py` shows those that are there.
"""

from __future__ import annotations

import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, cast

from freqtrade_mem0.config.discovery import modules_in
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.service.app import PAGES
from tests.support.bot_ledger import a_ledger
from tests.support.browsing import chromium, site

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from freqtrade_mem0.service.shell.page import Page
    from tests.support.served import Served

FOLDER = Path(__file__).parent / "pictures" / "pages"
_DAYS, _TRADES = 180, 600
_COMPLETE = "() => !document.body.innerText.includes('are being computed')"


def fill(running: Served) -> None:
    """Write what a live bot has written in half a year."""
    user = running.service.memory.settings.user_id
    origin = Origin(user_id=user, strategy="DipBuyer", mode=Mode.LIVE, run_id="bot-1")
    start = datetime.now(UTC) - timedelta(days=_DAYS)
    entries = a_ledger(_TRADES, days=_DAYS - 1, skill=0.1, spread=0.1, origin=origin, start=start)
    running.service.memory.journal.append(list(entries))


def take(browser: Browser, folder: Path) -> None:
    """Make a picture of each page of the navigation, dark, as it is on a laptop."""
    pages = [
        cast("Page", module.PAGE)
        for module in modules_in(PAGES).values()
        if hasattr(module, "PAGE")
    ]
    with tempfile.TemporaryDirectory() as memory, site(browser, Path(memory), fill) as shown:
        for page in pages:
            with shown.look(page.path) as look:
                look.page.wait_for_function(_COMPLETE)
                name = f"{page.order:03}-{page.path.strip('/')}.png"
                look.page.screenshot(path=folder / name)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    with chromium() as started:
        take(started, FOLDER)
