"""What an agent said of a decision or a result, read without trusting it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from math import isfinite
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.client.own_metadata import flat
from freqtrade_mem0.client.told_trade import told_moment
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.limits import LARGEST
from freqtrade_mem0.records.memory import Scalar
from freqtrade_mem0.words.visible import brief

if TYPE_CHECKING:
    from datetime import datetime


_MOST_BYTES = 100_000
"""Of one decision or result as JSON."""

_NAMES = {
    "confidence": ("confidence", "conf", "probability"),
    "reason": ("reason", "reasoning", "rationale", "why", "thesis"),
    "rate": ("rate", "price", "entry_price", "entry", "open_rate", "limit_price"),
    "stop_rate": ("stop_loss", "stop", "stoploss", "stop_price", "sl"),
    "target_rate": ("take_profit", "target", "tp", "target_price"),
    "timeframe": ("timeframe", "interval"),
    "decided_at": ("timestamp", "decided_at", "time", "date", "datetime", "created_at"),
    "due_at": ("due_at", "due", "due_date"),
    "id": ("id", "decision_id", "client_id"),
    "trade_id": ("trade_id",),
    "status": ("status", "state"),
    "profit_ratio": ("profit_ratio", "pnl_ratio", "return"),
    "profit_pct": ("profit_pct", "profit_percent", "pnl_pct", "pnl_percent", "return_pct"),
    "profit_abs": ("profit_abs", "pnl", "profit", "profit_loss", "realized_pnl"),
    "stake": ("stake_amount", "stake"),
    "exit_rate": ("exit_price", "exit", "close_rate", "close_price"),
}
"""Ours -> the names under which agents say it; the first one found counts."""

_HORIZONS = {
    "horizon_minutes": 1.0,
    "holding_minutes": 1.0,
    "duration_minutes": 1.0,
    "horizon_hours": 60.0,
    "holding_hours": 60.0,
    "horizon_days": 1_440.0,
    "holding_days": 1_440.0,
}
"""Names of how long a position is meant to be held, in minutes."""

_NOT_EXECUTED = ("rejected", "refused", "cancelled", "canceled", "expired", "failed", "error")


@dataclass(frozen=True, slots=True)
class Said:
    """The values that an agent gave, as JSON has them, and their form for a record."""

    values: Mapping[str, Any]
    flat: Mapping[str, Scalar]
    content_hash: str

    def first(self, ours: str) -> Any:
        """Return the first value that is there under a name of ours; None where none is."""
        names = _NAMES[ours]
        return next((self.values[key] for key in names if self.values.get(key) is not None), None)

    def text(self, ours: str) -> str:
        """Return it as a text; numbers are written out; "" where it is none."""
        value = self.first(ours)
        is_text = isinstance(value, str | int | float) and not isinstance(value, bool)
        return str(value).strip() if is_text else ""

    def number(self, ours: str, *, least: float = -LARGEST, most: float = LARGEST) -> float | None:
        """Return it as a number within bounds; None where it is none."""
        return as_number(self.first(ours), least, most)

    def moment(self, ours: str) -> datetime | None:
        """Return it as aware UTC; None where it is no time."""
        value = self.first(ours)
        try:
            return None if value is None else told_moment(ours, value)
        except RecordError:
            return None

    def horizon(self) -> timedelta | None:
        """Return how long the position is meant to be held; None where that is not said."""
        for name, minutes in _HORIZONS.items():
            said = as_number(self.values.get(name), 0.0, 5e7 / minutes)
            if said is not None:
                return timedelta(minutes=said * minutes)
        return None

    @property
    def was_executed(self) -> bool:
        """False where the status says that no order was filled."""
        return self.text("status").lower() not in _NOT_EXECUTED

    def ratio(self, side: str, rate: float | None) -> float | None:
        """Return the profit ratio that is said, or follows from profit and stake or from prices."""
        ratio = self.number("profit_ratio", least=-1e6, most=1e6)
        if (
            ratio is None
            and (percent := self.number("profit_pct", least=-1e8, most=1e8)) is not None
        ):
            ratio = percent / 100.0
        profit, stake = self.number("profit_abs"), self.number("stake", least=1e-12)
        if ratio is None and profit is not None and stake is not None:
            ratio = profit / stake
        left, opened = self.number("exit_rate", least=0.0), self.number("rate", least=0.0) or rate
        if ratio is None and left is not None and opened and side:
            ratio = (left / opened - 1.0) * (1.0 if side == "long" else -1.0)
        return ratio if ratio is not None and abs(ratio) <= 1e6 else None  # noqa: PLR2004 - `Ratio`


def read_said(given: object, what: str) -> Said:
    """Return what an agent said.

    Raises
    ------
    RecordError
        It is no mapping, is empty, or can not be kept: too large, too deep, no JSON.
    """
    if not isinstance(given, Mapping) or not given:
        raise RecordError(f"A {what} must be a mapping of keys to values, got {brief(given)}.")
    try:
        body = json.dumps(dict(given), sort_keys=True, default=_plain)
        values = json.loads(body, parse_constant=lambda _: None)
        kept = flat({"said": values})
    except (TypeError, ValueError, RecursionError) as error:
        raise RecordError(f"This {what} can not be kept as JSON: {error}") from error
    if len(body) > _MOST_BYTES:
        raise RecordError(
            f"This {what} has {len(body):,} bytes; at most {_MOST_BYTES:,} are kept. Leave out "
            "what it was computed from."
        )
    lowered = {str(key).strip().lower(): value for key, value in values.items()}
    return Said(lowered, kept, sha256(body.encode()).hexdigest()[:32])


def as_number(value: object, least: float, most: float) -> float | None:
    """Return a number, or a text of one, within bounds; None where it is none.

    >>> as_number("0.85", 0.0, 1.0), as_number("high", 0.0, 1.0), as_number(True, 0.0, 1.0)
    (0.85, None, None)
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) and least <= number <= most else None


def _plain(value: Any) -> Any:
    """Return a value that JSON does not know as one that it does."""
    as_python = getattr(value, "item", None)  # NumPy's numbers
    if callable(as_python):
        return as_python()
    as_text = getattr(value, "isoformat", None)
    return as_text() if callable(as_text) else str(value)
