"""The trades of recall in columns, about 105 bytes each."""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from freqtrade_mem0.insight.closed_entry import ClosedEntry, EntryColumns
from freqtrade_mem0.insight.response import MAX_MOMENTUM
from freqtrade_mem0.records.base import to_ms

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.insight.closed_entry import Entry
    from freqtrade_mem0.recall.index.ids import Id
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

DISCOUNT_BITS = 10

MISSING = -1
"""In place of a group's number, where a trade has no value for a level."""

UNIT_BITS = 50
"""Profit ratios are rounded to multiples of 2 ** -50, so that sums of them are exact integers."""

SHORT, FOREIGN = 1, 2
"""Flags: the trade is short; it was recorded on another machine and came through Mem0."""

_ONE = 2.0**UNIT_BITS
WHOLE = 1 << DISCOUNT_BITS


Numbers = tuple[int, float, int, int, float, float, int]
"""The fields of a row from `known_ms` to `flags`."""


class Row(NamedTuple):
    """A trade as it is stored.

    Parameters
    ----------
    id
        See `ids.packed`.
    known_ms
        When it became known, milliseconds since 1970 in UTC.
    ratio
        Profit ratio, see `rounded`.
    discount
        Factor on its weight, in units of 1 / 1024, [0, 1024].
    open_ms
        When it was opened.
    volatility, momentum
        As in `ClosedEntry`.
    flags
        Sum of `SHORT` and `FOREIGN`.
    groups
        By level, the number of the trade's group, or `MISSING`. Shape (n_levels,).
    """

    id: Id
    known_ms: int
    ratio: float
    discount: int
    open_ms: int
    volatility: float
    momentum: float
    flags: int
    groups: tuple[int, ...]


def strategy_group(flags: int) -> int:
    """Return the number of the group of all trades of this machine, 0, or of others', 1."""
    return flags >> 1 & 1


def entry_of(record: ClosedTrade, *, is_foreign: bool) -> tuple[int, float, float, int]:
    """Return the open time, volatility, momentum and flags of a trade's row."""
    volatility, momentum = record.situation.get("volatility"), record.situation.get("momentum")
    flags = SHORT * (record.side == "short") + FOREIGN * is_foreign
    return entry_numbers(to_ms(record.open_date), volatility, momentum, flags)


def entry_numbers(
    open_ms: int, volatility: object, momentum: object, flags: int
) -> tuple[int, float, float, int]:
    """Return these of a trade's row, from the features of its situation; None is unknown."""
    if not isinstance(volatility, float) or not volatility > 0.0:
        volatility = 0.0
    if not isinstance(momentum, float):
        return open_ms, volatility, 0.0, flags
    direction = -1.0 if flags & SHORT else 1.0
    bounded = max(-MAX_MOMENTUM, min(momentum, MAX_MOMENTUM))
    return open_ms, volatility, direction * bounded + 0.0, flags


