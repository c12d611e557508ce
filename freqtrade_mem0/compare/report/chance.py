"""What chance alone does, in words: shifted stakes, their size, the number of settings tried."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freqtrade_mem0.compare.report.numbers import plain
from freqtrade_mem0.decide import explain
from freqtrade_mem0.words.numbers import percent
from freqtrade_mem0.worth.daily import DAYS_PER_YEAR

if TYPE_CHECKING:
    from freqtrade_mem0.compare.comparison import Comparison


def chance_in_words(c: Comparison) -> list[str]:
    """Return what chance alone does, a paragraph for each test that could be made."""
    found = [_random_sizing(c), _size_alone(c), _timing(c), _tries(c), _account(c)]
    return [words for words in found if words]


def _random_sizing(c: Comparison) -> str:
    shifts = c.shifts
    if shifts is None:
        return ""
    all_of = "all " if shifts.is_complete else ""
    as_good, as_bad = _share(shifts.p_as_good), _share(shifts.p_as_bad)
    return (
        f"Random sizing: the same multipliers, shifted against the trades ({all_of}"
        f"{shifts.n_shifts:,} shifts), have a median Sharpe ratio of {shifts.typical:.2f}; "
        f"memory's is {shifts.observed:.2f}. {as_good} of the shifts are as good or better, "
        f"{as_bad} as bad or worse."
    )


def _size_alone(c: Comparison) -> str:
    """Return how far stakes were moved, and what moves of this size do without knowledge."""
    if c.shifts is None:
        return ""
    noise = c.remembered.spread_on_noise
    beside = "" if noise is None else f" ({plain(noise)} where the outcomes are shuffled)"
    return (
        f"Size of the moves: {plain(c.spread)}, as the root mean square of multiplier - 1{beside}. "
        f"Moves of this size change the Sharpe ratio by {c.shifts.low:+.2f} to {c.shifts.high:+.2f}"
        " in 95% of the shifts, without any knowledge."
    )


def _timing(c: Comparison) -> str:
    if c.shifts is None or c.timing is None:
        return ""
    as_high, as_low = _share(c.timing.p_better), _share(c.timing.p_worse)
    return (
        "Timing: stakes and the profits that followed have a correlation of "
        f"{c.timing.correlation:+.3f}; without foresight it is as high in {as_high} of cases and "
        f"as low in {as_low}."
    )


def _tries(c: Comparison) -> str:
    """Return how many settings were tried, and what the best of them reaches by chance."""
    d, year = c.deflated, math.sqrt(DAYS_PER_YEAR)
    if d is None or d.n_tried == 1:
        return ""
    return (
        f"Settings tried: {d.n_tried:,} different ones were compared for this strategy and time so "
        "far. The best of so many that know nothing is expected to show a gain with a Sharpe ratio "
        f"of {d.by_chance * year:.2f} by chance; the gain of these has {d.sharpe * year:.2f}. "
        f"Deflated Sharpe ratio: {_share(d.probability)} (probability that the true gain is above "
        "chance)."
    )


def _account(c: Comparison) -> str:
    state = c.remembered.account
    if state is None:
        return ""
    words = explain.account_in_words(state)
    return f"{words[0].upper()}{words[1:]}, at its last decision."


def _share(ratio: float) -> str:
    return percent(ratio, 1, signed=False)
