"""Reads the facts of many trades at once, into columns, for views over all of them.

It takes a hundredth of the time of `unpacked_trade`. Checksums are not looked at here: what a view
shows decides about no stake, and `freqtrade-mem0 verify` finds rows that were changed. `checked`
looks at them for recall.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from freqtrade_mem0.journal.evidence.facts import (
    BROAD,
    COUNTS,
    DECIDED,
    EXECUTED,
    FINE,
    HASH_BYTES,
    ID_BYTES,
    LARGEST_RATIO,
    LONG,
    NARROW,
    SHORT,
    WIDE,
    Shape,
)
from freqtrade_mem0.journal.evidence.numbers import EXPONENT_BITS, TENS, ZERO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

_FLAGS_AND_RATIO = [("flags", "u1"), ("ratio", "<f8")]
_SECONDS = [("opened_s", "<u4")]
_MICROSECONDS = [("known", "<i2"), ("recorded", "<i2"), ("opened_us", "<i8"), ("closed_us", "<i8")]
_WORDS = ("side", "enter_tag", "exit_reason", "shape")
_KIND = {SHORT: "<u4", LONG: "<f8", NARROW: "<u2", BROAD: "<u4"}
_LAYOUT = WIDE | FINE | DECIDED | EXECUTED


class Part(NamedTuple):
    """Some of the trades, those with the same layout; arrays have shape (n_trades,).

    Parameters
    ----------
    places
        Where the trades are in what was given.
    heads
        What stands before the situation, by name.
    shape_number, shape
        Names and types of the features, and the number of the word that says so.
    numbers, words
        Features of the situation by name: numbers, and numbers of words.
    """

    places: NDArray[np.intp]
    heads: NDArray[np.void]
    shape_number: int
    shape: Shape
    numbers: dict[str, NDArray[np.float64]]
    words: dict[str, NDArray[np.uint32]]

    @property
    def ratio(self) -> NDArray[np.float64]:
        """Profit ratio."""
        ratio: NDArray[np.float64] = self.heads["ratio"]
        return ratio

    @property
    def is_fine(self) -> bool:
        """Whether times are noted in microseconds, that of the close for itself."""
        return "closed_us" in (self.heads.dtype.names or ())

    @property
    def open_us(self) -> NDArray[np.int64]:
        """How long before it became known each was opened, microseconds."""
        if self.is_fine:
            return self.heads["opened_us"].astype(np.int64)
        return self.heads["opened_s"].astype(np.int64) * 1_000_000

    @property
    def open_ms(self) -> NDArray[np.int64]:
        """The same in milliseconds."""
        return self.open_us // 1_000

    @property
    def counts(self) -> NDArray[np.bool_]:
        """Whether it is evidence."""
        return (self.heads["flags"] & COUNTS).astype(bool)

    @property
    def texts(self) -> dict[str, NDArray[np.uint32]]:
        """Numbers of words by `side`, `enter_tag` and `exit_reason`."""
        return {name: self.heads[name].astype(np.uint32) for name in _WORDS[:-1]}

    @property
    def decisions(self) -> list[bytes | str]:
        """Stored ids of the decisions; none where the layout has none."""
        if "decision" in (self.heads.dtype.names or ()):
            return [each.tobytes() for each in self.heads["decision"]]
        return [] if self.shape.decision_id is None else [self.shape.decision_id] * len(self.heads)

    @property
    def is_executed(self) -> bool:
        """Whether their records say how a bot's orders were filled."""
        return "executed" in (self.heads.dtype.names or ())

    @property
    def unknown(self) -> tuple[str, ...]:
        """Fields of the record that its teller did not know."""
        return self.shape.unknown


def in_parts(facts: Sequence[bytes | None], words: Mapping[int, str]) -> Iterator[Part]:
    """Yield trades from their facts; what can not be read is left out."""
    lengths = np.fromiter((len(each or b"") for each in facts), np.int64, len(facts))
    for length in np.unique(lengths).tolist():
        places = np.flatnonzero(lengths == length)
        raw = np.frombuffer(b"".join([facts[each] or b"" for each in places.tolist()]), np.uint8)
        yield from of_table(raw.reshape(len(places), length), places, words)


def of_table(
    table: NDArray[np.uint8], places: NDArray[np.intp], words: Mapping[int, str]
) -> Iterator[Part]:
    """Yield trades from their facts as `in_parts` does, shape (n_trades, n_bytes).

    `places` are where they are in what was given.
    """
    if table.shape[1] == 0:
        return
    layouts = table[:, 0] & _LAYOUT
    for layout in np.unique(layouts).tolist():
        head = [*_FLAGS_AND_RATIO, *(_MICROSECONDS if layout & FINE else _SECONDS)]
        head += [(name, "<u4" if layout & WIDE else "<u2") for name in _WORDS]
        head += [("decision", f"V{ID_BYTES}")] * bool(layout & DECIDED)
        head += [("executed", f"V{HASH_BYTES}")] * bool(layout & EXECUTED)
        chosen = np.flatnonzero(layouts == layout)
        some = table if len(chosen) == len(table) else table[chosen]
        yield from _of_layout(some, places[chosen], head, words)


def _of_layout(
    table: NDArray[np.uint8],
    places: NDArray[np.intp],
    head: list[tuple[str, str]],
    words: Mapping[int, str],
) -> Iterator[Part]:
    size, length = np.dtype(head).itemsize, table.shape[1]
    if length < size:
        return
    heads = table[:, :size].copy().view(head)[:, 0]
    for number in np.unique(heads["shape"]).tolist():
        chosen = np.flatnonzero(heads["shape"] == number)
        try:
            shape = Shape(words[number])
            kinds = [(f"{at}", _KIND[kind]) for at, (_, kind) in enumerate(shape.features)]
        except (KeyError, ValueError, TypeError):
            continue
        if size + np.dtype(kinds).itemsize != length:
            continue
        rows = heads[chosen]
        is_sound = np.abs(rows["ratio"]) <= LARGEST_RATIO
        rows, chosen = rows[is_sound], chosen[is_sound]
        tails = table[chosen, size:].copy().view(kinds)[:, 0] if kinds else None
        numbers, words_in = {}, {}
        for at, (name, kind) in enumerate(shape.features):
            assert tails is not None  # noqa: S101 - there is a feature
            values = tails[f"{at}"]
            if kind in {NARROW, BROAD}:
                words_in[name] = values.astype(np.uint32)
            else:
                numbers[name] = values.astype(np.float64) if kind == LONG else long_all(values)
        yield Part(places[chosen], rows, number, shape, numbers, words_in)


def long_all(stored: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Return the numbers that `short` stored, as `long` does, shape (n_numbers,).

    >>> from freqtrade_mem0.journal.evidence.numbers import short
    >>> long_all(np.array([short(0.0123457), short(-2.5)], dtype=np.uint32)).tolist()
    [0.0123457, -2.5]
    """
    digits = (stored >> EXPONENT_BITS).astype(np.int64) - ZERO
    found: NDArray[np.float64] = digits / np.array(TENS)[stored & 31]
    return found
