"""What a bot's stakes were worth, and whether that is more than chance.

The tests are those of a comparison of two backtests, on the days from the first entry to the last
close. All trades of the bot count: of a window that somebody chose, the best would show too much.

Who looks every day sees chance look like skill one day: of sixty simulated bots whose
stakes foresee nothing, six were told so within two years. So the tests are made when there are
enough trades and days, and again only when the number of closed trades has doubled, each time with
an eighth of the 5 %. In between the last finding stands.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import date
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from freqtrade_mem0.worth.bootstrap import Estimate, estimate
from freqtrade_mem0.worth.daily import DAYS_PER_YEAR
from freqtrade_mem0.worth.differences import (
    equal_exposure_difference,
    mean_return_difference,
    sharpe_difference,
)
from freqtrade_mem0.worth.finding import (
    MIN_DAYS,
    MIN_TRADES,
    MIN_TRADING_DAYS,
    SIGNIFICANCE,
    Finding,
    claim,
)
from freqtrade_mem0.worth.random_sizing import ShiftTest, shift_test
from freqtrade_mem0.worth.timing import TimingTest, timing_test

if TYPE_CHECKING:
    from freqtrade_mem0.worth.bootstrap import Statistic
    from freqtrade_mem0.worth.stakes import Stakes

N_RESAMPLES = MAX_SHIFTS = 1_000
_LOOKS = 8
_SIGNIFICANCE = SIGNIFICANCE / _LOOKS
"""Of each look; the eighth is at 128 times as many trades as the first."""

_SAME = 1e-9
"""A multiplier closer to 1 than this changed no stake."""

_MOST_NEEDED = 1_000_000
_HALF = 0.5
_ZERO, _UNKNOWN = Estimate(value=0.0), Estimate(value=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Worth:
    """What memory changed over some trades of one bot, and whether that is more than chance.

    Parameters
    ----------
    first, last
        Days of the first entry and the last close, UTC; None without a trade.
    n_trades, n_trading_days, n_days
        Trades, days on which one closed, and days from `first` to `last`.
    n_raised, n_cut
        Trades whose stake memory raised, and cut.
    mean_multiplier
        All decided stakes over all proposed ones.
    effect
        The sum of all effects, in stake currency, with its 95 % interval.
    effect_at_same_stake
        The same if memory's stakes had been as large as the proposed ones on the whole: what is
        left of the effect where memory only staked less, or more.
    n_judged, judged_on
        How many of the trades the tests saw, and the day on which the last of them closed.
    sharpe_difference
        Of the annual Sharpe ratios of the judged trades, decided less proposed stakes.
    shifts, timing
        The tests against chance; None where there are too few trades.
    finding
        See `worth.finding`.
    n_needed
        After how many trades there would be a finding if all went on as it did; None where there is
        one, and where more than a million would be needed.
    """

    first: date | None = None
    last: date | None = None
    n_trades: int = 0
    n_trading_days: int = 0
    n_days: int = 0
    n_raised: int = 0
    n_cut: int = 0
    mean_multiplier: float = 1.0
    effect: Estimate = _ZERO
    effect_at_same_stake: Estimate = _ZERO
    n_judged: int = 0
    judged_on: date | None = None
    sharpe_difference: Estimate = _UNKNOWN
    shifts: ShiftTest | None = None
    timing: TimingTest | None = None
    finding: Finding = Finding.NO_TRADES
    n_needed: int | None = MIN_TRADES


def worth_of(stakes: Stakes | None, *, seed: int = 0) -> Worth:
    """Return what some stakes were worth; the same seed gives the same figures.

    Examples
    --------
    >>> worth_of(None).finding.value
    'no_trades'
    """
    if stakes is None:
        return Worth()
    columns, multipliers = stakes.columns, stakes.multipliers

    def whole(statistic: Statistic) -> Estimate:
        found = estimate(columns, statistic, seed=seed, n_resamples=N_RESAMPLES)
        return _times(found, stakes.n_days / DAYS_PER_YEAR)

    n, enough = len(multipliers), stakes.enough
    judged = stakes if enough is None else stakes.closed_first(last_look(n, enough))
    tested = judged.base, judged.multipliers, judged.days
    worth = Worth(
        first=stakes.first,
        last=stakes.last,
        n_trades=n,
        n_trading_days=len(np.unique(stakes.days)),
        n_days=stakes.n_days,
        n_raised=int(np.sum(multipliers > 1.0 + _SAME)),
        n_cut=int(np.sum(multipliers < 1.0 - _SAME)),
        mean_multiplier=float(np.sum(stakes.proposed * multipliers) / np.sum(stakes.proposed)),
        effect=whole(mean_return_difference),
        effect_at_same_stake=whole(equal_exposure_difference),
        n_judged=len(judged.multipliers),
        judged_on=judged.last,
        sharpe_difference=estimate(
            judged.columns, sharpe_difference, seed=seed, n_resamples=N_RESAMPLES
        ),
        shifts=shift_test(*tested, n_days=judged.n_days, seed=seed, max_shifts=MAX_SHIFTS),
        timing=timing_test(*tested, n_days=judged.n_days, seed=seed),
    )
    worth = replace(worth, finding=_finding(worth, enough))
    return replace(worth, n_needed=_n_needed(worth, enough))


def last_look(n: int, enough: int) -> int:
    """Return how many of `n` closed trades had closed when the tests were made last.

    >>> last_look(100, 100), last_look(399, 100), last_look(400, 100)
    (100, 200, 400)
    """
    return enough << (n // enough).bit_length() - 1


def _times(found: Estimate, factor: float) -> Estimate:
    low, high = (None if end is None else end * factor for end in (found.low, found.high))
    value = None if found.value is None else found.value * factor
    return replace(found, value=value, low=low, high=high)


def _finding(worth: Worth, enough: int | None) -> Finding:
    if not worth.n_raised and not worth.n_cut:
        return Finding.NOTHING_CHANGED
    if enough is None:
        return Finding.TOO_LITTLE_DATA
    return claim(worth.sharpe_difference, worth.shifts, worth.timing, significance=_SIGNIFICANCE)


def _n_needed(worth: Worth, enough: int | None) -> int | None:
    """Return after how many trades there would be a finding, at this pace and size of effect."""
    n = worth.n_trades
    if worth.finding is Finding.TOO_LITTLE_DATA:
        pace = max(MIN_DAYS / worth.n_days, MIN_TRADING_DAYS / worth.n_trading_days)
        return math.ceil(max(MIN_TRADES, n * pace))
    if worth.finding is not Finding.NOT_SHOWN or enough is None:
        return None
    needed = worth.n_judged * _times_as_many(worth)
    if needed > _MOST_NEEDED:
        return None
    look = 2 * worth.n_judged
    while look < needed:
        look *= 2
    return look


def _times_as_many(worth: Worth) -> float:
    """Return how many times as many trades would pass all three tests, in the same direction."""
    change, shifts, timing = worth.sharpe_difference, worth.shifts, worth.timing
    if not change.value or change.low is None or shifts is None or timing is None:
        return math.inf
    p_values = [shifts.p_as_good, timing.p_better]
    if change.value < 0.0:
        p_values = [shifts.p_as_bad, timing.p_worse]
    if max(p_values) >= _HALF:
        return math.inf
    normal = NormalDist()
    wanted = normal.inv_cdf(1.0 - _SIGNIFICANCE)
    ratios = [(change.value - change.low) / abs(change.value)]
    ratios += [wanted / normal.inv_cdf(1.0 - p) for p in p_values]
    return max(ratios) ** 2
