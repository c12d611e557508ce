"""Recall: statistics of a strategy's trades by situation, as of any moment, from memory.

For the strategy and for each group of each level the index keeps sums of weights and their squares,
of wins, of profit ratios and their squares.

* No look-ahead: a trade counts at moment `t` only if it became known strictly before `t`. The
  moments asked about may go forwards and backwards.
* Exact: the sums are integers, so a trade can be subtracted again without a rounding error, and the
  same trades give bit-identical results in whatever order they arrive.
* Constant time: an answer costs a few look-ups and products, however many trades there are.
"""

from __future__ import annotations

import threading
from array import array
from bisect import bisect_left
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.insight.closed_entry import Entry
from freqtrade_mem0.insight.shrinkage import NOTHING, EntryGroup, Group, Key, Moments
from freqtrade_mem0.recall.index.columns import (
    DISCOUNT_BITS,
    MISSING,
    Row,
    TradeColumns,
    entry_of,
    rounded,
)
from freqtrade_mem0.recall.index.groups import STRATEGY, Groups
from freqtrade_mem0.recall.index.history import EntryReader, HistoryReader
from freqtrade_mem0.recall.index.ids import Id, IdIndex, Place, packed
from freqtrade_mem0.recall.index.levels import Levels
from freqtrade_mem0.recall.index.state import RecallState
from freqtrade_mem0.recall.index.sums import Decay, terms
from freqtrade_mem0.records.base import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.closed_entry import ClosedEntry
    from freqtrade_mem0.recall.index.sums import Plain
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

_BEFORE_ALL = -(1 << 62)


