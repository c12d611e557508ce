"""The parameters of a sizing policy, and which levels it tells apart."""

from __future__ import annotations

from dataclasses import dataclass

PARENTS: dict[str, tuple[str, ...]] = {
    "regime": ("volatility_regime", "trend_regime"),
    "side_trend": ("side", "trend_regime"),
    "tag_trend": ("enter_tag", "trend_regime"),
}
"""Combined levels, and the levels they combine: what those explain is not counted again."""

SINGLE = ("pair", "side", "enter_tag", "session", "volatility_regime", "trend_regime")
LEVELS = (*SINGLE, *PARENTS)
"""Parents stand before their children."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Everything there is to set; the defaults are the recommended policy.

    Parameters
    ----------
    levels
        What is told apart; a level's parents stand before it.
    half_life_days
        A trade that old weighs half.
    pseudo_trades
        Trades after which a group is believed halfway, as long as nothing is known about how much
        the groups of its level differ; > 0.
    pseudo_groups
        How many groups of evidence that assumption is worth, > 0; infinity keeps it fixed.
    trust, trust_spread
        Prior mean and standard deviation of the slope between forecast deviations and what came
        of them. A spread of 0 keeps the trust fixed.
    trust_half_life_days
        A forecast that old weighs half.
    overlap
        By how much the variance of a mean exceeds that of independent trades, >= 1: trades that
        are open at once share their luck. Used by trust and brake.
    reach
        Forecast deviation, in units of a trade's spread, at which three quarters of the way to a
        bound are gone (tanh 1), > 0.
    volatility_power
        Stakes go with the volatility at entry to the power of minus this, >= 0.
    crowd
        Assumed correlation of trades open at once in `1 / (1 + crowd * n_open)`, >= 0.
    strategy
        Weight of the strategy's own mean in the forecast, 0 (deviations only) to 1.
    brake_after
        Standard errors below zero beyond which the strategy's own loss damps stakes; infinity
        never does.
    brake_half_life_days, brake_pseudo_trades
        Of that loss; pseudo-trades have no loss and keep a few trades from proving anything.
    warm_up
        Trades of the strategy after which a forecast counts half of what it will, >= 0.
    norm_pseudo_trades
        Trades after which the usual volatility and crowd are believed halfway.
    low, high
        Bounds of the multiplier, 0 < low <= 1 <= high.
    """

    levels: tuple[str, ...] = LEVELS
    half_life_days: float = 365.0
    pseudo_trades: float = 100.0
    pseudo_groups: float = 10.0
    trust: float = 1 / 3
    trust_spread: float = 0.5
    trust_half_life_days: float = 1000.0
    overlap: float = 2.0
    reach: float = 0.02
    volatility_power: float = 0.0
    crowd: float = 0.0
    strategy: float = 0.0
    brake_after: float = 2.0
    brake_half_life_days: float = 365.0
    brake_pseudo_trades: float = 20.0
    warm_up: float = 0.0
    norm_pseudo_trades: float = 10.0
    low: float = 0.25
    high: float = 1.75
