"""A decision as a picture: the factors from the proposed stake to memory's, and what was known."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.decide import explain
from freqtrade_mem0.insight.student import half_width

if TYPE_CHECKING:
    from freqtrade_mem0.records.decision import Decision, Reason

_LEAST = 2.0
"""With fewer trades there is no interval."""

_FLAT = 0.0005
"""Factors that change the multiplier by less share a step."""

_MARGIN = 0.08
_COMMON = 0.9
"""The share of the ends of intervals that the scale shows whole."""


class Step(NamedTuple):
    """A factor, and the multiplier before and after it; `x`, `width` and `one` are percentages.

    `one` is where the proposed stake is.
    """

    name: str
    text: str
    effect: float
    after: float
    x: float
    width: float
    one: float


class Group(NamedTuple):
    """What was known of a group of trades, and where that is on a scale from 0 to 100.

    The scale has its zero at 50. The interval is None with too few trades.
    """

    name: str
    n: float
    mean: float
    low: float | None
    high: float | None
    mean_x: float
    low_x: float
    high_x: float


def steps(decision: Decision) -> list[Step]:
    """Return the factors in the order in which they were applied."""
    small = [part for part in decision.reasons if abs(part.effect) < _FLAT]
    factors = [
        (explain.level(part.name), explain.reason(part), part.effect)
        for part in decision.reasons
        if abs(part.effect) >= _FLAT
    ]
    if small:
        names = ", ".join(dict.fromkeys(explain.level(part.name) for part in small))
        factors.append(("others", f"{names}: next to nothing", sum(part.effect for part in small)))
    ends = [1.0]
    for _, _, effect in factors:
        ends.append(ends[-1] + effect)
    low, high = min(ends), max(ends)
    margin = max((high - low) * _MARGIN, 0.01)
    low, span = low - margin, high - low + 2.0 * margin

    def place(value: float) -> float:
        return (value - low) / span * 100.0

    return [
        Step(
            *(name, text, effect, ends[at + 1]),
            x=place(min(ends[at], ends[at + 1])),
            width=abs(effect) / span * 100.0,
            one=place(1.0),
        )
        for at, (name, text, effect) in enumerate(factors)
    ]


def groups(decision: Decision) -> list[Group]:
    """Return what was known of each group of trades, with 95 % intervals of the mean."""
    parts = [part for part in decision.reasons if part.n_effective > 0.0]
    halves = [_half(part) for part in parts]
    ends = sorted(
        abs(part.mean_ratio) + (half or 0.0) for part, half in zip(parts, halves, strict=True)
    )
    reach = (ends[int((len(ends) - 1) * _COMMON)] if ends else 0.0) * 1.05 or 1.0

    def place(value: float) -> float:
        return 50.0 + 50.0 * max(-1.0, min(1.0, value / reach))

    found = []
    for part, half in zip(parts, halves, strict=True):
        mean = part.mean_ratio
        low, high = (None, None) if half is None else (mean - half, mean + half)
        found.append(
            Group(
                name=f"{explain.level(part.name)}: {part.value}",
                n=part.n_effective,
                mean=mean,
                low=low,
                high=high,
                mean_x=place(mean),
                low_x=place(mean if low is None else low),
                high_x=place(mean if high is None else high),
            )
        )
    return found


def _half(part: Reason) -> float | None:
    if part.mean_error is None or part.n_effective < _LEAST:
        return None
    return half_width(part.freedom or part.n_effective - 1.0) * part.mean_error
