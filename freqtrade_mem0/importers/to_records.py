"""Turn backtest results into the records that the running backtest would have written."""

from __future__ import annotations

from functools import cache, partial
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Literal

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.importers.report import Skipped
from freqtrade_mem0.importers.results import RUN_TIMES, canonical
from freqtrade_mem0.importers.values import moment, number, single_numbers
from freqtrade_mem0.records.base import Mode, Origin, record_id, to_ms
from freqtrade_mem0.records.codec import encode
from freqtrade_mem0.records.from_trade import END_OF_DATA, trade_identity
from freqtrade_mem0.records.from_trade import trade_ids as numbered_trade_ids
from freqtrade_mem0.records.kinds.backtest import BacktestRecord
from freqtrade_mem0.records.kinds.failure import Cause, Failure
from freqtrade_mem0.records.kinds.opportunity import Opportunity
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.risk.event_record import exit_events
from freqtrade_mem0.risk.watch import RiskWatch
from freqtrade_mem0.words.visible import brief

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from freqtrade_mem0.importers.results import Result
    from freqtrade_mem0.records.base import Record

_FAILURES: dict[str, tuple[Literal["entry", "exit"], Cause]] = {
    "timedout_entry_orders": ("entry", "timed_out"),
    "timedout_exit_orders": ("exit", "timed_out"),
    "canceled_entry_orders": ("entry", "cancelled"),
}
"""Freqtrade's counts of failed orders in the statistics of a backtest."""

_NO_SLOT = "rejected_signals"

_EXIT_REASONS = {
    "sell_signal": "exit_signal",
    "custom_sell": "custom_exit",
    "force_sell": "force_exit",
    "emergency_sell": "emergency_exit",
}
"""Names from before Freqtrade 2022.4, whose own migration of databases renames them too."""


def origin_of(result: Result, user_id: str) -> Origin:
    """Return the origin of a run's records."""
    return Origin(
        user_id=user_id, strategy=result.strategy, mode=Mode.BACKTEST, run_id=result.run_id
    )


def trade_records(
    result: Result, user_id: str, recorded_at: datetime
) -> tuple[list[TradeRecord], list[Skipped]]:
    """Return the closed trades of a run, and those that can not be used."""
    origin = origin_of(result, user_id)
    records, skipped = [], []
    for position, trade in enumerate(result.trades, start=1):
        what = f"{result.strategy}: trade {position} in {str(trade.get('pair', '?'))[:80]}"
        if trade.get("is_open"):
            skipped.append(Skipped(what, "it is still open and has no outcome."))
            continue
        try:
            record = _trade_record(trade, origin, recorded_at)
            encode(record)
            records.append(record)
        except RecordError as error:
            skipped.append(Skipped(what, f"{error}.", is_bad=True))
    return records, skipped


def trade_ids(result: Result, user_id: str) -> set[str] | None:
    """Return the record ids of a run's trades; None where one of them can not be used."""
    ids = cache(partial(numbered_trade_ids, origin_of(result, user_id)))
    try:
        return {ids(trade["pair"], _side(trade))(_opened_ms(trade)) for trade in result.trades}
    except (KeyError, TypeError, RecordError):
        return None


def with_risk_events(trades: Iterable[TradeRecord]) -> list[Record]:
    """Return the trades of a run with the risk events that follow from them.

    A session notes the same, and also volatility and locks of protections, which no file has.
    """
    watches: dict[str, RiskWatch] = {}
    records: list[Record] = []
    for trade in trades:
        records += [trade, *exit_events(trade)]
        watches.setdefault(trade.origin.strategy, RiskWatch()).add(trade)
    for watch in watches.values():
        records += watch.until(None).noted
    return records


def backtest_record(result: Result, user_id: str, recorded_at: datetime) -> BacktestRecord:
    """Return the record of a run as a whole; raise `RecordError` if it breaks the schema."""
    stored = {**result.metadata, **result.statistics}
    config = result.config
    return record_of_statistics(
        result.statistics,
        origin_of(result, user_id),
        recorded_at,
        stake_currency=str((config or {}).get("stake_currency", "")),
        config_fingerprint="" if config is None else _fingerprint(config),
        versions={
            name: str(value)
            for name, value in stored.items()
            if name.endswith("version") and isinstance(value, str | int)
        },
    )


def order_counts(whole: BacktestRecord) -> list[Record]:
    """Return what Freqtrade counted in a run: orders that failed, entries that were not made."""
    origin = whole.origin

    def named(kind: str, metric: str) -> dict[str, Any]:
        return {
            "id": record_id(kind, origin.user_id, origin.strategy, origin.run_id, metric),
            "origin": origin,
            "known_at": whole.known_at,
            "recorded_at": whole.recorded_at,
            "n": int(whole.metrics[metric]),
        }

    counted = {metric for metric, n in whole.metrics.items() if n >= 1.0}
    found: list[Record] = [
        Failure(action=action, cause=cause, **named("failures", metric))
        for metric, (action, cause) in _FAILURES.items()
        if metric in counted
    ]
    if _NO_SLOT in counted:
        found.append(Opportunity(why="no_slot", **named("opportunities", _NO_SLOT)))
    return found


