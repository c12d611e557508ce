"""Mem0's filters as SQL over a JSONB payload: exact, or a superset that Python then filters.

Each condition becomes two clauses: `most` is true wherever the condition is, `least` only where it
is. Where SQL can express the condition exactly, they are the same. Negation swaps them, so that at
any depth all rows that pass the filter pass `most`.

Two conditions can not be expressed exactly: ranges of times (Python reads more spellings of a time
than can be compared as texts) and `icontains` (case folding differs). NULL counts as false.
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

_TRUE: Sql = ("TRUE", ())
_FALSE: Sql = ("FALSE", ())
_COMPARED = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_AT = "payload->%s::text"


@dataclass(frozen=True, slots=True)
class Clause:
    """A condition between two clauses of SQL."""

    most: Sql
    least: Sql

    @property
    def is_exact(self) -> bool:
        """Tell whether `most` is the condition itself."""
        return self.most == self.least


@dataclass(frozen=True, slots=True)
class Selection:
    """A filter, ready for a query."""

    clause: Clause
    near: Sql
    """Conditions that follow from the clause and that an index serves."""
    node: AllOf
    """The filter for Python, which rows must pass unless the clause is exact."""


def select(filters: Mapping[str, Any] | None) -> Selection:
    """Translate a filter; raise a permanent `BackendError` where `parse_filters` refuses it.

    >>> selection = select({"pair": "ETH/USDT"})
    >>> selection.clause.is_exact, selection.clause.most[0]
    (True, '(payload @> %s::jsonb OR payload @> %s::jsonb)')
    """
    node = parse_filters(filters)  # refuses wrong filters, so that below every part has its form
    given: Mapping[str, Any] = {} if filters is None else filters
    return Selection(_all_of(given), _and(_near(given)), node)


def _near(filters: Mapping[str, Any]) -> list[Sql]:
    """Return the conditions that an index serves: one bot or run, and the time of storing."""
    found: list[Sql] = []
    for key, wanted in filters.items():
        if LOGICAL.get(key) == "AND":
            found += [each for part in wanted for each in _near(part)]
        elif key == "run_id" and isinstance(wanted, str) and wanted != "*" and is_storable(wanted):
            text = '(payload->>%s::text) COLLATE "C"'  # `[` begins the text of a list
            sql = rf"({text} = %s OR ({text} >= '[' AND {text} < '\'))"
            found.append((sql, (key, wanted, key, key)))
        elif key == "updated_at" and isinstance(wanted, Mapping):
            found += [
                _time_range(key, name, bound).most
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
        joined = _joined("AND" if logical == "AND" else "OR", nested)
        parts.append(_negated(joined) if logical == "NOT" else joined)
    return _joined("AND", parts)


def _condition(key: str, wanted: Any) -> Clause:
    if not is_storable(key):
        return _exactly(_FALSE)
    if isinstance(wanted, Mapping):
        return _joined("AND", [_operator(key, name, value) for name, value in wanted.items()])
    if isinstance(wanted, str) and wanted == "*":
        return _exactly(_is_there(key))
    if isinstance(wanted, str | bytes | int | float):
        return _operator(key, "eq", wanted)
    return _operator(key, "in", wanted)


def _operator(key: str, name: str, operand: Any) -> Clause:
    if name in _COMPARED:
        number = as_number(operand)
        return _time_range(key, name, operand) if number is None else _range(key, name, number)
    if name in {"contains", "icontains"}:
        return _contains(key, operand, fold=name == "icontains")
    values = [operand] if name in {"eq", "ne"} else list(operand)
    found = _or([_equals(key, value) for value in values])
    if name in {"eq", "in"}:
        return _exactly(found)
    return _exactly(_and([_is_there(key), _not(found)]))


def _is_there(key: str) -> Sql:
    return f"jsonb_typeof({_AT}) <> 'null'", (key,)


def _equals(key: str, value: Any) -> Sql:
    """Return: the value, or an element of a list, equals `value`."""
    if isinstance(value, float) and not math.isfinite(value):
        return _FALSE  # JSONB keeps no such number
    if isinstance(value, str) and not is_storable(value):
        return _FALSE
    texts = (to_json({key: value}), to_json({key: [value]}))
    return "(payload @> %s::jsonb OR payload @> %s::jsonb)", texts


def _range(key: str, name: str, bound: float) -> Clause:
    if math.isinf(bound):
        is_wide = (bound > 0) == (name in {"lt", "lte"})
        return _exactly(_any_element(key, "number", "TRUE", ())) if is_wide else _exactly(_FALSE)
    test = f"{{}}::numeric {_COMPARED[name]} %s::numeric"
    return _exactly(_any_element(key, "number", test, (to_json(bound),)))


def _contains(key: str, wanted: str, *, fold: bool) -> Clause:
    if fold:
        return Clause((f"jsonb_typeof({_AT}) IN ('string', 'array')", (key,)), _FALSE)
    if not is_storable(wanted):
        return _exactly(_FALSE)
    return _exactly(_any_element(key, "string", "strpos({} #>> '{{}}', %s::text) > 0", (wanted,)))


def _any_element(key: str, kind: str, test: str, params: tuple[object, ...]) -> Sql:
    """Return: the value, or an element of a list, is of this kind and passes a test."""
    sql = (
        f"CASE jsonb_typeof({_AT}) WHEN '{kind}' THEN {test.format(f'({_AT})')} WHEN 'array' THEN "
        f"EXISTS (SELECT FROM jsonb_array_elements({_AT}) AS e(v) WHERE CASE jsonb_typeof(v) "
        f"WHEN '{kind}' THEN {test.format('v')} ELSE FALSE END) ELSE FALSE END"
    )
    scalar = (key, *params) if "{}" in test else params
    return sql, (key, *scalar, key, *params)


def _time_range(key: str, name: str, bound: Any) -> Clause:
    """Compare times of the plain form, and let all others pass for Python to read."""
    instant = as_instant(bound)
    assert instant is not None  # noqa: S101 - parse_filters has refused anything else
    text = instant.astimezone(UTC).isoformat()
    sign = ">=" if name in {"gt", "gte"} else "<="
    value = "(payload->>%s::text)"  # exactly as in the indexes
    sql = f"""({value} COLLATE "C" {sign} %s OR {value} !~ '{PLAIN_TIME}')"""
    return Clause((sql, (key, text, key)), _FALSE)


def _exactly(sql: Sql) -> Clause:
    return Clause(sql, sql)


def _joined(word: str, clauses: Sequence[Clause]) -> Clause:
    join = _and if word == "AND" else _or
    return Clause(join([each.most for each in clauses]), join([each.least for each in clauses]))


def _negated(clause: Clause) -> Clause:
    return Clause(_not(clause.least), _not(clause.most))


def _and(parts: Sequence[Sql]) -> Sql:
    kept = [part for part in parts if part != _TRUE]
    return _FALSE if _FALSE in kept else _strung(" AND ", kept, _TRUE)


def _or(parts: Sequence[Sql]) -> Sql:
    kept = [part for part in parts if part != _FALSE]
    return _TRUE if _TRUE in kept else _strung(" OR ", kept, _FALSE)


def _not(part: Sql) -> Sql:
    if part in (_TRUE, _FALSE):
        return _FALSE if part == _TRUE else _TRUE
    return f"({part[0]}) IS NOT TRUE", part[1]


def _strung(word: str, parts: Sequence[Sql], empty: Sql) -> Sql:
    if not parts:
        return empty
    if len(parts) == 1:
        return parts[0]
    params = tuple(param for _, each in parts for param in each)
    return "(" + word.join(sql for sql, _ in parts) + ")", params
