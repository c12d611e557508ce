"""What Freqtrade knows of a market and of its free slots, at an entry."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.sizing.tradable import MarketRules

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy import Select

_FEE_WHERE_UNKNOWN = 0.002
_DECIMAL_PLACES = 2
"""ccxt's code for precisions that are given in decimal places; else they are steps."""

_LIMIT_RATIO = 0.99
"""Freqtrade's default of `stoploss_on_exchange_limit_ratio`."""


class Markets:
    """The markets of a strategy, whose rules are worked out once for each description of them.

    Parameters
    ----------
    strategy
        Its data provider has the descriptions.
    are_fixed
        Whether these stay until `forget`, as in a backtest; then they are not looked at again.
    """

    def __init__(self, strategy: Any, *, are_fixed: bool = False) -> None:
        self._strategy, self._are_fixed = strategy, are_fixed
        self._rules: dict[str, tuple[Mapping[str, Any], MarketRules]] = {}

    def forget(self) -> None:
        """Look at all descriptions again."""
        self._rules.clear()

    def smallest_stake(self, call: Mapping[str, Any]) -> float | None:
        """Return the smallest stake of an entry that can be placed, stopped and sold.

        Freqtrade's own `min_stake` knows no amount step, no fee that is taken in the coin, and not
        the limit price of the stop. `call` has the arguments of `custom_stake_amount`. The result
        is in stake currency, never below Freqtrade's own; None where there is no minimum.
        """
        strategy, pair = self._strategy, call["pair"]
        least: float | None = call["min_stake"]
        known = self._rules.get(pair)
        if known is None or not self._are_fixed:
            market = strategy.dp.market(pair)
            if market is None:
                return least
            # Freqtrade makes new descriptions when it reads the markets again.
            if known is None or known[0] is not market:
                rules = market_rules(market, strategy.config, _precision_mode(strategy))
                known = self._rules[pair] = (market, rules)
        rate = worst_rate = float(call["current_rate"])
        if call["side"] == "long":
            stop_ratio = 1.0 - min(0.99, abs(float(strategy.stoploss)))
            ratios = strategy.order_types
            limit_ratio = ratios.get("stoploss_on_exchange_limit_ratio", _LIMIT_RATIO)
            worst_rate = rate * stop_ratio * float(limit_ratio)
        smallest = known[1].smallest_stake(rate, worst_rate, max(1.0, float(call["leverage"])))
        return least if least is not None and least > smallest else smallest


def market_rules(
    market: Mapping[str, Any], config: Mapping[str, Any], precision_mode: int | None
) -> MarketRules:
    """Return what an exchange demands in a market, in base currency, from ccxt's description.

    The config's `fee` counts where it is higher than the market's. `precision_mode` is ccxt's code.
    """
    size = float(market.get("contractSize") or 1.0) if market.get("contract") else 1.0
    precision = market.get("precision") or {}
    limits = market.get("limits") or {}
    taker = market.get("taker")
    fees = [float(fee) for fee in (taker, config.get("fee")) if fee is not None]
    return MarketRules(
        amount_step=_step(precision.get("amount"), precision_mode) * size,
        min_amount=float((limits.get("amount") or {}).get("min") or 0.0) * size,
        min_cost=float((limits.get("cost") or {}).get("min") or 0.0) * size,
        fee=max(fees, default=_FEE_WHERE_UNKNOWN),
        price_step=_step(precision.get("price"), precision_mode),
    )


def _step(precision: float | None, precision_mode: int | None) -> float:
    if precision is None:
        return 0.0
    return 10.0 ** -float(precision) if precision_mode == _DECIMAL_PLACES else float(precision)


def free_slots(strategy: Any, enough: float = 0.0) -> float:
    """Return how many trades may still be opened; infinity where there is no limit.

    A bot's count is a query of Freqtrade's database. Where not even a bot without open trades has
    more than `enough` slots, all of them are returned, and nothing is read.
    """
    most = float(strategy.config.get("max_open_trades", math.inf))
    if most < 0.0 or math.isinf(most):
        return math.inf
    if most <= enough:
        return most
    from freqtrade.persistence import Trade

    n_open = Trade.session.scalar(_open_trades()) if Trade.use_db else Trade.get_open_trade_count()
    return most - float(n_open)


@cache
def _open_trades() -> Select[int]:
    """Return the query that counts open trades: building it takes longer than its answer."""
    from freqtrade.persistence import Trade
    from sqlalchemy import func, select

    return select(func.count(Trade.id)).filter(Trade.is_open.is_(True))


def _precision_mode(strategy: Any) -> int | None:
    exchange = getattr(strategy.dp, "_exchange", None)
    return getattr(exchange, "precisionMode", None)
