"""The range of each number, time and text in records and decisions.

Records also come from outside: a shared Mem0, files, other versions. The ranges are far wider than
anything Freqtrade reports, and narrow enough that squares, and sums over millions, stay finite.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Interval, MaxLen

if TYPE_CHECKING:
    from collections.abc import Callable

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class _Aware:
    """Asks pydantic for a time zone, without importing it: commands that need none start faster."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Callable[[Any], Any]) -> Any:
        return {**handler(source), "tz_constraint": "aware"}


Instant = Annotated[datetime, _Aware(), Interval(ge=EARLIEST, le=LATEST)]
"""An aware time from 1970 to 2200: milliseconds and a day more or less never overflow."""

LARGEST = 1e30

Number = Annotated[float, Interval(ge=-LARGEST, le=LARGEST)]
"""Features of a market, and metrics of a backtest."""

Ratio = Annotated[float, Interval(ge=-1e6, le=1e6)]
"""Profit, fee or mean, as a ratio: 1e6 is a hundred million per cent."""

Money = Annotated[float, Interval(ge=-1e18, le=1e18)]
"""A gain or loss in a currency."""

Quantity = Annotated[float, Interval(ge=0.0, le=1e18)]
"""A rate, amount or stake."""

Leverage = Annotated[float, Interval(ge=0.0, le=1e6)]

Weight = Annotated[float, Interval(ge=0.0, le=1e12)]
"""A number of trades, decayed."""

Count = Annotated[int, Interval(ge=0, le=10**9)]

Integer = Annotated[int, Interval(ge=-(2**63), le=2**63 - 1)]

MAX_NAME = 4_000

Name = Annotated[str, MaxLen(MAX_NAME)]
"""A pair, tag, strategy, id or another short text."""

Text = Annotated[str, MaxLen(10_000)]
"""One or several sentences."""

LongText = Annotated[str, MaxLen(1_000_000)]
"""A note, or hyperopt's parameters as JSON."""

Feature = Number | Name
"""A value of a situation."""
