"""The helpers of the flow tests do what they say, with a strategy that has no memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.demo.freqtrade_run import FreqtradeRunError
from tests.flow.harness import PLAIN_STRATEGY

if TYPE_CHECKING:
    from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
    from tests.flow.conftest import StartBot
    from tests.flow.harness import Backtests

pytestmark = pytest.mark.flow


def test_backtest_returns_what_freqtrade_stored(backtests: Backtests) -> None:
    """A backtest's metrics, trades, run id and tables are those of Freqtrade."""
    result = backtests.run(PLAIN_STRATEGY, timerange="20240105-20240107")
    assert result.metrics.n_trades == len(result.trades) > 0
    profit = sum(trade["profit_abs"] for trade in result.trades)
    assert result.metrics.profit_quote == pytest.approx(profit)
    assert len(result.run_id) == 40
    assert "BACKTESTING REPORT" in result.tables


def test_backtest_failure_shows_the_log(backtests: Backtests) -> None:
    """A backtest that can not run raises with the end of Freqtrade's log."""
    broken = PLAIN_STRATEGY.replace("from freqtrade.strategy", "from no_such_package")
    with pytest.raises(FreqtradeRunError, match="no_such_package"):
        backtests.run(broken)


def test_bot_survives_an_outage_of_the_exchange(
    start_bot: StartBot, exchange: ExchangeStandIn
) -> None:
    """While the exchange refuses, the bot lives and answers; afterwards it asks it again."""
    bot = start_bot()
    bot.wait_until(bot.open_trades)
    exchange.control.outage("refuse", 600)
    bot.wait_until(lambda: "out of order" in bot.log() or "503" in bot.log())
    exchange.control.outage("refuse", 0)
    asked = exchange.control.stats()["/api/v3/depth"]
    bot.wait_until(lambda: exchange.control.stats()["/api/v3/depth"] > asked)
