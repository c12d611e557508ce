"""A closed trade, as Freqtrade accounts for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Protocol

from freqtrade_mem0.records.base import Category, Origin, Record, to_seconds
from freqtrade_mem0.records.execution import Execution
from freqtrade_mem0.records.limits import (
    Count,
    Feature,
    Instant,
    Leverage,
    Money,
    Name,
    Quantity,
    Ratio,
)
from freqtrade_mem0.records.told import Told
from freqtrade_mem0.words.numbers import percent

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from freqtrade_mem0.records.memory import Scalar


class ClosedTrade(Protocol):
    """The part of a `TradeRecord` that recall and the risk detectors read."""

    @property
    def id(self) -> str: ...  # noqa: D102 - as in `TradeRecord`, all of them

    @property
    def origin(self) -> Origin: ...  # noqa: D102

    @property
    def known_at(self) -> datetime: ...  # noqa: D102

    @property
    def recorded_at(self) -> datetime: ...  # noqa: D102

    @property
    def pair(self) -> str: ...  # noqa: D102

    @property
    def side(self) -> str: ...  # noqa: D102

    @property
    def enter_tag(self) -> str: ...  # noqa: D102

    @property
    def exit_reason(self) -> str: ...  # noqa: D102

    @property
    def open_date(self) -> datetime: ...  # noqa: D102

    @property
    def profit_ratio(self) -> float: ...  # noqa: D102

    @property
    def is_evidence(self) -> bool: ...  # noqa: D102

    @property
    def situation(self) -> Mapping[str, float | str]: ...  # noqa: D102

    @property
    def stop_sold_part(self) -> bool: ...  # noqa: D102


@dataclass(frozen=True, slots=True, kw_only=True)
class TradeRecord(Record):
    """A closed trade. All numbers are Freqtrade's own, to the last digit; nothing is recomputed.

    Parameters
    ----------
    pair, side
        For example "ETH/USDT" and "long" or "short".
    enter_tag, exit_reason
        As the strategy and Freqtrade gave them; "" where there was none.
    open_date, close_date
        Aware UTC. `known_at` is `close_date`.
    open_rate, close_rate
        Average entry price and last exit price, in quote currency.
    amount
        In base currency.
    stake_amount, max_stake_amount
        In stake currency; the largest stake ever in the trade where it was built up in steps.
    leverage
        1.0 on spot.
    fee_open, fee_close
        Ratios, 0.001 is 0.1 %.
    funding_fees
        In stake currency; 0.0 on spot.
    profit_ratio
        After all fees, relative to the stake and its leverage; 0.018 is 1.8 %. It does not depend
        on the size of the stake, so memory does not learn from its own sizing.
    profit_abs
        In stake currency.
    n_entries, n_exits
        Filled entry and exit orders.
    is_evidence
        False if the exit says nothing about the strategy (the end of a backtest's data).
    decision_id
        The sizing decision the trade was opened with; None if there was none.
    situation
        Market features at entry: numbers, and short names for buckets. Empty where unknown.
    stop_sold_part
        Whether a stop on the exchange sold a part of it, and something else the rest.
    told
        What only a trade told by a person or a tool has; None for those that Freqtrade reports.
    execution
        How a bot's orders were decided and filled; None in backtests, and where nothing was seen.
    """

    kind: ClassVar[str] = "trade"
    default_category: ClassVar[Category] = Category.STRATEGY_PERFORMANCE
    added_later: ClassVar[tuple[str, ...]] = (
        ',"stop_sold_part":false',
        ',"told":null',
        ',"execution":null',
    )

    pair: Name
    side: Name
    enter_tag: Name
    exit_reason: Name
    open_date: Instant
    close_date: Instant
    open_rate: Quantity
    close_rate: Quantity
    amount: Quantity
    stake_amount: Quantity
    max_stake_amount: Quantity
    leverage: Leverage
    fee_open: Ratio
    fee_close: Ratio
    funding_fees: Money
    profit_ratio: Ratio
    profit_abs: Money
    n_entries: Count
    n_exits: Count
    is_evidence: bool = True
    decision_id: Name | None = None
    situation: Mapping[Name, Feature] = field(default_factory=dict)
    stop_sold_part: bool = False
    told: Told | None = None
    execution: Execution | None = None

    def keeping(self, earlier: Record) -> TradeRecord:
        """Return this record with what an earlier version saw of entry and exit and this did not.

        A trade read again from a database or a file has right numbers, but its reader was not
        present when it was opened. A correction must not lose what was noted then.
        """
        if not isinstance(earlier, TradeRecord):
            return self
        kept = self
        if self.execution is None and earlier.execution is not None:
            kept = replace(kept, execution=earlier.execution)
        if self.decision_id is not None or self.situation:
            return kept
        return replace(kept, decision_id=earlier.decision_id, situation=earlier.situation)

    def sentence(self) -> str:
        """Return, for example, "Closed long ETH/USDT +1.80% after 3h 20m, ..., exit roi, win"."""
        tag = f"/{self.enter_tag}" if self.enter_tag else ""
        leverage = f" at {self.leverage:g}x" if self.leverage != 1.0 else ""
        regime = self.situation.get("regime")
        unknown = () if self.told is None else self.told.unknown
        profit = "profit unknown" if "profit_ratio" in unknown else percent(self.profit_ratio)
        span = self.close_date - self.open_date
        after = "" if "open_date" in unknown else f" after {duration(span)}"
        return (
            f"Closed {self.side or 'trade'} {self.pair} {profit}{leverage}{after}, "
            f"{self.origin.strategy}{tag}, exit {self.exit_reason or 'unknown'}"
            + (f", {regime}" if regime else "")
            + (", win" if self.profit_ratio > 0.0 else ", loss" if self.profit_ratio < 0.0 else "")
        )

    def filter_keys(self) -> Mapping[str, Scalar]:
        """Return what trades are told apart by; features of the situation begin with `at_`."""
        keys: dict[str, Scalar] = {
            "pair": self.pair,
            "side": self.side,
            "enter_tag": self.enter_tag,
            "exit_reason": self.exit_reason,
            "profit_ratio": self.profit_ratio,
            "profit_abs": self.profit_abs,
            "leverage": self.leverage,
            "stake_amount": self.stake_amount,
            "is_evidence": self.is_evidence,
            "open_ts": to_seconds(self.open_date),
            "close_ts": to_seconds(self.close_date),
            **{f"at_{name}": value for name, value in self.situation.items()},
        }
        if self.execution is not None:
            keys |= self.execution.filter_keys()
        return keys if self.told is None else self.told.completed(keys)


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
