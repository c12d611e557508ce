"""Which candles the demo uses: generated ones, or a choice from a folder."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.demo.candles import CandlePlan, write_candles
from freqtrade_mem0.demo.exchange.markets import candle_files, read_column
from freqtrade_mem0.demo.exchange.prices import INTERVALS_S
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

MAX_PAIRS = 6
MAX_CANDLES = 200_000
"""Of all pairs together: two parallel backtests take about a minute on two cores."""

_SHORTEST_S, _LONGEST_S = 300, 3_600
"""Timeframes for which the example strategy is made."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candles:
    """The candles of a demo: pairs, timeframe and timerange (None for all) of a folder."""

    datadir: Path
    pairs: tuple[str, ...]
    timeframe: str
    timerange: str | None
    n_candles: int
    generated: bool

    @property
    def currency(self) -> str:
        """The quote currency of all pairs."""
        return self.pairs[0].split("/")[1]


def generated_candles(folder: Path, timerange: str | None) -> Candles:
    """Write the demo's generated candles into `folder`.

    Raises
    ------
    ConfigError
        Freqtrade can not read the timerange, or it is outside the generated days.
    """
    write_candles(folder, CandlePlan())
    return replace(chosen_candles(folder, timerange), generated=True)


def chosen_candles(datadir: Path, timerange: str | None) -> Candles:
    """Choose pairs and a timeframe in a folder, so that the demo takes a few minutes at most.

    Takes the shortest timeframe from 5m to 1h with at most `MAX_CANDLES`, and the pairs with most
    candles (at most `MAX_PAIRS`, of one quote currency). If all timeframes have more candles, the
    oldest are left out, unless a timerange is given.

    Raises
    ------
    ConfigError
        There are no candles, or Freqtrade can not read the timerange.
    """
    _check_timerange(timerange)
    options = []
    for timeframe, files in candle_files(datadir).items():
        dates = _longest_of_one_quote(
            {pair: _dates(path, timerange) for pair, path in files.items()}
        )
        if timeframe in INTERVALS_S and dates:
            options.append((timeframe, dates))
    if not options:
        within = "" if timerange is None else f" within the timerange {timerange}"
        raise ConfigError(
            f"The folder {datadir} has no spot candles{within}. Give --datadir a folder with files "
            "such as ETH_USDT-5m.feather, which `freqtrade download-data` writes, or omit it for "
            "generated candles."
        )
    timeframe, dates = min(options, key=_preference)
    n_candles = _total(dates)
    if n_candles > MAX_CANDLES and timerange is None:
        newest = max(d.iloc[-1] for d in dates.values())
        oldest = max(d.iloc[-min(len(d), MAX_CANDLES // len(dates))] for d in dates.values())
        timerange = f"{oldest:%Y%m%d}-{newest:%Y%m%d}"
        n_candles = sum(int((d >= oldest).sum()) for d in dates.values())
    return Candles(
        datadir=datadir,
        pairs=tuple(dates),
        timeframe=timeframe,
        timerange=timerange,
        n_candles=n_candles,
        generated=False,
    )


def _preference(option: tuple[str, Mapping[str, pd.Series]]) -> tuple[bool, bool, int]:
    """Sort key: few enough candles first, then a suitable timeframe, then the shortest."""
    timeframe, dates = option
    seconds, too_many = INTERVALS_S[timeframe], _total(dates) > MAX_CANDLES
    unsuitable = not _SHORTEST_S <= seconds <= _LONGEST_S
    return too_many, unsuitable, -seconds if too_many else seconds


def _longest_of_one_quote(dates: Mapping[str, pd.Series]) -> dict[str, pd.Series]:
    present = {pair: d for pair, d in dates.items() if len(d)}
    quotes = Counter(pair.split("/")[1] for pair in present)
    if not quotes:
        return {}
    quote = quotes.most_common(1)[0][0]
    same = [pair for pair in present if pair.endswith(f"/{quote}")]
    longest = sorted(same, key=lambda pair: (-len(present[pair]), pair))[:MAX_PAIRS]
    return {pair: present[pair] for pair in sorted(longest)}


def _dates(path: Path, timerange: str | None) -> pd.Series:
    import pandas as pd

    dates = read_column(path, "date")
    if timerange is None:
        return dates
    start_s, stop_s = _limits(timerange)
    if start_s:
        dates = dates[dates >= pd.Timestamp(start_s, unit="s", tz="UTC")]
    if stop_s:
        dates = dates[dates <= pd.Timestamp(stop_s, unit="s", tz="UTC")]
    return dates


def _limits(timerange: str) -> tuple[int, int]:
    """Return the start and stop of a timerange in epoch seconds; 0 for an open end."""
    from freqtrade.configuration import TimeRange

    parsed = TimeRange.parse_timerange(timerange)
    return parsed.startts, parsed.stopts


def _check_timerange(timerange: str | None) -> None:
    if timerange is None:
        return
    from freqtrade.exceptions import OperationalException

    try:
        _limits(timerange)
    except OperationalException as error:
        raise ConfigError(
            f"Freqtrade can not read --timerange {timerange!r} ({error}). A valid one is "
            "20240101-20240401."
        ) from None


def _total(dates: Mapping[str, pd.Series]) -> int:
    return sum(len(d) for d in dates.values())
