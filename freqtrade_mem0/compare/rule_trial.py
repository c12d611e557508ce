"""The trial of a learned rule: a strategy with memory, without and with the rule.

A rule that was drawn from the trades of a time does well in that time by construction. So what came
after the rule's data is judged by itself, and where there is no such time, nothing is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from freqtrade_mem0.compare.comparison import Comparison, compare
from freqtrade_mem0.compare.statistics.returns import daily
from freqtrade_mem0.compare.verdict import verdict
from freqtrade_mem0.words.numbers import counted, percent
from freqtrade_mem0.worth.finding import Finding

if TYPE_CHECKING:
    from freqtrade_mem0.compare.trades import Run
    from freqtrade_mem0.worth.bootstrap import Estimate

_DAY = timedelta(days=1)
_NOTHING = 1e-12
_MIN_DAYS = 10
"""Days whose return the rule changed, below which nothing is claimed and no interval given."""

_CLAIMS = {
    Finding.HELPED: "The data show that the rule helped in this time.",
    Finding.HURT: "The data show that the rule hurt in this time.",
    Finding.NOT_SHOWN: "The data do not show that the rule helped or hurt.",
    Finding.TOO_LITTLE_DATA: "That is too little data for a finding.",
    Finding.NOTHING_CHANGED: "The rule changed no stake.",
    Finding.NO_TRADES: "No trade was closed.",
    Finding.BROKE: "One run lost its account, so nothing is compared.",
}


class Sample(StrEnum):
    """Whether a trial's time lies within the time that the rule was drawn from."""

    IN = "in"
    PART = "part"
    OUT = "out"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuleTrial:
    """What came of a rule.

    Parameters
    ----------
    whole
        The runs without and with the rule; multipliers are the rule's own.
    later
        The part of them after the rule's data; None where there is none.
    n_touched
        Entries to which the rule applied, refused ones too.
    seen_until
        Up to when the rule's data go.
    """

    whole: Comparison
    later: Comparison | None
    n_touched: int
    seen_until: datetime

    @property
    def sample(self) -> Sample:
        """Whether the time lies within the rule's data."""
        if self.later is None:
            return Sample.IN
        return Sample.OUT if self.seen_until <= self.whole.without.start else Sample.PART

    @property
    def finding(self) -> str:
        """What the time after the rule's data shows; "in_sample" where there is none."""
        return "in_sample" if self.later is None else str(_finding(self.later))


def rule_trial(
    strategy: str,
    without: Run,
    ruled: Run,
    *,
    n_touched: int,
    seen_until: datetime,
    seed: int = 0,
    n_periods: int | None = None,
) -> RuleTrial:
    """Compare the runs without and with a rule.

    Parameters
    ----------
    strategy
        Class name.
    without, ruled
        Runs of the strategy with memory, without and with the rule.
    n_touched
        Entries to which the rule applied.
    seen_until
        Up to when the rule's data go.
    seed, n_periods
        As in `compare`.
    """
    usual = {trade.entry: trade.multiplier for trade in without.trades}
    own = [
        replace(trade, multiplier=trade.multiplier / usual.get(trade.entry, trade.multiplier))
        for trade in ruled.trades
    ]
    ruled = replace(ruled, trades=tuple(own))
    plain = [replace(trade, multiplier=1.0) for trade in without.trades]
    without = replace(without, trades=tuple(plain))
    start = max(seen_until, without.start)
    later = None
    if without.end - start > _DAY:
        later = compare(
            strategy, _after(without, start), _after(ruled, start), seed=seed, n_periods=n_periods
        )
    whole = compare(strategy, without, ruled, seed=seed, n_periods=n_periods)
    return RuleTrial(whole=whole, later=later, n_touched=n_touched, seen_until=seen_until)


def figures(trial: RuleTrial) -> dict[str, Any]:
    """Return what came out as plain values, without those that do not exist."""
    c = trial.whole
    found: dict[str, Any] = {
        "strategy": c.strategy,
        "start": c.without.start.isoformat(),
        "end": c.without.end.isoformat(),
        "data_until": trial.seen_until.isoformat(),
        "sample": str(trial.sample),
        "finding": trial.finding,
        "trades": c.figures_with.n_trades,
        "touched": trial.n_touched,
        **_numbers("", c),
    }
    if trial.later is not None:
        found["later_trades"] = trial.later.figures_with.n_trades
        found |= _numbers("later_", trial.later)
    if c.deflated is not None:
        found["settings_tried"] = c.deflated.n_tried
        found["deflated_sharpe_ratio"] = c.deflated.probability
    return {name: value for name, value in found.items() if value is not None}


