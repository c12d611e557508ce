"""Answers questions about remembered trades, for scripts and tools outside Freqtrade."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.client.asking import as_dict
from freqtrade_mem0.client.mem0_client import Mem0Client
from freqtrade_mem0.client.similar import matches_action, nearest
from freqtrade_mem0.client.success import NOTHING_KNOWN, Insight, strategy_insight, success
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import Mode, as_utc
from freqtrade_mem0.records.codec import to_plain
from freqtrade_mem0.records.kinds.pattern import Pattern
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.mapping import to_memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.records.memory import Scalar

_TRADED = (Mode.LIVE, Mode.DRY_RUN, Mode.MANUAL)
_MOST_DAYS = 36_500
_ACTIONS = {"long": "BUY", "short": "SELL"}


class TradeAnswers:
    """The questions that `TradeMemory` answers."""

    def __init__(self, mem0: Mem0Client) -> None:
        self.mem0 = mem0

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.mem0!r})"

    def __getattr__(self, name: str) -> Any:
        where = f"; use mem0.{name} of it" if hasattr(Mem0Client, name) else ""
        raise AttributeError(f"{type(self).__name__} has no {name!r}{where}.")

    def recall_strategy_performance(
        self,
        strategy: str | None = None,
        asset: str | None = None,
        *,
        limit: int = 20,
        run_id: str | None = None,
    ) -> list[dict[str, Any]]:
        """Return the newest closed trades, newest first.

        Parameters
        ----------
        strategy, asset
            Strategy and pair of the trades; None for all.
        limit
            Most trades returned.
        run_id
            One backtest run or bot. Without it: trades of live and dry-run bots and those recorded
            by hand. Backtests are never added up: they trade the same candles again.

        Returns
        -------
        list of dict
            What `Mem0Client.recall` returns, every field of the record, and the names in which a
            trade is told, for example `pnl`; None is not known.
        """
        return _newest(self._trades(strategy, asset, run_id), limit)

    def recall_similar_trades(
        self,
        pool: str | None = None,
        action_type: str | None = None,
        limit: int = 5,
        *,
        description: str | None = None,
        situation: Mapping[str, Scalar] | None = None,
        strategy: str | None = None,
        min_relevance: float | None = None,
    ) -> list[dict[str, Any]]:
        """Return remembered trades that are like an entry.

        Parameters
        ----------
        pool, action_type
            Pair, and what opened the trade, for example "BUY"; the newest such trades are returned.
        limit
            Most trades returned, >= 1.
        description
            Free text instead: the trades that match it best. A `pool` with blanks is one.
        situation
            Features of the market: the trades opened in the nearest situations; see
            `similar.nearest`.
        strategy
            Class name; None for all.
        min_relevance
            With a description: smallest score, see `Mem0Client.recall`.

        Returns
        -------
        list of dict
            As from `recall_strategy_performance`; with a description, as from `Mem0Client.recall`.
        """
        if pool is not None and any(map(str.isspace, pool)) and description is None:
            pool, description = None, pool
        if description is not None:
            filters = {"kind": TradeRecord.kind} | ({"agent_id": strategy} if strategy else {})
            if pool is not None:
                filters["pair"] = pool
            return self.mem0.recall(
                query=description, limit=limit, filters=filters, min_relevance=min_relevance
            )
        trades = self._like(pool, action_type, strategy)
        if situation is None:
            return _newest(trades, limit)
        return [_answer(trade) for trade in nearest(trades, situation, limit)]

    def get_success_rate(
        self,
        pool: str | None = None,
        action_type: str | None = None,
        time_window_days: float = 30,
        **asked: Any,
    ) -> float:
        """Return the share of trades that made money; 0.5 where nothing is known.

        `explain_success_rate`, which takes the same arguments, tells the two apart.
        """
        rate = self.explain_success_rate(pool, action_type, time_window_days, **asked)
        return NOTHING_KNOWN if rate["success_rate"] is None else float(rate["success_rate"])

    def explain_success_rate(
        self,
        pool: str | None = None,
        action_type: str | None = None,
        time_window_days: float = 30,
        *,
        strategy: str | None = None,
        asset: str | None = None,
        now: datetime | None = None,
        run_id: str | None = None,
    ) -> Insight:
        """Return the share of trades that made money, and how sure that is.

        Parameters
        ----------
        pool, asset
            The pair, under either name; None for all.
        action_type
            What opened the trade, for example "BUY"; None for all.
        time_window_days
            Counts trades closed in this many days before `now`, > 0.
        strategy, run_id
            As in `recall_strategy_performance`.
        now
            Aware UTC; None for the wall clock.

        Returns
        -------
        Insight
            A dict with `n_trades`, `success_rate` in [0, 1], `low` and `high` (Wilson's 95 %
            interval), `mean_profit_ratio` and `text`, which is also its `str`. All but `n_trades`
            and `text` are None where nothing is known.

        Raises
        ------
        RecordError
            `pool` is the name of a strategy, or an argument breaks its rule.
        """
        if not time_window_days > 0:
            raise RecordError(f"time_window_days must be above 0, got {time_window_days}.")
        until = datetime.now(UTC) if now is None else as_utc(now)
        since = until - timedelta(days=min(time_window_days, _MOST_DAYS))
        trades = self._like(pool, action_type, strategy, asset, run_id)
        recent = [trade for trade in trades if since <= trade.known_at <= until]
        named = [strategy, pool or asset, action_type]
        about = " ".join(part for part in named if part) or "trades"
        return success(recent, f"{about} in {time_window_days:g} days")

    def get_strategy_insights(
        self,
        strategy: str,
        *,
        half_life_days: float = 120,
        now: datetime | None = None,
        run_id: str | None = None,
    ) -> Insight:
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
            As in `explain_success_rate`.

        Returns
        -------
        Insight
            A dict with `strategy`, `n_effective`, `mean_ratio` (None where nothing is known),
            `low_ratio` and `high_ratio` (None below two effective trades), `patterns`, a sentence
            for each pattern of the strategy that holds, and `text`, which is also its `str`.
        """
        moment = datetime.now(UTC) if now is None else as_utc(now)
        found = strategy_insight(
            strategy, self._trades(strategy, None, run_id), moment, half_life_days
        )
        kept = self.mem0.records(kind=Pattern.kind, strategy=strategy, run_id=run_id)
        found["patterns"] = [
            each.sentence()
            for each in kept
            if isinstance(each, Pattern) and each.is_active and each.known_at <= moment
        ]
        return found

    def _like(
        self,
        pool: str | None,
        action_type: str | None,
        strategy: str | None,
        asset: str | None = None,
        run_id: str | None = None,
    ) -> list[TradeRecord]:
        if None not in (pool, asset) and pool != asset:
            raise RecordError(f"pool is {pool!r} and asset {asset!r}; both are the pair.")
        pair = asset if pool is None else pool
        trades = self._trades(strategy, pair, run_id)
        if not trades and pool is not None and strategy is None and self._trades(pool, None, None):
            raise RecordError(
                f"The first argument is the pair, and {pool!r} is a strategy. Write "
                f"strategy={pool!r}."
            )
        if action_type is None:
            return trades
        return [trade for trade in trades if matches_action(trade, action_type)]

    def _trades(
        self, strategy: str | None, pair: str | None, run_id: str | None
    ) -> list[TradeRecord]:
        records = self.mem0.records(
            kind=TradeRecord.kind,
            strategy=strategy,
            pair=pair,
            run_id=run_id,
            modes=_TRADED if run_id is None else None,
        )
        return [record for record in records if isinstance(record, TradeRecord)]


def _newest(trades: list[TradeRecord], limit: int) -> list[dict[str, Any]]:
    if limit < 1:
        raise RecordError(f"limit must be at least 1, got {limit}.")
    newest = sorted(trades, key=lambda record: (record.known_at, record.id), reverse=True)
    return [_answer(record) for record in newest[:limit]]


def _answer(record: TradeRecord) -> dict[str, Any]:
    """Return a trade as a memory, as its record, and under the names in which it can be told."""
    memory = as_dict(to_memory(record))
    del memory["created_at"]  # the same as `timestamp`, and no JSON
    plain = to_plain(record)
    lasted = None if plain["open_date"] is None else record.close_date - record.open_date
    names = {
        "asset": "pair",
        "entry_price": "open_rate",
        "exit_price": "close_rate",
        "pnl": "profit_abs",
    }
    return {
        **memory,
        **plain,
        **{said: plain[ours] for said, ours in names.items()},
        "action": _ACTIONS.get(record.side) or memory["metadata"].get("action"),
        "strategy": record.origin.strategy,
        "trade_id": record.told.trade_id if record.told is not None else "",
        "duration_minutes": None if lasted is None else lasted.total_seconds() / 60,
    }
