"""The facts of a trade as bytes, and back: bit for bit, in the order that they were noted in.

Texts are numbers of words, which all rows share. The names and types of a situation's features are
one such word, the *shape*.
"""

from __future__ import annotations

import json
from datetime import timedelta
from functools import cached_property, lru_cache
from struct import Struct
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal.evidence.ids import id_of, stored_id
from freqtrade_mem0.journal.evidence.numbers import long, short
from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.records.limits import EARLIEST, LARGEST

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freqtrade_mem0.journal.evidence.numbers import BriefOf
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.trade import TradeRecord

COUNTS, STOP_SOLD_PART, WIDE, FINE, DECIDED, EXECUTED = 1, 2, 4, 8, 16, 32
_FLAGS_AND_RATIO = Struct("<Bd")
_SECONDS = Struct("<I")
"""Seconds from the opening to the moment it became known, where all times are whole seconds."""
_MICROSECONDS = Struct("<hhqq")
"""Microseconds of `known_at` and `recorded_at` behind the millisecond; from the opening, and from
the close, to the moment it became known."""
_NARROW_WORDS, _WIDE_WORDS = Struct("<HHHH"), Struct("<IIII")
_MOST_SECONDS, _MOST_NARROW = 1 << 32, 1 << 16
ID_BYTES, HASH_BYTES = 16, 8
LARGEST_RATIO = 1e6
"""As `Ratio` in `records.limits`: with larger ones sums would not be exact."""
MICROSECOND = timedelta(microseconds=1)

SHORT, LONG, NARROW, BROAD = "IdHL"
"""Types of features: a number in 32 bits, any number, a word with a low number, any word."""


class Shape:
    """Names and types of the features of a situation, and what is rare."""

    def __init__(self, text: str) -> None:
        said: dict[str, Any] = json.loads(text)
        self.features: list[tuple[str, str]] = [(name, kind) for name, kind in said["features"]]
        self.unknown = tuple(said.get("unknown", ()))
        self.decision_id: str | None = said.get("decision_id")

    @cached_property
    def struct(self) -> Struct:
        """The layout of the features' values."""
        return Struct("<" + "".join(kind for _, kind in self.features))


Parts = tuple[
    int,
    float,
    bytes,
    tuple[str, str, str],
    bytes,
    bytes,
    tuple[str, ...],
    str,
    tuple[float | str, ...],
    tuple[str, ...],
    str | None,
]
"""A trade's facts before its words have numbers, as plain values, which pass from process to
process: flags, ratio, times, words, decision, hash without execution; names, kinds and values of
features; what is unknown, and the id of a decision that is no UUID."""


def packed_trade(
    trade: TradeRecord | TradeEvidence,
    unknown: Sequence[str],
    said_without_execution: str,
    number: Callable[[str], int],
) -> tuple[bytes, list[str]]:
    """Return a trade's facts, and the words in it in the order of their reading.

    `number` gives a word's number.
    """
    return numbered(parts_of(trade, unknown, said_without_execution), number)


def parts_of(
    trade: TradeRecord | TradeEvidence,
    unknown: Sequence[str],
    said_without_execution: str,
    brief_of: BriefOf = short,
) -> Parts:
    """Return a trade's facts before its words have numbers.

    `brief_of` is `numbers.short`, or looks its result up.
    """
    known_us, recorded_us = trade.known_at.microsecond, trade.recorded_at.microsecond
    opened, closed = trade.known_at - trade.open_date, trade.known_at - trade.close_date
    seconds = opened.days * 86_400 + opened.seconds
    is_fine = (
        bool(closed or opened.microseconds)
        or bool(known_us % 1_000 or recorded_us % 1_000)
        or not 0 <= seconds < _MOST_SECONDS
    )
    kinds: list[str] = []
    values: list[float | str] = []
    for value in trade.situation.values():
        if isinstance(value, str):
            kinds.append(NARROW)
            values.append(value)
        else:
            brief = brief_of(float(value))
            kinds.append(LONG if brief is None else SHORT)
            values.append(value if brief is None else brief)
    decision_id = None if trade.decision_id is None else stored_id(trade.decision_id)
    is_decided = isinstance(decision_id, bytes)
    flags = (
        COUNTS * trade.is_evidence
        | STOP_SOLD_PART * trade.stop_sold_part
        | FINE * is_fine
        | DECIDED * is_decided
        | EXECUTED * bool(said_without_execution)
    )
    times = (
        _MICROSECONDS.pack(
            known_us % 1_000,
            recorded_us % 1_000,
            opened // MICROSECOND,
            closed // MICROSECOND,
        )
        if is_fine
        else _SECONDS.pack(seconds)
    )
    return (
        flags,
        trade.profit_ratio,
        times,
        (trade.side, trade.enter_tag, trade.exit_reason),
        decision_id if isinstance(decision_id, bytes) else b"",
        bytes.fromhex(said_without_execution),
        tuple(trade.situation),
        "".join(kinds),
        tuple(values),
        tuple(unknown),
        decision_id if isinstance(decision_id, str) else None,
    )