def momenta_of(momentum: NDArray[np.float64], is_short: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the momenta of rows as `entry_of` does, shape (n_trades,)."""
    direction = np.where(is_short, -1.0, 1.0)
    momenta: NDArray[np.float64] = direction * np.clip(momentum, -MAX_MOMENTUM, MAX_MOMENTUM) + 0.0
    return momenta


def rounded(profit_ratio: float) -> float:
    """Return the nearest ratio that is a multiple of 2 ** -50.

    >>> rounded(0.25), rounded(1e-30)
    (0.25, 0.0)
    """
    return round(profit_ratio * _ONE) / _ONE


def rounded_all(profit_ratios: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ratios as `rounded` does, shape (n_ratios,).

    >>> rounded_all(np.array([0.25, 1e-30])).tolist()
    [0.25, 0.0]
    """
    unit = float(1 << UNIT_BITS)
    # Scaling by a power of two is exact, and both round half to even. + 0.0 turns -0.0 into 0.0.
    rounded_ratios: NDArray[np.float64] = np.rint(profit_ratios * unit) / unit + 0.0
    return rounded_ratios


class TradeColumns:
    """Trades by row number. Append-only: row numbers stay valid. Not thread-safe.

    Parameters
    ----------
    n_levels
        Number of levels.
    """

    __slots__ = (
        "discount",
        "flags",
        "groups",
        "id_first",
        "id_last",
        "known_ms",
        "momentum",
        "n_levels",
        "open_ms",
        "ratio",
        "volatility",
    )

    def __init__(self, n_levels: int) -> None:
        self.n_levels = n_levels
        self.id_first = array("Q")
        self.id_last = array("Q")
        self.known_ms = array("q")
        self.ratio = array("d")
        self.discount = array("H")
        self.open_ms = array("q")
        self.volatility = array("d")
        self.momentum = array("d")
        self.flags = array("B")
        self.groups = array("i")
        """`n_levels` numbers for each row."""

    def __len__(self) -> int:
        return len(self.known_ms)

    @property
    def row_bytes(self) -> int:
        """Size of a row."""
        return sum(column.itemsize * width for column, width in self._widths())

    def append(self, row: Row) -> int:
        """Append a trade; return its row number."""
        self.append_place(row.id, row.groups)
        return self.append_numbers(row[1:-1])

    def append_place(self, record_id: Id, groups: Sequence[int]) -> None:
        """Append the id and the groups of a row."""
        self.id_first.append(record_id[0])
        self.id_last.append(record_id[1])
        self.groups.extend(groups)

    def append_numbers(self, numbers: Numbers) -> int:
        """Append the rest of a row, whose id may follow later; return its number."""
        known_ms, ratio, discount, open_ms, volatility, momentum, flags = numbers
        self.known_ms.append(known_ms)
        self.ratio.append(ratio)
        self.discount.append(discount)
        self.open_ms.append(open_ms)
        self.volatility.append(volatility)
        self.momentum.append(momentum)
        self.flags.append(flags)
        return len(self.known_ms) - 1

    def row(self, number: int) -> Row:
        """Return a trade."""
        first = number * self.n_levels
        return Row(
            (self.id_first[number], self.id_last[number]),
            self.known_ms[number],
            self.ratio[number],
            self.discount[number],
            self.open_ms[number],
            self.volatility[number],
            self.momentum[number],
            self.flags[number],
            tuple(self.groups[first : first + self.n_levels]),
        )

    def place_of(self, number: int) -> tuple[int, int, int]:
        """Return the sort key of a trade: when it became known, then its id."""
        return self.known_ms[number], self.id_first[number], self.id_last[number]

    def groups_of(self, number: int) -> Sequence[int]:
        """Return the numbers of a trade's groups, without the missing ones."""
        first = number * self.n_levels
        return [g for g in self.groups[first : first + self.n_levels] if g >= 0]

    def ratios(self, numbers: array[int]) -> NDArray[np.float64]:
        """Return the profit ratios of some rows, shape (n_rows,)."""
        # The view must not outlive this line: an array can not grow while there is a view of it.
        return np.frombuffer(self.ratio)[np.frombuffer(numbers, dtype=np.int32)]

    def closed_entries(self, numbers: Sequence[int], entries: Sequence[Entry]) -> list[ClosedEntry]:
        """Return some rows as the response to volatility and memory's account read them.

        `entries` are those of all rows, or none where they are not kept.
        """
        known_ms, open_ms, ratio, flags = self.known_ms, self.open_ms, self.ratio, self.flags
        discount, volatility, momentum = self.discount, self.volatility, self.momentum
        new = tuple.__new__  # what the named tuple's constructor does, without a call in Python
        return [
            new(
                ClosedEntry,
                (
                    known_ms[number],
                    open_ms[number],
                    ratio[number],
                    0.0 if flags[number] & FOREIGN else discount[number] / WHOLE,
                    volatility[number],
                    momentum[number],
                    bool(flags[number] & SHORT),
                    entries[number] if entries else None,
                ),
            )
            for number in numbers
        ]

    def entry_columns(self, numbers: array[int]) -> EntryColumns:
        """Return some rows as `closed_entries` does, in columns and without whole entries."""

        def some(column: array[Any]) -> NDArray[Any]:
            return np.frombuffer(column, column.typecode)[np.frombuffer(numbers, np.int32)]

        flags = some(self.flags)
        return EntryColumns(
            known_ms=some(self.known_ms),
            open_ms=some(self.open_ms),
            ratio=some(self.ratio),
            weight=np.where(flags & FOREIGN, 0.0, some(self.discount).astype(np.float64) / WHOLE),
            volatility=some(self.volatility),
            momentum=some(self.momentum),
            is_short=flags & SHORT != 0,
        )

    def packed_rows(self, numbers: NDArray[np.int32]) -> list[bytes]:
        """Return some rows column by column, in the byte order of this machine."""
        return [
            np.frombuffer(column, dtype=column.typecode)
            .reshape(len(self), width)[numbers]
            .tobytes()
            for column, width in self._widths()
        ]

    def extend(self, page: bytes) -> None:
        """Append rows as `packed_rows` returned them, one column behind the other."""
        n_rows, first = len(page) // self.row_bytes, 0
        view = memoryview(page)
        for column, width in self._widths():
            end = first + n_rows * width * column.itemsize
            column.frombytes(view[first:end])
            first = end

    def _widths(self) -> list[tuple[array[Any], int]]:
        columns: list[array[Any]] = [self.id_first, self.id_last, self.known_ms, self.ratio]
        columns += [self.discount, self.open_ms, self.volatility, self.momentum, self.flags]
        return [*((column, 1) for column in columns), (self.groups, self.n_levels)]
