"""A situation that was made ready with its candle is the one that would be computed later."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from freqtrade.enums import RunMode
from freqtrade.strategy import IStrategy

from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.situation import Candles, indicators_of
from freqtrade_mem0.strategy import callbacks, hooks, market
from freqtrade_mem0.strategy.market import Market
from tests.support.candles import TIMEFRAME_S, random_walk
from tests.support.samples import START

PAIR = "ETH/USDT"
N_CANDLES = 300
CLOSED_MS = to_ms(START) + N_CANDLES * TIMEFRAME_S * 1_000
INDICATORS = indicators_of(["ADX(14)"])


class Analysed:
    """A strategy whose data provider holds the candles that Freqtrade analysed last."""

    def __init__(self, n_candles: int = N_CANDLES, seed: int = 0) -> None:
        self.timeframe = "5m"
        self.config: dict[str, Any] = {"runmode": RunMode.DRY_RUN}
        self.frame = random_walk(N_CANDLES, seed=seed).iloc[:n_candles]
        self.dp = SimpleNamespace(get_analyzed_dataframe=lambda *_: (self.frame, None))

    def market(self) -> Market:
        """Return its market, with nothing ready."""
        return Market(self, TIMEFRAME_S, INDICATORS)


@pytest.mark.parametrize("n_candles", [0, 1, 119, 120, N_CANDLES])
@pytest.mark.parametrize("later_ms", [-TIMEFRAME_S * 1_000, -1, 0, 1, 10 * TIMEFRAME_S * 1_000])
def test_ready_is_what_is_computed_at_the_stake(n_candles: int, later_ms: int) -> None:
    """Also a moment before the candle has closed, as a clock that is behind would say."""
    strategy = Analysed(n_candles)
    ready, plain = strategy.market(), strategy.market()
    ready.make_ready(PAIR)
    moment_ms = to_ms(START) + n_candles * TIMEFRAME_S * 1_000 + later_ms
    found, expected = ready.at(PAIR, moment_ms), plain.at(PAIR, moment_ms)
    assert found.situation == expected.situation
    assert found.n_closed == expected.n_closed
    assert found.times_usual_range == expected.times_usual_range
    assert ready.seen_by_any_thread(PAIR, moment_ms) == expected.situation


def test_what_is_ready_is_not_computed_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a stake nor an exit nor a loop without a new candle reads the columns."""
    strategy = Analysed()
    ready = strategy.market()
    ready.make_ready(PAIR)
    first = ready.at(PAIR, CLOSED_MS).situation
    monkeypatch.setattr(market, "Candles", None)
    ready.make_ready(PAIR)
    first["added"] = "by the strategy"
    assert "ADX(14)" in ready.at(PAIR, CLOSED_MS).situation
    assert "added" not in ready.at(PAIR, CLOSED_MS).situation
    assert ready.seen_by_any_thread(PAIR, CLOSED_MS) == ready.at(PAIR, CLOSED_MS).situation


def test_candles_analysed_since_are_read() -> None:
    """What was ready of the dataframe before does not answer for a new one."""
    strategy = Analysed()
    ready = strategy.market()
    ready.make_ready(PAIR)
    old = ready.at(PAIR, CLOSED_MS).situation
    strategy.frame = random_walk(N_CANDLES, seed=1)
    expected = Candles(strategy.frame, INDICATORS).features(N_CANDLES)
    assert ready.at(PAIR, CLOSED_MS).situation.items() >= expected.items()
    assert ready.at(PAIR, CLOSED_MS).situation != old


class _Runnable(IStrategy):  # type: ignore[misc]
    """Freqtrade's own analysis, of candles that an exchange would give."""

    timeframe = "5m"
    minimal_roi = {"0": 0.01}  # noqa: RUF012 - as strategies have it
    stoploss = -0.1

    def populate_indicators(self, dataframe: Any, metadata: Any) -> Any:  # noqa: ARG002
        """No indicators."""
        return dataframe

    populate_entry_trend = populate_exit_trend = populate_indicators


def test_freqtrades_analysis_makes_it_ready_and_a_failure_of_ours_stops_no_bot(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """`analyze` of Freqtrade analyses as without memory; what fails in ours is logged once."""
    asked: list[str] = []

    class Failing:
        def __init__(self, *_: Any) -> None:
            pass

        def make_ready(self, pair: str) -> None:
            asked.append(pair)
            raise RuntimeError("it failed")

    monkeypatch.setattr(hooks, "Market", Failing)
    strategy = _Runnable({"candle_type_def": "spot", "runmode": RunMode.DRY_RUN})
    kept: list[Any] = []
    strategy.dp = SimpleNamespace(
        ohlcv=lambda *_, **__: random_walk(N_CANDLES, seed=0),
        _set_cached_df=lambda _pair, _timeframe, frame, **_: kept.append(frame),
        _emit_df=lambda *_: None,
    )
    run: Any = SimpleNamespace(
        kind=SimpleNamespace(is_bot=True),
        settings=SimpleNamespace(
            situation=SimpleNamespace(indicators=[]),
            risk=SimpleNamespace(leverage=False),
            frequi=SimpleNamespace(annotations=False),
        ),
    )
    callbacks.install(strategy, run, lambda: None, timeframe_s=TIMEFRAME_S)  # type: ignore[arg-type,return-value]
    strategy.analyze([PAIR, "BTC/USDT"])
    assert asked == [PAIR, "BTC/USDT"]
    assert len(kept) == 2
    assert [each.message.split(";")[0] for each in caplog.records if each.levelname == "ERROR"] == [
        "Memory failed in analyze_pair"
    ]
