"""A page of trades out of the table: filtered, counted, and cut where another page ended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from freqtrade_mem0.views.columns.table import Table

WORDS = ("pair", "side", "enter_tag", "exit_reason")
OUTCOMES = ("won", "lost")
CHANGES = ("raised", "cut", "as proposed")
_SMALL = 0.005
"""A multiplier nearer to 1 than this counts as none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which trades; "" is any.

    Parameters
    ----------
    texts
        Values by name, of `WORDS`, as people see them.
    outcome
        One of `OUTCOMES`.
    change
        What memory did to the stake, one of `CHANGES`.
    """

    texts: Mapping[str, str] = field(default_factory=dict)
    outcome: str = ""
    change: str = ""


class Key(NamedTuple):
    """The place of a trade in the order of closing: time in epoch milliseconds, and its row."""

    known_ms: int
    seq: int

    def __str__(self) -> str:
        """As addresses have it."""
        return f"{self.known_ms}.{self.seq}"

    @classmethod
    def read(cls, text: str) -> Key:
        """Return the key in an address; `RecordError` where it is none."""
        known_ms, _, seq = text.partition(".")
        if not (known_ms.isdecimal() and seq.isdecimal() and len(text) < 40):  # noqa: PLR2004
            raise RecordError(f"{text!r} is no place in the list of trades. Leave it out.")
        return cls(int(known_ms), int(seq))


class Row(NamedTuple):
    """A trade in the list; amounts are NaN where they are not known."""

    seq: int
    opened_ms: int
    closed_ms: int
    pair: str
    side: str
    enter_tag: str
    exit_reason: str
    ratio: float
    profit: float
    proposed: float
    stake: float
    applied: bool

    @property
    def multiplier(self) -> float:
        """What memory made of the proposed stake; NaN where it is not known."""
        return self.stake / self.proposed if self.proposed > 0.0 else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """A page of trades, the newest first, and what all that were wanted have in common.

    Parameters
    ----------
    rows
        The page.
    n, n_won, mean_ratio, profit
        Of all wanted trades; `profit` is of those whose amounts are known.
    newer, older
        Where the pages beside it begin; None where there is none.
    """

    rows: list[Row]
    n: int
    n_won: int
    mean_ratio: float
    profit: float
    newer: Key | None
    older: Key | None


def choices(
    table: Table, rows: NDArray[np.intp], words: Mapping[int, str], most: int
) -> dict[str, list[str]]:
    """Return the values of texts that trades have, those of the most trades first."""
    found = {}
    for name in WORDS:
        counts = np.bincount(table[name][rows]) if len(rows) else np.array([], np.intp)
        numbers = np.argsort(-counts, kind="stable")[: int((counts > 0).sum())][:most]
        found[name] = [visible(words.get(number, "")) for number in numbers.tolist()]
    return found


def listing(
    table: Table,
    rows: NDArray[np.intp],
    words: Mapping[int, str],
    wanted: Wanted,
    *,
    before: Key | None = None,
    after: Key | None = None,
    limit: int = 50,
) -> Listing:
    """Return a page of trades.

    Parameters
    ----------
    table, rows, words
        The trades, in the order of closing, and the texts of their numbers.
    wanted
        Which of them.
    before, after
        The page ends before, or begins after, this trade; none is the newest page.
    limit
        Rows of a page.
    """
    rows = rows[_passing(table, rows, words, wanted)]
    start, end = 0, len(rows)
    if after is not None:
        start = _place(table, rows, after, is_behind=True)
        end = min(len(rows), start + limit)
    elif before is not None:
        end = _place(table, rows, before, is_behind=False)
    start = max(start, end - limit)
    ratios, profits = table["ratio"][rows], table["profit"][rows]
    return Listing(
        rows=[row_at(table, at, words) for at in rows[start:end][::-1].tolist()],
        n=len(rows),
        n_won=int((ratios > 0.0).sum()),
        mean_ratio=float(ratios.mean()) if len(rows) else float("nan"),
        profit=float(np.nansum(profits)) if np.isfinite(profits).any() else float("nan"),
        newer=_key(table, rows[end - 1]) if 0 < end < len(rows) else None,
        older=_key(table, rows[start]) if 0 < start < len(rows) else None,
    )


def _passing(
    table: Table, rows: NDArray[np.intp], words: Mapping[int, str], wanted: Wanted
) -> NDArray[np.bool_]:
    passing = np.ones(len(rows), dtype=bool)
    for name, text in wanted.texts.items():
        if text:
            numbers = [number for number, word in words.items() if visible(word) == text]
            passing &= np.isin(table[name][rows], numbers)
    if wanted.outcome:
        won = table["ratio"][rows] > 0.0
        passing &= won if wanted.outcome == OUTCOMES[0] else ~won
    if wanted.change:
        with np.errstate(divide="ignore", invalid="ignore"):
            change = table["stake"][rows] / table["proposed"][rows] - 1.0
        changed = {
            "raised": change >= _SMALL,
            "cut": change <= -_SMALL,
            "as proposed": np.abs(change) < _SMALL,
        }
        passing &= changed.get(wanted.change, np.zeros(len(rows), dtype=bool))
    return passing


def _place(table: Table, rows: NDArray[np.intp], key: Key, *, is_behind: bool) -> int:
    """Return how many of some trades come before a key, or are not behind it."""
    known = table["known_ms"][rows]
    first, last = (int(np.searchsorted(known, key.known_ms, each)) for each in ("left", "right"))
    seqs = table["seq"][rows[first:last]]
    return first + int(((seqs <= key.seq) if is_behind else (seqs < key.seq)).sum())


def _key(table: Table, row: int) -> Key:
    return Key(int(table["known_ms"][row]), int(table["seq"][row]))


def row_at(table: Table, at: int, words: Mapping[int, str]) -> Row:
    """Return a trade by its row of the table."""
    closed_ms = int(table["known_ms"][at])
    texts = [words.get(int(table[name][at]), "") for name in WORDS]
    return Row(
        seq=int(table["seq"][at]),
        opened_ms=closed_ms - int(table["open_s"][at]) * 1_000,
        closed_ms=closed_ms,
        pair=texts[0],
        side=texts[1],
        enter_tag=texts[2],
        exit_reason=texts[3],
        ratio=float(table["ratio"][at]),
        profit=float(table["profit"][at]),
        proposed=float(table["proposed"][at]),
        stake=float(table["stake"][at]),
        applied=bool(table["applied"][at] == 1.0),
    )
