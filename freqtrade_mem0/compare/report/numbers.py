"""Numbers as text, for tables on the terminal and in the page; "-" for what does not exist."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freqtrade_mem0.words.numbers import percent as in_percent

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.worth.bootstrap import Estimate

_NONE = "-"


def percent(value: float | None) -> str:
    """Return a ratio in percent.

    >>> percent(0.0123), percent(None)
    ('1.23%', '-')
    """
    return _NONE if value is None or not math.isfinite(value) else in_percent(value, signed=False)


def plain(value: float | None) -> str:
    """Return a number with two decimals."""
    return _NONE if value is None or not math.isfinite(value) else f"{value:.2f}"


def times(value: float | None) -> str:
    """Return a factor.

    >>> times(0.5)
    'x0.50'
    """
    return _NONE if value is None or not math.isfinite(value) else f"x{value:.2f}"


def count(value: float | None) -> str:
    """Return a whole number with thousands separators."""
    return _NONE if value is None else f"{value:,.0f}"


def with_interval(estimate: Estimate, shown: Callable[[float | None], str]) -> str:
    """Return a signed difference, followed by its interval if it has one."""
    if estimate.value is None:
        return _NONE
    value = f"+{shown(estimate.value)}" if estimate.value > 0.0 else shown(estimate.value)
    if estimate.low is None or estimate.high is None:
        return value
    return f"{value} ({shown(estimate.low)} to {shown(estimate.high)})"
