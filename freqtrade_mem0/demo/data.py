"""Which candles the demo runs on: generated ones, or a choice of what a folder holds."""

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
"""Of all pairs together: what two backtests at once do in about a minute on two cores."""

_SHORTEST_S, _LONGEST_S = 300, 3_600
"""Timeframes the example strategy is made for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Candles:
    """What the demo trades.

    Parameters
    ----------
    datadir
        The folder.
    pairs, timeframe
        What of it.
    timerange
        As Freqtrade reads it; None takes all.
    n_candles
        Of all pairs together.
    generated
        True for generated ones.
    """

    datadir: Path
    pairs: tuple[str, ...]
    timeframe: str
    timerange: str | None
    n_candles: int
    generated: bool

    @property
    def currency(self) -> str:
        """The quote currency that all pairs share."""
        return self.pairs[0].split("/")[1]


def generated_candles(folder: Path, timerange: str | None) -> Candles:
    """Write the demo's generated candles into `folder`.

    Raises
    ------
    ConfigError
        Freqtrade can not read the timerange, or it lies outside the generated days.
    """
    write_candles(folder, CandlePlan())
    return replace(chosen_candles(folder, timerange), generated=True)


def chosen_candles(datadir: Path, timerange: str | None) -> Candles:
    """Choose pairs and a timeframe in a folder so that the demo takes no more than some minutes.

    The shortest timeframe from 5m to 1h that stays below `MAX_CANDLES` is taken, with the pairs
    (at most `MAX_PAIRS`, of one quote currency) that have most candles. Where none stays below, the
    oldest candles are left out, unless a timerange is given.

    Raises
    ------
    ConfigError
        There is nothing to choose from, or Freqtrade can not read the timerange.
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
            f"The folder {datadir} holds no spot candles{within}. Give --datadir a folder with "
            "files such as ETH_USDT-5m.feather, which `freqtrade download-data` writes, or leave "
            "it out for generated candles."
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
    """Order options: few enough candles first, then a suitable timeframe, then the shortest."""
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
    """Return Freqtrade's reading of a timerange in epoch seconds; 0 is "open"."""
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
            f"--timerange {timerange!r} is not one that Freqtrade can read ({error}). "
            "It looks like 20240101-20240401."
        ) from None


def _total(dates: Mapping[str, pd.Series]) -> int:
    return sum(len(d) for d in dates.values())
