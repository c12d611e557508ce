"""The first page: the worst trouble on top, a card for each bot, what is open, ten questions."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.archive.backup import make_backup
from freqtrade_mem0.archive.rotation import backup_folder
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.service.live.bots import BotState
from tests.support.samples import ORIGIN, a_decision, a_pattern, a_trade, at, opened
from tests.support.served import Served, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HTML = {"Accept": "text/html"}
LIVE = replace(ORIGIN, mode=Mode.LIVE, run_id="bot-live")


def _state(**changes: Any) -> BotState:
    config = {"bot_name": "bot-live", "strategy": "Sample", "state": "running", "dry_run": False}
    return BotState(**{"name": "bot-live", "config": config} | changes)


def _position(pair: str, **changes: Any) -> dict[str, Any]:
    plain = {"trade_id": 7, "pair": pair, "is_short": False, "open_date": "2024-01-02 03:00:00"}
    return plain | {"stake_amount": 50.0, "profit_ratio": 0.02, "profit_abs": 1.5} | changes


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    """A service of a memory with a live bot that has two trades open and one closed."""
    with served(tmp_path, user_id="me") as running:
        journal = running.service.memory.journal
        for number, pair in enumerate(("ETH/USDT", "BTC/USDT", "XRP/USDT")):
            decision = a_decision(number, origin=LIVE, pair=pair, decided_at=at(number))
            trade = a_trade(number + 10, origin=LIVE, pair=pair, decision_id=decision.id)
            journal.append([decision, opened(decision, trade), *([trade] if number == 0 else [])])
        yield running


def _said(site: Served, monkeypatch: pytest.MonkeyPatch, *states: BotState) -> str:
    """Return the page, with what bots say."""
    monkeypatch.setattr(site.service.pages.bots, "states", lambda _=None: list(states))
    with site.as_("reader") as client:
        answer = client.get("/dashboard", headers=HTML)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def test_without_bots_that_answer_the_journal_says_what_is_open(
    site: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the page says how to see prices of now."""
    page = _said(site, monkeypatch)
    assert "2 trades open; memory changed the stake of 2" in page
    assert "mem0.service.bots" in page


def test_a_bot_without_a_backup_is_not_all_right(
    site: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in the report; and it is all right once there is one."""
    page = _said(site, monkeypatch)
    assert "There is no backup: " in page
    assert "Everything is all right" not in page
    memory = site.service.memory
    backup_folder(memory).mkdir()
    make_backup(memory, backup_folder(memory), datetime.now(UTC))
    assert "Everything is all right" in _said(site, monkeypatch)


def test_what_the_bot_has_counts(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A trade that it does not have is not open, and one of which memory knows nothing is."""
    orders = [{"trade_id": 7, "is_open": True}]
    there = [_position("BTC/USDT"), _position("DOGE/USDT", trade_id=8, profit_abs=-4.0)]
    page = _said(site, monkeypatch, _state(positions=there, orders=orders))
    table = page[page.index('aria-label="Open trades"') :]
    table = table[: table.index("</table>")]
    assert "BTC/USDT" in table
    assert "DOGE/USDT" in table
    assert "XRP/USDT" not in table
    assert table.count("order waits") == 1
    assert '2 trades, <span class="down">-2.50</span>' in page


def test_the_worst_trouble_is_on_top(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bot that does not answer is told to everybody in whose reach it is."""
    page = _said(site, monkeypatch, _state(config={}, away="it <b>sleeps</b>."))
    banner = page[page.index('class="banner') :]
    assert "bot-live gives no answer: it &lt;b&gt;sleeps&lt;/b&gt;." in banner[:400]
    assert "Everything is all right" not in page


def test_each_question_leads_to_a_page(site: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """So each of the ten is answered within two clicks, the first by the banner."""
    effect = a_pattern().effect_before
    assert effect is not None
    site.service.memory.journal.append(
        [
            a_pattern(1, origin=LIVE, effect_since=effect),
            a_pattern(2, origin=LIVE, effect_since=replace(effect, ratio=-0.01)),
        ]
    )
    page = _said(site, monkeypatch)
    assert "Of 2 patterns followed since discovery, 1 went on as before" in page
    links = re.findall(r'<a class="card question" href="([^"]+)"', page)
    assert len(links) == 9
    with site.as_("reader") as client:
        for link in links:
            assert client.get(link if link[0] == "/" else "/dashboard").status_code == 200, link


def test_an_empty_memory_says_what_to_run(tmp_path: Path) -> None:
    """Also to somebody whose key is bound."""
    with served(tmp_path) as running, running.as_("reader", strategy="Sample") as client:
        assert "freqtrade-mem0 demo" in client.get("/dashboard", headers=HTML).text


@pytest.mark.parametrize(
    ("applied", "shown"),
    [
        (True, ["+9.00 USDT with memory's stakes, +2.00 against the proposed", "memory's part"]),
        (False, ["+9.00 USDT with the proposed stakes; memory's would have", "would have changed"]),
    ],
)
def test_a_bot_has_the_profit_that_it_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, applied: bool, shown: list[str]
) -> None:
    """In shadow mode memory's stakes are what would have been, and are not added to it."""
    with served(tmp_path, user_id="me") as running:
        decision = a_decision(1, origin=LIVE, applied=applied)
        trade = a_trade(
            1,
            origin=LIVE,
            decision_id=decision.id,
            profit_ratio=0.08,
            profit_abs=9.0,
            max_stake_amount=125.0 if applied else 100.0,
        )
        running.service.memory.journal.append([decision, opened(decision, trade), trade])
        page = _said(running, monkeypatch).replace("&#39;", "'")
    assert '<p class="big up">+9.00' in page
    assert [text for text in shown if text not in page] == []
