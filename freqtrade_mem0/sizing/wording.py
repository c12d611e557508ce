"""Reasons that several policies give."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.insight.shrinkage import standard_error
from freqtrade_mem0.records.decision import Reason, part_in_words
from freqtrade_mem0.sizing.policy import Wish

if TYPE_CHECKING:
    from freqtrade_mem0.insight.shrinkage import EntryGroup, Moments


def without_evidence(whole: Moments) -> Wish:
    """Return multiplier 1.0, for a strategy without trades or with trades of exactly no profit."""
    found = "no closed trade made or lost anything" if whole.n else "no closed trades are known"
    text = f"{found} yet: the stake stays as proposed"
    reason = Reason(name="no_evidence", text=text, n_effective=whole.n_effective)
    return Wish(multiplier=1.0, reasons=(reason,))


def group_reason(group: EntryGroup, effect: float, remark: str = "") -> Reason:
    """Return the reason for what a group, or the whole strategy, moved the multiplier by."""
    name, value, moments, _ = group
    n, mean = moments.n_effective, moments.mean
    error, freedom = standard_error(moments), moments.freedom
    text = ""
    if remark:
        text = f"{part_in_words(f'{name} {value}'.strip(), n, mean, error, freedom)}; {remark}"
    return Reason(
        name=name,
        value=value,
        text=text,
        n_effective=n,
        mean_ratio=mean,
        effect=effect,
        mean_error=error,
        freedom=freedom,
    )


def bound_reason(wanted: float, multiplier: float) -> Reason:
    """Return the reason for a multiplier that was moved to a bound."""
    name = "min_multiplier" if multiplier > wanted else "max_multiplier"
    text = f"sizing.{name} of {multiplier:g} keeps the multiplier from {wanted:.3g}"
    return Reason(name=name, text=text, effect=multiplier - wanted)