class Recall:
    """Decayed statistics of one strategy's trades. Thread-safe.

    Parameters
    ----------
    levels
        By what trades are grouped: `pair`, `side`, `enter_tag`, a feature's name, or several of
        these combined, as in `side*trend_regime`.
    half_life_days
        Half-life of a trade's weight in market days, > 0.
    keeps_entries
        Whether the whole entry of each trade is kept, about 1 kB, for experts that are asked about
        it again. Such a recall can not be restored from a snapshot.
    """

    def __init__(
        self, levels: Sequence[str], half_life_days: float, *, keeps_entries: bool = False
    ) -> None:
        self.keeps_entries = keeps_entries
        self._levels = Levels(levels)
        self.levels = self._levels.names
        self.parts_of = self._levels.parts_of
        """By combined level, the levels among these that it combines."""
        self.half_life_days = half_life_days
        self._decay = Decay(half_life_days)
        self._lock = threading.Lock()
        self._readers: list[HistoryReader | EntryReader] = []
        self._oldest_change_ms: int | None = None
        self._begin_empty()

    def _begin_empty(self) -> None:
        self._columns = TradeColumns(len(self.levels))
        self._ids = IdIndex(self._columns.id_first, self._columns.id_last)
        self._by_time = array("i")
        """Numbers of the rows that count, by `known_ms`, then id."""
        self._is_from_journal = bytearray()
        """By row, 1 if it was read from the journal."""
        self._overruled: dict[Id, int] = {}
        """By id, the row read from the journal that a later version not yet read there replaced."""
        self._asked_ms = _BEFORE_ALL
        """Trades known before this moment are in the sums."""
        self._n_asked = 0
        """How many of `_by_time` these are."""
        self._groups = Groups(self._levels)
        self._groups.put(STRATEGY)
        self._entries: list[Entry] = []
        """By row, where entries are kept."""

    def __len__(self) -> int:
        return len(self._by_time)

    def add(
        self,
        record: ClosedTrade,
        discount: float = 1.0,
        *,
        from_journal: bool = False,
        is_foreign: bool = False,
    ) -> None:
        """Add a closed trade, which counts from its `known_at` on; a correction replaces it.

        Parameters
        ----------
        record
            A trade that is no evidence is left out.
        discount
            Factor on the trade's weight in (0, 1], for trades of another mode.
        from_journal
            Whether it was read from the journal. Other trades are in no snapshot, see `state`.
        is_foreign
            Whether another machine recorded it; such a trade does not count in `entries`.
        """
        if not record.is_evidence:
            self.remove(record.id, from_journal=from_journal)
            return
        values = self._levels.values(record.pair, record.side, record.enter_tag, record.situation)
        known_ms, ratio = to_ms(record.known_at), rounded(record.profit_ratio)
        share = round(discount * (1 << DISCOUNT_BITS))
        entry = entry_of(record, is_foreign=is_foreign)
        with self._lock:
            groups = self._groups.numbers(values)
            row = Row(packed(record.id), known_ms, ratio, share, *entry, groups)
            n_rows = len(self._columns)
            self._put(row, from_journal=from_journal)
            if self.keeps_entries and len(self._columns) > n_rows:
                about = Entry(record.pair, record.side, record.enter_tag, record.situation)
                self._entries.append(about)

    def keys(
        self, pair: str, side: str, enter_tag: str, situation: Mapping[str, float | str]
    ) -> list[Key]:
        """Return the groups of a trade; a level that it has no value for is left out."""
        return list(self._levels.keys(self._levels.values(pair, side, enter_tag, situation)))

    def remove(self, record_id: str, *, from_journal: bool = False) -> None:
        """Remove a trade, if it is there."""
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

    def whole(self, now_ms: int) -> Moments:
        """Return the moments of all trades known strictly before epoch milliseconds."""
        period, left = self._decay.since(now_ms)
        with self._lock:
            self._move_to(now_ms)
            return self._groups.by_number[0].moments(period, left)

    def of_entry(
        self,
        pair: str,
        side: str,
        enter_tag: str,
        situation: Mapping[str, float | str],
        now_ms: int,
    ) -> tuple[Moments, list[EntryGroup]]:
        """Return the moments of the strategy, and the group of each level an entry has a value for.

        Trades known strictly before `now_ms` (milliseconds since 1970 in UTC) count.
        """
        values = self._levels.values(pair, side, enter_tag, situation)
        period, left = self._decay.since(now_ms)
        entry_groups = []
        new = tuple.__new__  # what the named tuples' constructors do, without a Python call each
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
                    wins = sums.wins * left
                    plain = (sums.n * left, sums.mean, sums.variance, wins, sums.kish)
                    moments = new(Moments, plain)
                entry_groups.append(new(EntryGroup, (level, value, moments, inside)))
            return self._groups.by_number[0].moments(period, left), entry_groups

    def groups(self, moment: datetime) -> dict[Key, Group]:
        """Return every group with a trade, as of `moment`; `STRATEGY` has all trades."""
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
        """Return the earliest `known_at` of trades added or removed since the last call, or None.

        Answers as of moments up to that one are still right.
        """
        if self._oldest_change_ms is None:
            return None
        with self._lock:
            oldest, self._oldest_change_ms = self._oldest_change_ms, None
            return oldest

    def reader(self) -> Callable[[datetime], tuple[bool, NDArray[np.float64]]]:
        """Return a function that reads the trades in their order, for `PerformanceReader`."""
        reader = HistoryReader()
        with self._lock:
            self._readers.append(reader)

        def read_on(moment: datetime) -> tuple[bool, NDArray[np.float64]]:
            now_ms = to_ms(moment)
            with self._lock:
                starts_over, first, end = reader.read_on(self._n_before, now_ms)
                return starts_over, self._columns.ratios(self._by_time[first:end])

        return read_on

    def entries(self) -> Callable[[int], tuple[int, list[ClosedEntry]]]:
        """Return a function that reads the entries of trades, each once; see `EntryReader`."""
        reader = EntryReader()
        with self._lock:
            self._readers.append(reader)

        def read_on(now_ms: int) -> tuple[int, list[ClosedEntry]]:
            with self._lock:
                n_kept, end = reader.read_on(self._n_before, now_ms)
                rows = self._by_time[n_kept:end] if n_kept < end else ()
                return n_kept, self._columns.closed_entries(rows, self._entries)

        return read_on

    def clear(self) -> None:
        """Remove all trades."""
        with self._lock:
            self._begin_empty()
            self._oldest_change_ms = 0
            for reader in self._readers:
                reader.start_over()

    def take_in_all(self) -> None:
        """Update the sums with all trades now, so that no decision has to wait for it."""
        with self._lock:
            if self._by_time:
                self._move_to(self._columns.known_ms[self._by_time[-1]] + 1)

    def state(self) -> RecallState:
        """Return a copy for a snapshot, which holds what was read from the journal."""
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
        """Replace the trades by those of a snapshot; trades not in it are kept.

        See `snapshot_file.Snapshot` for the parameters.
        """
        with self._lock:
            old, old_rows = self._columns, self._by_time
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
            for number in old_rows:
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
            if from_journal:  # the trade was added before it was read there
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
        """Return where in `_by_time` a row is, or is to be inserted."""
        columns, by_time = self._columns, self._by_time
        if not by_time or columns.known_ms[by_time[-1]] < columns.known_ms[number]:
            return len(by_time)  # nearly always
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
        weight, weighted, squares, won, weight_squares = terms(
            sign * scale * columns.discount[number], columns.ratio[number]
        )
        for group in (0, *columns.groups_of(number)):
            sums = groups[group]
            sums.weight += weight
            sums.weighted += weighted
            sums.squares += squares
            sums.won += won
            sums.weight_squares += weight_squares
            sums.period = None
