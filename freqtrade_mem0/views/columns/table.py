"""A table of columns that grows: about 80 bytes for each closed trade with ten features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

_FIRST = 1_024
_GROWTH = 1.25
_NARROW = (1 << 16) - 1

MOST_FEATURES = 40
"""Features that are kept; those that come later are left out."""

FIXED: Mapping[str, tuple[str, float]] = {
    "seq": ("u4", 0),
    "scope": ("u2", 0),
    "pair": ("u2", 0),
    "known_ms": ("i8", 0),
    "open_s": ("u4", 0),
    "side": ("u2", 0),
    "enter_tag": ("u2", 0),
    "exit_reason": ("u2", 0),
    "ratio": ("f8", 0),
    "profit": ("f4", np.nan),
    "proposed": ("f4", np.nan),
    "stake": ("f4", np.nan),
    "applied": ("f4", np.nan),
    "max_stake": ("f4", np.nan),
    "counts": ("?", False),
    "is_there": ("?", True),
}
"""Columns that each table has, with their types and what stands in a row that has no value.

Texts are numbers of words. `open_s` is how long before it became known a trade was opened. `profit`
and `max_stake` are in stake currency as Freqtrade had them; `proposed`, `stake` and `applied` are
of the decision, where there is one. `is_there` is False for what was taken back.
"""


class Table:
    """Rows in the order of the journal; numbers of rows stay valid. Not thread-safe."""

    def __init__(self) -> None:
        self.n = 0
        self._columns: dict[str, NDArray[Any]] = {}
        self.numbers: list[str] = []
        """Names of features that are numbers."""
        self.words: list[str] = []
        """Names of features that are words."""
        for name, (kind, _) in FIXED.items():
            self._columns[name] = np.empty(_FIRST, dtype=kind)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return a column, or a feature by its name after `at_`; shape (n,)."""
        return self._columns[name][: self.n]

    def grow(self, n_rows: int) -> slice:
        """Append rows without values; return where they are."""
        first, self.n = self.n, self.n + n_rows
        if self.n > len(self._columns["seq"]):
            size = max(self.n, int(len(self._columns["seq"]) * _GROWTH))
            for name, column in self._columns.items():
                self._columns[name] = _longer(column, first, size)
        for name, column in self._columns.items():
            column[first : self.n] = self._empty(name)
        return slice(first, self.n)

    def put(self, name: str, place: slice, values: Any) -> None:
        """Set values of a column; numbers of words and scopes that are too large widen it."""
        column = self._columns[name]
        if column.dtype == np.uint16 and len(values) and np.max(values) > _NARROW:
            column = self._columns[name] = column.astype(np.uint32)
        column[place] = values

    def feature(self, name: str, *, is_number: bool) -> str | None:
        """Return the column of a feature, made where there is none; None where there are too many.

        A feature that is sometimes a number and sometimes a word has the type it had first.
        """
        key = f"at_{name}"
        if key not in self._columns:
            if len(self.numbers) + len(self.words) >= MOST_FEATURES:
                return None
            (self.numbers if is_number else self.words).append(name)
            made = np.empty(len(self._columns["seq"]), dtype="f4" if is_number else "u2")
            made[: self.n] = self._empty(key)
            self._columns[key] = made
        return key if is_number == (name in self.numbers) else None

    def sort_last(self, from_seq: int) -> None:
        """Put the last rows, those from a row of the journal on, into the journal's order."""
        first = self.n
        seqs = self["seq"]
        while first > 0 and seqs[first - 1] >= from_seq:
            first -= 1
        order = np.argsort(seqs[first:], kind="stable")
        if np.array_equal(order, np.arange(len(order))):
            return
        for column in self._columns.values():
            column[first : self.n] = column[first : self.n][order]

    @property
    def n_bytes(self) -> int:
        """The size of all columns."""
        return sum(column.nbytes for column in self._columns.values())

    def _empty(self, name: str) -> float:
        if name in FIXED:
            return FIXED[name][1]
        return np.nan if name.removeprefix("at_") in self.numbers else 0


def _longer(column: NDArray[Any], n: int, size: int) -> NDArray[Any]:
    """Return a copy with more room, which takes no memory before it is used."""
    longer = np.empty(size, dtype=column.dtype)
    longer[:n] = column[:n]
    return longer
