"""Applies the limits of exchange and wallet to a stake."""

from __future__ import annotations

from freqtrade_mem0.records.decision import Reason


def within_limits(
    proposed: float, wished: float, min_stake: float | None, max_stake: float
) -> tuple[float, tuple[Reason, ...]]:
    """Return the stake to place, and a reason for the limit that changed it.

    Parameters
    ----------
    proposed
        The strategy's own stake, > 0, in stake currency.
    wished
        `proposed` times the multiplier.
    min_stake
        The exchange's minimum; None where there is none. A proposal above it is not scaled below
        it; a proposal below it stays as it is, and Freqtrade decides.
    max_stake
        The maximum that wallet and exchange allow. A proposal above it is not raised, and Freqtrade
        decides.
    """
    if min_stake is not None and wished < min_stake <= proposed:
        text = f"the exchange's minimum of {min_stake:g} keeps the stake from {wished:g}"
        return min_stake, (Reason(name="min_stake", text=text),)
    if wished > max_stake >= proposed:
        text = f"at most {max_stake:g} is available, {wished:g} was wanted"
        return max_stake, (Reason(name="max_stake", text=text),)
    if wished > proposed > max_stake:
        text = f"the proposal is above the {max_stake:g} available already; it is not raised"
        return proposed, (Reason(name="max_stake", text=text),)
    if min_stake is not None and proposed < min_stake and wished != proposed:
        # Scaled up, it could open a trade that Freqtrade would not have opened.
        text = f"the proposal is below the exchange's minimum of {min_stake:g}; it is not scaled"
        return proposed, (Reason(name="min_stake", text=text),)
    return wished, ()
