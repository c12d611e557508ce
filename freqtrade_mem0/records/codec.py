"""Records and decisions as JSON, and back: exact for every number, strict about every key.

The JSON form is the schema that users and other tools meet: in the journal, in exports and in
Mem0's metadata. It carries `SCHEMA_VERSION`; later versions must read all earlier ones.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from functools import cache
from hashlib import sha256
from operator import attrgetter, le
from typing import TYPE_CHECKING, Any, NotRequired, TypeVar, get_type_hints

from pydantic import TypeAdapter, ValidationError
from pydantic_core import PydanticSerializationError
from typing_extensions import TypedDict

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.kinds import record_types
from freqtrade_mem0.records.limits import MAX_NAME, Integer
from freqtrade_mem0.words.visible import brief

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from freqtrade_mem0.records.base import Record

RecordT = TypeVar("RecordT", bound="Record")

SCHEMA_VERSION = 1
"""Version of the JSON form of records and decisions."""

_LARGE = b"e+"
"""How JSON has a number from 1e16 on. Optional numbers, and those of situations and reasons, may be
larger: only such a one can be out of its range."""

_MOST_PROBLEMS = 5
"""How many values that break a rule one message names."""

_NO_NUMBERS = ("reasons", "situation", "account")
"""Fields of a decision that an archived one has not."""

_RECORDED_AT = '"recorded_at":"'


def encode(item: Record | Decision) -> str:
    """Return the JSON form of a record or decision; keys in the order of the fields.

    Raises
    ------
    RecordError
        A value breaks the schema (JSON has no NaN, for example). What could not be read back is
        never written: one such row would block every reader of the journal.
    """
    item_type: type = type(item)
    try:
        body: bytes = _adapter(item_type).serializer.to_json(item, warnings="error")
    except PydanticSerializationError:
        return _encoded_and_read_back(item, item_type)
    # Each value has the type of its field. Pydantic writes NaN as null: where nothing else is null,
    # the JSON can be read back, and counting takes a third of the time of reading it.
    if body.count(b"null") != _n_none(item):
        return _encoded_and_read_back(item, item_type)  # perhaps only a text with the word in it
    # Pydantic checks no range when it writes.
    is_told = getattr(item, "told", None) is not None or _takes_integers(item_type)
    is_large = b"+" in body and _LARGE in body  # one byte is found ten times as fast as two
    if is_told or len(body) > MAX_NAME or is_large or not _ranges(item_type).hold(item):
        return _encoded_and_read_back(item, item_type)
    return body.decode()


def encode_decoded(record: Record) -> str:
    """Return the JSON form of a record that was decoded or encoded, and so keeps to its schema."""
    record_type: type = type(record)
    body: bytes = _adapter(record_type).serializer.to_json(record, warnings=False)
    return body.decode()


def _encoded_and_read_back(item: Record | Decision, item_type: type) -> str:
    try:
        body: bytes = _adapter(item_type).dump_json(item, warnings=False)
    except PydanticSerializationError as error:
        raise RecordError(f"This {_name(item_type)} can not be used. {error}") from error
    _parse(item_type, body)
    return body.decode()


def decode(kind: str, text: str | bytes) -> Record:
    """Return the record of `kind` that `text` encodes.

    Raises
    ------
    RecordError
        Unknown kind, or keys and values that break the kind's schema.
    """
    known = record_types()
    record_type = known.get(kind)
    if record_type is None:
        raise RecordError(
            f"Record kind {brief(kind)} is unknown; known are {', '.join(known)}. "
            "Was it written by a newer freqtrade_mem0? Upgrade to read it."
        )
    return decode_as(record_type, text)


def decode_as(record_type: type[RecordT], text: str | bytes) -> RecordT:
    """Return the record of a known type that `text` encodes; raise `RecordError` as `decode`."""
    record: RecordT = _parse(record_type, text)
    return record


def decode_decision(text: str | bytes) -> Decision:
    """Return the decision that `text` encodes; raise `RecordError` where it breaks the schema."""
    decision: Decision = _parse(Decision, text)
    return decision


def decode_numbers(text: str | bytes) -> dict[str, Any]:
    """Return the fields of a decision that are a number, a time or a name, and its origin.

    Nothing else is looked at, which takes a third of the time of `decode_decision`.
    """
    numbers: dict[str, Any] = _parse(_numbers(), text)
    return numbers


def content_hash(record: Record) -> str:
    """Return a hash of what a record says, without the wall time at which it was noted.

    Noting the same fact again (the same backtest run twice) gives the same hash, so nothing is
    stored; a fact that turned out different gives another one and becomes a correction.
    """
    return hash_of(encode_decoded(record), record.added_later)


def hash_of(body: str, added_later: Sequence[str]) -> str:
    """Return the content hash of a record from its JSON form and its class's `added_later`."""
    # The first one is the record's own: in a text, quotes are escaped.
    before = after = body.find(_RECORDED_AT)
    if before < 0:
        before = after = 0
    else:
        end = body.find('",', before + len(_RECORDED_AT))
        after = len(body) if end < 0 else end + 2
    last = end = max(after, len(body) - 1)
    if body.endswith("}"):
        for default in reversed(added_later):
            if not body.endswith(default, after, end):
                break
            end -= len(default)
    return sha256((body[:before] + body[after:end] + body[last:]).encode()).hexdigest()


