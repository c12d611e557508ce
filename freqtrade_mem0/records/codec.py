"""Records and decisions as JSON, and back: exact for every number, strict about every key.

A record's JSON is the schema users and other tools meet (journal, exports, Mem0 metadata). It
carries `SCHEMA_VERSION`; later versions must read all earlier ones.
"""

from __future__ import annotations

import json
from dataclasses import fields
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.backtest import BacktestRecord
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.note import Note
from freqtrade_mem0.records.promotion import Promotion
from freqtrade_mem0.records.retraction import Retraction
from freqtrade_mem0.records.risk import RiskEvent
from freqtrade_mem0.records.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.records.base import Record

ItemT = TypeVar("ItemT", bound="Record")

_NOTED = '"recorded_at":"'
_NO_RESPONSE = ',"response":""}'

SCHEMA_VERSION = 1
"""Version of the JSON form of records and decisions."""

RECORD_TYPES: dict[str, type[Record]] = {
    record_type.kind: record_type
    for record_type in (TradeRecord, BacktestRecord, RiskEvent, Note, Promotion, Retraction)
}


_OFTEN_WRITTEN: dict[type, tuple[str, ...]] = {
    item_type: tuple(each.name for each in fields(item_type) if str(each.type).endswith("| None"))
    for item_type in (TradeRecord, RiskEvent, Decision)
}
"""What a run writes for every trade, with the names of the fields that may be None."""


def encode(item: Record | Decision, *, is_sound: bool = False) -> str:
    """Return the JSON form of a record or decision; keys in the order of the fields.

    Parameters
    ----------
    item
        What is to be written.
    is_sound
        It was decoded by this module and need not be checked again.

    Raises
    ------
    RecordError
        A value breaks the schema (JSON has no NaN, for example). What could not be read back is
        never written: one such row would block every reader of the journal.
    """
    if type(item) in _OFTEN_WRITTEN:
        sound = _encoded_strictly(item)
        if sound is not None:
            return sound
    what = f"{getattr(item, 'kind', 'decision')} record"
    try:
        body: bytes = _adapter(type(item)).dump_json(item, warnings=False)
    except PydanticSerializationError as error:
        raise RecordError(f"This {what} can not be used. {error}") from error
    if not is_sound:
        _parse(type(item), body, what)
    return body.decode()


def _encoded_strictly(item: Record | Decision) -> str | None:
    """Return the JSON form where writing alone shows that it can be read back; else None.

    Every value has the type of its field, and none became null that was something else: pydantic
    writes NaN so. That takes a third of reading the JSON back.
    """
    try:
        body: bytes = _adapter(type(item)).serializer.to_json(item, warnings="error")
    except PydanticSerializationError:
        return None
    n_nulls = body.count(b"null")
    if n_nulls:
        n_nulls -= sum([getattr(item, name) is None for name in _OFTEN_WRITTEN[type(item)]])
    # A text with the word in it is none the worse for being read back.
    return None if n_nulls else body.decode()


def decode(kind: str, text: str | bytes) -> Record:
    """Return the record of `kind` that `text` encodes.

    Raises
    ------
    RecordError
        Unknown kind, or keys and values that break the kind's schema.
    """
    record_type = RECORD_TYPES.get(kind)
    if record_type is None:
        raise RecordError(
            f"Record kind {kind!r} is unknown; known are {', '.join(RECORD_TYPES)}. "
            "Was it written by a newer freqtrade_mem0? Upgrade to read it."
        )
    record: Record = _parse(record_type, text, f"{kind} record")
    return record


def decode_decision(text: str | bytes) -> Decision:
    """Return the decision that `text` encodes; raise `RecordError` where it breaks the schema."""
    decision: Decision = _parse(Decision, text, "decision")
    return decision


def content_hash(item: Record | Decision) -> str:
    """Return a hash of what a record says, without the wall time at which it was noted.

    Noting the same fact again (the same backtest run twice) gives the same hash, so nothing is
    stored; a fact that turned out different gives another one and becomes a correction.
    """
    return hash_of(_adapter(type(item)).dump_json(item, warnings=False).decode())


def hash_of(body: str) -> str:
    """Return the content hash of a record from its JSON form; see `content_hash`."""
    # The first one is the record's own: in a text, quotes are escaped.
    before, found, after = body.partition(_NOTED)
    content = before + after.partition('",')[2] if found else body
    if content.endswith(_NO_RESPONSE):
        # Risk events of earlier versions had no response; without one they still say the same.
        content = content.removesuffix(_NO_RESPONSE) + "}"
    return sha256(content.encode()).hexdigest()


def to_plain(item: Record | Decision) -> dict[str, Any]:
    """Return the JSON form as plain Python objects, for `--json` output."""
    plain: dict[str, Any] = json.loads(encode(item))
    return plain


def validated(item_type: type[ItemT], values: Mapping[str, Any]) -> ItemT:
    """Return a record made of values a user gave; raise `RecordError` where one breaks its rule."""
    try:
        item: ItemT = _adapter(item_type).validate_python(values)
    except ValidationError as error:
        raise _invalid(item_type.kind + " record", error) from error
    return item


def _invalid(what: str, error: ValidationError) -> RecordError:
    """Turn a validation error into a sentence for the person who wrote the record."""
    parts = []
    for problem in error.errors(include_url=False):
        key = ".".join(str(part) for part in problem["loc"])
        value = problem["input"]
        shown = "missing" if problem["type"].startswith("missing") else f"got {value!r}"
        parts.append(f"{key}: {problem['msg']} ({shown})")
    return RecordError(f"This {what} can not be used. " + "; ".join(parts))


_adapters: dict[type, TypeAdapter[Any]] = {}


def _adapter(item_type: type) -> TypeAdapter[Any]:
    adapter = _adapters.get(item_type)
    if adapter is None:
        adapter = _adapters[item_type] = TypeAdapter(item_type)
    return adapter


def _parse(item_type: type, text: str | bytes, what: str) -> Any:
    try:
        return _adapter(item_type).validate_json(text)
    except ValidationError as error:
        raise _invalid(what, error) from error
