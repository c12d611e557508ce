"""A decision in words and numbers: what was known, what moved the stake, what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.vetoes import is_vetoed

if TYPE_CHECKING:
    from freqtrade_mem0.journal.journal import LedgerLine
    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.records.trade import TradeRecord

_TIME = "%Y-%m-%d %H:%M UTC"


def headline(decision: Decision) -> str:
    """Return a decision in one sentence."""
    tag = f" ({decision.enter_tag})" if decision.enter_tag else ""
    direction = (
        "refused altogether"
        if is_vetoed(decision)
        else "left as proposed"
        if decision.stake == decision.proposed_stake
        else f"{'raised' if decision.stake > decision.proposed_stake else 'cut'} to "
        f"{decision.stake:.6g} (x{decision.stake / decision.proposed_stake:.2f})"
    )
    shadow = "" if decision.applied else ", in shadow: the trade got the proposed stake"
    return (
        f"{decision.side} {decision.pair}{tag} on {decision.decided_at.strftime(_TIME)}: "
        f"a stake of {decision.proposed_stake:.6g} was {direction}{shadow}"
    )


def reasons(decision: Decision) -> list[str]:
    """Return what moved the stake, one line per part, with the part's effect on the multiplier."""
    return [f"{reason.effect:+.3f}  {reason.text}" for reason in decision.reasons]


def situation(decision: Decision) -> str:
    """Return the situation at the decision, or why there is none."""
    if "regime" not in decision.situation:
        return "not enough closed candles were there to describe the market"
    return ", ".join(
        f"{name.replace('_', ' ')} {value:g}"
        if isinstance(value, float)
        else f"{name.replace('_', ' ')} {value}"
        for name, value in decision.situation.items()
    )


def outcome(line: LedgerLine) -> str:
    """Return what came of a decision, with memory and without it."""
    decision, trade = line.decision, line.trade
    if is_vetoed(decision):
        return "no entry order was placed"
    if decision.trade_id is None:
        return "its entry order was never filled"
    if trade is None:
        return "the trade is still open"
    with_memory, without = both_outcomes(decision, trade)
    about = ("", "about ") if decision.applied else ("about ", "")
    return (
        f"closed {trade.profit_ratio:+.2%} by {trade.exit_reason or 'unknown'}: "
        f"{about[0]}{with_memory:+.4g} with memory's stake, "
        f"{about[1]}{without:+.4g} with the proposed one"
    )


def both_outcomes(decision: Decision, trade: TradeRecord) -> tuple[float, float]:
    """Return the profit in stake currency with memory's stake, and with the proposed one.

    One of them is Freqtrade's own number; the other is it, scaled by the two stakes. Steps in which
    a trade was built up later, and rounding to the exchange's precision, are taken as proportional.
    """
    ratio = decision.stake / decision.proposed_stake
    if decision.applied:
        return trade.profit_abs, trade.profit_abs / ratio
    return trade.profit_abs * ratio, trade.profit_abs


def why(line: LedgerLine) -> str:
    """Return the whole explanation of one decision, several lines."""
    decision = line.decision
    known = f"{decision.n_effective:.1f} closed trades of {decision.origin.strategy}"
    parts = [
        headline(decision),
        f"  policy {decision.policy}; {known} were known then (older ones count less)",
        *(f"  {text}" for text in reasons(decision)),
        f"  = x{decision.multiplier:.3f}; each effect is what its part moved the multiplier by",
        f"  situation: {situation(decision)}",
        f"  outcome: {outcome(line)}",
    ]
    return "\n".join(parts)
