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
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING

from freqtrade_mem0.insight.closed_entry import Entry
from freqtrade_mem0.insight.shrinkage import NOTHING, EntryGroup, Group, Key, Moments
from freqtrade_mem0.recall.index.columns import (
    SHORT,
    WHOLE,
    Row,
    entry_numbers,
    entry_of,
    rounded,
)
from freqtrade_mem0.recall.index.foreign import share, together
from freqtrade_mem0.recall.index.groups import STRATEGY, foreign_key, own_key
from freqtrade_mem0.recall.index.history import EntryReader, HistoryReader
from freqtrade_mem0.recall.index.ids import packed
from freqtrade_mem0.recall.index.levels import Levels
from freqtrade_mem0.recall.index.rows import TimedRows
from freqtrade_mem0.recall.index.state import PAGE_ROWS, RecallState
from freqtrade_mem0.recall.index.sums import Decay, Sums
from freqtrade_mem0.records.base import to_ms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    import numpy as np
    from numpy.typing import NDArray

    from freqtrade_mem0.insight.closed_entry import ClosedEntry, EntryColumns
    from freqtrade_mem0.recall.index.columns import TradeColumns
    from freqtrade_mem0.recall.index.sums import Plain
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

_MANY = 256
"""So many entries are faster to read in columns."""

