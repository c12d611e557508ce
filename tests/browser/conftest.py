"""One Chromium, and one service of an empty and of a full memory, for the tests of a file.

Not for a whole session: while Playwright runs, no other test of the process can use asyncio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.browsing import Site, chromium, site
from tests.support.hostile_memory import fill_hostile

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    with chromium() as started:
        yield started


@pytest.fixture(scope="module")
def empty(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages of a memory in which nothing is."""
    with site(browser, tmp_path_factory.mktemp("empty"), lambda _: None) as running:
        yield running


@pytest.fixture(scope="module")
def full(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages of a memory with bots, backtests, and hostile texts in every field."""
    with site(browser, tmp_path_factory.mktemp("full"), fill_hostile) as running:
        yield running


@pytest.fixture(scope="module")
def locked(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The pages of a service that asks for a key."""
    folder = tmp_path_factory.mktemp("keys")
    with site(browser, folder, lambda _: None, no_auth=False) as running:
        yield running
