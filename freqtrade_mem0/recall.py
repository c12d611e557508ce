"""What is known about situations like this one, as of a moment: an in-process index over trades.

The index keeps, for the strategy and every level below it, sums of weights, wins, profit ratios
and their squares. Three properties make it trustworthy:

* Strictly as-of: a trade counts at moment `t` only if it became known before `t`. The index can be
  asked about any moment, forwards and backwards.
* Exact: the sums are integers, so adding is associative and a trade can be taken out again without
  a trace. Whatever the order of arrival, the same trades give bit-identical answers.
* Flat: an answer costs a few look-ups and divisions, however many trades there are.
"""

from __future__ import annotations

import math
import threading
from bisect import bisect_left, insort
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade_mem0.history import HistoryReader
from freqtrade_mem0.insight import NOTHING, Group, Key, Moments
from freqtrade_mem0.records.base import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from freqtrade_mem0.records.trade import TradeRecord

_WEIGHT_BITS = 52
_VALUE_BITS = 50
_DISCOUNT_BITS = 10
_MS_PER_DAY = 86_400_000

_COMBINES = "*"

STRATEGY: Key = ("strategy", "")


@dataclass(frozen=True, slots=True, order=True)
class _Observation:
    known_ms: int
    id: str
    value: int
    """Profit ratio in fixed point."""
    weight: int
    """Weight in fixed point, relative to the epoch; it decays only when asked about."""
    keys: tuple[Key, ...]

    @property
    def ratio(self) -> float:
        """Profit ratio."""
        return self.value / (1 << _VALUE_BITS)


class _Sums:
    __slots__ = ("weight", "weighted", "weighted_squares", "wins")

    def __init__(self) -> None:
        self.weight = self.weighted = self.weighted_squares = self.wins = 0

    def add(self, weight: int, value: int) -> None:
        self.weight += weight
        self.weighted += weight * value
        self.weighted_squares += weight * value * value
        if value > 0:
            self.wins += weight


