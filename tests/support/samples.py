"""Records, decisions and trades to test with: plain builders, every value of which can be set."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal.append import Opened
from freqtrade_mem0.records.base import Category, Mode, Origin, as_utc, record_id
from freqtrade_mem0.records.decision import Decision, Reason
from freqtrade_mem0.records.kinds.backtest import BacktestRecord
from freqtrade_mem0.records.kinds.note import Note
from freqtrade_mem0.records.kinds.pattern import Pattern, PatternEffect, pattern_id
from freqtrade_mem0.records.kinds.promotion import Promotion
from freqtrade_mem0.records.kinds.retraction import Retraction
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Mapping

START = datetime(2024, 1, 1, tzinfo=UTC)
NOTED = datetime(2024, 6, 1, 12, tzinfo=UTC)
ORIGIN = Origin(user_id="me", strategy="Sample", mode=Mode.DRY_RUN, run_id="bot-1")
BACKTEST = replace(ORIGIN, mode=Mode.BACKTEST, run_id="run-1")


def at(hours: float = 0.0) -> datetime:
    """Return the market time so many hours after `START`."""
    return START + timedelta(hours=hours)


def a_trade(
    number: int = 1,
    *,
    profit_ratio: float = 0.01,
    closed_at: datetime | None = None,
    pair: str = "ETH/USDT",
    origin: Origin = ORIGIN,
    situation: Mapping[str, float | str] | None = None,
    **changes: Any,
) -> TradeRecord:
    """Return a closed trade, told from others by its number."""
    close_date = at(number) if closed_at is None else closed_at
    trade = TradeRecord(
        id=record_id("trade", origin.user_id, origin.mode, origin.run_id, pair, "long", number),
        origin=origin,
        known_at=close_date,
        recorded_at=NOTED,
        pair=pair,
        side="long",
        enter_tag="dip",
        exit_reason="roi",
        open_date=close_date - timedelta(hours=3, minutes=20),
        close_date=close_date,
        open_rate=2_000.0,
        close_rate=2_024.0,
        amount=0.05,
        stake_amount=100.0,
        max_stake_amount=100.0,
        leverage=1.0,
        fee_open=0.001,
        fee_close=0.001,
        funding_fees=0.0,
        profit_ratio=profit_ratio,
        profit_abs=100.0 * profit_ratio,
        n_entries=1,
        n_exits=1,
        situation={"rsi": 31.5, "regime": "calm uptrend"} if situation is None else situation,
    )
    return replace(trade, **changes)


def a_risk_event(number: int = 1, *, origin: Origin = ORIGIN, **changes: Any) -> RiskEvent:
    """Return a risk event, told from others by its number."""
    event = RiskEvent(
        id=record_id("risk_event", origin.run_id, number),
        origin=origin,
        known_at=at(number),
        recorded_at=NOTED,
        event_type="stop_loss",
        description="stop loss of long ETH/USDT at -4.00%",
        impact=-0.04,
        pair="ETH/USDT",
    )
    return replace(event, **changes)


def a_pattern(number: int = 1, *, origin: Origin = ORIGIN, **changes: Any) -> Pattern:
    """Return a pattern, told from others by its number."""
    conditions = {"enter_tag": f"tag{number}"}
    pattern = Pattern(
        id=pattern_id(origin, conditions),
        origin=origin,
        known_at=at(900),
        recorded_at=NOTED,
        pattern_type="trade",
        conditions=conditions,
        is_active=True,
        is_better=True,
        occurrence_count=90,
        success_rate=0.6,
        avg_profit=0.01,
        profit_std=0.02,
        confidence=0.98,
        action_recommendation="Look at these entries.",
        discovered_at=at(700),
        withdrawn_at=None,
        first_occurrence=at(1),
        last_occurrence=at(899),
        cells_tried=1_234,
        log_evidence=9.5,
        effect_before=PatternEffect(
            occurrence_count=80, ratio=0.008, low=0.004, high=0.012, sign_probability=0.999
        ),
        effect_since=None,
    )
    return replace(pattern, **changes)


def a_note(number: int = 1, *, origin: Origin = ORIGIN, **changes: Any) -> Note:
    """Return a note, told from others by its number."""
    note = Note(
        id=record_id("note", origin.run_id, number),
        origin=origin,
        known_at=at(number),
        recorded_at=NOTED,
        filed_under=Category.USER_PREFERENCES,
        content="never hold over the weekend",
        metadata={"source": "me", "weight": 0.5, "votes": 3, "pinned": True},
    )
    return replace(note, **changes)


def a_retraction(target_id: str, *, origin: Origin = ORIGIN, **changes: Any) -> Retraction:
    """Return the retraction of a record."""
    retraction = Retraction(
        id=record_id("retraction", target_id),
        origin=origin,
        known_at=at(1),
        recorded_at=NOTED,
        target_id=target_id,
        reason="the trade is not in Freqtrade's database any more",
    )
    return replace(retraction, **changes)


def a_backtest(*, origin: Origin = BACKTEST, **changes: Any) -> BacktestRecord:
    """Return the result of a backtest."""
    result = BacktestRecord(
        id=record_id("backtest", origin.run_id),
        origin=origin,
        known_at=at(240),
        recorded_at=NOTED,
        timeframe="5m",
        start_date=at(0),
        end_date=at(240),
        pairs=("ETH/USDT", "BTC/USDT"),
        n_trades=31,
        profit_ratio=0.0123,
        profit_abs=12.3,
        stake_currency="USDT",
        metrics={"max_drawdown_account": 0.04, "sharpe": 1.5},
        versions={"freqtrade": "2026.9"},
    )
    return replace(result, **changes)


def a_promotion(*, origin: Origin = ORIGIN, **changes: Any) -> Promotion:
    """Return the promotion of a backtest to a prior."""
    promotion = Promotion(
        id=record_id("promotion", origin.strategy, "run-1"),
        origin=replace(origin, mode=Mode.MANUAL),
        known_at=at(250),
        recorded_at=NOTED,
        source_strategy="Sample",
        source_mode=Mode.BACKTEST,
        source_run_id="run-1",
        is_active=True,
        provenance="result.zip",
    )
    return replace(promotion, **changes)


def a_decision(number: int = 1, *, origin: Origin = ORIGIN, **changes: Any) -> Decision:
    """Return a decision without a trade, told from others by its number."""
    decision = Decision(
        id=record_id("decision", origin.run_id, number),
        origin=origin,
        decided_at=at(number),
        pair="ETH/USDT",
        side="long",
        enter_tag="dip",
        proposed_stake=100.0,
        multiplier=1.25,
        stake=125.0,
        applied=True,
        policy="bayes",
        n_effective=12.5,
        reasons=(Reason(name="strategy", value="Sample", text="12.5 trades", effect=0.25),),
        situation={"rsi": 31.5, "regime": "calm uptrend"},
    )
    return replace(decision, **changes)


def opened(decision: Decision, trade: TradeRecord) -> Opened:
    """Return that `decision` became `trade`."""
    return Opened(decision_id=decision.id, trade_id=trade.id, open_date=trade.open_date)


@dataclass
class OrderStandIn:
    """What is read of a Freqtrade order."""

    order_id: str
    ft_order_side: str
    safe_filled: float = 1.0
    order_date: datetime | None = START
    safe_price: float = 100.0
    ft_price: float = 100.0

    @property
    def order_date_utc(self) -> datetime | None:
        """As Freqtrade offers it beside its naive `order_date`."""
        return None if self.order_date is None else as_utc(self.order_date)


@dataclass
class TradeStandIn:
    """What is read of a Freqtrade trade; open until `close` is called. Times are naive, in UTC."""

    id: int = 1
    pair: str = "ETH/USDT"
    trade_direction: str = "long"
    entry_side: str = "buy"
    open_date: datetime = datetime(2024, 1, 1)  # noqa: DTZ001 - as Freqtrade's ORM gives it
    orders: list[OrderStandIn] = field(
        default_factory=lambda: [OrderStandIn("dry_run_entry-1", "buy")]
    )
    enter_tag: str | None = "dip"
    strategy: str | None = "Sample"
    is_open: bool = True
    close_date: datetime | None = None
    exit_reason: str | None = None
    open_rate: float = 100.0
    close_rate: float | None = None
    amount: float = 1.0
    stake_amount: float = 100.0
    max_stake_amount: float | None = 100.0
    leverage: float | None = 1.0
    fee_open: float = 0.001
    fee_close: float | None = 0.001
    funding_fees: float | None = None
    close_profit: float | None = None
    close_profit_abs: float | None = None
    nr_of_successful_entries: int = 1
    nr_of_successful_exits: int = 0

    def close(self, profit_ratio: float, hours: float = 1.0, reason: str = "roi") -> TradeStandIn:
        """Close the trade so many hours after it was opened, and return it."""
        self.is_open = False
        self.close_date = self.open_date + timedelta(hours=hours)
        self.close_rate = self.open_rate * (1.0 + profit_ratio)
        self.close_profit = profit_ratio
        self.close_profit_abs = profit_ratio * self.stake_amount
        self.exit_reason = reason
        self.nr_of_successful_exits = 1
        return self