def record_of_statistics(
    statistics: Mapping[str, Any],
    origin: Origin,
    recorded_at: datetime,
    *,
    stake_currency: str = "",
    **others: Any,
) -> BacktestRecord:
    """Return the record of Freqtrade's statistics of a backtest or an epoch.

    The time of the run is left out, so that the same result has the same content. `stake_currency`
    counts where the statistics name none; `others` are further fields of the record. Raises
    `RecordError` if the statistics lack a number that every backtest has, or one is out of range.
    """
    end_date = moment(statistics, "backtest_end_ts", "backtest_end")
    pairs = statistics.get("pairlist")
    record = BacktestRecord(
        id=record_id("backtest", origin.user_id, origin.strategy, origin.run_id),
        origin=origin,
        known_at=end_date,
        recorded_at=recorded_at,
        timeframe=str(statistics.get("timeframe") or statistics.get("ticker_interval") or ""),
        start_date=moment(statistics, "backtest_start_ts", "backtest_start"),
        end_date=end_date,
        pairs=tuple(str(pair) for pair in pairs) if isinstance(pairs, list) else (),
        n_trades=int(number(statistics, "total_trades")),
        profit_ratio=number(statistics, "profit_total"),
        profit_abs=number(statistics, "profit_total_abs"),
        stake_currency=str(statistics.get("stake_currency") or stake_currency),
        metrics={
            name: value for name, value in single_numbers(statistics) if name not in RUN_TIMES
        },
        **others,
    )
    encode(record)
    return record


def _fingerprint(config: Mapping[str, Any]) -> str:
    # The paths of the config files are no part of their content.
    content = {key: value for key, value in config.items() if key != "config_files"}
    return sha256(canonical(content)).hexdigest()


def _trade_record(trade: Mapping[str, Any], origin: Origin, recorded_at: datetime) -> TradeRecord:
    pair = trade.get("pair")
    if not isinstance(pair, str):
        raise RecordError("it names no pair")
    open_date = _opened(trade)
    close_date = moment(trade, "close_timestamp", "close_date")
    side = _side(trade)
    stake = number(trade, "stake_amount")
    exit_reason = str(trade.get("exit_reason") or trade.get("sell_reason") or "")
    exit_reason = _EXIT_REASONS.get(exit_reason, exit_reason)
    n_entries, n_exits = _filled_orders(trade, side)
    return TradeRecord(
        id=trade_identity(origin, pair, side, to_ms(open_date)),
        origin=origin,
        known_at=close_date,
        recorded_at=recorded_at,
        pair=pair,
        side=side,
        enter_tag=str(trade.get("enter_tag") or trade.get("buy_tag") or ""),
        exit_reason=exit_reason,
        open_date=open_date,
        close_date=close_date,
        open_rate=number(trade, "open_rate"),
        close_rate=number(trade, "close_rate"),
        # Files of today have these rounded already, see `from_trade`.
        amount=round(number(trade, "amount"), 8),
        stake_amount=round(stake, 8),
        max_stake_amount=round(number(trade, "max_stake_amount", default=stake), 8),
        leverage=number(trade, "leverage", default=1.0),
        fee_open=number(trade, "fee_open", "open_fee", default=0.0),
        fee_close=number(trade, "fee_close", "close_fee", default=0.0),
        funding_fees=number(trade, "funding_fees", default=0.0),
        profit_ratio=number(trade, "profit_ratio", "profit_percent"),
        profit_abs=number(trade, "profit_abs"),
        n_entries=n_entries,
        n_exits=n_exits,
        is_evidence=exit_reason != END_OF_DATA,
    )


def _opened(trade: Mapping[str, Any]) -> datetime:
    return moment(trade, "open_timestamp", "open_date")


def _opened_ms(trade: Mapping[str, Any]) -> int:
    milliseconds = trade.get("open_timestamp")
    return milliseconds if type(milliseconds) is int else to_ms(_opened(trade))


def _side(trade: Mapping[str, Any]) -> str:
    return "short" if trade.get("is_short") else "long"


def _filled_orders(trade: Mapping[str, Any], side: str) -> tuple[int, int]:
    """Count filled entry and exit orders; files without orders had one of each."""
    orders = trade.get("orders")
    if not isinstance(orders, list):
        return 1, 1
    entry_side = "sell" if side == "short" else "buy"
    if not all(isinstance(order, dict) for order in orders):
        raise RecordError(f"orders must be a list of orders, got {brief(orders)}")
    filled = [order for order in orders if order.get("order_filled_timestamp")]
    entries = sum(
        bool(order.get("ft_is_entry", order.get("ft_order_side") == entry_side)) for order in filled
    )
    return entries, len(filled) - entries
