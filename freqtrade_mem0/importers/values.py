"""Values in Freqtrade's files, whose names and forms changed over the years."""

from __future__ import annotations

import math
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeGuard

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import as_utc, from_ms
from freqtrade_mem0.records.limits import LARGEST, MAX_NAME
from freqtrade_mem0.words.visible import brief

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_DEEPEST = 20
"""How many keys may lead to a number."""


def number(values: Mapping[str, Any], *names: str, default: float | None = None) -> float:
    """Return the value of the first key that has one; raise `RecordError` if it is no number.

    >>> number({"profit_percent": 0.04}, "profit_ratio", "profit_percent")
    0.04
    >>> number({}, "leverage", default=1.0)
    1.0
    """
    value = next((values[name] for name in names if values.get(name) is not None), default)
    if not is_number(value):
        raise RecordError(f"{names[0]} must be a finite number, got {brief(value)}")
    return float(value)


def moment(values: Mapping[str, Any], in_ms: str, as_text: str) -> datetime:
    """Return a time from Freqtrade's milliseconds, or else from its text; or `RecordError`.

    >>> moment({"open_timestamp": 1704067200000}, "open_timestamp", "open_date").isoformat()
    '2024-01-01T00:00:00+00:00'
    >>> moment({"open_date": "2021-05-01 10:05:00"}, "open_timestamp", "open_date").isoformat()
    '2021-05-01T10:05:00+00:00'
    """
    milliseconds, text = values.get(in_ms), values.get(as_text)
    try:
        if is_number(milliseconds):
            return from_ms(int(milliseconds))
        return as_utc(datetime.fromisoformat(text))  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError, OSError):
        got = text if milliseconds is None else milliseconds
        raise RecordError(f"{as_text} must be a time, got {brief(got)}") from None


def is_number(value: Any) -> TypeGuard[int | float]:
    """Tell whether a value is a finite number; True and False are not.

    >>> is_number(0), is_number(1.5), is_number(True), is_number("7"), is_number(float("nan"))
    (True, True, False, False, False)
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number too large for a float
        return False


def single_numbers(values: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    """Yield every single number that a record can hold, under the keys that lead to it.

    The keys are joined by dots. Numbers that are not finite, or beyond the range of a metric, and
    names that are too long for one are left out, also what lies deeper than any of Freqtrade's.
    So are lists: they are tables, and Freqtrade reports their totals as single numbers.

    >>> dict(single_numbers({"sharpe": 1.5, "wallet_stats": {"sharpe": 2}, "daily": [3]}))
    {'sharpe': 1.5, 'wallet_stats.sharpe': 2.0}
    """
    for name, value in values.items():
        if isinstance(value, dict):
            if prefix.count(".") < _DEEPEST:
                yield from single_numbers(value, f"{prefix}{name}.")
        elif is_number(value) and abs(value) <= LARGEST and len(prefix) + len(name) <= MAX_NAME:
            yield f"{prefix}{name}", float(value)
