"""Trades and risk events for scripts and tools that are not a Freqtrade strategy."""

from __future__ import annotations

from dataclasses import MISSING, fields, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.insight.shrinkage import NOTHING, Moments, interval
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.records.base import Category, Mode, as_utc, record_id, to_ms
from freqtrade_mem0.records.codec import to_plain, validated
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.words.numbers import percent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.client import Mem0Client

_TRADED = (Mode.LIVE, Mode.DRY_RUN, Mode.MANUAL)
_SET_BY_US = ("id", "origin", "known_at", "recorded_at", "decision_id")
_DEFAULTS: dict[str, Any] = {
    "side": "long",
    "enter_tag": "",
    "exit_reason": "",
    "open_rate": 0.0,
    "close_rate": 0.0,
    "amount": 0.0,
    "stake_amount": 0.0,
    "leverage": 1.0,
    "fee_open": 0.0,
    "fee_close": 0.0,
    "funding_fees": 0.0,
    "profit_abs": 0.0,
    "n_entries": 1,
    "n_exits": 1,
}
_ACCEPTED = {field.name for field in fields(TradeRecord)} - set(_SET_BY_US) | {"strategy"}


class TradeMemory:
    """Records trades, risk events and market conditions by hand, and answers questions about them.

    What it writes has the mode `manual`; bots do not size stakes by it.

    Parameters
    ----------
    client
        From `get_mem0_client`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from freqtrade_mem0 import get_mem0_client
    >>> trade = {"pair": "ETH/USDT", "profit_ratio": 0.018, "strategy": "Mine",
    ...          "open_date": "2024-03-01T10:00:00Z", "close_date": "2024-03-01T13:20:00Z"}
    >>> with TemporaryDirectory() as folder, get_mem0_client(user_data_dir=folder) as client:
    ...     memory = TradeMemory(client)
    ...     _ = memory.record_trade(trade)
    ...     print(memory.recall_similar_trades("ETH long trade")[0]["content"])
    ...     print(memory.get_success_rate("Mine", now=datetime(2024, 3, 15, tzinfo=UTC)))
    Closed long ETH/USDT +1.80% after 3h 20m, Mine, exit unknown, win
    {'n_trades': 1, 'success_rate': 1.0, 'mean_profit_ratio': 0.018}
    """

    def __init__(self, client: Mem0Client) -> None:
        self._client = client

    def record_trade(self, trade: Mapping[str, Any]) -> str:
        """Store a closed trade; return its record id.

        A trade with the same strategy, pair, side and open date replaces the earlier one.

        Parameters
        ----------
        trade
            Needs `pair`, `profit_ratio` (0.018 is 1.8 %), `open_date` and `close_date`. May have
            `strategy` and every other field of a trade record.

        Raises
        ------
        RecordError
            A key is unknown or missing, or a value breaks its rule.
        """
        _check_keys(trade)
        origin = self._client.manual_origin(trade.get("strategy"))
        given = {key: value for key, value in trade.items() if key != "strategy"}
        given = _DEFAULTS | {"max_stake_amount": given.get("stake_amount", 0.0)} | given
        now = datetime.now(UTC)
        draft = validated(
            TradeRecord, {**given, "id": "", "origin": origin, "known_at": now, "recorded_at": now}
        )
        opened, closed = as_utc(draft.open_date), as_utc(draft.close_date)
        if closed < opened:
            raise RecordError(
                f"close_date {closed.isoformat()} lies before open_date {opened.isoformat()}."
            )
        identity = record_id(
            "trade", origin.user_id, origin.mode, origin.strategy, draft.pair, draft.side,
            to_ms(opened),
        )  # fmt: skip
        self._client.append(
            replace(draft, id=identity, known_at=closed, open_date=opened, close_date=closed)
        )
        return identity

    def record_risk_event(
        self,
        event_type: str,
        description: str,
        impact: float = 0.0,
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
            Profit ratio lost (negative); 0.0 where it is unknown.
        strategy, pair
            The strategy and the pair that are concerned.

        Raises
        ------
        RecordError
            A value breaks its rule.
        """
        if not event_type.strip():
            raise RecordError("event_type must not be blank.")
        now = datetime.now(UTC)
        origin = self._client.manual_origin(strategy)
        event = validated(
            RiskEvent,
            {
                "id": record_id("risk_event", origin.user_id, event_type, description, to_ms(now)),
                "origin": origin,
                "known_at": now,
                "recorded_at": now,
                "event_type": event_type,
                "description": description,
                "impact": impact,
                "pair": pair,
            },
        )
        self._client.append(event)
        return event.id

    def record_market_condition(self, condition: str, description: str) -> str:
        """Store a market condition in words; return its record id."""
        return self._client.store(
            Category.MARKET_CONDITIONS, f"{condition}: {description}", {"condition": condition}
        )

    def recall_strategy_performance(
        self,
        strategy: str | None = None,
        asset: str | None = None,
        *,
        limit: int = 20,
        run_id: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return the newest closed trades, newest first, as plain dicts.

        Parameters
        ----------
        strategy, asset
            Strategy and pair of the trades; None for all.
        limit
            Most trades returned.
        run_id
            One backtest run or bot. Without it: trades of live and dry-run bots and those recorded
            by hand. Backtests are never added up: they trade the same candles again.
        """
        records = self._trades(strategy, asset, run_id)
        newest = sorted(records, key=lambda record: (record.known_at, record.id), reverse=True)
        return [to_plain(record) for record in newest[:limit]]

    def recall_similar_trades(
        self,
        description: str,
        *,
        strategy: str | None = None,
        limit: int = 10,
        min_relevance: float | None = None,
    ) -> list[dict[str, Any]]:
        """Return the trades that best match a description; see `Mem0Client.recall`."""
        filters = {"kind": TradeRecord.kind} | ({"agent_id": strategy} if strategy else {})
        return self._client.recall(
            query=description, limit=limit, filters=filters, min_relevance=min_relevance
        )

    def get_success_rate(
        self,
        strategy: str | None = None,
        asset: str | None = None,
        *,
        time_window_days: float = 30,
        now: datetime | None = None,
        run_id: str | None = None,
    ) -> dict[str, Any]:
        """Return the share of trades that made money.

        Parameters
        ----------
        strategy, asset, run_id
            As in `recall_strategy_performance`.
        time_window_days
            Counts trades closed in this many days before `now`.
        now
            Aware UTC; None for the wall clock.

        Returns
        -------
        dict
            `n_trades`, `success_rate` ([0, 1]) and `mean_profit_ratio`; the last two are None
            without trades.
        """
        until = datetime.now(UTC) if now is None else as_utc(now)
        since = until - timedelta(days=time_window_days)
        ratios = [
            record.profit_ratio
            for record in self._trades(strategy, asset, run_id)
            if record.is_evidence and since <= record.known_at <= until
        ]
        n = len(ratios)
        return {
            "n_trades": n,
            "success_rate": sum(ratio > 0 for ratio in ratios) / n if n else None,
            "mean_profit_ratio": sum(ratios) / n if n else None,
        }

    def get_strategy_insights(
        self,
        strategy: str,
        *,
        half_life_days: float = 120,
        now: datetime | None = None,
        run_id: str | None = None,
    ) -> dict[str, Any]:
        """Return the mean profit ratio of a strategy's trades with a 95 % interval.

        What this does not show: whether the strategy will make money. The interval treats trades
        as independent, and trades that overlap in time are not.

        Parameters
        ----------
        strategy
            Class name.
        half_life_days
            Age at which a trade counts half.
        now, run_id
            As in `get_success_rate`.

        Returns
        -------
        dict
            `strategy`, `n_effective`, `mean_ratio`, `low_ratio` and `high_ratio` (None below two
            effective trades), `text`.
        """
        recall = Recall((), half_life_days)
        for record in self._trades(strategy, None, run_id):
            recall.add(record)
        moment = datetime.now(UTC) if now is None else as_utc(now)
        moments: Moments = recall.as_of(moment, [STRATEGY])[0]
        low, high = interval(moments)
        known = moments != NOTHING and low > float("-inf")
        spread = f", 95% interval {percent(low)} to {percent(high)}" if known else ""
        return {
            "strategy": strategy,
            "n_effective": moments.n_effective,
            "mean_ratio": moments.mean,
            "low_ratio": low if known else None,
            "high_ratio": high if known else None,
            "text": f"{strategy}: {moments.n_effective:.1f} trades (older ones count less), "
            f"mean {percent(moments.mean)}{spread}",
        }

    def _trades(
        self, strategy: str | None, pair: str | None, run_id: str | None
    ) -> list[TradeRecord]:
        records = self._client.records(
            kind=TradeRecord.kind,
            strategy=strategy,
            pair=pair,
            run_id=run_id,
            modes=_TRADED if run_id is None else None,
        )
        return [record for record in records if isinstance(record, TradeRecord)]


def _check_keys(trade: Mapping[str, Any]) -> None:
    for key in trade:
        if key not in _ACCEPTED:
            close = get_close_matches(key, _ACCEPTED, n=1)
            hint = f"Did you mean {close[0]!r}?" if close else f"Known: {', '.join(_ACCEPTED)}."
            raise RecordError(f"{key!r} is not a key of a trade. {hint}")
    needed = {f.name for f in fields(TradeRecord) if f.default is f.default_factory is MISSING}
    needed -= {*_SET_BY_US, *_DEFAULTS, "max_stake_amount"}
    missing = sorted(needed - set(trade))
    if missing:
        raise RecordError(
            f"A trade needs {', '.join(missing)}; got {', '.join(trade) or 'nothing'}."
        )
