"""The situation of an entry: each number against plain pandas, and what is left out."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
import pytest
import talib

from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.situation import MIN_CANDLES, WINDOW, Candles, calendar, clean
from freqtrade_mem0.situation.windows import Windows
from tests.support.candles import TIMEFRAME_S, market_features, random_walk
from tests.support.samples import START

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from freqtrade_mem0.situation import Situation


def oracle(candles: pd.DataFrame) -> dict[str, float]:
    """Return the numbers of the last candle, written down as in the docs, in plain pandas."""
    high, low, close, volume = (candles[name] for name in ("high", "low", "close", "volume"))
    before = close.shift(1)
    true_range = pd.concat([high - low, (high - before).abs(), (low - before).abs()], axis=1)
    average = true_range.max(axis=1)[1:].rolling(14).mean().dropna()
    relative = average / close[average.index]
    change = close.diff()[1:]
    gain, loss = change.clip(lower=0.0), -change.clip(upper=0.0)
    up, down = gain[:14].mean(), loss[:14].mean()
    for more, less in zip(gain[14:], loss[14:], strict=True):
        up, down = (13 * up + more) / 14, (13 * down + less) / 14
    slope = np.polyfit(np.arange(48), close[-48:], 1)[0]
    lowest, highest = low[-48:].min(), high[-48:].max()
    return {
        "volatility": relative.iloc[-1],
        "volatility_rank": float((relative <= relative.iloc[-1]).mean()),
        "trend": slope * math.sqrt(48) / average.iloc[-1],
        "momentum": (close.iloc[-1] / close.iloc[-13] - 1.0)
        * close.iloc[-13]
        / (average.iloc[-1] * math.sqrt(12)),
        "rsi": 100.0 * up / (up + down),
        "range_position": (close.iloc[-1] - lowest) / (highest - lowest),
        "volume_ratio": volume[-12:].mean() / volume[-96:].mean(),
    }


def numbers(situation: Situation) -> dict[str, float]:
    """Return the numbers of a situation without its bucket names."""
    return {name: value for name, value in situation.items() if isinstance(value, float)}


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("n", [MIN_CANDLES, 180, WINDOW])
def test_each_number_matches_plain_pandas(seed: int, n: int) -> None:
    """Six digits of every feature, on short and full windows."""
    candles = random_walk(n, seed)

    assert numbers(market_features(candles)) == pytest.approx(oracle(candles), rel=5.1e-6)


@pytest.mark.parametrize("seed", range(5))
def test_each_indicator_matches_ta_lib(seed: int) -> None:
    """Six digits of what TA-Lib has, at the end of a long history."""
    candles = random_walk(700, seed)
    high, low, close = (candles[name].to_numpy() for name in ("high", "low", "close"))
    usual = talib.SMA(talib.TRANGE(high, low, close)[1:], 14)[-1]
    lowest, highest = talib.MIN(low, 48)[-1], talib.MAX(high, 48)[-1]
    found = numbers(market_features(candles))

    assert {
        name: found[name] for name in found if name not in ("volatility_rank", "volume_ratio")
    } == (
        pytest.approx(
            {
                "volatility": usual / close[-1],
                "trend": talib.LINEARREG_SLOPE(close, 48)[-1] * math.sqrt(48) / usual,
                "momentum": talib.MOM(close, 12)[-1] / (usual * math.sqrt(12)),
                "rsi": talib.RSI(close[-WINDOW:], 14)[-1],
                "range_position": (close[-1] - lowest) / (highest - lowest),
            },
            rel=5.1e-6,
        )
    )


@pytest.mark.parametrize("n", [0, 1, MIN_CANDLES - 1])
def test_too_few_candles_say_nothing(n: int) -> None:
    """An empty situation, also for an empty dataframe."""
    candles = random_walk(MIN_CANDLES)[:n]

    assert market_features(candles) == {}
    assert Candles(candles).n_closed(to_ms(START), TIMEFRAME_S) == 0


def test_features_stay_in_their_ranges() -> None:
    """Ranks and places are in [0, 1], RSI in [0, 100], ratios positive; all are finite."""
    for seed in range(30):
        found = numbers(market_features(random_walk(WINDOW, seed)))

        assert all(math.isfinite(value) for value in found.values())
        assert 0.0 < found["volatility"] < 1.0
        assert 0.0 < found["volatility_rank"] <= 1.0
        assert 0.0 <= found["range_position"] <= 1.0
        assert 0.0 <= found["rsi"] <= 100.0
        assert found["volume_ratio"] > 0.0


def test_prices_that_never_moved_leave_out_what_can_not_be_computed() -> None:
    """No NaN, no infinity, no regime made of nothing."""
    candles = random_walk(WINDOW)
    candles[["open", "high", "low", "close"]] = 100.0

    assert sorted(market_features(candles)) == ["volatility", "volatility_rank", "volume_ratio"]


def test_prices_that_stopped_moving_leave_out_what_can_not_be_computed() -> None:
    """A pair without trades repeats its last price: there is no range to measure a trend by."""
    for seed in range(20):
        candles = random_walk(WINDOW, seed)
        columns = ["open", "high", "low", "close"]
        candles.loc[WINDOW - 30 :, columns] = candles["close"].iloc[WINDOW - 31]
        found = market_features(candles)

        assert found["volatility"] == 0.0
        assert {"trend", "momentum", "regime"} & set(found) == set()


def test_no_volume_leaves_out_the_volume_ratio() -> None:
    """Everything else is still there."""
    candles = random_walk(WINDOW)
    full = market_features(candles)
    candles["volume"] = 0.0

    assert market_features(candles) == {k: v for k, v in full.items() if k != "volume_ratio"}


def test_a_gap_in_the_candles_leaves_out_and_never_raises() -> None:
    """NaN in the data never reaches a record."""
    candles = random_walk(WINDOW)
    candles.loc[WINDOW - 3, ["high", "low", "close", "volume"]] = math.nan

    assert all(math.isfinite(value) for value in numbers(market_features(candles)).values())


@pytest.mark.parametrize("power", [-27, -10, 10])
def test_features_do_not_depend_on_the_unit_of_the_price(power: int) -> None:
    """A coin at 0.0000007 is as calm or wild as one at 100."""
    candles = random_walk(WINDOW)
    expected = market_features(candles)
    candles[["open", "high", "low", "close"]] *= 2.0**power

    assert expected == market_features(candles)


def steady(daily: float, ranges: list[float]) -> pd.DataFrame:
    """Return candles that move by `daily` each, with the given ranges."""
    close = 100.0 + daily * np.arange(len(ranges))
    return pd.DataFrame(
        {
            "high": close + np.array(ranges) / 2,
            "low": close - np.array(ranges) / 2,
            "close": close,
            "volume": 1.0,
        }
    )


@pytest.mark.parametrize(
    ("ranges", "expected"),
    [
        (np.linspace(1.0, 2.0, WINDOW), "volatile"),
        (np.linspace(2.0, 1.0, WINDOW), "calm"),
        (np.repeat([1.0, 2.0, 1.5], [120, 100, 20]), "normal"),
    ],
    ids=["rising", "falling", "in between"],
)
@pytest.mark.parametrize(
    ("step", "direction"), [(0.2, "uptrend"), (-0.2, "downtrend"), (0.01, "sideways")]
)
def test_buckets_name_what_the_numbers_say(
    ranges: np.ndarray, expected: str, step: float, direction: str
) -> None:
    """Volatility by its rank in the window, direction by the slope against the range."""
    # A price so high that a step does not change the range in proportion to it.
    candles = steady(step, list(ranges))
    candles[["high", "low", "close"]] += 10_000.0
    found = market_features(candles)

    assert (expected, direction, f"{expected} {direction}") == (
        found["volatility_regime"],
        found["trend_regime"],
        found["regime"],
    )


def test_a_candle_is_closed_when_its_time_is_over() -> None:
    """At the very end of a candle it counts, a moment earlier it does not."""
    candles = Candles(random_walk(10))
    end = START + timedelta(seconds=10 * TIMEFRAME_S)

    assert candles.n_closed(to_ms(end), TIMEFRAME_S) == 10
    assert candles.n_closed(to_ms(end - timedelta(microseconds=1)), TIMEFRAME_S) == 9


@pytest.mark.parametrize("n_unclosed", [0, 1, 5, 10, 12])
def test_candles_that_are_not_closed_do_not_count(n_unclosed: int) -> None:
    """However many there are, down to none at all."""
    moment = START + timedelta(seconds=(10 - n_unclosed) * TIMEFRAME_S)

    assert Candles(random_walk(10)).n_closed(to_ms(moment), TIMEFRAME_S) == max(0, 10 - n_unclosed)


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_in_any_resolution_are_read(unit: Literal["s", "ms", "us", "ns"]) -> None:
    """Pandas keeps dates in several units; Freqtrade's differ by where its candles come from."""
    frame = random_walk(10)
    frame["date"] = frame["date"].dt.as_unit(unit)

    moment = START + timedelta(seconds=3 * TIMEFRAME_S)
    assert Candles(frame).n_closed(to_ms(moment), TIMEFRAME_S) == 3


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(2024, 1, 1, tzinfo=UTC), {"session": "00-06h", "weekday": "Mon"}),
        (datetime(2024, 1, 6, 23, 59, tzinfo=UTC), {"session": "18-24h", "weekday": "Sat"}),
        (
            datetime(2024, 1, 1, 2, tzinfo=timezone(timedelta(hours=5))),
            {"session": "18-24h", "weekday": "Sun"},
        ),
    ],
)
def test_a_session_is_a_quarter_of_the_utc_day(moment: datetime, expected: dict[str, str]) -> None:
    """Wherever the clock stands that the moment was read from."""
    assert expected == calendar(to_ms(moment))


