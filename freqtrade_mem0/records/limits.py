"""The range of each number, time and text in records and decisions.

Records also come from outside: a shared Mem0, files, other versions. The ranges are far wider than
anything Freqtrade reports, and narrow enough that squares, and sums over millions, stay finite.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AwareDatetime, Field

EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
LATEST = datetime(2200, 1, 1, tzinfo=UTC)

Instant = Annotated[datetime, AwareDatetime(), Field(ge=EARLIEST, le=LATEST)]
"""An aware time from 1970 to 2200: milliseconds and a day more or less never overflow."""

Number = Annotated[float, Field(ge=-1e30, le=1e30)]
"""Features of a market, and metrics of a backtest."""

Ratio = Annotated[float, Field(ge=-1e6, le=1e6)]
"""Profit, fee or mean, as a ratio: 1e6 is a hundred million per cent."""

Money = Annotated[float, Field(ge=-1e18, le=1e18)]
"""A gain or loss in a currency."""

Quantity = Annotated[float, Field(ge=0.0, le=1e18)]
"""A rate, amount or stake."""

Leverage = Annotated[float, Field(ge=0.0, le=1e6)]

Weight = Annotated[float, Field(ge=0.0, le=1e12)]
"""A number of trades, decayed."""

Count = Annotated[int, Field(ge=0, le=10**9)]

Integer = Annotated[int, Field(ge=-(2**63), le=2**63 - 1)]

MAX_NAME = 4_000

Name = Annotated[str, Field(max_length=MAX_NAME)]
"""A pair, tag, strategy, id or another short text."""

Text = Annotated[str, Field(max_length=10_000)]
"""One or several sentences."""

LongText = Annotated[str, Field(max_length=1_000_000)]
"""A note, or hyperopt's parameters as JSON."""

Feature = Number | Name
"""A value of a situation."""
