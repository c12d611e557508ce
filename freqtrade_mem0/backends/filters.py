"""Mem0's filter language: a filter is parsed once and then applied to many memories.

A condition on a key that a memory lacks (or holds as null) is false, whatever its operator; `NOT`
is plain negation. So `{"pair": {"ne": "X"}}` passes memories that have another pair, and
`{"NOT": [{"pair": "X"}]}` passes those and the ones without a pair. Embedded Qdrant, Mem0's
default, does the same.

| filter | passes where |
|---|---|
| `{"k": v}`, `{"k": {"eq": v}}` | the value equals v; 1 equals 1.0, but True never equals 1 |
| `{"k": [a, b]}`, `{"k": {"in": [a, b]}}` | the value equals one of them |
| `{"k": {"ne": v}}`, `{"k": {"nin": [a, b]}}` | the key is there and eq / in is false |
| `{"k": {"gt": x}}` (gte, lt, lte) | a number against a number, an ISO time against an ISO time |
| `{"k": {"contains": s}}`, `icontains` | s is part of the text (icontains: in either case) |
| `{"k": {"like": s}}` | the text is like s, in either case: `*` is any text, `?` one character |
| `{"k": "*"}` | the key is there |
| `{"AND": [...]}`, `{"OR": [...]}`, `{"NOT": [...]}` | all / at least one / none of them pass |

Several operators on one key, and several keys in one filter, must all hold. `$and`, `$or`, `$not`
are the same as AND, OR, NOT: `Memory.search` hands them to a store so. A list as a value passes a
condition where one of its elements does. Naive times are UTC.
"""

from __future__ import annotations

import fnmatch
import math
import operator
import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

from freqtrade_mem0.errors import BackendError

Test: TypeAlias = Callable[[object], bool]

