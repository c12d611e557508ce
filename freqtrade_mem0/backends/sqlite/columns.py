"""Filters over many rows at once: a key is a column of small integers and a list of values.

A condition is tested once per distinct value, not once per row. The test is the one that
`filters.matches` applies to a single payload, so both always agree.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.backends.filters import (
    AllOf,
    AnyOf,
    Condition,
    NoneOf,
    as_exact_float,
    as_microseconds,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.backends.filters import Node

MISSING = 0
"""The code of rows that lack the key or hold null there."""


class Column:
    """The values of one key, one code per row.

    Attributes
    ----------
    codes
        Integers of shape `(n_rows,)`; `MISSING` or an index into `values`.
    values
        The distinct values; the one at `MISSING` is None.
    """

    def __init__(self) -> None:
        self.codes: NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        self.values: list[object] = [None]
        self._places: dict[bool, _Places] = {}
        self._code_of: dict[object, int] = {}

    def encode(self, value: object) -> int:
        """Return the code of a value; a new value gets a new code."""
        if value is None:
            return MISSING
        # The type is part of the key: True == 1 == 1.0 in Python, but not in a filter.
        nested = isinstance(value, list | dict)
        key = (type(value), json.dumps(value, sort_keys=True) if nested else value)
        code = self._code_of.get(key)
        if code is None:
            code = self._code_of[key] = len(self.values)
            self.values.append(value)
        return code

    def extend(self, n_rows: int, positions: NDArray[np.int64], values: Iterable[object]) -> None:
        """Grow to `n_rows` rows and set `values` at `positions`; other new rows lack the key."""
        grown = np.zeros(n_rows, dtype=np.int32)
        grown[: len(self.codes)] = self.codes
        grown[positions] = np.fromiter(map(self.encode, values), np.int32, count=len(positions))
        self.codes = grown

    def spread(self, rows: NDArray[np.int32]) -> Column:
        """Return a column with the values of these rows, in their order."""
        column = Column()
        column.codes = self.codes[rows]
        column.values = self.values
        return column

    def passing(self, condition: Condition) -> NDArray[np.bool_]:
        """Tell for every row whether its value passes; rows without a value do not."""
        verdicts = np.zeros(len(self.values), dtype=np.bool_)
        one_by_one: Iterable[int] = range(1, len(self.values))
        span = condition.span
        if span is not None:
            places = self._places.setdefault(span.is_time, _Places(is_time=span.is_time))
            at = places.of(self.values)
            within = [compare(at, bound) for compare, bound in span.bounds]
            verdicts = np.logical_and.reduce(np.array(within, dtype=np.bool_))
            one_by_one = places.odd
        for code in one_by_one:
            verdicts[code] = condition.test(self.values[code])
        return verdicts[self.codes]


class _Places:
    """The values of a column as numbers, so that bounds are compared with all of them at once."""

    def __init__(self, *, is_time: bool) -> None:
        self._is_time = is_time
        self._place = as_microseconds if is_time else as_exact_float
        self._at = np.zeros(0)
        self.odd: list[int] = []
        """Codes of lists, and of numbers that no float equals."""

    def of(self, values: Sequence[object]) -> NDArray[np.float64]:
        """Return a number for each value; NaN, which no bound passes, for what is none."""
        known = len(self._at)
        if len(values) > known:
            new = [self._place(value) for value in values[known:]]
            at = np.array([np.nan if each is None else each for each in new], dtype=np.float64)
            self._at = np.concatenate([self._at, at])
            self.odd += [
                code
                for code in range(known, len(values))
                if isinstance(values[code], list)
                or (
                    not self._is_time
                    and isinstance(values[code], int)
                    and new[code - known] is None
                )
            ]
        return self._at


def keys_of(node: Node) -> set[str]:
    """Return the keys that a filter asks about."""
    if isinstance(node, Condition):
        return {node.key}
    return set().union(*(keys_of(part) for part in node.parts))


def mask_of(node: Node, column: Callable[[str], Column], n_rows: int) -> NDArray[np.bool_]:
    """Tell for every row whether it passes a parsed filter; `column` returns a key's column."""
    match node:
        case Condition():
            return column(node.key).passing(node)
        case AllOf():
            masks = [mask_of(part, column, n_rows) for part in node.parts]
            return np.logical_and.reduce(masks) if masks else np.ones(n_rows, dtype=np.bool_)
        case AnyOf() | NoneOf():
            masks = [mask_of(part, column, n_rows) for part in node.parts]
            found = np.logical_or.reduce(masks) if masks else np.zeros(n_rows, dtype=np.bool_)
            return ~found if isinstance(node, NoneOf) else found
