"""The dashboard beside a real dry-run bot: its positions, and news of its fills."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.service.live.news import News
from freqtrade_mem0.service.live.sources import Sources
from tests.flow.harness import wait_until
from tests.flow.scenarios import REMEMBERING

if TYPE_CHECKING:
    from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
    from tests.flow.conftest import StartBot

pytestmark = pytest.mark.flow

MEM0 = {"enabled": True, "sync_interval": 1, "mode": "local"}


def test_positions_of_a_bot_and_its_fills_are_seen(
    start_bot: StartBot, exchange: ExchangeStandIn
) -> None:
    """Freqtrade's own API says what is open; the journal says, item by item, what was filled."""
    pairs = {"BTC/USDT", "ETH/USDT", "DOGE/USDT"}
    for pair in pairs:
        exchange.control.pin(pair)
    bot = start_bot(REMEMBERING, MEM0)
    config = json.loads(bot.config.read_text(encoding="utf-8"))
    settings = load_settings(config)
    assert settings is not None
    memory = MemoryFolder(settings, bot.userdir)
    sources = Sources(memory, config)
    try:
        wait_until(lambda: len(sources.bots.states()[0].positions) == 3)
        (state,) = sources.bots.states()
        assert state.away == ""
        assert {each["pair"] for each in state.positions} == pairs
        assert all(isinstance(each["profit_abs"], float) for each in state.positions)
        assert (state.config["dry_run"], state.config["state"]) == (True, "running")
        assert state.balance["slots"]["current"] == 3
        news = News(memory.journal)
        wait_until(lambda: _seen(news).get("decision", 0) >= 3)
        end = news.end()
        exchange.control.unpin("BTC/USDT")
        exchange.control.shock("BTC/USDT", 1.05)
        wait_until(lambda: _seen(news, end).get("trade", 0) == 1)
        bot.stop()
        wait_until(lambda: "does not answer" in sources.bots.states()[0].away)
    finally:
        sources.close()
        memory.close()


def _seen(news: News, after: int = 0) -> dict[str, int]:
    return news.since(Scope(), after, news.end())
