"""Fixtures of the flow tests: generated candles, the exchange stand-in, backtests, dry-run bots."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from freqtrade_mem0.demo.candles import CandlePlan, write_candles
from freqtrade_mem0.demo.exchange.markets import markets_in
from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
from tests.flow.dry_run_bot import DryRunBot
from tests.flow.harness import PLAIN_STRATEGY, Backtests

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

PLAN = CandlePlan(pairs=("BTC/USDT", "ETH/USDT", "DOGE/USDT"), timeframe_minutes=5, days=30, seed=7)


class StartBot(Protocol):
    """Starts a dry-run bot that ends with the test."""

    def __call__(
        self,
        strategy_source: str = ...,
        mem0: Mapping[str, Any] | None = ...,
        *,
        name: str = ...,
        **config: Any,
    ) -> DryRunBot:
        """Return the running bot; `name` is its folder, so a second bot needs another one."""
        ...


@pytest.fixture(scope="session")
def datadir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generated candles of `PLAN`: three pairs, 30 days, 5m."""
    folder = tmp_path_factory.mktemp("candles")
    write_candles(folder, PLAN)
    return folder


@pytest.fixture(scope="session")
def quiet_exchange(datadir: Path) -> Iterator[ExchangeStandIn]:
    """A stand-in for backtests, which ask for markets alone. Nobody imposes anything on it."""
    with ExchangeStandIn(markets_in(datadir)) as exchange:
        yield exchange


@pytest.fixture
def exchange(datadir: Path) -> Iterator[ExchangeStandIn]:
    """A stand-in of this test's own, whose prices follow the candles; shock and pin it freely."""
    with ExchangeStandIn(markets_in(datadir), datadir) as stand_in:
        yield stand_in


@pytest.fixture
def backtests(quiet_exchange: ExchangeStandIn, datadir: Path, tmp_path: Path) -> Backtests:
    """Backtests on the generated candles, in a folder of this test's own."""
    return Backtests(
        url=quiet_exchange.url,
        datadir=datadir,
        pairs=PLAN.pairs,
        timeframe=PLAN.timeframe,
        folder=tmp_path,
    )


@pytest.fixture
def start_bot(exchange: ExchangeStandIn, tmp_path: Path) -> Iterator[StartBot]:
    """Start dry-run bots on `exchange`; they end with the test."""
    with ExitStack() as bots:

        def start(
            strategy_source: str = PLAIN_STRATEGY,
            mem0: Mapping[str, Any] | None = None,
            *,
            name: str = "bot",
            **config: Any,
        ) -> DryRunBot:
            bot = DryRunBot(
                exchange.url, tmp_path / name, PLAN.pairs, strategy_source, mem0, **config
            )
            return bots.enter_context(bot)

        yield start
