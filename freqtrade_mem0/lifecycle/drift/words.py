"""What is found of drift, in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freqtrade_mem0.insight.drift.bands import FALSE_PER_YEAR
from freqtrade_mem0.words.numbers import counted, percent

if TYPE_CHECKING:
    from freqtrade_mem0.insight.drift.triggers import Alarm, Trigger
    from freqtrade_mem0.lifecycle.drift.look import Drift

FIGURE_NAMES = {
    "win_rate": "win rate",
    "profit_ratio": "profit a trade",
    "trades_a_day": "trades a day",
    "holding_hours": "holding time",
    "drawdown_ratio": "drawdown",
}


def figure(name: str, value: float) -> str:
    """Return the value of a figure of the bands.

    >>> figure("win_rate", 0.514), figure("holding_hours", 30.04), figure("trades_a_day", 2.0)
    ('51%', '30.0 h', '2.00')
    """
    if math.isnan(value):
        return "-"
    if name == "holding_hours":
        return f"{value:.1f} h"
    if name == "trades_a_day":
        return f"{value:.2f}"
    if name == "win_rate":
        return f"{value:.0%}"
    return percent(value, signed=name == "profit_ratio")


def alarm_words(alarm: Alarm, drift: Drift) -> str:
    """Return what a trigger found, with numbers."""
    trigger = next(each for each in drift.triggers if each.name == alarm.name)
    last = counted(alarm.at - alarm.began + 1, "trade")
    source = drift.reference.source
    if alarm.name == "poor_results":
        found = f"the last {last} gained {percent(-alarm.mean)} on average"
        usual = f"{percent(-trigger.mean)} in {source}"
    elif alarm.name == "win_rate":
        found = f"{alarm.mean:.0%} of the last {last} lost"
        usual = f"{trigger.mean:.0%} in {source}"
    elif alarm.name == "drawdown":
        fall = alarm.sum * trigger.spread
        found = f"the sum of profit ratios fell by {percent(fall, signed=False)} in {last}"
        most = percent(trigger.threshold * trigger.spread, signed=False)
        usual = f"by {most} about once a year with days as in {source}"
    else:
        times = math.exp(alarm.mean - trigger.mean)
        found = f"the entries of the last {last} were {times:.2f} times as volatile"
        usual = f"compared with {source}"
    return f"{found}, {usual}; {rate_words(trigger)}"


def rate_words(trigger: Trigger) -> str:
    """Return the threshold of a trigger and its false alarms."""
    return f"threshold {trigger.threshold:.1f}, {trigger.per_year:.2f} false alarms a year"


def found_words(name: str, delay_days: float | None, found_in_year: float) -> str:
    """Return how soon a trigger finds half of the edge, or half as much volatility again.

    >>> found_words("drawdown", 141.6, 0.83)
    'half of the edge: median 142 days, 83% within a year'
    """
    what = "volatility x1.5" if name == "volatility" else "half of the edge"
    median = "not within two years" if delay_days is None else f"{delay_days:.0f} days"
    return f"{what}: median {median}, {found_in_year:.0%} within a year"


def left_words(drift: Drift) -> str:
    """Return which figures left their bands."""
    assert drift.left is not None  # noqa: S101 - for the type checker
    parts = [
        f"{FIGURE_NAMES[name]} is {figure(name, value)}, the band of {drift.reference.source} at"
        f" that age {figure(name, band.low)} to {figure(name, band.high)}"
        for name, (value, band) in drift.left.figures.items()
    ]
    return (
        f"after {counted(drift.left.age_days, 'day')} {'; '.join(parts)}; of bots that are as their"
        f" backtest {FALSE_PER_YEAR:.0%} are told this in a year"
    )
