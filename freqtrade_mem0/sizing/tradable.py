"""The smallest stake whose position can still be sold: after rounding, fees and a stop."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MarketRules:
    """What an exchange demands of an order in one market.

    Parameters
    ----------
    amount_step
        Amounts are multiples of it, in base currency; 0 where any amount is allowed.
    min_amount
        Smallest amount of an order, in base currency; 0 where there is none.
    min_cost
        Smallest value of an order, in stake currency; 0 where there is none.
    fee
        Share of the bought amount that the exchange may keep as its fee, in [0, 1).
    price_step
        Prices are multiples of it, in stake currency; 0 where any price is allowed.
    """

    amount_step: float
    min_amount: float
    min_cost: float
    fee: float
    price_step: float = 0.0

    def smallest_stake(self, rate: float, worst_rate: float, leverage: float = 1.0) -> float:
        """Return the smallest stake that buys an amount which can be sold at a worse rate.

        The exchange rounds the bought amount down to a step, takes its fee out of it, and rounds
        down again what is sold. What is left must not be smaller than its minimum amount, nor be
        worth less than its minimum cost at `worst_rate`, less one price step each for the stop's
        price and its limit, which are rounded.

        Parameters
        ----------
        rate
            Price of the entry, > 0, in stake currency.
        worst_rate
            Lowest price at which it must be possible to sell, in (0, `rate`].
        leverage
            Of the position, >= 1.
        """
        step, rounded_rate = self.amount_step, worst_rate - 2.0 * self.price_step
        lowest = rounded_rate if rounded_rate > 0.0 else worst_rate
        sold = max(self.min_amount, self.min_cost / lowest)
        if step > 0.0:
            sold = math.ceil(sold / step) * step
        bought = sold / (1.0 - self.fee)
        if step > 0.0:
            bought = math.ceil(bought / step) * step
        # One step more: the stake is divided by the rate again, and may come out a bit below.
        return (bought + step) * rate / leverage
