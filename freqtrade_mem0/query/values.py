"""Values in queries: numbers, times and truth values."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import isfinite
from typing import TYPE_CHECKING

from freqtrade_mem0.query.wrong import WrongQueryError

if TYPE_CHECKING:
    from freqtrade_mem0.query.tree import Term

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_TIME = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,6}))?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2})?)?)?)?"
)
_FROM_NOW = re.compile(r"now(?:([+-])([0-9]{1,6})([smhdw]))?")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_SPANS = (timedelta(minutes=1), timedelta(seconds=1), timedelta(0))
_LAST = datetime.max.replace(tzinfo=UTC)
SWITCHES = {"true": True, "yes": True, "false": False, "no": False}
"""Words for truth values, in small letters."""


def is_number(text: str) -> bool:
    """Tell whether a text is a number."""
    return _NUMBER.fullmatch(text) is not None


def is_time(text: str) -> bool:
    """Tell whether a text has the form of a time; four digits alone are a number, too."""
    return (_TIME.fullmatch(text) or _FROM_NOW.fullmatch(text)) is not None


def number(term: Term, name: str, *, is_percent: bool = False) -> tuple[float, float]:
    """Return a number as it was written, and what is stored: percent are stored as a ratio.

    The second is exact: 1.8 percent are 0.018.
    """
    text = term.text.removesuffix("%") if is_percent else term.text
    if is_number(text):
        written = Decimal(text)
        both = float(written), float(written.scaleb(-2))
        if isfinite(both[0]):
            return both[0], both[1] if is_percent else both[0]
    unit = " in percent" if is_percent else ""
    raise WrongQueryError(
        term.at, f"{name!r} is a number{unit}, such as 10.0, and this is {term.text!r}."
    )


def time(term: Term, name: str, now: datetime) -> tuple[datetime, datetime]:
    """Return the span that a time names, from its start to before its end: a day is a whole day.

    An instant has the same start and end.
    """
    try:
        if (found := _FROM_NOW.fullmatch(term.text)) is not None:
            sign, count, unit = found.groups()
            shift = timedelta() if sign is None else timedelta(**{_UNITS[unit]: int(count)})
            moment = now - shift if sign == "-" else now + shift
            return moment, moment
        if (found := _TIME.fullmatch(term.text)) is not None:
            return _span(found)
    except (ValueError, OverflowError):
        pass
    raise WrongQueryError(
        term.at,
        f'{name!r} is a time, such as 2024-06-27, 2024-06, "2024-06-27 10:00" (UTC) or now-7d '
        f"(s, m, h, d, w), and this is {term.text!r}.",
    )


def _span(found: re.Match[str]) -> tuple[datetime, datetime]:
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    calendar = f"{year}-{month or '01'}-{day or '01'}"
    clock = f"{hour or '00'}:{minute or '00'}:{second or '00'}.{(fraction or '').ljust(6, '0')}"
    start = datetime.fromisoformat(f"{calendar}T{clock}{zone or '+00:00'}").astimezone(UTC)
    try:
        if month is None:
            return start, start.replace(year=start.year + 1)
        if day is None:
            return start, (start + timedelta(days=31)).replace(day=1)
        if hour is None:
            return start, start + timedelta(days=1)
        return start, start + _SPANS[(second is not None) + (fraction is not None)]
    except (ValueError, OverflowError):
        return start, _LAST