LOGICAL = {"AND": "AND", "OR": "OR", "NOT": "NOT", "$and": "AND", "$or": "OR", "$not": "NOT"}
_RANGE = {"gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le}
_OPERATORS = ("eq", "ne", "in", "nin", *_RANGE, "contains", "icontains", "like")
_ISO_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_EXACT = 2**53  # whole numbers up to it are floats exactly
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_DEPTH = 32  # deeper nesting is a mistake


@dataclass(frozen=True, slots=True)
class Span:
    """Bounds of a number, or of an ISO time in microseconds since 1970; all must hold."""

    is_time: bool
    bounds: tuple[tuple[Callable[..., object], float], ...]


@dataclass(frozen=True, slots=True)
class Condition:
    """A test of one key's value; a missing value does not pass.

    `span` says the same of a single number or time, for many values at once.
    """

    key: str
    test: Test
    span: Span | None = None


@dataclass(frozen=True, slots=True)
class AllOf:
    """Passes where every part passes; without parts, everywhere."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Passes where at least one part passes."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class NoneOf:
    """Passes where no part passes."""

    parts: tuple[Node, ...]


Node: TypeAlias = Condition | AllOf | AnyOf | NoneOf


def parse_filters(filters: Mapping[str, object] | None) -> AllOf:
    """Parse a filter in Mem0's language; None or empty passes every memory.

    Raises
    ------
    BackendError
        Permanent: the filter has an unknown operator or a value of the wrong kind.

    Examples
    --------
    >>> tree = parse_filters({"pair": ["A", "B"], "NOT": [{"profit": {"lt": 0}}]})
    >>> [matches(tree, row) for row in ({"pair": "A", "profit": 1}, {"pair": "A", "profit": -1})]
    [True, False]
    """
    return _parse({} if filters is None else filters, depth=0)


def matches(node: Node, payload: Mapping[str, object]) -> bool:
    """Tell whether a payload passes a parsed filter."""
    if isinstance(node, Condition):
        value = payload.get(node.key)
        return value is not None and node.test(value)
    # Loops, as `all` and `any` over a generator take three times as long for so few parts.
    if isinstance(node, AllOf):
        for part in node.parts:  # noqa: SIM110
            if not matches(part, payload):
                return False
        return True
    for part in node.parts:
        if matches(part, payload):
            return isinstance(node, AnyOf)
    return isinstance(node, NoneOf)


def _parse(filters: object, *, depth: int) -> AllOf:
    if not isinstance(filters, Mapping):
        raise _refusal(f"a filter must be a mapping, not {type(filters).__name__} ({filters!r})")
    if depth > _MAX_DEPTH:
        raise _refusal(f"filters are nested more than {_MAX_DEPTH} deep")
    parts: list[Node] = []
    for key, wanted in filters.items():
        logical = LOGICAL.get(key)
        if logical is None:
            parts.append(_condition(key, wanted))
            continue
        if not isinstance(wanted, Sequence) or isinstance(wanted, str):
            raise _refusal(f"{key} needs a list of filters, not {wanted!r}")
        nested = tuple(_parse(part, depth=depth + 1) for part in wanted)
        if logical == "AND":
            parts.extend(nested)
        else:
            parts.append(AnyOf(nested) if logical == "OR" else NoneOf(nested))
    return AllOf(tuple(parts))


def _condition(key: str, wanted: object) -> Condition:
    if isinstance(wanted, Mapping):
        if not wanted:
            raise _refusal(f"the condition on {key!r} is empty; name an operator: {_OPERATORS}")
        tests = [_test(key, name, operand) for name, operand in wanted.items()]
        span = _span(wanted)
        if len(tests) == 1:
            return Condition(key, tests[0], span)
        return Condition(key, lambda value: all(test(value) for test in tests), span)
    if isinstance(wanted, str) and wanted == "*":
        return Condition(key, lambda _value: True)
    if _is_collection(wanted):
        return Condition(key, _test(key, "in", wanted))
    return Condition(key, _test(key, "eq", wanted))


def _test(key: str, name: str, operand: object) -> Test:
    if name in _RANGE:
        return _any_element(_range_test(key, name, operand))
    if name in {"eq", "ne"}:
        allowed = frozenset({_required_identity(key, name, operand)})
        return _membership(allowed, wanted=name == "eq")
    if name in {"in", "nin"}:
        if not isinstance(operand, Sequence | AbstractSet) or isinstance(operand, str):
            raise _refusal(f"{name} on {key!r} needs a list of values, not {operand!r}")
        allowed = frozenset(_required_identity(key, name, value) for value in operand)
        return _membership(allowed, wanted=name == "in")
    if name in {"contains", "icontains", "like"}:
        if not isinstance(operand, str):
            raise _refusal(f"{name} on {key!r} needs a text, not {operand!r}")
        if name == "like":
            return _any_element(_like_test(operand))
        return _any_element(_text_test(operand, fold=name == "icontains"))
    raise _refusal(f"{name!r} on {key!r} is no operator; there are {', '.join(_OPERATORS)}")


def _span(wanted: Mapping[str, object]) -> Span | None:
    """Return the bounds of a condition that has only such, all of numbers or all of times."""
    if not wanted.keys() <= _RANGE.keys():
        return None
    for is_time, place in ((False, as_exact_float), (True, as_microseconds)):
        places = {name: place(operand) for name, operand in wanted.items()}
        if None not in places.values():
            bounds = [(_RANGE[name], at) for name, at in places.items() if at is not None]
            return Span(is_time, tuple(bounds))
    return None


def _membership(allowed: frozenset[tuple[str, object]], *, wanted: bool) -> Test:
    def holds(value: object) -> bool:
        if isinstance(value, list):
            return any(_identity(element) in allowed for element in value) is wanted
        return (_identity(value) in allowed) is wanted

    return holds


def _range_test(key: str, name: str, bound: object) -> Test:
    compare = _RANGE[name]
    number = as_number(bound)
    if number is not None:
        return lambda value: (given := as_number(value)) is not None and compare(given, number)
    instant = as_instant(bound)
    if instant is None:
        raise _refusal(f"{name} on {key!r} needs a number or an ISO time, not {bound!r}")
    return lambda value: (given := as_instant(value)) is not None and compare(given, instant)


def _text_test(wanted: str, *, fold: bool) -> Test:
    if fold:
        folded = wanted.casefold()
        return lambda value: isinstance(value, str) and folded in value.casefold()
    return lambda value: isinstance(value, str) and wanted in value


def _like_test(pattern: str) -> Test:
    # `translate` gives a pattern that never backtracks over what a star has matched.
    like = re.compile(fnmatch.translate(pattern.casefold().replace("[", "[[]"))).match
    return lambda value: isinstance(value, str) and like(value.casefold()) is not None


def _any_element(test: Test) -> Test:
    def holds(value: object) -> bool:
        return any(test(element) for element in value) if isinstance(value, list) else test(value)

    return holds


def _identity(value: object) -> tuple[str, object] | None:
    """Return what makes two values equal; None for NaN and nested data, which equal nothing."""
    if isinstance(value, str):
        return ("text", value)
    if isinstance(value, bool):
        return ("bool", value)
    number = as_number(value)
    return None if number is None else ("number", number)


def _required_identity(key: str, name: str, value: object) -> tuple[str, object]:
    identity = _identity(value)
    if identity is None:
        raise _refusal(f"{name} on {key!r} needs a text, a number or a bool, not {value!r}")
    return identity


def as_number(value: object) -> int | float | None:
    """Return a value if it is a number, else None; bool and NaN are no numbers here."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return None if isinstance(value, float) and math.isnan(value) else value


def as_exact_float(value: object) -> float | None:
    """Return a number as a float that equals it; None for anything else."""
    number = as_number(value)
    if number is None or not -_EXACT <= number <= _EXACT:
        return None
    return float(number)


def as_microseconds(value: object) -> float | None:
    """Return an ISO time as microseconds since 1970, exactly; None for anything else."""
    instant = as_instant(value)
    return None if instant is None else as_exact_float((instant - _EPOCH) // _MICROSECOND)


def as_instant(value: object) -> datetime | None:
    """Return an ISO time or date as an aware UTC time; None for anything else."""
    if not isinstance(value, str) or _ISO_DATE.match(value) is None:
        return None
    try:
        instant = datetime.fromisoformat(value)
        if instant.tzinfo is UTC:
            return instant
        return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _is_collection(value: object) -> bool:
    return isinstance(value, Sequence | AbstractSet) and not isinstance(value, str | bytes)


def _refusal(rule: str) -> BackendError:
    return BackendError(f"This filter can not be used: {rule}.", permanent=True)
