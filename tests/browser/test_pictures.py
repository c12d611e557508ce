"""The pictures of the documentation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from docs.screenshots import take

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser


def test_the_site_gets_a_picture_of_each_page(browser: Browser, tmp_path: Path) -> None:
    """`python -m docs.screenshots` draws them from a memory with trades; together under 1 MB."""
    take(browser, tmp_path)
    sizes = {path.stem: path.stat().st_size for path in tmp_path.glob("*.png")}
    assert len(sizes) > 6
    assert min(sizes.values()) > 10_000
    assert sum(sizes.values()) < 1_000_000
