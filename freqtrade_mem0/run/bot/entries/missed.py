"""Entries of a bot that were not made, until the candles say what became of the price."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from freqtrade_mem0.records.base import record_id, to_ms
from freqtrade_mem0.records.kinds.opportunity import Opportunity

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.opportunity import Why

N_CANDLES = 12
"""The candles after an entry that was not made whose prices are looked at."""

_MOST = 500
"""Entries that wait for their candles; further ones are recorded without moves."""

_PER_LOOK = 5
_PATIENCE = 3
"""Entries are given up after so many times `N_CANDLES`: their pair is traded no more."""

Key = tuple[str, str, str]


class Entry(NamedTuple):
    """An entry as Freqtrade would have made it."""

    pair: str
    side: str
    enter_tag: str
    rate: float


class MissedEntries:
    """The entries that wait. For one thread at a time.

    While one waits, the same entry that is missed again for the same reason is counted with it: a
    strategy that refuses an entry refuses it in every loop.

    Parameters
    ----------
    origin
        The bot.
    keep
        Takes records.
    timeframe_s
        Seconds of a candle; with 0 nothing is known of prices.
    """

    def __init__(
        self, origin: Origin, keep: Callable[[Opportunity], None], timeframe_s: int
    ) -> None:
        self._origin = origin
        self._keep = keep
        self._candle_ms = timeframe_s * 1_000
        self._waiting: dict[Key, Opportunity] = {}

    def add(self, why: Why, entry: Entry, now: datetime) -> None:
        """Note an entry that was not made at `now`, aware UTC."""
        pair, side, enter_tag, rate = entry
        key = (why, pair, side)
        earlier = self._waiting.get(key)
        if earlier is not None:
            self._waiting[key] = replace(earlier, n=earlier.n + 1)
            return
        origin = self._origin
        missed = Opportunity(
            id=record_id(
                *("opportunity", origin.user_id, origin.strategy, str(origin.mode)),
                *(origin.run_id, why, pair, side, to_ms(now)),
            ),
            origin=origin,
            known_at=now,
            recorded_at=now,
            why=why,
            pair=pair,
            side=side,
            enter_tag=enter_tag,
            rate=rate,
        )
        self._keep(missed)
        if self._candle_ms and rate > 0.0 and len(self._waiting) < _MOST:
            self._waiting[key] = missed

    def restore(self, missed: Opportunity) -> None:
        """Go on with one of an earlier process."""
        if missed.last_move is None and missed.rate > 0.0 and self._candle_ms:
            self._waiting.setdefault((missed.why, missed.pair, missed.side), missed)

    def resolve(self, now: datetime, candles_of: Callable[[str], Any]) -> None:
        """Record the moves of those whose candles are closed, a few at a time.

        `candles_of` returns the dataframe of a pair, which may lack the newest candles.
        """
        n_left = _PER_LOOK
        for key, missed in list(self._waiting.items()):
            age_ms = to_ms(now) - self._begin_ms(missed)
            if age_ms < (N_CANDLES + 1) * self._candle_ms:
                continue
            moves = self._moves(missed, candles_of(missed.pair))
            if moves is not None:
                del self._waiting[key]
                best, worst, last = moves
                self._keep(
                    replace(
                        missed,
                        n_candles=N_CANDLES,
                        best_move=best,
                        worst_move=worst,
                        last_move=last,
                        recorded_at=now,
                    )
                )
            elif age_ms > _PATIENCE * N_CANDLES * self._candle_ms:
                del self._waiting[key]
            n_left -= 1
            if n_left == 0:
                return

    def _begin_ms(self, missed: Opportunity) -> int:
        """Return when the candle of an entry began."""
        moment_ms = to_ms(missed.known_at)
        return moment_ms - moment_ms % self._candle_ms

    def _moves(self, missed: Opportunity, frame: Any) -> tuple[float, float, float] | None:
        """Return best, worst and last move in the candles after an entry, if all are there."""
        if frame is None or not len(frame):
            return None
        opened = frame["date"].to_numpy(dtype="datetime64[ms]").astype(np.int64)
        first_ms = self._begin_ms(missed) + self._candle_ms
        first, end = np.searchsorted(opened, [first_ms, first_ms + N_CANDLES * self._candle_ms])
        if end - first < N_CANDLES:
            return None
        high = float(frame["high"].to_numpy()[first:end].max()) / missed.rate - 1.0
        low = float(frame["low"].to_numpy()[first:end].min()) / missed.rate - 1.0
        last = float(frame["close"].to_numpy()[end - 1]) / missed.rate - 1.0
        return (high, low, last) if missed.side == "long" else (-low, -high, -last)
