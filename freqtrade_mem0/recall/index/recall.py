"""What is known about situations like this one, as of a moment: an in-process index over trades.

The index keeps, for the strategy and every level below it, sums of weights, wins, profit ratios
and their squares. Three properties make it trustworthy:

* Strictly as-of: a trade counts at moment `t` only if it became known before `t`. The index can be
  asked about any moment, forwards and backwards.
* Exact: the sums are integers, so adding is associative and a trade can be taken out again without
  a trace. Whatever the order of arrival, the same trades give bit-identical answers.
* Flat: an answer costs a few look-ups and products, however many trades there are.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.insight.shrinkage import NOTHING, EntryGroup, Group, Key, Moments
from freqtrade_mem0.recall.index.columns import MISSING, Row, TradeColumns, rounded
from freqtrade_mem0.recall.index.groups import STRATEGY, Groups
from freqtrade_mem0.recall.index.history import HistoryReader
from freqtrade_mem0.recall.index.ids import Id, IdIndex, Place, packed
from freqtrade_mem0.recall.index.levels import Levels
from freqtrade_mem0.recall.index.state import RecallState
from freqtrade_mem0.recall.index.sums import DISCOUNT_BITS, Decay, terms
from freqtrade_mem0.records.base import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from freqtrade_mem0.recall.index.sums import Plain
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

_BEFORE_ALL = -(1 << 62)


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
        self._levels = Levels(levels)
        self.levels = self._levels.names
        self.parts_of = self._levels.parts_of
        """By combined level: the levels among these that it combines."""
        self.half_life_days = half_life_days
        self._decay = Decay(half_life_days)
        self._lock = threading.Lock()
        self._readers: list[HistoryReader] = []
        self._oldest_change_ms: int | None = None
        self._begin_empty()

    def _begin_empty(self) -> None:
        self._columns = TradeColumns(len(self.levels))
        self._ids = IdIndex(self._columns.id_first, self._columns.id_last)
        self._by_time = array("i")
        """Rows that count, by time, then id."""
        self._is_from_journal = bytearray()
        """By row: 1 if the journal said so."""
        self._overruled: dict[Id, int] = {}
        """What the journal said under ids about which something else was said since: the row."""
        self._asked_ms = _BEFORE_ALL
        """What was known before this is in the sums."""
        self._n_asked = 0
        """How many of `_by_time` that are."""
        self._groups = Groups(self._levels)
        self._groups.put(STRATEGY)

    def __len__(self) -> int:
        return len(self._by_time)

    def add(
        self, record: ClosedTrade, discount: float = 1.0, *, from_journal: bool = False
    ) -> None:
        """Let a closed trade count from its `known_at` on; a corrected trade replaces itself.

        Parameters
        ----------
        record
            Trades that are no evidence are left out.
        discount
            Factor on the trade's weight in (0, 1], for trades of another mode.
        from_journal
            Whether the journal says so. What is told ahead of it is in no snapshot, see
            `recall.state`.
        """
        if not record.is_evidence:
            self.remove(record.id, from_journal=from_journal)
            return
        values = self._levels.values(record.pair, record.side, record.enter_tag, record.situation)
        known_ms, ratio = to_ms(record.known_at), rounded(record.profit_ratio)
        share = round(discount * (1 << DISCOUNT_BITS))
        with self._lock:
            row = Row(packed(record.id), known_ms, ratio, share, self._groups.numbers(values))
            self._put(row, from_journal=from_journal)

    def keys(
        self, pair: str, side: str, enter_tag: str, situation: Mapping[str, float | str]
    ) -> list[Key]:
        """Return the level keys of a trade; a level it has no value for is left out."""
        return list(self._levels.keys(self._levels.values(pair, side, enter_tag, situation)))

    def remove(self, record_id: str, *, from_journal: bool = False) -> None:
        """Let a trade count no more; it leaves no trace."""
        with self._lock:
            packed_id = packed(record_id)
            self._drop(packed_id, self._ids.find(packed_id), from_journal=from_journal)

    def as_of(self, moment: datetime, keys: Sequence[Key]) -> list[Moments]:
        """Return the moments of each group in `keys`, of trades known strictly before `moment`."""
        now_ms = to_ms(moment)
        period, left = self._decay.since(now_ms)
        with self._lock:
            self._move_to(now_ms)
            groups = [self._groups.get(key) for key in keys]
            return [NOTHING if sums is None else sums.moments(period, left) for sums in groups]

    def of_entry(
        self,
        pair: str,
        side: str,
        enter_tag: str,
        situation: Mapping[str, float | str],
        now_ms: int,
    ) -> tuple[Moments, list[EntryGroup]]:
        """Return what is known of an entry: of the strategy, and of each level it has a value for.

        Parameters
        ----------
        pair, side, enter_tag, situation
            Of the entry.
        now_ms
            Trades known strictly before it count, milliseconds since 1970 in UTC.
        """
        values = self._levels.values(pair, side, enter_tag, situation)
        period, left = self._decay.since(now_ms)
        parts = []
        new = tuple.__new__  # as the classes' own, without a call of Python's for each
        with self._lock:
            if now_ms != self._asked_ms:
                self._move_to(now_ms)
            for place in self._groups.places:
                level, inside, made_of, known = place
                sums = known.get(made_of(values))
                if sums is None:
                    value, sums = self._groups.found(place, values)
                    if not value:
                        continue
                else:
                    value = sums.key[1]
                if sums is None or sums.weight <= 0:
                    moments = NOTHING
                else:
                    if sums.period != period:
                        sums.settle(period)
                    plain = (sums.n * left, sums.mean, sums.variance, sums.wins * left)
                    moments = new(Moments, plain)
                parts.append(new(EntryGroup, (level, value, moments, inside)))
            return self._groups.by_number[0].moments(period, left), parts

    def groups(self, moment: datetime) -> dict[Key, Group]:
        """Return every group there is, as of `moment`; `STRATEGY` has all trades."""
        now_ms = to_ms(moment)
        period, left = self._decay.since(now_ms)
        with self._lock:
            self._move_to(now_ms)
            return {
                sums.key: Group(sums.moments(period, left), sums.inside)
                for sums in self._groups
                if sums.weight > 0
            }

    def oldest_change_ms(self) -> int | None:
        """Return the earliest `known_at` of what came or went since the last call, None if nothing.

        What was asked about moments up to that one still holds.
        """
        if self._oldest_change_ms is None:
            return None
        with self._lock:
            oldest, self._oldest_change_ms = self._oldest_change_ms, None
            return oldest

    def reader(self) -> Callable[[datetime], tuple[bool, NDArray[np.float64]]]:
        """Return a new reader of all trades in their order, for `PerformanceReader`."""
        reader = HistoryReader()
        with self._lock:
            self._readers.append(reader)

        def read_on(moment: datetime) -> tuple[bool, NDArray[np.float64]]:
            now_ms = to_ms(moment)
            with self._lock:
                began_anew, first, end = reader.read_on(self._n_before, now_ms)
                return began_anew, self._columns.ratios(self._by_time[first:end])

        return read_on

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._begin_empty()
            self._oldest_change_ms = 0
            for reader in self._readers:
                reader.begin_anew()

    def take_in_all(self) -> None:
        """Sum up all there is now, so that no later question has to do it."""
        with self._lock:
            if self._by_time:
                self._move_to(self._columns.known_ms[self._by_time[-1]] + 1)

    def state(self) -> RecallState:
        """Return what the journal has said so far, to be written down; see `recall.state`."""
        with self._lock:
            return RecallState(
                lock=self._lock,
                columns=self._columns,
                decay=self._decay,
                by_time=self._by_time[:],
                is_from_journal=self._is_from_journal[:],
                overruled=list(self._overruled.values()),
                asked_ms=self._asked_ms,
                groups=[(sums.key, sums.inside, sums.plain) for sums in self._groups],
            )

    def restore(
        self,
        columns: TradeColumns,
        asked_ms: int,
        groups: Iterable[tuple[Key, tuple[Key, ...], Plain]],
    ) -> None:
        """Begin anew with what the journal said, as it was written down, and keep what is else.

        Parameters
        ----------
        columns
            Trades by time, then id.
        asked_ms
            Those known before it are in the sums.
        groups
            Keys, what they are inside of, and sums, by the numbers that `columns` has.
        """
        with self._lock:
            old, told = self._columns, self._by_time
            keys = [sums.key for sums in self._groups]
            self._begin_empty()
            self._groups = Groups(self._levels)
            for key, inside, plain in groups:
                self._groups.put(key, inside).plain = plain
            self._columns, self._ids = columns, IdIndex(columns.id_first, columns.id_last)
            self._ids.fill()
            self._by_time = array("i", np.arange(len(columns), dtype=np.int32).tobytes())
            self._is_from_journal = bytearray(b"\1") * len(columns)
            self._asked_ms = asked_ms
            self._n_asked = bisect_left(columns.known_ms, asked_ms)
            self._note_change(_BEFORE_ALL)
            for number in told:
                row = old.row(number)
                if self._ids.find(row.id).row is None:
                    its_keys = tuple(keys[group] for group in row.groups if group >= 0)
                    numbers = self._numbered(its_keys)
                    self._put(row._replace(groups=numbers), from_journal=False)

    def _numbered(self, keys: tuple[Key, ...]) -> tuple[int, ...]:
        number_of = {key[0]: self._groups.number_of(key, keys) for key in keys}
        return tuple(number_of.get(level, MISSING) for level in self.levels)

    def _put(self, row: Row, *, from_journal: bool) -> None:
        columns = self._columns
        place = self._ids.find(row.id)
        if place.row is not None and columns.row(place.row) == row:
            if from_journal:  # it says what it was told ahead of
                self._overruled.pop(row.id, None)
                self._is_from_journal[place.row] = 1
            return
        self._drop(row.id, place, from_journal=from_journal)
        number = columns.append(row)
        self._is_from_journal.append(from_journal)
        place.bucket.insert(place.position, number)
        self._by_time.insert(self._position(number), number)
        self._note_change(row.known_ms)
        if row.known_ms < self._asked_ms:
            self._apply(number, +1)
            self._n_asked += 1

    def _drop(self, record_id: Id, place: Place, *, from_journal: bool) -> None:
        """Let a row count no more; its id belongs where it stood."""
        if from_journal:
            self._overruled.pop(record_id, None)
        number = place.row
        if number is None:
            return
        if not from_journal and self._is_from_journal[number]:
            self._overruled[record_id] = number
        del place.bucket[place.position]
        del self._by_time[self._position(number)]
        known_ms = self._columns.known_ms[number]
        self._note_change(known_ms)
        if known_ms < self._asked_ms:
            self._apply(number, -1)
            self._n_asked -= 1

    def _position(self, number: int) -> int:
        """Return where in `_by_time` a row stands, or belongs."""
        columns, by_time = self._columns, self._by_time
        if not by_time or columns.known_ms[by_time[-1]] < columns.known_ms[number]:
            return len(by_time)  # as good as always
        return bisect_left(by_time, columns.place_of(number), key=columns.place_of)

    def _n_before(self, now_ms: int) -> int:
        if now_ms == self._asked_ms:
            return self._n_asked
        return bisect_left(self._by_time, now_ms, key=self._columns.known_ms.__getitem__)

    def _note_change(self, known_ms: int) -> None:
        oldest = self._oldest_change_ms
        if oldest is None or known_ms < oldest:
            self._oldest_change_ms = known_ms
        for reader in self._readers:
            reader.changed(known_ms)

    def _move_to(self, now_ms: int) -> None:
        by_time, known_ms, position = self._by_time, self._columns.known_ms, self._n_asked
        while position < len(by_time) and known_ms[by_time[position]] < now_ms:
            self._apply(by_time[position], +1)
            position += 1
        while position > 0 and known_ms[by_time[position - 1]] >= now_ms:
            position -= 1
            self._apply(by_time[position], -1)
        self._n_asked, self._asked_ms = position, now_ms

    def _apply(self, number: int, sign: int) -> None:
        columns, groups = self._columns, self._groups.by_number
        scale = self._decay.weight(columns.known_ms[number])
        weight, weighted, squares, won = terms(
            sign * scale * columns.discount[number], columns.ratio[number]
        )
        for group in (0, *columns.groups_of(number)):
            sums = groups[group]
            sums.weight += weight
            sums.weighted += weighted
            sums.squares += squares
            sums.won += won
            sums.period = None
