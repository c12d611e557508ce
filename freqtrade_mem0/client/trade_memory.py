"""Records trades, risk events and market conditions for scripts and tools outside Freqtrade."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from freqtrade_mem0.client.own_metadata import flat
from freqtrade_mem0.client.told_trade import told_trade
from freqtrade_mem0.client.trade_answers import TradeAnswers
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import Category, record_id, to_ms
from freqtrade_mem0.records.codec import validated
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord


class TradeMemory(TradeAnswers):
    """Records trades, risk events and market conditions by hand, and answers questions about them.

    What it writes has the mode `manual`; bots do not size stakes by it. The client is `mem0`.

    Parameters
    ----------
    mem0
        From `get_mem0_client`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from freqtrade_mem0 import get_mem0_client
    >>> with TemporaryDirectory() as folder, get_mem0_client(user_data_dir=folder) as client:
    ...     memory = TradeMemory(client)
    ...     _ = memory.record_trade({"trade_id": "T1", "asset": "ETH/USDT", "action": "BUY",
    ...         "entry_price": 2000, "exit_price": 2036, "strategy": "Mine",
    ...         "duration_minutes": 200, "confidence": 0.8})
    ...     print(memory.recall_similar_trades("ETH/USDT", "BUY")[0]["content"])
    ...     print(memory.get_success_rate("ETH/USDT"))
    ...     print(memory.get_strategy_insights("Another"))
    Closed long ETH/USDT +1.80% after 3h 20m, Mine, exit unknown, win
    1.0
    Nothing is known about the strategy Another.
    """

    def record_trade(self, trade: Mapping[str, Any]) -> str:
        """Store a closed trade; return its record id.

        What is not told is not known: it is null in lists, and never 0. A trade whose profit ratio
        is not known is remembered, and counts in no success rate or insight.

        Parameters
        ----------
        trade
            Needs `pair` (or `asset`). Knows every field of a trade record, the names for them in
            `docs/reference/words.md`, and `strategy`, `trade_id`, `duration_minutes`. Other keys
            are kept as metadata. `trade_id` tells a trade from others: told twice, it is one trade,
            and the last telling counts. Without it, strategy, pair, side and open date do.

        Raises
        ------
        RecordError
            A key is mistyped or missing, two keys contradict each other, a value breaks its rule,
            or the category `strategy_performance` is switched off.

        Notes
        -----
        BUY or LONG is a long trade, SELL or SHORT a short one: what opened it. The profit ratio is
        the one told, else profit / stake, else the move of the price times the leverage, without
        costs. Without `close_date` the trade closed now; it was opened `duration_minutes` before.
        """
        if not isinstance(trade, Mapping):
            raise RecordError(f"A trade must be a mapping of keys to values, got {trade!r}.")
        journal = self.mem0.folder.journal
        record = told_trade(
            trade, self.mem0.manual_origin, lambda each: journal.record_of(TradeRecord, each)
        )
        self.mem0.append(record)
        return record.id

    def store_trade_result(
        self,
        action: Mapping[str, Any],
        result: Mapping[str, Any],
        market_context: Mapping[str, Any] | None = None,
    ) -> str:
        """Store a trade told in three parts, what was done, what came of it, and in which market.

        `action["type"]` is the action, `action["confidence"]` the confidence of the decision; all
        else is as in `record_trade`.
        """
        done = dict(action)
        named = {"type": "action", "confidence": "decision_confidence"}
        told = {named.get(key, key): value for key, value in done.items()}
        return self.record_trade({**told, **result, "market_context": market_context})

    def record_risk_event(
        self,
        event_type: str,
        description: str,
        impact: float | str | None = None,
        *,
        strategy: str | None = None,
        pair: str = "",
    ) -> str:
        """Store a risk event; return its record id.

        Parameters
        ----------
        event_type
            For example "liquidation" or "exchange_outage".
        description
            One sentence.
        impact
            Profit ratio lost (negative), or a sentence, which stays one; None where it is unknown.
        strategy, pair
            The strategy and the pair that are concerned.

        Raises
        ------
        RecordError
            A value breaks its rule, or the category `risk_profile` is switched off.
        """
        given: dict[str, Any] = {"event_type": event_type, "description": description}
        for name, text in given.items():
            if not isinstance(text, str) or not text.strip():
                raise RecordError(f"{name} must be a text that is not blank, got {text!r}.")
        told: Any = impact
        is_number = isinstance(told, int | float) and isfinite(told) and not isinstance(told, bool)
        if not is_number and not isinstance(told, str | None):
            raise RecordError(f"impact must be a finite number or a sentence, got {impact!r}.")
        now = datetime.now(UTC)
        origin = self.mem0.manual_origin(strategy)
        event = validated(
            RiskEvent,
            {
                "id": record_id("risk_event", origin.user_id, event_type, description, to_ms(now)),
                "origin": origin,
                "known_at": now,
                "recorded_at": now,
                "event_type": event_type,
                "description": description,
                "impact": "" if impact is None else impact,
                "pair": pair,
            },
        )
        self.mem0.append(event)
        return event.id

    def record_market_condition(
        self, condition: str, description: str, metadata: Mapping[str, Any] | None = None
    ) -> str:
        """Store a market condition in words; return its record id."""
        own = {**(metadata or {}), "condition": condition}
        return self.mem0.store(Category.MARKET_CONDITIONS, f"{condition}: {description}", own)

    def record_backtest(
        self, strategy: str, metrics: Mapping[str, Any], metadata: Mapping[str, Any] | None = None
    ) -> str:
        """Store the result of a backtest that did not run with memory; return its record id.

        Parameters
        ----------
        strategy
            Class name.
        metrics
            Numbers and texts by name. Nested ones are found under names with dots, as in
            `{"metrics.profit": {"gt": 10}}`. One that is NaN is not known, and left out.
        metadata
            Own values beside them, for example `timerange`.
        """
        if not isinstance(metrics, Mapping):
            raise RecordError(f"metrics must be a mapping of names to values, got {metrics!r}.")
        known = flat({"metrics": metrics}, nan_is_none=True)
        said = ", ".join(f"{key.removeprefix('metrics.')} {value}" for key, value in known.items())
        own = {"type": "backtest", **(metadata or {}), **known, "strategy": strategy}
        text = f"Backtest of {strategy}: {said or 'no metrics'}"
        return self.mem0.store(Category.STRATEGY_PERFORMANCE, text, own)
