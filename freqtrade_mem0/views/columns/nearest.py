"""The trades nearest to an entry, out of the table: the rule of `agents.nearest`, in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.records.base import to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.views.columns.table import Table

_UNKNOWN = 2.0
"""Squared distance of a number that one of two situations lacks, in its spread: as at random."""

_OF_THE_ENTRY = ("pair", "side", "enter_tag")


def nearest(  # noqa: PLR0917 - what is asked, and of what
    table: Table,
    rows: NDArray[np.intp],
    words: Mapping[int, str],
    decision: Decision,
    levels: Sequence[str],
    most: int,
) -> list[int]:
    """Return the rows of the trades nearest to an entry, losses first.

    Near is a trade that shares many groups of the levels with the entry; of several with equally
    many, the one whose numbers of the situation differ least, in their spread.

    Parameters
    ----------
    table, rows, words
        The trades, and the texts of their numbers; those known at the decision or later are left
        out, and those that are no evidence.
    decision
        The entry.
    levels
        As in `mem0.sizing.levels`.
    most
        Return at most this many.
    """
    known = table["known_ms"][rows] < to_ms(decision.decided_at)
    rows = rows[known & table["counts"][rows]]
    number_of = {word: number for number, word in words.items()}
    entry: dict[str, str] = {
        **{name: each for name, each in decision.situation.items() if isinstance(each, str)},
        **{name: getattr(decision, name) for name in _OF_THE_ENTRY},
    }
    same = {
        name: table[name if name in _OF_THE_ENTRY else f"at_{name}"][rows] == number_of.get(text, 0)
        for name, text in entry.items()
        if name in _OF_THE_ENTRY or name in table.words
    }
    shared = np.zeros(len(rows))
    for level in levels:
        parts = level.split("*")
        if all(part in same for part in parts):
            shared += np.logical_and.reduce([same[part] for part in parts])
    distance = np.zeros(len(rows))
    for name, value in decision.situation.items():
        if isinstance(value, float) and name in table.numbers:
            column = table[f"at_{name}"][rows].astype(float)
            spread = float(np.nanstd(column)) if np.isfinite(column).any() else 0.0
            if spread > 0.0:
                distance += np.nan_to_num(((column - value) / spread) ** 2, nan=_UNKNOWN)
    order = np.lexsort((-table["known_ms"][rows], distance, -shared))[:most]
    found: list[int] = rows[order].tolist()
    return sorted(found, key=lambda row: float(table["ratio"][row]))
