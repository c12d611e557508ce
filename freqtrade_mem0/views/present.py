"""The market's situation now, from the candles that Freqtrade has stored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.host.exchange_candles import exchange_candles
from freqtrade_mem0.host.freqtrade import timeframe_seconds
from freqtrade_mem0.host.stored_candles import candle_folder, stored_candles
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.kinds.backtest import BacktestRecord
from freqtrade_mem0.records.kinds.trade import duration
from freqtrade_mem0.situation.candles import Candles
from freqtrade_mem0.situation.indicators import indicators_of
from freqtrade_mem0.situation.values import Situation
from freqtrade_mem0.situation.windows import WINDOW

if TYPE_CHECKING:
    from pandas import DataFrame

_BESIDE = 40
"""Candles that are shown before and after a trade."""

_FRESH = 2
"""Candles that may have closed since the newest stored one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """What the market looks like, and which candle says so."""

    text: str
    closed_at: datetime | None = None
    situation: Situation = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Market:
    """Where the situation of a pair can be looked up.

    Parameters
    ----------
    memory
        The memory; its settings name the indicators, its backtests the timeframe of a strategy.
    config
        Freqtrade's config.
    user_data_dir
        Freqtrade's user data folder.
    timeframe
        "" for that of the config, else of the strategy's newest backtest.
    fetched
        Candles by pair that the exchange gave; None looks at those that Freqtrade has stored.
    """

    memory: MemoryFolder
    config: Mapping[str, Any]
    user_data_dir: Path
    timeframe: str = ""
    fetched: Mapping[str, Any] | None = None

    def asking_exchange(self, strategy: str, pairs: Sequence[str]) -> Market:
        """Return this market with candles from the exchange; `ConfigError` where it is silent."""
        timeframe = self._timeframe(strategy)
        if not timeframe:
            raise ConfigError("The timeframe is not known; name it with --timeframe.")
        found = exchange_candles(self.config, pairs, timeframe)
        return replace(self, timeframe=timeframe, fetched=found)

    def with_timeframe(self, timeframe: str) -> Market:
        """Return this market looked up in another timeframe; "" changes nothing."""
        return replace(self, timeframe=timeframe) if timeframe else self

    def look_up(self, strategy: str, pair: str, now: datetime) -> Present:
        """Return the situation at the newest closed candle; without one, the text says why."""
        folder = candle_folder(self.config, self.user_data_dir)
        timeframe = self._timeframe(strategy)
        if folder is None and self.fetched is None:
            return _unknown("the config names neither an exchange nor a datadir")
        if not timeframe:
            return _unknown("the timeframe is not known; name it with --timeframe")
        try:
            frame = self._candles(folder, pair, timeframe)
            length_s = timeframe_seconds(timeframe)
        except Exception as error:  # noqa: BLE001 - a file or a timeframe can be anything
            what = f"the {timeframe} candles of {pair} in {folder}"
            return _unknown(f"{what} can not be read: {error}")
        if frame is None:
            missing = (
                f"there are no {timeframe} candles of {pair} in {folder}; 'freqtrade "
                "download-data' stores them"
            )
            if self.fetched is not None:
                missing = f"the exchange gave no {timeframe} candles of {pair}"
            return _unknown(missing)
        indicators = indicators_of(self.memory.settings.situation.indicators)
        frame = frame[frame["date"] <= now - timedelta(seconds=length_s)].tail(2 * WINDOW)
        candles = Candles(frame.reset_index(drop=True), indicators)
        situation = candles.features(len(frame))
        if not situation:
            return _unknown(f"{len(frame)} closed {timeframe} candles of {pair} are too few")
        closed_at = frame["date"].iloc[-1].to_pydatetime() + timedelta(seconds=length_s)
        age = now - closed_at
        old = f", {duration(age)} ago: 'freqtrade download-data' stores newer ones"
        return Present(
            text=f"market: {situation.get('regime', 'no regime')}, from the {timeframe} candle "
            f"that closed at {closed_at:%Y-%m-%d %H:%M} UTC"
            + (old if age > _FRESH * timedelta(seconds=length_s) else ""),
            closed_at=closed_at,
            situation=situation,
        )

    def around(
        self, strategy: str, pair: str, first: datetime, last: datetime
    ) -> tuple[DataFrame | None, str]:
        """Return the stored candles of a pair in a stretch of time, and what they are.

        Some candles before and after it are in it, too. None where there are none; the text then
        says why.
        """
        folder, timeframe = (
            candle_folder(self.config, self.user_data_dir),
            self._timeframe(strategy),
        )
        if folder is None:
            return None, "No candles: the config names neither an exchange nor a datadir."
        if not timeframe:
            return None, "No candles: neither the config nor a backtest says the timeframe."
        missing = f"There are no {timeframe} candles of {pair} around this trade in {folder}."
        try:
            frame = stored_candles(self.config, folder, pair, timeframe)
            beside = _BESIDE * timedelta(seconds=timeframe_seconds(timeframe))
        except Exception as error:  # noqa: BLE001 - a file or a timeframe can be anything
            return None, f"The {timeframe} candles of {pair} can not be read: {error}"
        if frame is not None:
            frame = frame[(frame["date"] >= first - beside) & (frame["date"] <= last + beside)]
        if frame is None or not first - beside <= frame["date"].min() <= first:
            days = f"{first:%Y%m%d}-{last + timedelta(days=1):%Y%m%d}"
            return None, f"{missing} 'freqtrade download-data --timerange {days}' stores them."
        return frame, f"{timeframe} candles"

    def _candles(self, folder: Path | None, pair: str, timeframe: str) -> DataFrame | None:
        if self.fetched is not None or folder is None:
            return (self.fetched or {}).get(pair)
        return stored_candles(self.config, folder, pair, timeframe)

    def _timeframe(self, strategy: str) -> str:
        if self.timeframe or self.config.get("timeframe"):
            return self.timeframe or str(self.config["timeframe"])
        scope = Scope(user_id=self.memory.settings.user_id, strategy=strategy)
        newest = self.memory.journal.of_kind(BacktestRecord, scope, limit=1)
        return next((record.timeframe for record in newest), "")


def _unknown(why: str) -> Present:
    return Present(text=f"market: not looked up, {why}. --feature describes it")
