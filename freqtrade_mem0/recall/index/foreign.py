"""Adds the moments of other machines' trades to those of this machine's, with a bounded weight."""

from __future__ import annotations

from freqtrade_mem0.insight.shrinkage import Moments

ALWAYS = 50.0
"""Trades of other machines that count fully, however few there are here."""


def share(own: Moments, foreign: Moments) -> float:
    """Return the factor on the weight of other machines' trades, in (0, 1].

    All together they weigh at most as much as the own trades, or as `ALWAYS` trades where there are
    fewer: so that nobody elsewhere outweighs what happened here.

    >>> share(Moments(200.0, 0.0, 0.0), Moments(800.0, 0.0, 0.0))
    0.25
    >>> share(Moments(3.0, 0.0, 0.0), Moments(40.0, 0.0, 0.0))
    1.0
    """
    return min(1.0, max(ALWAYS, own.n) / foreign.n) if foreign.n > 0.0 else 1.0


def together(own: Moments, foreign: Moments, factor: float) -> Moments:
    """Return the moments of both, the weights of the latter times a factor in (0, 1]."""
    n = own.n + factor * foreign.n
    if foreign.n <= 0.0 or n <= 0.0:
        return own
    part = factor * foreign.n / n
    mean = own.mean + part * (foreign.mean - own.mean)
    # The law of total variance.
    variance = (1.0 - part) * (own.variance + (own.mean - mean) ** 2)
    variance += part * (foreign.variance + (foreign.mean - mean) ** 2)
    squares = factor * factor * foreign.n * foreign.n / foreign.n_effective
    if own.n > 0.0:
        squares += own.n * own.n / own.n_effective
    wins = (own.wins or 0.0) + factor * (foreign.wins or 0.0)
    # A common factor changes no degrees of freedom.
    freedom = None if own.n > 0.0 else foreign.freedom
    return Moments(n, mean, variance, wins, n * n / squares, freedom)
