"""Records as JSON: strict about every key, and indifferent to when they were noted."""

from __future__ import annotations

import json
import math
from dataclasses import fields, replace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records import codec
from freqtrade_mem0.records.codec import (
    content_hash,
    decode,
    decode_decision,
    encode,
    to_plain,
    validated,
)
from freqtrade_mem0.records.decision import AccountState, Reason
from freqtrade_mem0.records.kinds.risk import RiskEvent
from tests.support.samples import (
    NOTED,
    a_backtest,
    a_decision,
    a_note,
    a_promotion,
    a_retraction,
    a_risk_event,
    a_trade,
    at,
)

if TYPE_CHECKING:
    from freqtrade_mem0.records.base import Record

ACCOUNT = AccountState(
    followed=0.2, experts={"response": 0.2}, earned=1.5, floor=-3.0, earned_ratio=0.1, n_trades=40.0
)
EVERY_KIND = [
    a_trade(),
    a_backtest(),
    a_risk_event(),
    a_note(),
    a_promotion(),
    a_retraction(a_trade().id),
]


def kind_of(record: Record) -> str:
    """Return a record's kind, to name a test by."""
    return record.kind


@pytest.mark.parametrize("record", EVERY_KIND, ids=kind_of)
def test_a_record_survives_json(record: Record) -> None:
    """What is read back equals what was written, for every kind."""
    assert record == decode(record.kind, encode(record))


def test_a_decision_survives_json() -> None:
    """A decision comes back with its reasons, its times and its situation."""
    decision = a_decision(trade_id="t", open_date=at(1))

    assert decision == decode_decision(encode(decision))


@pytest.mark.parametrize("record", EVERY_KIND, ids=kind_of)
def test_json_has_every_field_in_order(record: Record) -> None:
    """The JSON form is the schema others read: the fields by name, nothing more or less."""
    assert [field.name for field in fields(record)] == list(to_plain(record))


def test_json_writes_times_as_utc_text() -> None:
    """Times are ISO 8601 in UTC, so that every tool can read them."""
    assert to_plain(a_trade())["known_at"] == "2024-01-01T01:00:00Z"


@pytest.mark.parametrize("record", EVERY_KIND, ids=kind_of)
def test_noting_again_is_the_same_content(record: Record) -> None:
    """The wall time at which a fact was noted is no part of what it says."""
    later = replace(record, recorded_at=NOTED.replace(year=2025))

    assert content_hash(record) == content_hash(later)


@pytest.mark.parametrize(
    "changes",
    [
        {"profit_ratio": math.nextafter(0.01, 1.0)},
        {"known_at": at(2)},
        {"enter_tag": "Dip"},
        {"situation": {}},
        {"is_evidence": False},
        {"decision_id": "d"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_another_fact_is_other_content(changes: dict[str, Any]) -> None:
    """Any other difference, be it in the last digit, makes a correction."""
    assert content_hash(a_trade()) != content_hash(a_trade(**changes))


def test_content_hash_is_golden() -> None:
    """A change of the hash would make a correction of every record of every user."""
    expected = "af4e2e86400e17c7015c946fee287b991822446b7054f3489779ee757cf6cfc4"

    assert expected == content_hash(a_trade())


def test_an_unknown_kind_is_refused_by_name() -> None:
    """A kind of a newer version is refused with the way out."""
    with pytest.raises(
        RecordError, match=r"'dream' is unknown; known are agent_decision, .*Upgrade"
    ):
        decode("dream", "{}")


def test_a_missing_key_is_refused_by_name() -> None:
    """A record without one of its keys names the key."""
    plain = to_plain(a_trade())
    del plain["profit_ratio"]

    with pytest.raises(RecordError, match=r"trade record can not be used.*profit_ratio: .*missing"):
        decode("trade", json.dumps(plain))


@pytest.mark.parametrize(
    ("key", "value"),
    [("profit_ratio", "much"), ("open_date", "soon"), ("n_entries", 1.5), ("situation", [])],
)
def test_a_wrong_value_is_refused_by_key_and_value(key: str, value: object) -> None:
    """The sentence names the key and shows what it got."""
    plain = to_plain(a_trade()) | {key: value}

    with pytest.raises(RecordError) as refusal:
        decode("trade", json.dumps(plain))

    assert f"{key}" in str(refusal.value)
    assert f"(got {value!r})" in str(refusal.value)


def test_an_unknown_key_is_refused() -> None:
    """No key is dropped in silence."""
    plain = to_plain(a_trade()) | {"mood": "good"}

    with pytest.raises(RecordError, match=r"mood: .*'good'"):
        decode("trade", json.dumps(plain))


def test_all_mistakes_are_named_at_once() -> None:
    """Somebody who mends a record sees everything that is wrong with it."""
    plain = to_plain(a_trade()) | {"amount": "some", "leverage": None}

    with pytest.raises(RecordError, match="leverage") as refusal:
        decode("trade", json.dumps(plain))

    assert "amount" in str(refusal.value)


@pytest.mark.parametrize("text", ["", "{", "null", "[]", "\x00"])
def test_text_that_is_no_record_is_refused(text: str) -> None:
    """Damaged text ends in our own error, whatever the damage."""
    with pytest.raises(RecordError, match="risk_event record can not be used"):
        decode("risk_event", text)


@pytest.mark.parametrize(
    "record",
    [
        a_risk_event(impact=math.nan),
        a_risk_event(impact=-math.inf),
        a_trade(situation={"rsi": math.nan}),
        a_note(metadata={"weight": math.inf}),
        a_note(metadata={"nested": {"weight": 1}}),
        a_note(content="half a character \ud800"),
        a_trade(open_date=None),
        a_decision(multiplier=math.nan),
        a_decision(reasons=(Reason(name="pair", effect=math.nan),)),
        a_decision(account=replace(ACCOUNT, earned=math.nan)),
    ],
)
def test_what_could_not_be_read_back_is_not_written(record: Any) -> None:
    """JSON has no NaN: such a record is refused before it can block a reader."""
    with pytest.raises(RecordError, match="can not be used"):
        encode(record)


def test_a_sound_decision_is_written_without_being_read_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Reading back takes longer than writing; parts that are not known are no reason for it."""
    reasons = (Reason(name="pair", mean_error=0.1), Reason(name="limit", text="a limit"))
    decision = a_decision(reasons=reasons, account=ACCOUNT)
    encode(decision)
    monkeypatch.setattr(codec, "_encoded_and_read_back", None)

    assert decode_decision(encode(decision)) == decision


def test_values_from_a_user_become_a_record() -> None:
    """A tool hands over plain values and gets the record, or a sentence about one of them."""
    event = a_risk_event()
    values = {field.name: getattr(event, field.name) for field in fields(event)}

    assert event == validated(RiskEvent, values)
    with pytest.raises(RecordError, match=r"impact.*\(got nan\)"):
        validated(RiskEvent, values | {"impact": math.nan})
