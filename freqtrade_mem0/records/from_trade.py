"""Turns Freqtrade's trade objects into trade records; reads attributes and changes nothing.

Works on `LocalTrade` (backtesting) and on the ORM's `Trade` (dry-run, live) and imports neither.
The numbers are those that Freqtrade itself reports for the trade.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import Mode, Origin, as_utc, record_id, record_ids, to_ms
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from freqtrade_mem0.records.execution import Execution

_DRY_RUN_ORDER = "dry_run_"
"""What the ids of Freqtrade's simulated orders begin with."""

_STOP_ORDER, _STOPPED = "stoploss", "stoploss_on_exchange"
"""Freqtrade's side of a stop on the exchange, and the exit reason of a trade that it ended."""

END_OF_DATA = "force_exit"
"""Exit reason that Freqtrade gives to trades that are still open when a backtest's data ends."""


# Not frozen: making a frozen one takes three times as long.
@dataclass(slots=True, kw_only=True)
class EntryContext:
    """What was known when a trade was opened; not to be changed.

    Parameters
    ----------
    decision_id
        The sizing decision; None where there was none (memory switched on later).
    situation
        Market features at entry.
    """

    decision_id: str | None = None
    situation: Mapping[str, float | str] = field(default_factory=dict)


def trade_id_of(trade: Any, origin: Origin) -> str:
    """Return the record id of a Freqtrade trade.

    Freqtrade re-uses `trade.id` after an entry that never filled, and in a backtest order ids go on
    counting over `--strategy-list`. So a bot's trade is identified by its first entry order's id,
    which is unique on the exchange, and a backtest's by its pair, side and open date.
    """
    if origin.mode is Mode.BACKTEST:
        key: str | int = to_ms(as_utc(trade.open_date))
    else:
        key = _first_entry_order_id(trade)
    return trade_identity(origin, trade.pair, trade.trade_direction, key)


def trade_id_in(trade: Any, origin: Origin) -> str | None:
    """Return the record id of a bot's trade; None for one of another mode, see `is_of_mode`."""
    order_id = _first_entry_order_id(trade)
    if not is_of_mode(order_id, origin.mode):
        return None
    return trade_identity(origin, trade.pair, trade.trade_direction, order_id)


def trade_identity(origin: Origin, pair: str, side: str, key: str | int) -> str:
    """Return a trade's record id; `key` identifies it within the pair, see `trade_id_of`."""
    return record_id("trade", origin.user_id, origin.mode, origin.run_id, pair, side, key)


def trade_ids(origin: Origin, pair: str, side: str) -> Callable[[int], str]:
    """Return what makes the ids of a run's trades in a pair, from `trade_id_of`'s last part."""
    return record_ids("trade", origin.user_id, origin.mode, origin.run_id, pair, side)


def trade_record(
    trade: Any,
    origin: Origin,
    recorded_at: datetime,
    context: EntryContext | None = None,
    *,
    identity: str | None = None,
    execution: Execution | None = None,
) -> TradeRecord:
    """Return the record of a closed trade.

    Parameters
    ----------
    trade
        A closed `LocalTrade` or `Trade`.
    origin
        The run it belongs to.
    recorded_at
        Aware UTC wall time.
    context
        What was known when it was opened.
    identity
        The result of `trade_id_of`, if the caller has it already.
    execution
        How a bot's orders were decided and filled.

    Raises
    ------
    RecordError
        The trade is open, or one of its numbers is missing or not finite.
    """
    if trade.is_open or trade.close_date is None:
        raise RecordError(f"Trade {trade.id} in {trade.pair} is still open: it has no outcome yet.")
    context = context or EntryContext()
    close_date = as_utc(trade.close_date)
    exit_reason = trade.exit_reason or ""
    # First: if nothing was ever bought, the error must say that, not that a number is missing.
    identity = identity or trade_id_of(trade, origin)
    return TradeRecord(
        id=identity,
        origin=origin,
        known_at=close_date,
        recorded_at=recorded_at,
        pair=trade.pair,
        side=trade.trade_direction,
        enter_tag=str(trade.enter_tag or ""),
        exit_reason=exit_reason,
        open_date=as_utc(trade.open_date),
        close_date=close_date,
        **_numbers(trade, rounded=origin.mode is Mode.BACKTEST),
        n_entries=trade.nr_of_successful_entries,
        n_exits=trade.nr_of_successful_exits,
        # A trade that the end of the data cuts off says nothing about the strategy's exits.
        is_evidence=not (origin.mode is Mode.BACKTEST and exit_reason == END_OF_DATA),
        decision_id=context.decision_id,
        situation=context.situation,
        stop_sold_part=origin.mode is not Mode.BACKTEST and _stop_sold_part(trade, exit_reason),
        execution=execution,
    )