def in_words(trial: RuleTrial) -> str:
    """Return what came out, and what it does not show."""
    c, until = trial.whole, f"{trial.seen_until:%Y-%m-%d %H:%M} UTC"
    span = f"From {c.without.start:%Y-%m-%d} to {c.without.end:%Y-%m-%d}"
    entries = counted(trial.n_touched, "entry", "entries")
    said = [f"{span}, the rule applied to {entries}. {_changes(c)}"]
    if trial.later is None:
        said.append(
            f"Its data go up to {until}, so all of this time is in sample: whoever proposed the "
            "rule may have known its trades, and the result does not show that the rule helps. Try "
            "it on later candles; where its data end earlier, propose it with data_until."
        )
        return " ".join(said)
    if trial.sample is Sample.PART:
        said.append(f"Its data go up to {until}. After that: {_changes(trial.later)}")
    said.append(_CLAIMS[_finding(trial.later)])
    if c.deflated is not None and c.deflated.n_tried > 1:
        said.append(
            f"{c.deflated.n_tried:,} rules were tried on this time; the probability that the gain "
            "is above what the best of so many shows by chance is "
            f"{percent(c.deflated.probability, 0, signed=False)}."
        )
    return " ".join(said)


def _after(run: Run, start: datetime) -> Run:
    """Return the part of a run whose entries came after a moment."""
    trades = tuple(trade for trade in run.trades if trade.open_date >= start)
    return replace(run, trades=trades, start=start)


def _finding(c: Comparison) -> Finding:
    found = verdict(c).finding
    is_claim = found in {Finding.HELPED, Finding.HURT, Finding.NOT_SHOWN}
    return Finding.TOO_LITTLE_DATA if is_claim and _n_days_changed(c) < _MIN_DAYS else found


def _n_days_changed(c: Comparison) -> int:
    """Return on how many days the rule changed what was earned."""
    changed = np.abs(daily(c.remembered).returns - daily(c.without).returns) > _NOTHING
    return int(changed.sum())


def _estimates(c: Comparison) -> tuple[Estimate, Estimate]:
    """Return the changes of Sharpe ratio and return; from few days they have no interval."""
    found = c.sharpe_difference, c.mean_return_equal_exposure
    if _n_days_changed(c) >= _MIN_DAYS:
        return found
    sharpe, gain = (replace(each, low=None, high=None) for each in found)
    return sharpe, gain


def _numbers(name: str, c: Comparison) -> dict[str, float | None]:
    change, gain = _estimates(c)
    return {
        f"{name}sharpe_change": change.value,
        f"{name}sharpe_low": change.low,
        f"{name}sharpe_high": change.high,
        f"{name}return_change": gain.value,
        f"{name}return_low": gain.low,
        f"{name}return_high": gain.high,
        f"{name}exposure_ratio": c.exposure_ratio,
    }


def _changes(c: Comparison) -> str:
    n_trades, n_days = counted(c.figures_with.n_trades, "trade"), counted(c.n_days, "day")
    change, gained = _estimates(c)
    sharpe, gain = _interval(change, "{:+.2f}".format), _interval(gained, percent)
    gone = ""
    if c.only_without:
        gone = f" {counted(len(c.only_without), 'trade')} of the run without it did not come about."
    return (
        f"Over {n_trades} in {n_days} it changed the annual Sharpe ratio by {sharpe}, and the "
        f"annual return at equal exposure by {gain}.{gone}"
    )


def _interval(found: Estimate, shown: Any) -> str:
    if found.value is None:
        return "an amount that can not be computed"
    if found.low is None or found.high is None:
        return f"{shown(found.value)} (no interval: it changed too few days)"
    return f"{shown(found.value)} (95% interval {shown(found.low)} to {shown(found.high)})"
