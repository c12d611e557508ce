"""The trades of a recall by time, and the sums of those known before a moment."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from freqtrade_mem0.recall.index.columns import FOREIGN, Row, TradeColumns, strategy_group
from freqtrade_mem0.recall.index.groups import Groups
from freqtrade_mem0.recall.index.ids import Id, IdIndex, Place, packed
from freqtrade_mem0.recall.index.sums import Decay, terms

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.shrinkage import Key
    from freqtrade_mem0.recall.index.columns import Numbers
    from freqtrade_mem0.recall.index.levels import Levels
    from freqtrade_mem0.recall.index.sums import Plain, Sums
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

T = TypeVar("T")

BEFORE_ALL = -(1 << 62)


class TimedRows:
    """The trades of a recall, each with its place in time. Not thread-safe.

    Parameters
    ----------
    levels, decay
        Of the recall.
    changed
        Called with `known_ms` of each trade that is added or removed.
    """

    def __init__(self, levels: Levels, decay: Decay, changed: Callable[[int], None]) -> None:
        self._levels = levels
        self._decay = decay
        self._changed = changed
        self.columns = TradeColumns(len(levels.names))
        self._ids = IdIndex(self.columns.id_first, self.columns.id_last)
        self.by_time = array("i")
        """Numbers of the rows that count, by `known_ms`, then id."""
        self.is_from_journal = bytearray()
        """By row, 1 if it was read from the journal."""
        self.overruled: dict[Id, int] = {}
        """By id, the row read from the journal that a later version not yet read there replaced."""
        self.asked_ms = BEFORE_ALL
        """Trades known before this moment are in the sums of the strategy."""
        self._n_asked = 0
        """How many of `by_time` these are."""
        self.levels_ms = BEFORE_ALL
        """The same for the groups of levels, which the default policy does not read."""
        self._n_levels = 0
        self._groups = Groups(levels)
        self._unplaced: list[ClosedTrade] = []
        """The trades of the last rows, whose ids and groups nobody has asked for yet."""
        self._promised_ms = BEFORE_ALL
        """The latest moment that was promised."""
        self._late: list[tuple[int, int]] = []
        """Rows known before it that came (+1) or went (-1) after that."""

    @property
    def ids(self) -> IdIndex:
        """Finds rows by id."""
        self._place()
        return self._ids

    @property
    def groups(self) -> Groups:
        """The groups of the trades."""
        self._place()
        return self._groups

    @property
    def of_strategy(self) -> tuple[Sums, Sums]:
        """The sums of all trades of this machine, and those of all trades of others."""
        mine, others = self._groups.by_number[:2]
        return mine, others

    @property
    def last_ms(self) -> int:
        """When the last trade became known, or will."""
        return self.columns.known_ms[self.by_time[-1]] if self.by_time else BEFORE_ALL

    def restore(
        self,
        columns: TradeColumns,
        asked_ms: int,
        groups: Iterable[tuple[Key, tuple[Key, ...], Plain]],
    ) -> None:
        """Take the trades of a snapshot in place of none; see `snapshot_file.Snapshot`."""
        self.groups.restore(groups)
        self.columns, self._ids = columns, IdIndex(columns.id_first, columns.id_last)
        self._ids.fill()
        self.by_time = array("i", np.arange(len(columns), dtype=np.int32).tobytes())
        self.is_from_journal = bytearray(b"\1") * len(columns)
        self.asked_ms = self.levels_ms = asked_ms
        self._n_asked = self._n_levels = bisect_left(columns.known_ms, asked_ms)
        self._changed(BEFORE_ALL)

    def take_over(self, earlier: TimedRows) -> None:
        """Add the trades of earlier rows that are not here."""
        keys = [sums.key for sums in earlier.groups]
        for number in earlier.by_time:
            row = earlier.columns.row(number)
            if self.ids.find(row.id).row is None:
                its_keys = tuple(keys[group] for group in row.groups if group >= 0)
                numbers = self.groups.numbers_of(its_keys)
                self.put(row._replace(groups=numbers), from_journal=False)

    def put(self, row: Row, *, from_journal: bool) -> int:
        """Add a trade, which replaces an earlier version; return its row number."""
        columns = self.columns
        place = self.ids.find(row.id)
        if place.row is not None and columns.row(place.row) == row:
            if from_journal:  # the trade was added before it was read there
                self.overruled.pop(row.id, None)
                self.is_from_journal[place.row] = 1
            return place.row
        self._drop(row.id, place, from_journal=from_journal)
        number = columns.append(row)
        self.is_from_journal.append(from_journal)
        place.bucket.insert(place.position, number)
        self.by_time.insert(self._position(number), number)
        self._changed(row.known_ms)
        self._count(number, +1)
        return number

    def put_later(self, trade: ClosedTrade, numbers: Numbers) -> None:
        """Add a trade that was not there; its id and its groups are worked out when needed."""
        columns, known_ms = self.columns, numbers[0]
        number = columns.append_numbers(numbers)
        self._unplaced.append(trade)
        self.is_from_journal.append(0)
        by_time = self.by_time
        if not by_time or columns.known_ms[by_time[-1]] < known_ms:
            by_time.append(number)
        else:
            by_time.insert(self._position(number), number)
        self._changed(known_ms)
        if known_ms < self._promised_ms or known_ms < self.asked_ms or known_ms < self.levels_ms:
            self._count(number, +1)

    def _place(self) -> None:
        """Give the last rows their ids and groups."""
        if not self._unplaced:
            return
        columns, levels = self.columns, self._levels
        for number, trade in enumerate(self._unplaced, len(columns.id_first)):
            its_id = packed(trade.id)
            place = self._ids.find(its_id)
            values = levels.values(trade.pair, trade.side, trade.enter_tag, trade.situation)
            columns.append_place(its_id, self._groups.numbers(values))
            place.bucket.insert(place.position, number)
        self._unplaced = []

    def _id(self, number: int) -> Id:
        """Return the id of a row."""
        columns = self.columns
        n_placed = len(columns.id_first)
        if number >= n_placed:
            return packed(self._unplaced[number - n_placed].id)
        return columns.id_first[number], columns.id_last[number]

    def own_ratios(self, first: int, end: int) -> NDArray[np.float64]:
        """Return the profit ratios of this machine's trades in a range of `by_time`."""
        rows = self.by_time[first:end]
        flags = np.frombuffer(self.columns.flags, np.uint8)[np.frombuffer(rows, np.int32)]
        own: NDArray[np.float64] = self.columns.ratios(rows)[flags & FOREIGN == 0]
        return own

    def drop(self, record_id: Id, *, from_journal: bool) -> None:
        """Remove a trade, if it is there."""
        self._drop(record_id, self.ids.find(record_id), from_journal=from_journal)

    def n_before(self, now_ms: int) -> int:
        """Return how many trades are known strictly before a moment."""
        if now_ms == self.asked_ms:
            return self._n_asked
        by_time, known_ms = self.by_time, self.columns.known_ms
        if not by_time or known_ms[by_time[-1]] < now_ms:
            return len(by_time)  # nearly always
        return bisect_left(by_time, now_ms, key=known_ms.__getitem__)

    def move_to(self, now_ms: int) -> None:
        """Let all sums be those of the trades known strictly before a moment."""
        if self.levels_ms != self.asked_ms:
            self.bring_levels(len(self.by_time))
        self._n_asked = self._moved(self._n_asked, now_ms, whole=True, levels=True)
        self._n_levels = self._n_asked
        self.asked_ms = self.levels_ms = now_ms

    def move_whole_to(self, now_ms: int) -> None:
        """Let the sums of the strategy be those of the trades known strictly before a moment."""
        self._n_asked = self._moved(self._n_asked, now_ms, whole=True, levels=False)
        self.asked_ms = now_ms

    def promise(self, now_ms: int) -> int:
        """Promise what `moved_back_to` needs to give the sums that the strategy has now."""
        self._promised_ms = max(self._promised_ms, now_ms)
        return len(self._late)

    def moved_back_to(self, now_ms: int, n_late: int, read: Callable[[], T]) -> T:
        """Return what is read of the strategy's sums as they were when this was promised.

        Parameters
        ----------
        now_ms, n_late
            What `promise` was given and returned.
        read
            Reads them.
        """
        self.move_whole_to(now_ms)
        known_ms = self.columns.known_ms
        later = [each for each in self._late[n_late:] if known_ms[each[0]] < now_ms]
        for number, sign in later:
            self._apply(number, -sign, whole=True, levels=False)
        found = read()
        for number, sign in later:
            self._apply(number, sign, whole=True, levels=False)
        return found

    def bring_levels(self, n_trades: int) -> bool:
        """Bring the sums of levels nearer to those of the strategy; return whether they agree."""
        self._place()
        upto, now_ms = self._n_levels + n_trades, self.asked_ms
        if upto < self._n_asked:
            now_ms = self.columns.known_ms[self.by_time[upto]] + 1
        self._n_levels = self._moved(self._n_levels, now_ms, whole=False, levels=True)
        self.levels_ms = now_ms
        return now_ms == self.asked_ms

    def _drop(self, record_id: Id, place: Place, *, from_journal: bool) -> None:
        if from_journal:
            self.overruled.pop(record_id, None)
        number = place.row
        if number is None:
            return
        if not from_journal and self.is_from_journal[number]:
            self.overruled[record_id] = number
        del place.bucket[place.position]
        del self.by_time[self._position(number)]
        self._changed(self.columns.known_ms[number])
        self._count(number, -1)

    def _position(self, number: int) -> int:
        """Return where in `by_time` a row is, or is to be inserted."""
        known_ms, by_time = self.columns.known_ms, self.by_time
        mine = known_ms[number]
        if not by_time or known_ms[by_time[-1]] < mine:
            return len(by_time)  # nearly always
        position = bisect_right(by_time, mine, key=known_ms.__getitem__)
        while position and known_ms[by_time[position - 1]] == mine:
            if self._is_before(by_time[position - 1], number):
                break
            position -= 1
        return position

    def _is_before(self, one: int, other: int) -> bool:
        """Return whether the id of a row is smaller than that of another one."""
        n_placed = len(self.columns.id_first)
        if one >= n_placed and other >= n_placed:  # they order as texts do
            return self._unplaced[one - n_placed].id < self._unplaced[other - n_placed].id
        return self._id(one) < self._id(other)

    def _moved(self, position: int, now_ms: int, *, whole: bool, levels: bool) -> int:
        by_time, known_ms = self.by_time, self.columns.known_ms
        while position < len(by_time) and known_ms[by_time[position]] < now_ms:
            self._apply(by_time[position], +1, whole=whole, levels=levels)
            position += 1
        while position > 0 and known_ms[by_time[position - 1]] >= now_ms:
            position -= 1
            self._apply(by_time[position], -1, whole=whole, levels=levels)
        return position

    def _count(self, number: int, sign: int) -> None:
        """Add or subtract a trade where the sums are past it."""
        known_ms = self.columns.known_ms[number]
        if known_ms < self._promised_ms:
            self._late.append((number, sign))
        in_whole, in_levels = known_ms < self.asked_ms, known_ms < self.levels_ms
        if in_whole or in_levels:
            self._apply(number, sign, whole=in_whole, levels=in_levels)
            self._n_asked += sign * in_whole
            self._n_levels += sign * in_levels

    def _apply(self, number: int, sign: int, *, whole: bool, levels: bool) -> None:
        if levels:
            self._place()
        columns, groups = self.columns, self._groups.by_number
        scale = self._decay.weight(columns.known_ms[number])
        weight, weighted, squares, won, weight_squares, weight_cubes = terms(
            sign * scale * columns.discount[number], columns.ratio[number]
        )
        numbers = [*columns.groups_of(number)] if levels else []
        if whole:
            numbers.append(strategy_group(columns.flags[number]))
        for group in numbers:
            sums = groups[group]
            sums.weight += weight
            sums.weighted += weighted
            sums.squares += squares
            sums.won += won
            sums.weight_squares += weight_squares
            sums.weight_cubes += weight_cubes
            sums.period = None