def is_of_mode(order_id: str, mode: Mode) -> bool:
    """Return whether a bot's trade was made in a mode, told by the id of an order.

    Dry-run and live bots can share a database; Freqtrade does not note which of them made a trade.
    """
    return order_id.startswith(_DRY_RUN_ORDER) is (mode is Mode.DRY_RUN)


def is_trade_of_mode(trade: Any, mode: Mode) -> bool:
    """Return whether a bot's trade with a filled entry was made in a mode; see `is_of_mode`."""
    return is_of_mode(_first_entry_order_id(trade), mode)


def mode_of(trade: Any) -> Mode:
    """Return the mode in which a bot's trade was made; raise `RecordError` without an entry."""
    return Mode.DRY_RUN if is_trade_of_mode(trade, Mode.DRY_RUN) else Mode.LIVE


def has_filled_entry(trade: Any) -> bool:
    """Return whether anything was ever bought (or sold short) in a trade."""
    return any(_is_filled_entry(trade, order) for order in trade.orders)


def _is_filled_entry(trade: Any, order: Any) -> bool:
    return bool(order.ft_order_side == trade.entry_side and order.safe_filled > 0)


def _stop_sold_part(trade: Any, exit_reason: str) -> bool:
    return exit_reason != _STOPPED and any(
        order.ft_order_side == _STOP_ORDER and order.safe_filled > 0 for order in trade.orders
    )


def _first_entry_order_id(trade: Any) -> str:
    for order in trade.orders:
        if _is_filled_entry(trade, order):
            return str(order.order_id)
    raise RecordError(
        f"Trade {trade.id} in {trade.pair} has no filled entry order: "
        "nothing identifies it across restarts. It is not recorded."
    )


def _numbers(trade: Any, *, rounded: bool) -> dict[str, Any]:
    """Return a trade's numbers by the fields of its record."""
    values = _numbers_of(trade)
    numbers = dict(zip(_NUMBERS, values, strict=True))
    is_whole = _JUST_FLOATS.issuperset(map(type, values)) and all(map(math.isfinite, values))
    for name, given in () if is_whole else numbers.items():
        number = given
        if number is None:
            number = trade.stake_amount if name == "max_stake_amount" else _DEFAULTS.get(name)
        if number is None or not math.isfinite(number):
            raise RecordError(
                f"Trade {trade.id} in {trade.pair}: {_NUMBERS[name]} must be a finite number, got "
                f"{number!r}. It is not recorded; reconciliation tries again."
            )
        numbers[name] = float(number)
    if rounded:  # Freqtrade rounds these in its result files, which must give the same records
        for name in _ROUNDED:
            numbers[name] = round(numbers[name], 8)
    return numbers


_NUMBERS = {
    "open_rate": "open_rate",
    "close_rate": "close_rate",
    "amount": "amount",
    "stake_amount": "stake_amount",
    "max_stake_amount": "max_stake_amount",
    "leverage": "leverage",
    "fee_open": "fee_open",
    "fee_close": "fee_close",
    "funding_fees": "funding_fees",
    "profit_ratio": "close_profit",
    "profit_abs": "close_profit_abs",
}
"""Numbers of a trade record, and their names in Freqtrade's trades."""

_numbers_of = attrgetter(*_NUMBERS.values())

_JUST_FLOATS = frozenset((float,))

_DEFAULTS = {"leverage": 1.0, "fee_open": 0.0, "fee_close": 0.0, "funding_fees": 0.0}
"""Values for what Freqtrade leaves out; for `max_stake_amount` it is the stake."""

_ROUNDED = ("amount", "stake_amount", "max_stake_amount")
