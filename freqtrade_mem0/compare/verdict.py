"""The verdict: one sentence on what a comparison shows, and what it does not show.

The rules, in this order:

1. No trade was closed, memory changed no stake, or one run lost its account while the other traded
   on: the verdict says that and nothing else.
2. Fewer than `MIN_TRADES` trades, `MIN_TRADING_DAYS` days with a closed trade or `MIN_DAYS` days:
   too little data.
3. Helped, by the rule of `worth.finding`; p-values are corrected for the number of strategies.
   Where several settings were tried, the deflated Sharpe ratio of the gain must be at least 95 %,
   too.
4. Hurt: the same in the other direction.
5. Otherwise: not shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade_mem0.words.numbers import counted, percent
from freqtrade_mem0.worth.finding import (
    MIN_DAYS,
    MIN_TRADES,
    MIN_TRADING_DAYS,
    SIGNIFICANCE,
    Finding,
    claim,
)

if TYPE_CHECKING:
    from freqtrade_mem0.compare.comparison import Comparison

_NOTEWORTHY = 0.05
"""A smaller relative difference of exposure is not mentioned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A finding and its sentence."""

    finding: Finding
    sentence: str


_CLAIMS = {
    Finding.HELPED: "The data show that memory helped in this period.",
    Finding.HURT: "The data show that memory hurt in this period.",
    Finding.NOT_SHOWN: "The data do not show that memory helped or hurt.",
}


def verdict(comparison: Comparison) -> Verdict:
    """Return what a comparison shows, by the rules above."""
    finding = _finding(comparison)
    return Verdict(finding=finding, sentence=_sentence(comparison, finding))


def _finding(c: Comparison) -> Finding:
    before, after = c.figures_without, c.figures_with
    if not c.has_trades:
        return Finding.NO_TRADES
    if not c.is_comparable:
        return Finding.BROKE
    if c.n_changed == 0 and not c.only_without and not c.only_with:
        return Finding.NOTHING_CHANGED
    if (
        min(before.n_trades, after.n_trades) < MIN_TRADES
        or min(before.n_trading_days, after.n_trading_days) < MIN_TRADING_DAYS
        or c.n_days < MIN_DAYS
    ):
        return Finding.TOO_LITTLE_DATA
    return _claim(c)


def _claim(c: Comparison) -> Finding:
    found = claim(
        c.sharpe_difference, c.shifts, c.timing, p_as_good=c.p_holm, n_tests=c.n_strategies
    )
    return Finding.NOT_SHOWN if found is Finding.HELPED and _is_choice_of_many(c) else found


def _is_choice_of_many(c: Comparison) -> bool:
    """Return whether the best of the settings tried may do as well by chance."""
    d = c.deflated
    return d is not None and d.n_tried > 1 and d.probability < 1.0 - SIGNIFICANCE


def _sentence(c: Comparison, finding: Finding) -> str:
    after = c.figures_with
    if finding is Finding.NO_TRADES:
        return "No trade was closed: there is nothing to compare."
    if finding is Finding.BROKE:
        return " ".join(_lost(c))
    data = f"{counted(after.n_trades, 'trade')} in {counted(c.n_days, 'day')}"
    if finding is Finding.NOTHING_CHANGED:
        return f"Over {data}, memory changed no stake: both runs are the same."
    if finding is Finding.TOO_LITTLE_DATA:
        return (
            f"Too little data for a finding: {data}, {after.n_trading_days} of them with a closed "
            f"trade. At least {MIN_TRADES} trades, {MIN_TRADING_DAYS} days with a closed trade and "
            f"{MIN_DAYS} days are needed. Take a longer --timerange or more pairs."
        )
    sentences = [f"Over {data}, memory changed the annual Sharpe ratio {_change(c)}."]
    shares = _shares(c)
    if shares:
        sentences.append(f"{'; '.join(shares)}.")
    if c.deflated is not None and c.deflated.n_tried > 1:
        sentences.append(
            f"{c.deflated.n_tried:,} settings were tried on this time; the probability that the "
            "gain is above what the best of so many shows by chance is "
            f"{_percent(c.deflated.probability)}."
        )
    sentences.append(_CLAIMS[finding])
    ratio = c.exposure_ratio
    if ratio is not None and abs(ratio - 1.0) >= _NOTEWORTHY:
        more, larger = ("less", "smaller") if ratio < 1.0 else ("more", "larger")
        sentences.append(
            f"The run with memory had {percent(abs(ratio - 1.0), 0, signed=False)} {more} in "
            f"the market, which alone makes profits and losses {larger}."
        )
    if c.only_without or c.only_with:
        sentences.append(
            f"Only in the run without memory: {counted(len(c.only_without), 'trade')}; only in "
            f"the one with memory: {counted(len(c.only_with), 'trade')}."
        )
    return " ".join(sentences)


def _lost(c: Comparison) -> list[str]:
    """Return which account was lost, and that nothing is compared."""
    sentences = []
    for name, run, moment in (
        ("without memory", c.without, c.broke_without),
        ("with memory", c.remembered, c.broke_with),
    ):
        if moment is not None:
            left = run.starting_balance + sum(trade.profit_quote for trade in run.trades)
            sentences.append(
                f"The run {name} lost its account: {left:,.2f} of {run.starting_balance:,.2f} "
                f"{run.stake_currency} were left on {moment:%Y-%m-%d}, too little for another "
                "trade, while the other run traded on."
            )
    return [*sentences, "Returns, ratios and exposures of the two runs can not be compared."]


def _change(c: Comparison) -> str:
    change = c.sharpe_difference
    if change.value is None:
        return "by an amount that can not be computed"
    if change.low is None or change.high is None:
        return f"by {change.value:+.2f} (no interval can be given)"
    return f"by {change.value:+.2f} (95% interval {change.low:+.2f} to {change.high:+.2f})"


def _shares(c: Comparison) -> list[str]:
    """Return how often chance does as well, by the shift test and, where it decides, by timing."""
    shares = []
    if c.shifts is not None:
        corrected = ""
        if c.n_strategies > 1 and c.p_holm is not None:
            corrected = f" ({_percent(c.p_holm)} corrected for {c.n_strategies} strategies)"
        shares.append(
            "A random sizing of the same shape does as well in "
            f"{_percent(c.shifts.p_as_good)} of cases{corrected}"
        )
    if c.timing is not None and c.sharpe_difference.excludes_zero:
        is_better = (c.sharpe_difference.value or 0.0) > 0.0
        p_value = c.timing.p_better if is_better else c.timing.p_worse
        as_well = "as well" if is_better else "as badly"
        shares.append(
            f"stakes without foresight are timed {as_well} in "
            f"{_percent(min(1.0, p_value * c.n_strategies))} of cases"
        )
    return shares


def _percent(p_value: float) -> str:
    return percent(p_value, 1 if p_value < 0.1 else 0, signed=False)  # noqa: PLR2004
