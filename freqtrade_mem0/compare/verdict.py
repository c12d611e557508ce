"""One careful sentence on what a comparison shows, and what it does not.

The rules, in this order:

1. Nothing was entered, or memory changed no stake: that is said, and nothing else.
2. Fewer than `MIN_TRADES` trades, `MIN_TRADING_DAYS` days with a close, or `MIN_DAYS` days: too
   little to claim anything.
3. Helped: the interval of the difference of Sharpe ratios lies above 0, *and* a random sizing of
   the same shape does as well in fewer than 5 % of cases, *and* so does a sizing without foresight
   in the timing test; both corrected for the number of strategies.
4. Hurt: the same the other way round.
5. Anything else: the data do not show it.

Three conditions, as each alone can mislead: an interval can exclude 0 because the sizes changed at
all (a smaller bet in a losing time), a p-value can be small where the sized run is still worse than
the plain one, and shifted multipliers look too good because memory learns from the same trades.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freqtrade_mem0.compare.comparison import Comparison

MIN_TRADES = 100
MIN_TRADING_DAYS = 50
MIN_DAYS = 90
SIGNIFICANCE = 0.05

_NOTEWORTHY = 0.05
"""A difference of exposure below this share is not worth a sentence."""


class Finding(StrEnum):
    """What a comparison shows."""

    HELPED = "helped"
    HURT = "hurt"
    NOT_SHOWN = "not_shown"
    TOO_LITTLE_DATA = "too_little_data"
    NOTHING_CHANGED = "nothing_changed"
    NO_TRADES = "no_trades"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A finding and its sentence."""

    finding: Finding
    sentence: str


def verdict(comparison: Comparison) -> Verdict:
    """Return what a comparison shows, by the rules above."""
    finding = _finding(comparison)
    before, after = comparison.figures_without, comparison.figures_with
    if finding is Finding.NO_TRADES:
        sentence = "No trade was closed: there is nothing to compare."
        return Verdict(finding=finding, sentence=sentence)
    over = f"Over {_counted(after.n_trades, 'trade')} in {_counted(_days(comparison), 'day')}"
    if finding is Finding.NOTHING_CHANGED:
        sentence = f"{over} memory changed no stake: both runs are the same bets."
        return Verdict(finding=finding, sentence=sentence)
    if finding is Finding.TOO_LITTLE_DATA:
        sentence = (
            f"{over} ({after.n_trading_days} with a close) nothing can be said: at least "
            f"{MIN_TRADES} trades, {MIN_TRADING_DAYS} days with a close and {MIN_DAYS} days are "
            "needed. Take a longer --timerange or more pairs."
        )
        return Verdict(finding=finding, sentence=sentence)
    parts = [f"{over} memory changed the annual Sharpe ratio {_change(comparison)}"]
    if comparison.shifts is not None:
        parts.append(
            "a random sizing of the same shape does as well in "
            f"{_share(comparison.shifts.p_as_good)} of cases{_corrected(comparison)}"
        )
    parts += _timed(comparison)
    parts.append(_CLAIMS[finding])
    sentence = "; ".join(parts) + "." + _exposure(comparison)
    if before.n_trades != after.n_trades:
        sentence += f" Without memory there were {before.n_trades:,} trades."
    return Verdict(finding=finding, sentence=sentence)


_CLAIMS = {
    Finding.HELPED: "in this period the data show that memory helped",
    Finding.HURT: "in this period the data show that memory hurt",
    Finding.NOT_SHOWN: "the data do not show that memory helped or hurt",
}


def _finding(c: Comparison) -> Finding:
    before, after = c.figures_without, c.figures_with
    if not before.n_trades and not after.n_trades:
        return Finding.NO_TRADES
    if c.n_changed == 0 and before.n_trades == after.n_trades:
        return Finding.NOTHING_CHANGED
    if (
        min(before.n_trades, after.n_trades) < MIN_TRADES
        or min(before.n_trading_days, after.n_trading_days) < MIN_TRADING_DAYS
        or _days(c) < MIN_DAYS
    ):
        return Finding.TOO_LITTLE_DATA
    return _claim(c)


def _claim(c: Comparison) -> Finding:
    change = c.sharpe_difference
    if c.shifts is None or change.low is None or change.high is None:
        return Finding.NOT_SHOWN
    if c.timing is None:
        return Finding.NOT_SHOWN
    p_as_good = c.shifts.p_as_good if c.p_holm is None else c.p_holm
    better = max(p_as_good, c.timing.p_better * c.n_strategies)
    worse = max(c.shifts.p_as_bad, c.timing.p_worse) * c.n_strategies
    if change.low > 0.0 and better < SIGNIFICANCE:
        return Finding.HELPED
    if change.high < 0.0 and worse < SIGNIFICANCE:
        return Finding.HURT
    return Finding.NOT_SHOWN


def _counted(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _days(c: Comparison) -> int:
    return sum(period.n_days for period in c.periods)


def _change(c: Comparison) -> str:
    change = c.sharpe_difference
    if change.value is None:
        return "by an amount that can not be computed"
    if change.low is None or change.high is None:
        return f"by {change.value:+.2f} (no interval can be given)"
    return f"by {change.value:+.2f} (95 % interval {change.low:+.2f} to {change.high:+.2f})"


def _share(p_value: float) -> str:
    percent = 100.0 * p_value
    return f"{percent:.1f} %" if percent < 10.0 else f"{percent:.0f} %"  # noqa: PLR2004


def _timed(c: Comparison) -> list[str]:
    """Return what the timing test says, where it decides between a claim and none."""
    if c.timing is None or not c.sharpe_difference.excludes_zero:
        return []
    is_better = (c.sharpe_difference.value or 0.0) > 0.0
    p_value = c.timing.p_better if is_better else c.timing.p_worse
    how = "well" if is_better else "badly"
    share = _share(min(1.0, p_value * c.n_strategies))
    return [f"stakes without foresight are timed as {how} in {share}"]


def _corrected(c: Comparison) -> str:
    if c.n_strategies == 1 or c.p_holm is None:
        return ""
    return f" ({_share(c.p_holm)} corrected for {c.n_strategies} strategies)"


def _exposure(c: Comparison) -> str:
    ratio = c.exposure_ratio
    if ratio is None or abs(ratio - 1.0) < _NOTEWORTHY:
        return ""
    word = "less" if ratio < 1.0 else "more"
    return (
        f" It held {abs(ratio - 1.0):.0%} {word} in the market, which alone makes profits and "
        f"losses {'smaller' if ratio < 1.0 else 'larger'}."
    )