def numbered(parts: Parts, number: Callable[[str], int]) -> tuple[bytes, list[str]]:
    """Return facts with the numbers of their words, and the words; see `packed_trade`."""
    flags, ratio, times, said, decision, without, names, kinds, values, unknown, rare_id = parts
    texts: list[str] = []
    stored: list[float] = []
    for place, value in enumerate(values):
        if isinstance(value, str):
            texts.append(value)
            value_number = number(value)
            stored.append(value_number)
            if value_number >= _MOST_NARROW:
                kinds = f"{kinds[:place]}{BROAD}{kinds[place + 1 :]}"
        else:
            stored.append(value)
    shape, layout = _shape(names, kinds, unknown, rare_id)
    words = [*said, shape]
    numbers = [number(word) for word in words]
    is_wide = max(numbers) >= _MOST_NARROW
    packed = (
        _FLAGS_AND_RATIO.pack(flags | WIDE * is_wide, ratio)
        + times
        + (_WIDE_WORDS if is_wide else _NARROW_WORDS).pack(*numbers)
        + decision
        + without
        + layout.pack(*stored)
    )
    return packed, [*words, *texts]


@lru_cache
def _shape(
    names: tuple[str, ...], kinds: str, unknown: tuple[str, ...], decision_id: str | None
) -> tuple[str, Struct]:
    """Return a shape as a word, and the layout of its values; most trades share theirs."""
    said: dict[str, Any] = {"features": list(zip(names, kinds, strict=True))}
    if unknown:
        said["unknown"] = unknown
    if decision_id is not None:
        said["decision_id"] = decision_id
    text = json.dumps(said, separators=(",", ":"))
    return text, Shape(text).struct


def unpacked_trade(
    facts: bytes,
    *,
    record_id: str,
    origin: Origin,
    pair: str,
    known_ms: int,
    recorded_ms: int,
    said: str,
    words: Mapping[int, str],
    shapes: dict[int, Shape],
) -> tuple[TradeEvidence, list[str]]:
    """Return a trade from its facts, and the words in it as `packed_trade` returned them.

    Raises `KeyError`, `ValueError` or `struct.error` where the facts are damaged.
    """
    flags, ratio = _FLAGS_AND_RATIO.unpack_from(facts)
    if not -LARGEST_RATIO <= ratio <= LARGEST_RATIO:
        raise ValueError(ratio)
    place = _FLAGS_AND_RATIO.size
    known_us, recorded_us, closed_us = known_ms * 1_000, recorded_ms * 1_000, 0
    if flags & FINE:
        known_rest, recorded_rest, opened_us, closed_us = _MICROSECONDS.unpack_from(facts, place)
        known_us, recorded_us = known_us + known_rest, recorded_us + recorded_rest
        place += _MICROSECONDS.size
    else:
        (seconds,) = _SECONDS.unpack_from(facts, place)
        opened_us = seconds * 1_000_000
        place += _SECONDS.size
    layout = _WIDE_WORDS if flags & WIDE else _NARROW_WORDS
    side, enter_tag, exit_reason, shape_number = layout.unpack_from(facts, place)
    place += layout.size
    shape = shapes.get(shape_number)
    if shape is None:
        shape = shapes[shape_number] = Shape(words[shape_number])
    decision_id, without = shape.decision_id, ""
    if flags & DECIDED:
        decision_id = id_of(facts[place : place + ID_BYTES])
        place += ID_BYTES
    if flags & EXECUTED:
        without = facts[place : place + HASH_BYTES].hex()
        place += HASH_BYTES
    used = [words[side], words[enter_tag], words[exit_reason], words[shape_number]]
    situation: dict[str, float | str] = {}
    values = shape.struct.unpack_from(facts, place)
    for (name, kind), value in zip(shape.features, values, strict=True):
        if kind == SHORT:
            situation[name] = long(value)
        elif kind == LONG:
            if not -LARGEST <= value <= LARGEST:
                raise ValueError(value)
            situation[name] = value
        else:
            situation[name] = word = words[value]
            used.append(word)
    known_at = EARLIEST + known_us * MICROSECOND
    trade = TradeEvidence(
        record_id,
        origin,
        known_at,
        EARLIEST + recorded_us * MICROSECOND,
        said,
        pair,
        words[side],
        words[enter_tag],
        words[exit_reason],
        known_at - opened_us * MICROSECOND,
        known_at - closed_us * MICROSECOND if closed_us else known_at,
        ratio,
        bool(flags & COUNTS),
        bool(flags & STOP_SOLD_PART),
        decision_id,
        situation,
        shape.unknown,
        without,
    )
    return trade, used


def decided_by(facts: bytes) -> bytes | None:
    """Return the stored id of the decision that opened a trade, from its facts alone.

    None also where that id is no UUID, which facts keep elsewhere.
    """
    flags = facts[0]
    if not flags & DECIDED:
        return None
    place = _FLAGS_AND_RATIO.size + (_MICROSECONDS if flags & FINE else _SECONDS).size
    place += (_WIDE_WORDS if flags & WIDE else _NARROW_WORDS).size
    return facts[place : place + ID_BYTES]


def words_of(facts: bytes, shapes: Mapping[int, Shape]) -> set[int]:
    """Return the numbers of the words in a trade's facts, which were unpacked before."""
    flags, _ = _FLAGS_AND_RATIO.unpack_from(facts)
    place = _FLAGS_AND_RATIO.size + (_MICROSECONDS if flags & FINE else _SECONDS).size
    layout = _WIDE_WORDS if flags & WIDE else _NARROW_WORDS
    numbers = layout.unpack_from(facts, place)
    place += layout.size + ID_BYTES * bool(flags & DECIDED) + HASH_BYTES * bool(flags & EXECUTED)
    shape = shapes[numbers[-1]]
    values = shape.struct.unpack_from(facts, place)
    texts = (
        value
        for (_, kind), value in zip(shape.features, values, strict=True)
        if kind in {NARROW, BROAD}
    )
    return {*numbers, *texts}