def test_an_authors_own_features_are_cleaned() -> None:
    """Finite numbers to six digits, words as they are; the rest is left out."""
    extra = {
        "np": np.float32(0.5),
        "int": 3,
        "long": 1.23456789,
        "flag": np.bool_(1),
        "word": "bull",
        "nan": math.nan,
        "inf": -math.inf,
        "none": None,
        "list": [1],
    }

    expected = {"np": 0.5, "int": 3.0, "long": 1.23457, "flag": "True", "word": "bull"}
    assert expected == clean(extra)


@pytest.mark.parametrize("seed", range(3))
def test_a_jump_of_the_range_matches_plain_pandas(seed: int) -> None:
    """The last mean range over the window's median; nothing below twice that."""
    calm = random_walk(400, seed)
    wild = calm.copy()
    middle = (wild["high"] + wild["low"]) / 2.0
    wild.loc[380:, "high"] = middle + 4.0 * (wild["high"] - middle)
    wild.loc[380:, "low"] = middle - 4.0 * (middle - wild["low"])
    candles = Candles(wild)
    found = []
    for n in range(MIN_CANDLES, 401, 7):
        window = wild[max(0, n - WINDOW) : n]
        before = window["close"].shift(1)
        true_range = pd.concat(
            [
                window["high"] - window["low"],
                (window["high"] - before).abs(),
                (window["low"] - before).abs(),
            ],
            axis=1,
        )
        relative = (true_range.max(axis=1)[1:].rolling(14).mean() / window["close"]).dropna()
        times = relative.iloc[-1] / relative.median()
        assert candles.times_usual_range(n) == (pytest.approx(times) if times > 2.0 else None)
        found.append(times > 2.0)
    assert set(found) == {True, False}
    assert candles.times_usual_range(MIN_CANDLES - 1) is None


