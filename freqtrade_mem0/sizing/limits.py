"""Applies the limits of exchange and wallet to a stake."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.words.numbers import amount

if TYPE_CHECKING:
    from collections.abc import Callable

_ROUNDING = 1e-6
"""Of a slot: so near to what fits, the slots are counted."""


def within_limits(
    proposed: float,
    wished: float,
    min_stake: float | None,
    max_stake: float,
    free_slots: Callable[[float], float] | None = None,
) -> tuple[float, tuple[Reason, ...]]:
    """Return the stake to place, and a reason for each limit that changed it.

    Parameters
    ----------
    proposed
        The strategy's own stake, > 0, in stake currency.
    wished
        `proposed` times the multiplier.
    min_stake
        The smallest stake that can be placed and sold again; None where there is none. A proposal
        above it is never pushed below it; a proposal below it is left as it is.
    max_stake
        The most Freqtrade allows: wallet and exchange. A proposal above it is left as it is.
    free_slots
        Returns how many trades may still be opened, this one included; called for raises alone. It
        gets a number, and may return any number up to it where there are not more free.
        A raise leaves enough for as many proposals like this one. None where that is unknown.
    """
    if min_stake is not None and wished < min_stake <= proposed:
        least = amount(min_stake)
        text = f"{least} is the smallest stake that can be sold again, {amount(wished)} was wanted"
        return min_stake, (Reason(name="min_stake", text=text),)
    if wished > proposed > max_stake:
        text = f"the proposal is above the {amount(max_stake)} available already; it is not raised"
        return proposed, (Reason(name="max_stake", text=text),)
    if min_stake is not None and proposed < min_stake and wished != proposed:
        # Scaled up, it could open a trade that Freqtrade would not have opened.
        text = f"the proposal is below the smallest stake of {amount(min_stake)}; it is not scaled"
        return proposed, (Reason(name="min_stake", text=text),)
    if wished <= proposed:
        return wished, ()
    reasons = []
    if wished > max_stake:
        text = f"at most {amount(max_stake)} is available, {amount(wished)} was wanted"
        reasons.append(Reason(name="max_stake", text=text))
        wished = max_stake
    fitting = (max_stake - wished) / proposed  # whole proposals beside this stake
    n_others = 0.0 if free_slots is None else free_slots(fitting + 1.0 - _ROUNDING) - 1.0
    left = max(proposed, max_stake - n_others * proposed)
    if 0.0 < n_others < math.inf and left < wished:
        each, most = amount(proposed), amount(max_stake)
        text = f"{n_others:g} more trades may need {each} each of the {most} available"
        reasons.append(Reason(name="free_slots", text=text))
        wished = left
    return wished, tuple(reasons)
