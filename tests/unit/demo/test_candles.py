from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

from freqtrade_mem0.demo.candles import (
    MIXTURES,
    REGIMES,
    CandlePlan,
    generate,
    generate_minutes,
    resample,
    write_candles,
    write_futures_candles,
)
from freqtrade_mem0.demo.exchange.markets import START_PRICES, candle_files

if TYPE_CHECKING:
    from pathlib import Path

SHORT = CandlePlan(pairs=("BTC/USDT", "DOGE/USDT"), timeframe_minutes=5, days=4, seed=7)
OTHER_SEED = replace(SHORT, seed=8)


@pytest.mark.parametrize("pair", SHORT.pairs)
def test_candles_are_valid(pair: str) -> None:
    """Highs and lows enclose, candles follow each other without a gap, prices stay positive."""
    candles = generate(pair, SHORT)
    assert len(candles) == 4 * 288
    assert (candles["high"] >= candles[["open", "close"]].max(axis=1)).all()
    assert (candles["low"] <= candles[["open", "close"]].min(axis=1)).all()
    assert (candles["low"] > 0).all()
    assert (candles["volume"] > 0).all()
    assert (candles["date"].diff().dropna() == pd.Timedelta(minutes=5)).all()
    assert (candles["open"].iloc[1:].to_numpy() == candles["close"].iloc[:-1].to_numpy()).all()


def test_equal_plans_give_equal_candles() -> None:
    """The seed decides everything."""
    assert_frame_equal(generate("BTC/USDT", SHORT), generate("BTC/USDT", SHORT))


@pytest.mark.parametrize(
    ("pair", "plan"), [("BTC/USDT", replace(SHORT, seed=8)), ("ETH/USDT", SHORT)]
)
def test_another_seed_or_pair_gives_other_candles(pair: str, plan: CandlePlan) -> None:
    """Neither two seeds nor two pairs move alike."""
    one = generate("BTC/USDT", SHORT)["close"].pct_change()
    other = generate(pair, plan)["close"].pct_change()
    assert one.corr(other) < 0.9


def test_longer_plan_begins_with_the_same_candles() -> None:
    """Adding days changes nothing before them."""
    short = generate("DOGE/USDT", SHORT)
    long = generate("DOGE/USDT", replace(SHORT, days=9))
    assert_frame_equal(long.iloc[: len(short)], short)


def test_timeframes_of_one_plan_agree() -> None:
    """An hour is the sum of its minutes, whichever way it is made."""
    hours = generate("BTC/USDT", replace(SHORT, timeframe_minutes=60))
    assert_frame_equal(resample(generate_minutes("BTC/USDT", SHORT), 60), hours)


def test_mixtures_name_every_regime_of_every_pair() -> None:
    """Each demo pair has a share of each regime, and the shares add up to one."""
    assert set(MIXTURES) == set(START_PRICES)
    for shares in MIXTURES.values():
        assert len(shares) == len(REGIMES)
        assert sum(shares) == pytest.approx(1.0)


def test_files_are_in_freqtrades_layout(tmp_path: Path) -> None:
    """Freqtrade's own reader finds and loads what is written, spot and futures."""
    from freqtrade.data.history import load_pair_history
    from freqtrade.enums import CandleType

    write_candles(tmp_path, SHORT, detail=True)
    write_futures_candles(tmp_path, SHORT)
    assert set(candle_files(tmp_path)) == {"1m", "5m"}
    assert list(candle_files(tmp_path, futures=True)["5m"]) == ["BTC/USDT:USDT", "DOGE/USDT:USDT"]
    spot = load_pair_history("BTC/USDT", "5m", tmp_path, startup_candles=0)
    assert_frame_equal(spot, generate("BTC/USDT", SHORT), check_dtype=False)
    for timeframe, kind in (
        ("5m", CandleType.FUTURES),
        ("1h", CandleType.MARK),
        ("1h", CandleType.FUNDING_RATE),
    ):
        frame = load_pair_history("BTC/USDT:USDT", timeframe, tmp_path, candle_type=kind)
        assert len(frame) > 90
