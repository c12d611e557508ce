"""What sized trades show, and the rule by which it is claimed.

Helped, if all three hold: the interval of the difference of Sharpe ratios is above 0; a random
sizing of the same shape does as well in fewer than 5 % of cases; so does a sizing without foresight
in the timing test. Hurt: the same in the other direction. Otherwise: not shown.

Each condition alone can mislead. The interval can exclude 0 because stakes were smaller in a losing
period. A p-value can be small although the stakes with memory earned less. And shifted multipliers
look too good because memory learns from the same trades.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freqtrade_mem0.worth.bootstrap import Estimate
    from freqtrade_mem0.worth.random_sizing import ShiftTest
    from freqtrade_mem0.worth.timing import TimingTest

MIN_TRADES = 100
MIN_TRADING_DAYS = 50
MIN_DAYS = 90
SIGNIFICANCE = 0.05


class Finding(StrEnum):
    """What a comparison of stakes shows."""

    HELPED = "helped"
    HURT = "hurt"
    NOT_SHOWN = "not_shown"
    TOO_LITTLE_DATA = "too_little_data"
    NOTHING_CHANGED = "nothing_changed"
    NO_TRADES = "no_trades"
    BROKE = "broke"


def claim(
    sharpe_difference: Estimate,
    shifts: ShiftTest | None,
    timing: TimingTest | None,
    *,
    p_as_good: float | None = None,
    n_tests: int = 1,
    significance: float = SIGNIFICANCE,
) -> Finding:
    """Return what the three tests show together.

    Parameters
    ----------
    sharpe_difference, shifts, timing
        Of the same trades; None where there was too little to test.
    p_as_good
        The shift test's p-value where it is corrected already.
    n_tests
        Number of strategies that were tested at once.
    significance
        In (0, 1).
    """
    low, high = sharpe_difference.low, sharpe_difference.high
    if shifts is None or timing is None or low is None or high is None:
        return Finding.NOT_SHOWN
    if p_as_good is None:
        p_as_good = shifts.p_as_good
    if low > 0.0 and max(p_as_good, timing.p_better * n_tests) < significance:
        return Finding.HELPED
    if high < 0.0 and max(shifts.p_as_bad, timing.p_worse) * n_tests < significance:
        return Finding.HURT
    return Finding.NOT_SHOWN