_N_AT_ONCE = 100
"""Trades that a snapshot adds to sums of levels while it holds the lock, in less than a
millisecond."""


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
        self.version = 0
        """Grows with each trade that is added or removed."""
        self._kept: tuple[int, int, Plain, Plain] | None = None
        """Sums of all trades, of this machine and of others: of which version, and the last
        trade's `known_at`."""
        self._promised: tuple[tuple[TimedRows, int, int], tuple[Moments, float]] | None = None
        """The last answer of `whole_later`, and to what: each is read twice in a row."""
        self._begin_empty()

    def _begin_empty(self) -> None:
        self._rows = TimedRows(self._levels, self._decay, self._note_change)
        self._entries: list[Entry] = []
        """By row, where entries are kept."""

    def __len__(self) -> int:
        return len(self._rows.by_time)

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
            Whether another machine recorded it. Such trades have a bounded weight, see `foreign`,
            and do not count in `entries`.
        """
        if not record.is_evidence:
            self.remove(record.id, from_journal=from_journal)
            return
        values = self._levels.values(record.pair, record.side, record.enter_tag, record.situation)
        known_ms, ratio = to_ms(record.known_at), rounded(record.profit_ratio)
        weight = round(discount * WHOLE)
        entry = entry_of(record, is_foreign=is_foreign)
        with self._lock:
            groups = self._rows.groups.numbers(values, is_foreign=is_foreign)
            row = Row(packed(record.id), known_ms, ratio, weight, *entry, groups)
            number = self._rows.put(row, from_journal=from_journal)
            if self.keeps_entries:
                about = Entry(record.pair, record.side, record.enter_tag, record.situation)
                if number == len(self._entries):
                    self._entries.append(about)
                elif self._entries[number] != about:  # a value that is in no column
                    self._entries[number] = about
                    self._note_change(known_ms)

    def add_later(
        self,
        trade: ClosedTrade,
        profit_ratio: float,
        side: str,
        times_ms: tuple[int, int],
        movement: tuple[object, object],
    ) -> None:
        """Add a trade of a backtest that is evidence, and of which nothing more is read yet.

        Not where entries are kept.

        Parameters
        ----------
        trade
            One that has never been added, whose id is a UUID; it does not change any more.
        profit_ratio, side
            Its own.
        times_ms
            When it became known and was opened, in epoch milliseconds.
        movement
            Volatility and momentum of its situation; None where they are unknown.
        """
        known_ms, open_ms = times_ms
        entry = entry_numbers(open_ms, *movement, SHORT if side == "short" else 0)
        with self._lock:
            self._rows.put_later(trade, (known_ms, rounded(profit_ratio), WHOLE, *entry))

    def keys(
        self, pair: str, side: str, enter_tag: str, situation: Mapping[str, float | str]
    ) -> list[Key]:
        """Return the groups of a trade; a level that it has no value for is left out."""
        return list(self._levels.keys(self._levels.values(pair, side, enter_tag, situation)))

    def remove(self, record_id: str, *, from_journal: bool = False) -> None:
        """Remove a trade, if it is there."""
        with self._lock:
            self._rows.drop(packed(record_id), from_journal=from_journal)

    def as_of(self, moment: datetime, keys: Sequence[Key]) -> list[Moments]:
        """Return the moments of each group in `keys`, of trades known strictly before `moment`."""
        now_ms = to_ms(moment)
        period, left = self._decay.since(now_ms)
        with self._lock:
            self._rows.move_to(now_ms)
            factor = self._foreign_share(period, left)
            return [self._moments(key, period, left, factor) for key in keys]

    def whole(self, now_ms: int) -> tuple[Moments, float]:
        """Return the moments of all trades known strictly before epoch milliseconds.

        And how many of their `n` are other machines' trades.
        """
        period, left = self._decay.since(now_ms)
        with self._lock:
            rows = self._rows
            if now_ms != rows.asked_ms:
                rows.move_whole_to(now_ms)
            return _whole(*rows.of_strategy, period, left)

    def whole_kept(self, now_ms: int) -> Callable[[], tuple[Moments, float]]:
        """Return a function that returns what `whole` would return now, whenever it is called.

        It keeps the sums. Where nothing has changed since the last one, it takes no lock.
        """
        kept = self._kept
        if kept is None or kept[0] != self.version or kept[1] >= now_ms:
            with self._lock:
                rows = self._rows
                rows.move_whole_to(now_ms)
                own, foreign = rows.of_strategy
                kept = self.version, rows.last_ms, own.plain, foreign.plain
                if kept[1] < now_ms:
                    self._kept = kept
        return partial(_whole_of, self._decay, kept[2], kept[3], now_ms)

    def whole_later(self, now_ms: int) -> Callable[[], tuple[Moments, float]]:
        """Return a function that returns what `whole` would return now, whenever it is called.

        It keeps the moment alone, and moves the sums back to it when it is called: less work now,
        more for each trade that comes late.
        """
        rows = self._rows
        with self._lock:
            return partial(self._whole_then, rows, now_ms, rows.promise(now_ms))

    def _whole_then(self, rows: TimedRows, now_ms: int, n_late: int) -> tuple[Moments, float]:
        asked = rows, now_ms, n_late
        with self._lock:
            if self._promised is None or self._promised[0] != asked:
                whole = partial(_whole, *rows.of_strategy, *self._decay.since(now_ms))
                self._promised = asked, rows.moved_back_to(now_ms, n_late, whole)
            return self._promised[1]

    def of_entry(
        self,
        pair: str,
        side: str,
        enter_tag: str,
        situation: Mapping[str, float | str],
        now_ms: int,
    ) -> tuple[Moments, list[EntryGroup], float]:
        """Return the moments of the strategy, and the group of each level an entry has a value for.

        And how many of the strategy's `n` are other machines' trades. Trades known strictly before
        `now_ms` (milliseconds since 1970 in UTC) count.
        """
        values = self._levels.values(pair, side, enter_tag, situation)
        period, left = self._decay.since(now_ms)
        entry_groups = []
        new = tuple.__new__  # what the named tuples' constructors do, without a Python call each
        with self._lock:
            rows = self._rows
            if now_ms != rows.asked_ms or now_ms != rows.levels_ms:
                rows.move_to(now_ms)
            factor = self._foreign_share(period, left)
            for place in rows.groups.places:
                level, inside, made_of, known = place
                sums = known.get(made_of(values))
                if sums is None:
                    value, sums = rows.groups.found(place, values)
                    if not value:
                        continue
                else:
                    value = sums.key[1]
                if factor:
                    moments = self._moments((level, value), period, left, factor)
                elif sums is None or sums.weight <= 0:
                    moments = NOTHING
                else:
                    if sums.period != period:
                        sums.settle(period)
                    wins = sums.wins * left
                    plain = (sums.n * left, sums.mean, sums.variance, wins, sums.kish)
                    moments = new(Moments, (*plain, sums.freedom))
                entry_groups.append(new(EntryGroup, (level, value, moments, inside)))
            whole, n_foreign = _whole(*rows.of_strategy, period, left)
            return whole, entry_groups, n_foreign

    def groups(self, moment: datetime) -> dict[Key, Group]:
        """Return every group with a trade, as of `moment`; `STRATEGY` has all trades."""
        now_ms = to_ms(moment)
        period, left = self._decay.since(now_ms)
        with self._lock:
            self._rows.move_to(now_ms)
            factor = self._foreign_share(period, left)
            found: dict[Key, Group] = {}
            for sums in self._rows.groups:
                key = own_key(sums.key)
                if sums.weight > 0 and key not in found:
                    moments = self._moments(key, period, left, factor)
                    found[key] = Group(moments, tuple(map(own_key, sums.inside)))
            return found

    def _foreign_share(self, period: int, left: float) -> float:
        """Return the factor on other machines' trades; 0.0 where there are none."""
        own, foreign = self._rows.of_strategy
        if foreign.weight <= 0:
            return 0.0
        return share(own.moments(period, left), foreign.moments(period, left))

    def _moments(self, key: Key, period: int, left: float, factor: float) -> Moments:
        groups = self._rows.groups
        sums = groups.get(key)
        own = NOTHING if sums is None else sums.moments(period, left)
        foreign = groups.get(foreign_key(key)) if factor else None
        return own if foreign is None else together(own, foreign.moments(period, left), factor)

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
        """Return a function that reads this machine's trades in order, for `PerformanceReader`."""
        reader = HistoryReader()
        with self._lock:
            self._readers.append(reader)

        def read_on(moment: datetime) -> tuple[bool, NDArray[np.float64]]:
            now_ms = to_ms(moment)
            with self._lock:
                starts_over, first, end = reader.read_on(self._rows.n_before, now_ms)
                return starts_over, self._rows.own_ratios(first, end)

        return read_on

    def entries(
        self, reader: EntryReader
    ) -> Callable[[int], tuple[int, list[ClosedEntry] | EntryColumns, bool]]:
        """Return a function that reads the entries of trades, each once, as a new reader says.

        Its last result tells whether all have been read.

        Many of them come in columns, where whole entries are not kept.
        """
        with self._lock:
            self._readers.append(reader)

        def read_on(now_ms: int) -> tuple[int, list[ClosedEntry] | EntryColumns, bool]:
            with self._lock:
                rows = self._rows
                n_kept, end, is_all = reader.read_on(rows.n_before, now_ms)
                if n_kept >= end:
                    return n_kept, [], is_all
                new = rows.by_time[n_kept:end]
                if len(new) >= _MANY and not self.keeps_entries:
                    return n_kept, rows.columns.entry_columns(new), is_all
                return n_kept, rows.columns.closed_entries(new, self._entries), is_all

        return read_on

    def digest(self, now_ms: int) -> tuple[int, str]:
        """Return how many trades are known before a moment, and a hash of all their entries."""
        hashed = blake2b(digest_size=32)
        with self._lock:
            known = self._rows.by_time[: self._rows.n_before(now_ms)]
            for first in range(0, len(known), PAGE_ROWS):
                page = self._rows.columns.entry_columns(known[first : first + PAGE_ROWS])
                for column in page:
                    hashed.update(column.tobytes())
        return len(known), hashed.hexdigest()

    def clear(self) -> None:
        """Remove all trades."""
        with self._lock:
            self._begin_empty()
            self._oldest_change_ms, self._promised = 0, None
            self.version += 1
            for reader in self._readers:
                reader.start_over()

    def take_in_all(self) -> None:
        """Update the sums with all trades now, so that no decision has to wait for it."""
        with self._lock:
            rows = self._rows
            if rows.by_time:
                rows.move_to(rows.columns.known_ms[rows.by_time[-1]] + 1)

    def state(self) -> RecallState:
        """Return a copy for a snapshot, which holds what was read from the journal."""
        while True:
            with self._lock:
                rows = self._rows
                if rows.bring_levels(_N_AT_ONCE):
                    return RecallState(
                        lock=self._lock,
                        columns=rows.columns,
                        decay=self._decay,
                        by_time=rows.by_time[:],
                        is_from_journal=rows.is_from_journal[:],
                        overruled=list(rows.overruled.values()),
                        asked_ms=rows.asked_ms,
                        groups=[(sums.key, sums.inside, sums.plain) for sums in rows.groups],
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
            earlier = self._rows
            self._begin_empty()
            self._rows.restore(columns, asked_ms, groups)
            self._rows.take_over(earlier)

    def _note_change(self, known_ms: int) -> None:
        self.version += 1
        oldest = self._oldest_change_ms
        if oldest is None or known_ms < oldest:
            self._oldest_change_ms = known_ms
        for reader in self._readers:
            reader.changed(known_ms)


def _whole(mine: Sums, others: Sums, period: int, left: float) -> tuple[Moments, float]:
    own = mine.moments(period, left)
    if others.weight <= 0:
        return own, 0.0
    foreign = others.moments(period, left)
    factor = share(own, foreign)
    return together(own, foreign, factor), factor * foreign.n


def _whole_of(decay: Decay, own: Plain, foreign: Plain, now_ms: int) -> tuple[Moments, float]:
    """Return what `Recall.whole` does, from the sums as of a moment."""
    mine, others = Sums(STRATEGY, 0), Sums(STRATEGY, 1)
    mine.plain, others.plain = own, foreign
    return _whole(mine, others, *decay.since(now_ms))