def to_plain(item: Record | Decision) -> dict[str, Any]:
    """Return the JSON form as plain Python objects, for `--json` output."""
    plain: dict[str, Any] = json.loads(encode(item))
    told = plain.get("told")
    return plain if told is None else plain | dict.fromkeys(told["unknown"])


def validated(record_type: type[RecordT], values: Mapping[str, Any]) -> RecordT:
    """Return a record made of values a user gave; raise `RecordError` where one breaks its rule."""
    as_type: type = record_type
    try:
        record: RecordT = _adapter(as_type).validate_python(values)
    except ValidationError as error:
        raise _invalid(as_type, error) from error
    return record


@cache
def _adapter(item_type: type) -> TypeAdapter[Any]:
    return TypeAdapter(item_type)


@cache
def _numbers() -> type:
    hints = get_type_hints(Decision, include_extras=True)
    optional = {each.name for each in fields(Decision) if each.default is not MISSING}
    names = {name: hints[name] for name in hints if name not in _NO_NUMBERS}
    kept = {name: NotRequired[hint] if name in optional else hint for name, hint in names.items()}
    return TypedDict("Decision", kept)  # type: ignore[operator, no-any-return]


@dataclass(frozen=True, slots=True)
class _Ranges:
    """The ranges of those fields of a class that always hold a number or a time."""

    values: Callable[[object], tuple[Any, ...]]
    lowest: tuple[Any, ...]
    highest: tuple[Any, ...]

    def hold(self, item: object) -> bool:
        """Return whether each value is in its range."""
        values = self.values(item)
        try:
            return all(map(le, self.lowest, values)) and all(map(le, values, self.highest))
        except TypeError:  # a time without a time zone
            return False


@cache
def _ranges(item_type: type) -> _Ranges:
    names, lowest, highest = [], [], []
    for name, hint in get_type_hints(item_type, include_extras=True).items():
        limits = getattr(hint, "__metadata__", ())
        low = [limit.ge for limit in limits if getattr(limit, "ge", None) is not None]
        high = [limit.le for limit in limits if getattr(limit, "le", None) is not None]
        if low and high:
            names.append(name)
            lowest += low
            highest += high
    return _Ranges(attrgetter(*names), tuple(lowest), tuple(highest))


@cache
def _takes_integers(item_type: type) -> bool:
    """Return whether a mapping in it holds whole numbers, which JSON has in any size."""
    return repr(Integer) in repr(get_type_hints(item_type, include_extras=True))


def _n_none(item: Record | Decision) -> int:
    """Return how many values of a record or decision are None, those of a decision's parts too."""
    item_type: type = type(item)
    n_none = _optional_values(item_type)(item).count(None)
    if isinstance(item, Decision):
        for reason in item.reasons:
            n_none += (reason.mean_error is None) + (reason.freedom is None)
        if item.account is not None:
            n_none += item.account.since is None
    return n_none


@cache
def _optional_values(item_type: type) -> Callable[[object], tuple[Any, ...]]:
    """Return what gets the values of the fields that may be None."""
    names = [each.name for each in fields(item_type) if str(each.type).endswith("| None")]
    if len(names) > 1:
        return attrgetter(*names)
    return lambda item: tuple(getattr(item, name) for name in names)


def _parse(item_type: type, text: str | bytes) -> Any:
    try:
        return _adapter(item_type).validate_json(text)
    except ValidationError as error:
        raise _invalid(item_type, error) from error


def _invalid(item_type: type, error: ValidationError) -> RecordError:
    """Turn a validation error into a sentence for the person who wrote the record."""
    parts, problems = [], error.errors(include_url=False)
    for problem in problems[:_MOST_PROBLEMS]:
        key = brief(".".join(str(part) for part in problem["loc"]))[1:-1]
        value = problem["input"]
        shown = "missing" if problem["type"].startswith("missing") else f"got {brief(value)}"
        parts.append(f"{key}: {problem['msg']} ({shown})")
    if len(problems) > len(parts):
        parts.append(f"and {len(problems) - len(parts)} more")
    return RecordError(f"This {_name(item_type)} can not be used. " + "; ".join(parts))


def _name(item_type: type) -> str:
    return "decision" if item_type.__name__ == "Decision" else f"{item_type.kind} record"  # type: ignore[attr-defined]
