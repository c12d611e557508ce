"""Trades and risk events for scripts and tools that are not a Freqtrade strategy."""

from __future__ import annotations

from dataclasses import MISSING, fields
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
    """What scripts and tools tell memory about trades, and ask it.

    Parameters
    ----------
    client
        From `get_mem0_client`.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> from freqtrade_mem0 import get_mem0_client
    >>> with TemporaryDirectory() as folder, get_mem0_client(user_data_dir=folder) as client:
    ...     memory = TradeMemory(client)
    ...     _ = memory.record_trade({"pair": "ETH/USDT", "profit_ratio": 0.018, "strategy": "Mine",
    ...                              "open_date": "2024-03-01T10:00:00Z",
    ...                              "close_date": "2024-03-01T13:20:00Z"})
    ...     print(memory.recall_similar_trades("ETH long trade")[0]["content"])
    Closed long ETH/USDT +1.80% after 3h 20m, Mine, exit unknown, win
    """

    def __init__(self, client: Mem0Client) -> None:
        self._client = client

    def record_trade(self, trade: Mapping[str, Any]) -> str:
        """Remember a closed trade; return its record id.

        Parameters
        ----------
        trade
            `pair`, `profit_ratio` (0.018 is 1.8 %), `open_date` and `close_date` are needed; any
            other field of a trade record may be given, and `strategy`.

        Raises
        ------
        RecordError
            A key is unknown or missing, or a value breaks its rule.
        """
        _refuse_unknown(trade)
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
            validated(
                TradeRecord,
                {
                    **given,
                    "id": identity,
                    "origin": origin,
                    "known_at": closed,
                    "recorded_at": now,
                    "open_date": opened,
                    "close_date": closed,
                },
            )
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
        """Remember a risk event; return its record id.

        Parameters
        ----------
        event_type
            For example "liquidation" or "exchange_outage".
        description
            One sentence.
        impact
            Profit ratio lost (negative), 0.0 where it can not be said.
        strategy, pair
            Whom and what it concerns.

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
        """Remember a market condition in words; return its record id."""
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
            Only of this strategy, only in this pair.
        limit
            At most so many.
        run_id
            Of this backtest run or bot. Without it: what was really traded, by live and dry-run
            bots and by hand; backtests are told apart by their run and never added up.
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
        """Return trades by relevance to a description in words; see `Mem0Client.recall`."""
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
        strategy, asset
            Only of this strategy, only in this pair.
        time_window_days
            Only trades closed in so many days before `now`.
        now
            Aware UTC; default the wall clock.
        run_id
            As in `recall_strategy_performance`.

        Returns
        -------
        dict
            `n_trades`, `success_rate` ([0, 1]; None without trades), `mean_profit_ratio` (None
            without trades).
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
        """Return what is known about a strategy: its mean profit ratio with a 95 % interval.

        Parameters
        ----------
        strategy
            Class name.
        half_life_days
            A trade this many days old counts half.
        now
            Aware UTC; default the wall clock.
        run_id
            As in `recall_strategy_performance`.

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
        spread = f", 95 % interval {low:+.2%} to {high:+.2%}" if known else ""
        return {
            "strategy": strategy,
            "n_effective": moments.n,
            "mean_ratio": moments.mean,
            "low_ratio": low if known else None,
            "high_ratio": high if known else None,
            "text": f"{strategy}: {moments.n:.1f} trades (older ones count less), "
            f"mean {moments.mean:+.2%}{spread}",
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


def _refuse_unknown(trade: Mapping[str, Any]) -> None:
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
