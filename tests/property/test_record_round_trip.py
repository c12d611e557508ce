"""JSON gives every record back exactly, whatever its numbers and words are."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.codec import content_hash, decode, encode, encode_decoded
from freqtrade_mem0.records.mapping import from_memory, to_memory
from tests.support.samples import a_note, a_risk_event, a_trade

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.trade import TradeRecord

numbers = st.floats(-1e30, 1e30)
ratios = st.floats(-1e6, 1e6)
amounts = st.floats(0.0, 1e18)
words = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
times = st.datetimes(datetime(1970, 1, 1), datetime(2199, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001

trades = st.builds(
    a_trade,
    profit_ratio=ratios,
    profit_abs=st.floats(-1e18, 1e18),
    open_rate=amounts,
    funding_fees=st.floats(-1e18, 1e18),
    open_date=times,
    close_date=times,
    known_at=times,
    recorded_at=times,
    enter_tag=words,
    exit_reason=words,
    n_entries=st.integers(1, 10**9),
    decision_id=st.none() | words,
    situation=st.dictionaries(words, numbers | words, max_size=4),
)


@given(numbers)
def test_every_float_comes_back_bit_for_bit(number: float) -> None:
    """Subnormal, huge, negative zero: the bits are the same."""
    event = decode("risk_event", encode(a_risk_event(impact=number)))

    assert number.hex() == getattr(event, "impact", math.nan).hex()


@given(trades)
def test_a_trade_comes_back(trade: TradeRecord) -> None:
    """Numbers, dates to the microsecond, tags in any script, and the situation."""
    again = decode("trade", encode(trade))

    assert trade == again
    assert content_hash(trade) == content_hash(again)


odd_numbers = st.floats() | st.none() | st.booleans() | st.integers() | words
odd_values = {
    "profit_ratio": odd_numbers,
    "pair": st.text() | st.none() | st.just("null") | st.floats(),
    "n_entries": odd_numbers,
    "open_date": times | st.datetimes() | st.none() | words,
    "is_evidence": st.booleans() | st.none() | st.integers(),
    "decision_id": st.none() | words | st.integers(),
    "situation": st.none() | st.dictionaries(words, odd_numbers | st.lists(words), max_size=3),
}


@given(trades, st.fixed_dictionaries({}, optional=odd_values))
def test_what_could_not_be_read_back_is_never_written(
    trade: TradeRecord, odd: dict[str, object]
) -> None:
    """Whatever stands in a record: it is refused, or comes back."""
    try:
        text = encode(replace(trade, **odd))  # type: ignore[arg-type]
    except RecordError:
        return
    again = decode("trade", text)
    assert again.id == trade.id
    assert encode_decoded(again) == encode(again)


@given(trades)
def test_a_trade_comes_back_from_its_memory(trade: TradeRecord) -> None:
    """The detour over Mem0's form changes nothing."""
    assert trade == from_memory(to_memory(trade))


integers = st.integers(-(2**63), 2**63 - 1)


@given(st.dictionaries(words, st.booleans() | integers | numbers | words, max_size=5), words)
def test_a_note_keeps_the_types_of_its_metadata(
    metadata: dict[str, bool | int | float | str], content: str
) -> None:
    """1, 1.0, True and "1" stay four different things."""
    note = a_note(metadata=metadata, content=content)
    again = decode("note", encode(note))

    assert note == again
    kept: dict[str, object] = getattr(again, "metadata", {})
    assert {key: type(value) for key, value in metadata.items()} == {
        key: type(value) for key, value in kept.items()
    }


@given(trades, times)
def test_the_wall_time_of_noting_is_no_part_of_what_is_said(
    trade: TradeRecord, noted_at: datetime
) -> None:
    """Whatever else the record says, words that look like a key included; as ever since."""
    odd = replace(trade, enter_tag='"recorded_at":"' + trade.enter_tag)
    assert content_hash(odd) != content_hash(trade)
    for record in (trade, odd):
        again = replace(record, recorded_at=noted_at)
        assert content_hash(again) == content_hash(record)
        left_out = {"recorded_at", "stop_sold_part", "told", "execution"}  # but one, new
        plain = TypeAdapter(type(record)).dump_json(record, exclude=left_out)
        assert content_hash(record) == sha256(plain).hexdigest()
