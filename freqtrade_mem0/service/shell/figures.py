"""Values as the pages show them: filters of the templates."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from freqtrade_mem0.words import numbers
from freqtrade_mem0.words.numbers import percent
from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence

NOTHING = "-"
_MINUTE_S, _HOUR_S, _DAY_S = 60, 3_600, 86_400


def shown(value: object) -> object:
    """Return what a template puts into a page: None as a dash, texts with controls as codes."""
    if value is None:
        return NOTHING
    if isinstance(value, str) and not isinstance(value, Markup):
        return visible(value)
    return value


def sign(value: float | None) -> str:
    """Return the class of a number: "up", "down" or "even".

    >>> sign(0.01), sign(-3), sign(0), sign(None)
    ('up', 'down', 'even', 'even')
    """
    if value is None or value == 0 or math.isnan(value):
        return "even"
    return "up" if value > 0 else "down"


def ratio(value: float | None, digits: int = 2) -> str:
    """Return a ratio as a signed percentage."""
    return NOTHING if value is None or not math.isfinite(value) else percent(value, digits)


def money(value: float | None, *, signed: bool = False) -> str:
    """Return an amount with as many digits as help.

    >>> money(1234.567), money(0.000123456), money(-2.5, signed=True), money(None)
    ('1,234.57', '0.000123', '-2.50', '-')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    plus = "+" if signed and value != 0 else ""
    if value == 0 or abs(value) >= 1:
        return f"{value:{plus},.2f}"
    digits = 2 - math.floor(math.log10(abs(value)))
    text = f"{value:{plus}.{min(digits, 12)}f}".rstrip("0")
    return text if len(text.rpartition(".")[2]) > 1 else f"{value:{plus}.2f}"


def times(value: float | None, digits: int = 2) -> str:
    """Return a multiplier; one that is nearly 1 has a digit more.

    >>> times(0.5), times(1, 3), times(0.9988)
    ('x0.50', 'x1.000', 'x0.999')
    """
    if value is None or not math.isfinite(value):
        return NOTHING
    return numbers.times(value, digits)


def moment(value: datetime | str | None) -> Markup | str:
    """Return a time, in UTC to the minute, for people and for programs."""
    if value is None:
        return NOTHING
    when = (datetime.fromisoformat(value) if isinstance(value, str) else value).astimezone(UTC)
    return Markup('<time datetime="{}">{}</time>').format(
        when.isoformat(), when.strftime("%Y-%m-%d %H:%M")
    )


def instant(seconds: float) -> Markup | str:
    """Return a time given as seconds of the epoch, as `moment`."""
    return moment(datetime.fromtimestamp(seconds, UTC))


def lasting(value: timedelta | float | None) -> str:
    """Return a duration, a number being seconds.

    >>> lasting(42), lasting(3_700), lasting(200_000), lasting(7_200)
    ('42 s', '1 h 1 min', '2 d 7 h', '2 h')
    """
    if value is None:
        return NOTHING
    seconds = round(value.total_seconds() if isinstance(value, timedelta) else value)
    if seconds < _MINUTE_S:
        return f"{seconds} s"
    for unit_s, unit, below_s, below in (
        (_DAY_S, "d", _HOUR_S, "h"),
        (_HOUR_S, "h", _MINUTE_S, "min"),
        (_MINUTE_S, "min", 1, ""),
    ):
        if seconds >= unit_s:
            rest = seconds % unit_s // below_s
            return f"{seconds // unit_s} {unit}" + (f" {rest} {below}" if rest and below else "")
    raise AssertionError(seconds)


def ago(value: datetime | str | None, now: datetime) -> str:
    """Return how long ago a time was."""
    if value is None:
        return NOTHING
    when = datetime.fromisoformat(value) if isinstance(value, str) else value
    return f"{lasting(max(now - when, timedelta(0)))} ago"


def polyline(values: Sequence[float], width: float = 100.0, height: float = 28.0) -> str:
    """Return the points of a line through values, for a small SVG picture.

    >>> polyline([0, 1, 0.5], 10, 4)
    '0,4 5,0 10,2'
    """
    low, high = min(values), max(values)
    span, step = (high - low) or 1.0, width / max(len(values) - 1, 1)
    return " ".join(
        f"{n * step:.4g},{(high - value) / span * height:.4g}" for n, value in enumerate(values)
    )


def plain_option(value: Any) -> Any:
    """Return the option of a chart with the control characters of its texts as codes."""
    if isinstance(value, dict):
        return {plain_option(key): plain_option(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain_option(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return visible(value) if isinstance(value, str) else value


FILTERS = {
    "sign": sign,
    "ratio": ratio,
    "money": money,
    "times": times,
    "moment": moment,
    "instant": instant,
    "lasting": lasting,
    "ago": ago,
    "polyline": polyline,
    "option": plain_option,
}
