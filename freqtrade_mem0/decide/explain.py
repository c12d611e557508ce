"""A decision in words and numbers: what was known, what moved the stake, what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.decide.vetoes import is_vetoed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.journal.journal import LedgerLine
    from freqtrade_mem0.records.decision import Decision, Reason
    from freqtrade_mem0.records.kinds.trade import TradeRecord

_TIME = "%Y-%m-%d %H:%M UTC"
_STRATEGY = "strategy"
_WORTH_MENTIONING = 0.005
"""Effects on the multiplier below this are told in one line."""

_FORMATS = {
    "volatility": ".2%",
    "volatility_rank": ".0%",
    "trend": "+.2f",
    "momentum": "+.2f",
    "rsi": ".0f",
    "range_position": ".0%",
    "volume_ratio": ".2f",
}
"""How features are shown; the author's own have six digits at most."""


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


def level(name: str) -> str:
    """Return the name of a level in words.

    >>> level("side*trend_regime")
    'side and trend_regime'
    """
    return " and ".join(name.split("*"))


def reason(part: Reason) -> str:
    """Return one part of a decision in words, with its numbers."""
    said = part.words.removeprefix(f"{part.name} {part.value}".strip() + ": ")
    if not part.value:
        return said
    return f"{level(part.name)}: {', '.join(part.value.split(' & '))}; {said}"


def known(decision: Decision) -> str:
    """Return how much was known, and how the strategy fared in it."""
    trades = f"{decision.n_effective:.1f} closed trades of {decision.origin.strategy}"
    whole = _whole(decision)
    fared = "" if whole is None else whole.words.partition(", ")[2]
    return f"known: {trades} (older ones count less){fared and f', {fared}'}"


def expected(decision: Decision) -> str:
    """Return what was expected of the trade, against the strategy's mean; "" without a forecast."""
    whole = _whole(decision)
    if decision.expected_ratio is None or whole is None:
        return ""
    return (
        f"expected: {decision.expected_ratio:+.2%} a trade here, "
        f"against {whole.mean_ratio:+.2%} on average"
    )


def reasons(decision: Decision) -> list[str]:
    """Return what moved the stake, one line per part, with the part's effect on the multiplier.

    Levels that moved it by less than 0.005 share a line, so the effects still add up.
    """
    lines, quiet = [], []
    for part in decision.reasons:
        if part.value and abs(part.effect) < _WORTH_MENTIONING:
            quiet.append(part)
        else:
            lines.append(f"{part.effect:+.3f}  {reason(part)}")
    if quiet:
        effect = sum(part.effect for part in quiet)
        effect = effect if abs(effect) >= _WORTH_MENTIONING / 10 else 0.0  # no "-0.000"
        names = [level(part.name) for part in quiet if part.name != _STRATEGY]
        if names:
            between = "; " if any(" " in name for name in names) else ", "
            told = f"{between.join(names)}: no difference worth mentioning"
            lines.append(f"{effect:+.3f}  {told}")
    return lines or ["+0.000  nothing did"]


def situation(features: Mapping[str, float | str]) -> str:
    """Return a situation in words, or why there is none."""
    if "regime" not in features:
        return "not enough closed candles were there to describe the market"
    parts_say_it = {"volatility_regime", "trend_regime"} <= features.keys()
    shown = {k: value for k, value in features.items() if k != "regime" or not parts_say_it}
    return ", ".join(
        f"{name.replace('_', ' ')} {value:{_FORMATS.get(name, 'g')}}"
        if isinstance(value, float)
        else f"{name.replace('_', ' ')} {value}"
        for name, value in shown.items()
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
    return "\n".join(
        [
            headline(decision),
            *numbers(decision),
            f"  situation: {situation(decision.situation)}",
            f"  outcome: {outcome(line)}",
        ]
    )


def would(decision: Decision) -> str:
    """Return in one sentence what would be decided; the stake that is asked about is arbitrary."""
    tag = f" ({decision.enter_tag})" if decision.enter_tag else ""
    change = (
        "left as proposed"
        if decision.multiplier == 1.0
        else f"{'raised' if decision.multiplier > 1.0 else 'cut'} to "
        f"{decision.multiplier:.1%} of what is proposed"
    )
    shadow = "" if decision.applied else ", but in shadow: trades get the proposed stake"
    return (
        f"{decision.side} {decision.pair}{tag}, with what was known on "
        f"{decision.decided_at.strftime(_TIME)}: the stake would be {change}{shadow}"
    )


def numbers(decision: Decision) -> list[str]:
    """Return what a multiplier is made of, line by line."""
    return [
        f"  {known(decision)}",
        *(f"  {text}" for text in (expected(decision),) if text),
        f"  what moved the multiplier (policy {decision.policy}):",
        *(f"    {text}" for text in reasons(decision)),
        f"  = x{decision.multiplier:.3f} of the proposed stake",
    ]


def _whole(decision: Decision) -> Reason | None:
    """Return the part of all trades of the strategy, None where there is none."""
    return next((part for part in decision.reasons if part.name == _STRATEGY), None)
