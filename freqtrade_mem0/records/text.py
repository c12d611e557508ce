"""One sentence per record, for people and for semantic search."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING

from freqtrade_mem0.records.backtest import BacktestRecord
from freqtrade_mem0.records.note import Note
from freqtrade_mem0.records.promotion import Promotion
from freqtrade_mem0.records.retraction import Retraction
from freqtrade_mem0.records.risk import RiskEvent
from freqtrade_mem0.records.trade import TradeRecord

if TYPE_CHECKING:
    from datetime import timedelta

    from freqtrade_mem0.records.base import Record


@singledispatch
def sentence(record: Record) -> str:
    """Return the record as one sentence without its dates (they stand beside it).

    Raises
    ------
    TypeError
        There is no sentence for this kind of record: a kind was added without one.
    """
    raise TypeError(f"no sentence for {type(record).__name__}")


@sentence.register
def _(record: TradeRecord) -> str:
    tag = f"/{record.enter_tag}" if record.enter_tag else ""
    leverage = f" at {record.leverage:g}x" if record.leverage != 1.0 else ""
    regime = record.situation.get("regime")
    return (
        f"Closed {record.side} {record.pair} {record.profit_ratio:+.2%}{leverage} "
        f"after {duration(record.close_date - record.open_date)}, "
        f"{record.origin.strategy}{tag}, exit {record.exit_reason or 'unknown'}"
        + (f", {regime}" if regime else "")
        + (", win" if record.profit_ratio > 0.0 else ", loss" if record.profit_ratio < 0.0 else "")
    )


@sentence.register
def _(record: BacktestRecord) -> str:
    what = "Hyperopt epoch" if record.parameters else "Backtest"
    drawdown = record.metrics.get("max_drawdown_account")
    return (
        f"{what} of {record.origin.strategy} on {len(record.pairs)} pairs, {record.timeframe}, "
        f"{record.start_date:%Y-%m-%d} to {record.end_date:%Y-%m-%d}: {record.n_trades} trades, "
        f"{record.profit_ratio:+.2%}"
        + ("" if drawdown is None else f", max drawdown {drawdown:.2%}")
    )


@sentence.register
def _(record: RiskEvent) -> str:
    response = f" ({record.response})" if record.response else ""
    what = f"Risk event {record.event_type} of {record.origin.strategy}"
    return f"{what}: {record.description}{response}"


@sentence.register
def _(record: Promotion) -> str:
    state = "is read as a prior" if record.is_active else "is no prior any more"
    return (
        f"{record.source_strategy}, {record.source_mode} run {record.source_run_id[:12]}, {state} "
        f"of {record.origin.strategy} ({record.provenance})"
    )


@sentence.register
def _(record: Retraction) -> str:
    return f"Record {record.target_id} is taken back: {record.reason}"


@sentence.register
def _(record: Note) -> str:
    return record.content


def duration(span: timedelta) -> str:
    """Return a time span in its two largest units.

    >>> from datetime import timedelta
    >>> duration(timedelta(hours=3, minutes=20)), duration(timedelta(days=2, hours=5, minutes=1))
    ('3h 20m', '2d 5h')
    >>> duration(timedelta(seconds=42)), duration(timedelta(0))
    ('42s', '0s')
    """
    seconds = int(span.total_seconds())
    parts = []
    for name, size in (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        if count:
            parts.append(f"{count}{name}")
    return " ".join(parts[:2]) or "0s"
