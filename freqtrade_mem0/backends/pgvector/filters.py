"""Mem0's filters as SQL over a JSONB payload: exact, or a superset that Python then filters.

Some conditions can not be expressed exactly: ranges of times (Python reads more spellings of a
time than can be compared as texts), `icontains` and `like` (case folding differs). The negation of
such a condition is TRUE, a superset again. NULL counts as false.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any, TypeAlias

from freqtrade_mem0.backends.filters import (
    LOGICAL,
    AllOf,
    as_instant,
    as_number,
    parse_filters,
)
from freqtrade_mem0.backends.pgvector.rows import is_storable, to_json

Sql: TypeAlias = tuple[str, tuple[object, ...]]
"""SQL with `%s` where its parameters go."""

PLAIN_TIME = r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?\+00:00$"
"""Times as Mem0 and we write them. In collation C, sorting the texts sorts the times."""

_COMPARED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_AT = "payload->%s::text"


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition in SQL; true wherever the condition is, and nowhere else if it is exact."""

    sql: str
    params: tuple[object, ...] = ()
    is_exact: bool = True


_TRUE = Clause("TRUE")
_FALSE = Clause("FALSE")


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter, ready for a query."""

    clause: Clause
    near: Clause
    """Conditions that follow from the clause and that an index serves."""
    node: AllOf
    """The filter for Python, which rows must pass unless the clause is exact."""


def select(filters: Mapping[str, Any] | None) -> Selection:
    """Translate a filter; raise a permanent `BackendError` where `parse_filters` refuses it.

    >>> selection = select({"pair": "ETH/USDT"})
    >>> selection.clause.is_exact, selection.clause.sql
    (True, '(payload @> %s::jsonb OR payload @> %s::jsonb)')
    """
    node = parse_filters(filters)  # refuses wrong filters, so that below every part has its form
    given: Mapping[str, Any] = {} if filters is None else filters
    return Selection(_all_of(given), _and(_near(given)), node)


def odd_time(value: str) -> str:
    """Return the condition that a text is a time of another form than the plain one.

    PostgreSQL guesses that few rows pass. Of a plain `!~` it would try the pattern on samples of
    each partition before each query, for 2 ms a partition.
    """
    return f"(CASE WHEN {value} !~ '{PLAIN_TIME}' THEN 1 ELSE 0 END) = 1"


def _near(filters: Mapping[str, Any]) -> list[Clause]:
    """Return the conditions that an index serves: one bot or run, and the time of storing."""
    found: list[Clause] = []
    for key, wanted in filters.items():
        if LOGICAL.get(key) == "AND":
            found += [each for part in wanted for each in _near(part)]
        elif key == "run_id" and isinstance(wanted, str) and wanted != "*" and is_storable(wanted):
            text = '(payload->>%s::text) COLLATE "C"'  # `[` begins the text of a list
            sql = rf"({text} = %s OR ({text} >= '[' AND {text} < '\'))"
            found.append(Clause(sql, (key, wanted, key, key)))
        elif key == "updated_at" and isinstance(wanted, Mapping):
            found += [
                _time_range(key, name, bound)
                for name, bound in wanted.items()
                if name in _COMPARED and as_number(bound) is None
            ]
    return found


def _all_of(filters: Mapping[str, Any]) -> Clause:
    parts = []
    for key, wanted in filters.items():
        logical = LOGICAL.get(key)
        if logical is None:
            parts.append(_condition(key, wanted))
            continue
        nested = [_all_of(part) for part in wanted]
        if logical == "OR":
            parts.append(_or(nested))
        else:
            parts += nested if logical == "AND" else map(_not, nested)
    return _and(parts)


def _condition(key: str, wanted: Any) -> Clause:
    if not is_storable(key):
        return _FALSE
    if isinstance(wanted, Mapping):
        return _and([_operator(key, name, value) for name, value in wanted.items()])
    if isinstance(wanted, str) and wanted == "*":
        return _is_there(key)
    if isinstance(wanted, str | bytes | int | float):
        return _operator(key, "eq", wanted)
    return _operator(key, "in", wanted)


def _operator(key: str, name: str, operand: Any) -> Clause:
    if name in _COMPARED:
        number = as_number(operand)
        return _time_range(key, name, operand) if number is None else _range(key, name, number)
    if name == "contains":
        if not is_storable(operand):
            return _FALSE
        return _any_element(key, "string", "strpos({} #>> '{{}}', %s::text) > 0", (operand,))
    if name in {"icontains", "like"}:
        return Clause(f"jsonb_typeof({_AT}) IN ('string', 'array')", (key,), is_exact=False)
    values = [operand] if name in {"eq", "ne"} else list(operand)
    found = _or([_equals(key, value) for value in values])
    return found if name in {"eq", "in"} else _and([_is_there(key), _not(found)])


def _is_there(key: str) -> Clause:
    return Clause(f"jsonb_typeof({_AT}) <> 'null'", (key,))


def _equals(key: str, value: Any) -> Clause:
    """Return: the value, or an element of a list, equals `value`."""
    if isinstance(value, float) and not math.isfinite(value):
        return _FALSE  # JSONB keeps no such number
    if isinstance(value, str) and not is_storable(value):
        return _FALSE
    texts = (to_json({key: value}), to_json({key: [value]}))
    return Clause("(payload @> %s::jsonb OR payload @> %s::jsonb)", texts)


def _range(key: str, name: str, bound: float) -> Clause:
    if math.isinf(bound):
        is_wide = (bound > 0) == (name in {"lt", "lte"})
        return _any_element(key, "number", "TRUE", ()) if is_wide else _FALSE
    test = f"{{}}::numeric {_COMPARED[name]} %s::numeric"
    return _any_element(key, "number", test, (to_json(bound),))


def _any_element(key: str, kind: str, test: str, params: tuple[object, ...]) -> Clause:
    """Return: the value, or an element of a list, is of this kind and passes a test."""
    sql = (
        f"CASE jsonb_typeof({_AT}) WHEN '{kind}' THEN {test.format(f'({_AT})')} WHEN 'array' THEN "
        f"EXISTS (SELECT FROM jsonb_array_elements({_AT}) AS e(v) WHERE CASE jsonb_typeof(v) "
        f"WHEN '{kind}' THEN {test.format('v')} ELSE FALSE END) ELSE FALSE END"
    )
    scalar = (key, *params) if "{}" in test else params
    return Clause(sql, (key, *scalar, key, *params))


def _time_range(key: str, name: str, bound: Any) -> Clause:
    """Compare times of the plain form, and let all others pass for Python to read."""
    instant = as_instant(bound)
    assert instant is not None  # noqa: S101 - parse_filters has refused anything else
    text = instant.astimezone(UTC).isoformat()
    sign = ">=" if name in {"gt", "gte"} else "<="
    value = "(payload->>%s::text)"  # exactly as in the indexes
    sql = f"""({value} COLLATE "C" {sign} %s OR {odd_time(value)})"""
    return Clause(sql, (key, text, key), is_exact=False)


def _and(parts: Sequence[Clause]) -> Clause:
    return _FALSE if _FALSE in parts else _joined(" AND ", [p for p in parts if p != _TRUE], _TRUE)


def _or(parts: Sequence[Clause]) -> Clause:
    return _TRUE if _TRUE in parts else _joined(" OR ", [p for p in parts if p != _FALSE], _FALSE)


def _not(part: Clause) -> Clause:
    if not part.is_exact:
        return Clause("TRUE", is_exact=False)
    if part in (_TRUE, _FALSE):
        return _FALSE if part == _TRUE else _TRUE
    return Clause(f"({part.sql}) IS NOT TRUE", part.params)


def _joined(word: str, parts: Sequence[Clause], empty: Clause) -> Clause:
    if len(parts) <= 1:
        return parts[0] if parts else empty
    params = tuple(param for part in parts for param in part.params)
    sql = "(" + word.join(part.sql for part in parts) + ")"
    return Clause(sql, params, all(part.is_exact for part in parts))