class Recall:
    """Trades of one strategy, asked as of a moment. Safe for several threads.

    Parameters
    ----------
    levels
        What is told apart below the strategy: `pair`, `side`, `enter_tag`, a feature's name, or
        several of these combined, as in `side*trend_regime`.
    half_life_days
        A trade this many market days old weighs half, > 0.
    """

    def __init__(self, levels: Sequence[str], half_life_days: float) -> None:
        # What others combine stands before them: what it explains is not counted again.
        self.levels = tuple(sorted(levels, key=lambda level: level.count(_COMBINES)))
        self.parts_of = {level: _parts_of(level, self.levels) for level in self.levels}
        """By combined level: the levels among these that it combines."""
        self._half_life_ms = half_life_days * _MS_PER_DAY
        self._lock = threading.Lock()
        self._by_time: list[_Observation] = []
        self._by_id: dict[str, _Observation] = {}
        self._sums: dict[Key, _Sums] = {}
        self._inside: dict[Key, tuple[Key, ...]] = {}
        """By group of a combined level: the groups it is a part of."""
        self._applied = 0
        """How many of `_by_time` are in `_sums`."""
        self._oldest_change_ms: int | None = None
        self._readers: list[HistoryReader] = []

    def __len__(self) -> int:
        return len(self._by_id)

    def add(self, record: TradeRecord, discount: float = 1.0) -> None:
        """Let a closed trade count from its `known_at` on; a corrected trade replaces itself.

        Parameters
        ----------
        record
            Trades that are no evidence are left out.
        discount
            Factor on the trade's weight in (0, 1], for trades of another mode.
        """
        keys = (STRATEGY, *self.keys(record.pair, record.side, record.enter_tag, record.situation))
        known_ms = to_ms(record.known_at)
        weight = self._scale(known_ms) * round(discount * (1 << _DISCOUNT_BITS))
        observation = _Observation(
            known_ms=known_ms,
            id=record.id,
            value=round(record.profit_ratio * (1 << _VALUE_BITS)),
            weight=weight,
            keys=keys,
        )
        with self._lock:
            self._remove(record.id)
            if record.is_evidence:
                self._insert(observation)

    def remove(self, record_id: str) -> None:
        """Let a trade count no more; it leaves no trace."""
        with self._lock:
            self._remove(record_id)

    def keys(
        self, pair: str, side: str, enter_tag: str, situation: Mapping[str, float | str]
    ) -> list[Key]:
        """Return the level keys of a trade; a level it has no value for is left out."""
        own: dict[str, float | str] = {"pair": pair, "side": side, "enter_tag": enter_tag}
        known = {**situation, **own}
        keys = []
        for level in self.levels:
            names = level.split(_COMBINES)
            values = [str(known.get(name, "")) for name in names]
            if all(values):
                keys.append((level, " & ".join(values)))
        return keys

    def as_of(self, moment: datetime, keys: Sequence[Key]) -> list[Moments]:
        """Return the moments of each group in `keys`, of trades known strictly before `moment`."""
        now_ms = to_ms(moment)
        scale = self._scale(now_ms) << _DISCOUNT_BITS
        with self._lock:
            self._move_to(now_ms)
            return [self._moments(self._sums.get(key), scale) for key in keys]

    def groups(self, moment: datetime) -> dict[Key, Group]:
        """Return every group there is, as of `moment`; `STRATEGY` has all trades."""
        with self._lock:
            self._move_to(to_ms(moment))
            keys = [key for key, sums in self._sums.items() if sums.weight]
        found = self.as_of(moment, keys)
        return {
            key: Group(moments, self._inside.get(key, ()))
            for key, moments in zip(keys, found, strict=True)
        }

    def oldest_change_ms(self) -> int | None:
        """Return the earliest `known_at` of what came or went since the last call, None if nothing.

        What was asked about moments up to that one still holds.
        """
        with self._lock:
            oldest, self._oldest_change_ms = self._oldest_change_ms, None
            return oldest

    def reader(self) -> Callable[[datetime], tuple[bool, list[float]]]:
        """Return a new reader of all trades in their order, see `form.FormReader`."""
        reader = HistoryReader()
        with self._lock:
            self._readers.append(reader)

        def read_on(moment: datetime) -> tuple[bool, list[float]]:
            with self._lock:
                return reader.read_on(self._by_time, to_ms(moment))

        return read_on

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._by_time, self._by_id, self._sums, self._applied = [], {}, {}, 0
            self._oldest_change_ms = 0
            for reader in self._readers:
                reader.begin_anew()

    def _insert(self, observation: _Observation) -> None:
        self._by_id[observation.id] = observation
        self._note_change(observation)
        position = bisect_left(self._by_time, observation)
        insort(self._by_time, observation)
        if position < self._applied:
            self._apply(observation, +1)
            self._applied += 1

    def _remove(self, record_id: str) -> None:
        observation = self._by_id.pop(record_id, None)
        if observation is None:
            return
        self._note_change(observation)
        position = bisect_left(self._by_time, observation)
        del self._by_time[position]
        if position < self._applied:
            self._apply(observation, -1)
            self._applied -= 1

    def _note_change(self, observation: _Observation) -> None:
        known = self._oldest_change_ms
        is_older = known is None or observation.known_ms < known
        self._oldest_change_ms = observation.known_ms if is_older else known
        for reader in self._readers:
            reader.changed(observation.known_ms)
        by_level = dict(observation.keys)
        for key in observation.keys:
            names = self.parts_of.get(key[0])
            if names and key not in self._inside:
                self._inside[key] = tuple((name, by_level[name]) for name in names)

    def _move_to(self, now_ms: int) -> None:
        by_time = self._by_time
        while self._applied < len(by_time) and by_time[self._applied].known_ms < now_ms:
            self._apply(by_time[self._applied], +1)
            self._applied += 1
        while self._applied > 0 and by_time[self._applied - 1].known_ms >= now_ms:
            self._applied -= 1
            self._apply(by_time[self._applied], -1)

    def _apply(self, observation: _Observation, sign: int) -> None:
        for key in observation.keys:
            sums = self._sums.get(key)
            if sums is None:
                sums = self._sums[key] = _Sums()
            sums.add(sign * observation.weight, observation.value)

    def _scale(self, at_ms: int) -> int:
        """Return 2 ** (at / half-life) in fixed point: the weight of a trade known at that moment.

        Weights grow into the future instead of shrinking into the past, so that a stored weight
        never has to be touched again; an answer divides by the scale of its own moment.
        """
        exponent = at_ms / self._half_life_ms
        whole = math.floor(exponent)
        mantissa = int(math.ldexp(2.0 ** (exponent - whole), _WEIGHT_BITS))
        return mantissa << whole if whole >= 0 else mantissa >> -whole

    @staticmethod
    def _moments(sums: _Sums | None, scale: int) -> Moments:
        if sums is None or sums.weight <= 0:
            return NOTHING
        spread = sums.weighted_squares * sums.weight - sums.weighted * sums.weighted
        return Moments(
            n=sums.weight / scale,
            mean=sums.weighted / (sums.weight << _VALUE_BITS),
            variance=spread / (sums.weight * sums.weight << (2 * _VALUE_BITS)),
            wins=sums.wins / scale,
        )


def _parts_of(level: str, levels: Sequence[str]) -> tuple[str, ...]:
    names = level.split(_COMBINES)
    return tuple(name for name in names if name in levels) if len(names) > 1 else ()