@pytest.mark.parametrize(("every", "at_most"), [(2, 3_000), (400, 1_000)])
def test_no_more_is_computed_ahead_than_is_asked_for(
    every: int, at_most: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A strategy that signals at every candle does not pay for all of them when it enters few."""
    candles = random_walk(3_000)
    candles["enter_long"] = 1
    columns = Candles(candles)
    computed: list[int] = []
    numbers = Windows.numbers

    def counted(windows: Windows, ends: NDArray[np.intp]) -> NDArray[np.float64]:
        computed.append(len(ends))
        return numbers(windows, ends)

    monkeypatch.setattr(Windows, "numbers", counted)
    for n_closed in range(WINDOW, 3_001, every):
        columns.features(n_closed)

    assert sum(computed) <= at_most
    assert max(computed) <= 256


def test_the_rest_of_a_run_of_signals_is_computed_only_where_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Freqtrade enters at the first of signals in a row, unless a trade is open until later."""
    candles = random_walk(1_000)
    runs = range(300, 1_000, 50)
    for first in runs:
        candles.loc[first - 1 : first + 3, "enter_long"] = 1
    computed: list[int] = []
    numbers = Windows.numbers

    def counted(windows: Windows, ends: NDArray[np.intp]) -> NDArray[np.float64]:
        computed.append(len(ends))
        return numbers(windows, ends)

    columns = Candles(candles)
    asked = [*runs[:5], runs[4] + 2, *runs[5:]]
    expected = [Candles(candles[:n]).features(n) for n in asked]
    monkeypatch.setattr(Windows, "numbers", counted)

    assert [columns.features(n) for n in asked] == expected
    assert computed == [len(runs), 3]


@pytest.mark.parametrize("dtype", ["int64", "float64", "object", "Int64"])
def test_signals_of_any_type_are_read(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Strategies set them over all kinds of columns; what is signalled is computed at once."""
    candles = random_walk(600)
    candles["enter_short"] = pd.Series(0, index=candles.index, dtype=dtype)
    candles.loc[[299, 399, 499], "enter_short"] = 1
    if dtype != "int64":
        candles.loc[350, "enter_short"] = None
    columns = Candles(candles)
    expected = [market_features(candles[:n]) for n in (300, 400, 500)]
    first = columns.features(300)
    monkeypatch.delattr(Windows, "numbers")

    assert expected == [first, columns.features(400), columns.features(500)]
