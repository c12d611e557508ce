"""What stakes were worth, in sentences."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freqtrade_mem0.words.numbers import counted, percent
from freqtrade_mem0.worth.finding import MIN_DAYS, MIN_TRADES, MIN_TRADING_DAYS, Finding

if TYPE_CHECKING:
    from freqtrade_mem0.worth.bootstrap import Estimate
    from freqtrade_mem0.worth.judge import Worth

_FEW_PERCENT = 0.1
_MOST_DAYS = 3_650
"""Pace is not extrapolated further than this."""


def finding_in_words(worth: Worth, *, applied: bool) -> str:
    """Return the finding in one sentence; `applied` is False in shadow mode.

    >>> from freqtrade_mem0.worth.judge import Worth
    >>> finding_in_words(Worth(), applied=True)
    'No closed trade has a decision of memory yet: there is nothing to judge.'
    """
    data = f"{counted(worth.n_trades, 'trade')} in {counted(worth.n_days, 'day')}"
    looked = ""
    if worth.n_judged < worth.n_trades:
        looked = f", looked at after {worth.n_judged:,} (on {worth.judged_on})"
    claims = {
        Finding.HELPED: ("Memory helped", "Memory would have helped"),
        Finding.HURT: ("Memory hurt", "Memory would have hurt"),
    }
    if worth.finding in claims:
        return f"{claims[worth.finding][not applied]} beyond chance: {data}{looked}."
    if worth.finding is Finding.NO_TRADES:
        return "No closed trade has a decision of memory yet: there is nothing to judge."
    if worth.finding is Finding.NOTHING_CHANGED:
        return f"Memory changed no stake: over {data}, each was left as proposed."
    if worth.finding is Finding.TOO_LITTLE_DATA:
        return (
            f"Too few to tell: {data}, {worth.n_trading_days} of them with a closed trade. At "
            f"least {MIN_TRADES} trades, {MIN_TRADING_DAYS} days with a closed trade and "
            f"{MIN_DAYS} days are needed{_when(worth)}."
        )
    return f"It can not be told from chance whether memory helped: {data}{looked}."


def numbers_in_words(worth: Worth, currency: str, *, applied: bool) -> list[str]:
    """Return the figures behind a finding, a sentence each; none where nothing was changed."""
    if not worth.n_raised and not worth.n_cut:
        return []
    changed = "changed" if applied else "would have changed"
    at_same_stake = _amount(worth.effect_at_same_stake, currency)
    sentences = [
        f"Memory's stakes {changed} the profit by {_amount(worth.effect, currency)}.",
        f"With stakes as large as the proposed ones on the whole it would be {at_same_stake}.",
    ]
    if worth.shifts is not None and worth.timing is not None:
        sentences.append(
            "The same multipliers, given to other trades, do as well in "
            f"{_share(worth.shifts.p_as_good)} of cases. Stakes that follow the past alone meet "
            f"good trades as often in {_share(worth.timing.p_better)}."
        )
    if worth.finding is Finding.NOT_SHOWN:
        sentences.append(
            "Nothing points to an effect that more trades would show."
            if worth.n_needed is None
            else f"If all goes on as it did, {worth.n_needed:,} trades are needed to say "
            f"{_direction(worth)}{_when(worth)}."
        )
    return sentences


def more_days(worth: Worth) -> int | None:
    """Return how many days more `n_needed` trades take at this pace; None beyond ten years."""
    if worth.n_needed is None or not worth.n_trades:
        return None
    days = (worth.n_needed - worth.n_trades) * worth.n_days / worth.n_trades
    days = math.ceil(max(days, MIN_DAYS - worth.n_days))
    return days if days < _MOST_DAYS else None


def _direction(worth: Worth) -> str:
    is_gain = (worth.sharpe_difference.value or 0.0) > 0.0
    return "that it helped" if is_gain else "that it hurt"


def _when(worth: Worth) -> str:
    days = more_days(worth)
    return "" if days is None else f", which takes about {counted(days, 'more day')} at this pace"


def _amount(found: Estimate, currency: str) -> str:
    if found.value is None:
        return "an amount that can not be computed"
    amount = f"{found.value:+,.2f} {currency}".rstrip()
    if found.low is None or found.high is None:
        return amount
    return f"{amount} (95% interval {found.low:+,.2f} to {found.high:+,.2f})"


def _share(p_value: float) -> str:
    return percent(p_value, 1 if p_value < _FEW_PERCENT else 0, signed=False)
