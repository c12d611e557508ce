"""Reads the facts of many trades at once, into columns, for views over all of them.

It takes a hundredth of the time of `unpacked_trade`. Checksums are not looked at: what a view shows
decides about no stake, and `freqtrade-mem0 verify` finds rows that were changed.
"""

from __future__ import annotations

from collections import defaultdict
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
_MICROSECONDS = [("_known", "<i2"), ("_recorded", "<i2"), ("opened_us", "<i8"), ("_closed", "<i8")]
_WORDS = ("side", "enter_tag", "exit_reason", "shape")
_KIND = {SHORT: "<u4", LONG: "<f8", NARROW: "<u2", BROAD: "<u4"}
_LAYOUT = WIDE | FINE | DECIDED | EXECUTED


class Part(NamedTuple):
    """Some of the trades, those with the same layout; arrays have shape (n_trades,).

    Parameters
    ----------
    places
        Where the trades are in what was given.
    ratio
        Profit ratio.
    open_ms
        How long before it became known each was opened, milliseconds.
    counts
        Whether it is evidence.
    texts
        Numbers of words by `side`, `enter_tag` and `exit_reason`.
    decisions
        Stored ids of the decisions; none where the layout has none.
    unknown
        Fields of the record that its teller did not know.
    numbers, words
        Features of the situation by name: numbers, and numbers of words.
    """

    places: NDArray[np.intp]
    ratio: NDArray[np.float64]
    open_ms: NDArray[np.int64]
    counts: NDArray[np.bool_]
    texts: dict[str, NDArray[np.uint32]]
    decisions: list[bytes | str]
    unknown: tuple[str, ...]
    numbers: dict[str, NDArray[np.float64]]
    words: dict[str, NDArray[np.uint32]]


def in_parts(facts: Sequence[bytes | None], words: Mapping[int, str]) -> Iterator[Part]:
    """Yield trades from their facts; what can not be read is left out."""
    alike: dict[tuple[int, int], list[int]] = defaultdict(list)
    for place, each in enumerate(facts):
        if each:
            alike[each[0] & _LAYOUT, len(each)].append(place)
    for (layout, _), places in alike.items():
        head = [*_FLAGS_AND_RATIO, *(_MICROSECONDS if layout & FINE else _SECONDS)]
        head += [(name, "<u4" if layout & WIDE else "<u2") for name in _WORDS]
        head += [("decision", f"V{ID_BYTES}")] * bool(layout & DECIDED)
        head += [("executed", f"V{HASH_BYTES}")] * bool(layout & EXECUTED)
        yield from _of_layout(facts, places, head, words)


def _of_layout(
    facts: Sequence[bytes | None],
    places: list[int],
    head: list[tuple[str, str]],
    words: Mapping[int, str],
) -> Iterator[Part]:
    size = np.dtype(head).itemsize
    length = len(facts[places[0]] or b"")
    if length < size:
        return
    raw = np.frombuffer(b"".join(facts[each] or b"" for each in places), np.uint8)
    table = raw.reshape(len(places), length)
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
        yield _part(np.array(places)[chosen], rows, tails, shape)


def _part(
    places: NDArray[np.intp],
    rows: NDArray[np.void],
    tails: NDArray[np.void] | None,
    shape: Shape,
) -> Part:
    names = rows.dtype.names or ()
    opened = (
        rows["opened_us"] // 1_000
        if "opened_us" in names
        else rows["opened_s"].astype(np.int64) * 1_000
    )
    decisions: list[bytes | str] = []
    if "decision" in names:
        decisions = [each.tobytes() for each in rows["decision"]]
    elif shape.decision_id is not None:
        decisions = [shape.decision_id] * len(rows)
    numbers, words = {}, {}
    for at, (name, kind) in enumerate(shape.features):
        assert tails is not None  # noqa: S101 - there is a feature
        values = tails[f"{at}"]
        if kind in {NARROW, BROAD}:
            words[name] = values.astype(np.uint32)
        else:
            numbers[name] = values.astype(np.float64) if kind == LONG else long_all(values)
    return Part(
        places=places,
        ratio=rows["ratio"],
        open_ms=opened,
        counts=(rows["flags"] & COUNTS).astype(bool),
        texts={name: rows[name].astype(np.uint32) for name in _WORDS[:-1]},
        decisions=decisions,
        unknown=shape.unknown,
        numbers=numbers,
        words=words,
    )


def long_all(stored: NDArray[np.uint32]) -> NDArray[np.float64]:
    """Return the numbers that `short` stored, as `long` does, shape (n_numbers,).

    >>> from freqtrade_mem0.journal.evidence.numbers import short
    >>> long_all(np.array([short(0.0123457), short(-2.5)], dtype=np.uint32)).tolist()
    [0.0123457, -2.5]
    """
    digits = (stored >> EXPONENT_BITS).astype(np.int64) - ZERO
    found: NDArray[np.float64] = digits / np.array(TENS)[stored & 31]
    return found
