"""Reasons that several policies give, in the same words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.insight.shrinkage import standard_error
from freqtrade_mem0.records.decision import Reason, part_in_words
from freqtrade_mem0.sizing.policy import Wish

if TYPE_CHECKING:
    from freqtrade_mem0.insight.shrinkage import Moments, Part


def without_evidence(whole: Moments) -> Wish:
    """Return the wish of a policy that has nothing to go by: the proposal, and why.

    Parameters
    ----------
    whole
        Of all trades of the strategy: none, or none that made or lost anything.
    """
    found = "no closed trade made or lost anything" if whole.n else "no closed trades are known"
    text = f"{found} yet: the stake stays as proposed"
    reason = Reason(name="no_evidence", text=text, n_effective=whole.n)
    return Wish(multiplier=1.0, reasons=(reason,))


def part_reason(part: Part, effect: float, remark: str = "") -> Reason:
    """Return the reason that a level is, with what is known of it and what it moved.

    Parameters
    ----------
    part
        The strategy, or a level below it.
    effect
        What it moved the multiplier by.
    remark
        What else is to be said of it; "" for nothing.
    """
    name, value, moments, _, _ = part
    n, mean, _, _ = moments
    error = standard_error(moments)
    text = ""
    if remark:
        text = f"{part_in_words(f'{name} {value}'.strip(), n, mean, error)}; {remark}"
    return Reason(
        name=name,
        value=value,
        text=text,
        n_effective=n,
        mean_ratio=mean,
        effect=effect,
        mean_error=error,
    )
