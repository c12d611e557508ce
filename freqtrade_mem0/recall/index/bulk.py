"""Fills a recall with many trades, faster than adding them one by one, with the same result.

Ids and times are sorted once instead of searched for each trade, and trades that share all of their
groups are summed before the sum is added to these groups. The sums are exact integers, so the order
does not matter.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from freqtrade_mem0.recall.index.columns import (
    DISCOUNT_BITS,
    MISSING,
    TradeColumns,
    entry_of,
    rounded_all,
)
from freqtrade_mem0.recall.index.groups import STRATEGY, foreign_key
from freqtrade_mem0.recall.index.ids import packed_all
from freqtrade_mem0.recall.index.levels import Levels, Values
from freqtrade_mem0.recall.index.state import PAGE_ROWS
from freqtrade_mem0.recall.index.sums import Decay, Plain, shifted
from freqtrade_mem0.records.base import to_ms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.shrinkage import Key
    from freqtrade_mem0.recall.index.recall import Recall
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

N_REMEMBERED = 1 << 16
"""Situations whose groups are cached, some 300 bytes each, while recall is filled."""

_ZERO: Plain = (0, 0, 0, 0, 0, 0)


class Arrivals(NamedTuple):
    """Trades in the order of their arrival; arrays have shape (n_trades,).

    Parameters
    ----------
    ids
        As `ids.packed_all` returns them, shape (n_trades, 2).
    known_ms, ratio, open_ms, volatility, momentum, flags
        As in `columns.Row`; the ratio is not rounded.
    discount
        Factor on its weight, in [0, 1].
    combination
        See `BulkFill.combination`; `MISSING` where the trade is removed.
    """

    ids: NDArray[np.uint64]
    known_ms: NDArray[np.int64]
    ratio: NDArray[np.float64]
    discount: NDArray[np.float64]
    open_ms: NDArray[np.int64]
    volatility: NDArray[np.float64]
    momentum: NDArray[np.float64]
    flags: NDArray[np.uint8]
    combination: NDArray[np.int32]


class BulkFill:
    """Takes the journal's trades in its order, and then puts them into a recall at once.

    For one thread. Takes about 105 bytes per trade until it is finished. Trades that the recall has
    already are kept, as with `Recall.restore`.
    """

    def __init__(self, recall: Recall) -> None:
        self._recall = recall
        self.levels = Levels(recall.levels)
        self._decay = Decay(recall.half_life_days)
        self._rows = TradeColumns(1)
        """Rows in order of arrival; in place of its groups, each has a combination's number."""
        self._waiting: list[tuple[str, int, float, float, int, float, float, int, int]] = []
        """Id, moment, profit ratio, discount, entry and combination of the next rows."""
        self._removed: dict[int, str] = {}
        """By row that removes a trade, the trade's id."""
        self._combinations = array("i")
        """The groups of each combination, one combination behind the other."""
        self._foreign = bytearray()
        """By combination, whether it is of other machines' trades."""
        self._combination_of: dict[tuple[Values, bool], int] = {}
        self._groups: dict[Key, tuple[int, tuple[Key, ...]]] = {
            STRATEGY: (0, ()),
            foreign_key(STRATEGY): (1, ()),
        }
        """By group, its number and the groups it is inside of."""

    def add(self, record: ClosedTrade, discount: float = 1.0, *, is_foreign: bool = False) -> None:
        """Add a closed trade; see `Recall.add`."""
        if not record.is_evidence:
            self.remove(record.id)
            return
        values = self.levels.values(record.pair, record.side, record.enter_tag, record.situation)
        combination = self.combination(values, is_foreign=is_foreign)
        known_ms, ratio = to_ms(record.known_at), record.profit_ratio
        entry = entry_of(record, is_foreign=is_foreign)
        self._waiting.append((record.id, known_ms, ratio, discount, *entry, combination))
        if len(self._waiting) >= PAGE_ROWS:
            self._flush_waiting()

    def combination(self, values: Values, *, is_foreign: bool) -> int:
        """Return the number of the groups that the values of a trade determine."""
        number = self._combination_of.get((values, is_foreign))
        return self._new_combination(values, is_foreign=is_foreign) if number is None else number

    def add_rows(self, rows: Arrivals, removed: Mapping[int, str]) -> None:
        """Add many trades, and remove those of the rows that `removed` names, with their ids."""
        self._flush_waiting()
        first = len(self._rows)
        self._removed |= {first + place: record_id for place, record_id in removed.items()}
        self._extend(rows)

    def remove(self, record_id: str) -> None:
        """Remove a trade, whether or not it has been added."""
        self._removed[len(self._rows) + len(self._waiting)] = record_id
        self._waiting.append((record_id, 0, 0.0, 0.0, 0, 0.0, 0.0, 0, MISSING))

    def finish(self) -> None:
        """Put all trades into the recall."""
        self._flush_waiting()
        rows = self._latest_rows()
        gone = np.frombuffer(self._rows.groups, dtype=np.int32)[rows] == MISSING
        counting = self._in_time(rows[~gone])
        if len(counting) > 0:
            columns, asked_ms = self._columns(counting), self._rows.known_ms[counting[-1]] + 1
            self._recall.restore(columns, asked_ms, self._sums(counting))
        for row in rows[gone].tolist():
            self._recall.remove(self._removed[row], from_journal=True)

    def _flush_waiting(self) -> None:
        if not self._waiting:
            return
        ids, known_ms, ratios, discounts, open_ms, volatilities, momenta, flags, combinations = zip(
            *self._waiting, strict=True
        )
        self._waiting.clear()
        self._extend(
            Arrivals(
                packed_all(ids),
                np.array(known_ms, dtype=np.int64),
                np.array(ratios),
                np.array(discounts),
                np.array(open_ms, dtype=np.int64),
                np.array(volatilities, dtype=np.float64),
                np.array(momenta, dtype=np.float64),
                np.array(flags, dtype=np.uint8),
                np.array(combinations, dtype=np.int32),
            )
        )

    def _extend(self, rows: Arrivals) -> None:
        ids, known_ms, ratios, discounts, *others = rows
        columns = (
            *np.ascontiguousarray(ids.T),
            known_ms,
            rounded_all(ratios),
            np.rint(discounts * (1 << DISCOUNT_BITS)).astype(np.uint16),
            *others,
        )
        self._rows.extend(b"".join(column.tobytes() for column in columns))

    def _new_combination(self, values: Values, *, is_foreign: bool) -> int:
        if len(self._combination_of) >= N_REMEMBERED:
            self._combination_of.clear()  # a situation met again gets another, equal combination
        keys = self.levels.keys(values)
        number_of = {key[0]: self._number(key, keys, is_foreign=is_foreign) for key in keys}
        number = len(self._foreign)
        self._foreign.append(is_foreign)
        self._combinations.extend(number_of.get(level, MISSING) for level in self.levels.names)
        self._combination_of[values, is_foreign] = number
        return number

    def _number(self, key: Key, keys: tuple[Key, ...], *, is_foreign: bool) -> int:
        name = foreign_key(key) if is_foreign else key
        group = self._groups.get(name)
        if group is None:
            inside = self.levels.inside(key, keys)
            if is_foreign:
                inside = tuple(map(foreign_key, inside))
            group = self._groups[name] = len(self._groups), inside
        return group[0]

    def _latest_rows(self) -> NDArray[np.int32]:
        """Return the row of each id that arrived last."""
        first = np.frombuffer(self._rows.id_first, dtype=np.uint64)
        if (np.diff(np.sort(first)) > 0).all():
            return np.arange(len(first), dtype=np.int32)  # nearly always
        last = np.frombuffer(self._rows.id_last, dtype=np.uint64)
        order = np.lexsort((last, first)).astype(np.int32)  # stable: rows of one id stay in order
        following = order[1:]
        is_last = np.ones(len(order), dtype=np.bool_)
        is_last[:-1] = (first[following] != first[order[:-1]]) | (
            last[following] != last[order[:-1]]
        )
        found: NDArray[np.int32] = order[is_last]
        return found

    def _in_time(self, rows: NDArray[np.int32]) -> NDArray[np.int32]:
        """Return rows sorted by the moment they became known, then by id."""
        known_ms = np.frombuffer(self._rows.known_ms, dtype=np.int64)[rows]
        order = np.argsort(known_ms, kind="stable")  # fast for rows that are nearly in order
        rows, known_ms = rows[order], known_ms[order]
        is_same = np.diff(known_ms) == 0
        tied = np.flatnonzero(np.append(is_same, False) | np.insert(is_same, 0, False))
        rows_tied = rows[tied]
        first = np.frombuffer(self._rows.id_first, dtype=np.uint64)[rows_tied]
        last = np.frombuffer(self._rows.id_last, dtype=np.uint64)[rows_tied]
        rows[tied] = rows_tied[np.lexsort((last, first, known_ms[tied]))]
        return rows

    def _columns(self, rows: NDArray[np.int32]) -> TradeColumns:
        """Return rows with the numbers of their groups in place of their combination."""
        n_levels = len(self.levels.names)
        groups = np.frombuffer(self._combinations, dtype=np.int32).reshape(-1, n_levels or 1)
        columns = TradeColumns(n_levels)
        for start in range(0, len(rows), PAGE_ROWS):
            *page, combinations = self._rows.packed_rows(rows[start : start + PAGE_ROWS])
            if n_levels:
                page.append(groups[np.frombuffer(combinations, dtype=np.int32)].tobytes())
            columns.extend(b"".join(page))
        return columns

    def _sums(self, rows: NDArray[np.int32]) -> Iterator[tuple[Key, tuple[Key, ...], Plain]]:
        """Yield each group with its sums, by number."""
        sums = [_ZERO] * len(self._groups)
        n_levels = len(self.levels.names)
        for combination, plain in self._sums_of_combinations(rows):
            first = combination * n_levels
            own = self._combinations[first : first + n_levels]
            for group in (int(self._foreign[combination]), *own):
                if group != MISSING:
                    sums[group] = _added(sums[group], plain)
        for (key, (_, inside)), plain in zip(self._groups.items(), sums, strict=True):
            yield key, inside, plain

    def _sums_of_combinations(self, rows: NDArray[np.int32]) -> Iterator[tuple[int, Plain]]:
        combinations = np.frombuffer(self._rows.groups, dtype=np.int32)[rows]
        rows = rows[np.argsort(combinations, kind="stable")]
        known_ms = np.frombuffer(self._rows.known_ms, dtype=np.int64)[rows]
        ratio = np.frombuffer(self._rows.ratio)[rows]
        discount = np.frombuffer(self._rows.discount, dtype=np.uint16)[rows]
        combinations = np.frombuffer(self._rows.groups, dtype=np.int32)[rows]
        for first in range(0, len(rows), PAGE_ROWS):
            some = slice(first, first + PAGE_ROWS)
            values, n_bits = self._decay.terms(known_ms[some], ratio[some], discount[some])
            here = combinations[some]
            starts = np.flatnonzero(np.diff(here, prepend=MISSING))
            sums = [np.add.reduceat(each, starts).tolist() for each in values]
            for combination, plain in zip(
                here[starts].tolist(), zip(*sums, strict=True), strict=True
            ):
                yield combination, shifted(plain, n_bits)


def _added(one: Plain, other: Plain) -> Plain:
    return (
        one[0] + other[0],
        one[1] + other[1],
        one[2] + other[2],
        one[3] + other[3],
        one[4] + other[4],
        one[5] + other[5],
    )
