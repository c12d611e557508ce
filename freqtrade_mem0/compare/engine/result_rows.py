"""Turns rows of Freqtrade's result table into the trades of a comparison."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from freqtrade_mem0.compare.trades import ClosedTrade, Order, exposure
from freqtrade_mem0.decide.learned import RULE
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.records.base import as_utc, from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freqtrade_mem0.records.decision import Decision

    Decisions = Mapping[tuple[str, str, datetime], Decision]


def decisions_in(folder: Path) -> dict[tuple[str, str, datetime], Decision]:
    """Return the decisions with an opened trade in a memory's folder, by pair, side and date."""
    journal = Journal(folder)
    try:
        lines = [line.decision for line in journal.ledger()]
    finally:
        journal.close()
    return {(d.pair, d.side, as_utc(d.open_date)): d for d in lines if d.open_date is not None}


def n_ruled(folder: Path, rule_id: str) -> int:
    """Return to how many decisions a learned rule applied, refused entries included."""
    journal = Journal(folder)
    try:
        return sum(
            any(part.name == RULE and part.value == rule_id for part in line.decision.reasons)
            for line in journal.ledger()
        )
    finally:
        journal.close()


class Openings:
    """The opening prices of the candles in Freqtrade's dataframes, by pair."""

    def __init__(self, frames: Mapping[str, Any]) -> None:
        self._columns = {
            pair: (
                frame["date"].to_numpy(dtype="datetime64[ms]").astype(np.int64),
                frame["open"].to_numpy(dtype=np.float64),
            )
            for pair, frame in frames.items()
        }

    def at(self, pair: str, moment: datetime) -> tuple[float, datetime, float] | None:
        """Return the price at which the candle of a moment opened; time and price of the next."""
        opens, prices = self._columns[pair]
        after = int(opens.searchsorted(to_ms(moment), side="right"))
        if not 0 < after < len(opens):
            return None
        return float(prices[after - 1]), from_ms(int(opens[after])), float(prices[after])


def closed_trade(
    row: Mapping[str, Any], decisions: Decisions, openings: Openings | None = None
) -> ClosedTrade:
    """Return the trade of a row, with its decision; a run without memory has no decisions."""
    side = "short" if row["is_short"] else "long"
    opened, closed = _utc(row["open_date"]), _utc(row["close_date"])
    orders = _orders(row["orders"])
    bought, sold = (
        sum(order.amount * order.price for order in orders if order.is_entry is entry)
        for entry in (True, False)
    )
    leverage = float(row["leverage"])
    decision = decisions.get((row["pair"], side, opened))
    first = orders[0].amount * orders[0].price / leverage if orders else row["stake_amount"]
    return ClosedTrade(
        pair=row["pair"],
        side=side,
        enter_tag=_text(row["enter_tag"]),
        exit_reason=_text(row["exit_reason"]),
        open_date=opened,
        close_date=closed,
        stake_quote=float(first),
        leverage=leverage,
        profit_ratio=float(row["profit_ratio"]),
        profit_quote=float(row["profit_abs"]),
        exposure_quote_days=exposure(orders, closed),
        turnover_quote=bought + sold,
        fees_quote=bought * float(row["fee_open"]) + sold * float(row["fee_close"]),
        multiplier=_multiplier(decision),
        forecast_ratio=None if decision is None else decision.expected_difference,
        regime="" if decision is None else str(decision.situation.get("regime", "")),
        late_profit_quote=None if openings is None else _late_profit(row, openings, opened, closed),
    )


def _late_profit(
    row: Mapping[str, Any], openings: Openings, opened: datetime, closed: datetime
) -> float | None:
    """Return the profit with the entry one candle later, at its opening price; None if unknown.

    A trade that was closed by then would not have been made.
    """
    found = openings.at(row["pair"], opened)
    if found is None or not min(found[0], found[2]) > 0.0:
        return None
    price, later, late_price = found
    if later >= closed:
        return 0.0
    # The same stake buys less after a rise; the exit is the same.
    change = (price / late_price - 1.0) * (-1.0 if row["is_short"] else 1.0)
    return float(row["profit_abs"] + change * row["amount"] * row["close_rate"])


def number(value: Any) -> float | None:
    """Return a number of Freqtrade as a finite float; None where it does not exist."""
    if value is None or not math.isfinite(float(value)):
        return None
    return float(value)


def _multiplier(decision: Decision | None) -> float:
    if decision is None or not decision.applied or decision.proposed_stake <= 0.0:
        return 1.0
    return decision.stake / decision.proposed_stake


def _orders(rows: Any) -> tuple[Order, ...]:
    orders = [
        Order(
            filled_at=datetime.fromtimestamp(row["order_filled_timestamp"] / 1000.0, tz=UTC),
            is_entry=bool(row["ft_is_entry"]),
            amount=float(row["amount"]),
            price=float(row["safe_price"]),
        )
        for row in rows
        if row["order_filled_timestamp"] is not None
    ]
    return tuple(sorted(orders, key=lambda order: order.filled_at))


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _utc(moment: Any) -> datetime:
    plain: datetime = moment.to_pydatetime() if hasattr(moment, "to_pydatetime") else moment
    return as_utc(plain)
