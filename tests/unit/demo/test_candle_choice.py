from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.demo import candle_choice
from freqtrade_mem0.demo.candle_choice import chosen_candles, generated_candles
from freqtrade_mem0.demo.candles import CandlePlan, write_candles
from freqtrade_mem0.demo.run import _STRATEGY_SOURCE
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

PLAN = CandlePlan(pairs=("BTC/USDT", "ETH/USDT"), timeframe_minutes=5, days=10)


@pytest.fixture
def datadir(tmp_path: Path) -> Path:
    """Two pairs of ten days, as 1m, 5m and 1h candles: 28800, 5760 and 480 in all."""
    write_candles(tmp_path, PLAN, detail=True)
    write_candles(tmp_path, CandlePlan(pairs=PLAN.pairs, timeframe_minutes=60, days=PLAN.days))
    return tmp_path


def test_generated_candles_are_called_generated(tmp_path: Path) -> None:
    """The demo's own candles say what they are, and where they lie."""
    candles = generated_candles(tmp_path, None)
    assert candles.generated
    assert (candles.timeframe, len(candles.pairs)) == ("15m", 6)
    assert candles.currency == "USDT"


@pytest.mark.parametrize(
    ("limit", "timeframe"), [(100_000, "5m"), (5_000, "1h")], ids=["all fit", "only 1h fits"]
)
def test_shortest_timeframe_that_fits_is_chosen(
    datadir: Path, monkeypatch: pytest.MonkeyPatch, limit: int, timeframe: str
) -> None:
    """Not 1m, which the strategy is not made for; not more candles than a demo has time for."""
    monkeypatch.setattr(candle_choice, "MAX_CANDLES", limit)
    candles = chosen_candles(datadir, None)
    assert candles.timeframe == timeframe
    assert candles.timerange is None
    assert not candles.generated


def test_oldest_candles_are_left_out_where_none_fits(
    datadir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too many candles in every timeframe: the newest of the longest are taken."""
    monkeypatch.setattr(candle_choice, "MAX_CANDLES", 240)
    candles = chosen_candles(datadir, None)
    assert candles.timeframe == "1h"
    assert candles.timerange == "20240106-20240110"
    assert candles.n_candles <= 240


def test_timerange_is_kept_and_counted(datadir: Path) -> None:
    """A timerange goes to Freqtrade as it is; only its candles count."""
    candles = chosen_candles(datadir, "20240103-20240104")
    assert candles.timerange == "20240103-20240104"
    assert candles.n_candles == 2 * (288 + 1)


@pytest.mark.parametrize(
    ("timerange", "sentence"),
    [("20300101-", "no spot candles within"), ("yesterday", "Freqtrade can not read --timerange")],
)
def test_impossible_timerange_is_refused(datadir: Path, timerange: str, sentence: str) -> None:
    """A timerange without candles, or none at all, ends the demo with a sentence."""
    with pytest.raises(ConfigError, match=sentence):
        chosen_candles(datadir, timerange)


def test_folder_without_candles_is_refused(tmp_path: Path) -> None:
    """A folder with nothing to trade ends the demo with what to do."""
    with pytest.raises(ConfigError, match="download-data"):
        chosen_candles(tmp_path, None)


def test_broken_file_is_named(tmp_path: Path) -> None:
    """A file that holds no candles ends the demo with its name."""
    (tmp_path / "BTC_USDT-1h.feather").write_bytes(b"not candles")
    with pytest.raises(ConfigError, match=r"BTC_USDT-1h\.feather is not a candle file"):
        chosen_candles(tmp_path, None)


def test_packaged_strategy_is_the_one_in_user_data(pytestconfig: pytest.Config) -> None:
    """The copy an installed wheel runs equals the example a user reads."""
    example = pytestconfig.rootpath / "user_data" / "strategies" / "mem0_example.py"
    assert _STRATEGY_SOURCE.read_text() == example.read_text()
