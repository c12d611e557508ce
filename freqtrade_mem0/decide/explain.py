"""Explains a decision in words: what was known, what changed the stake, and what became of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from freqtrade_mem0.decide.learned import RULE
from freqtrade_mem0.decide.vetoes import is_vetoed
from freqtrade_mem0.situation import BUCKET
from freqtrade_mem0.words.numbers import amount, counted, percent, stake_currency, times
from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.journal.ledger_line import LedgerLine
    from freqtrade_mem0.records.decision import AccountState, Decision, Reason
    from freqtrade_mem0.records.kinds.trade import TradeRecord

_TIME = "%Y-%m-%d %H:%M UTC"
_STRATEGY = "strategy"
_IN_WORDS = ("risk", RULE)
"""Reasons whose words say it all."""

_RISK = "risk"
_SMALL = 0.005
"""Levels with a smaller effect on the multiplier share one line."""

_SAME_STAKE = 5e-4
"""Stakes that differ by a smaller share look equal with the digits that are shown."""

_NO_SLIPPAGE = 5e-5
"""Slippage below this is shown as none."""

_FORMATS = {
    "volatility": ".2%",
    "volatility_rank": ".0%",
    "trend": "+.2f",
    "momentum": "+.2f",
    "rsi": ".0f",
    "range_position": ".0%",
    "volume_ratio": ".2f",
}
"""Formats of our features; a strategy's own features are shown with six digits."""


def headline(decision: Decision) -> str:
    """Return a decision in one sentence."""
    return f"{_entry(decision)} on {decision.decided_at.strftime(_TIME)}: {_change(decision)}"


def brief(decision: Decision) -> str:
    """Return what was done to a stake and the reason that weighed most, in one line."""
    strongest = max(decision.reasons, key=lambda part: abs(part.effect))
    return visible(f"{_change(decision)}: {reason(strongest)}")


def _change(decision: Decision) -> str:
    proposed, stake = decision.proposed_stake, decision.stake
    if is_vetoed(decision):
        change = "refused: no entry"
    elif stake == proposed:
        change = "left as proposed"
    else:
        verb = "raised" if stake > proposed else "cut"
        change = f"{verb} to {amount(stake)} ({times(stake / proposed)})"
    shadow = "" if decision.applied else "; shadow mode, the trade got the proposed stake"
    return f"a stake of {amount(proposed)} {stake_currency(decision.pair)} was {change}{shadow}"


def level(name: str) -> str:
    """Return the name of a level in words.

    >>> level("side*trend_regime")
    'side and trend_regime'
    """
    return " and ".join(name.split("*"))


def reason(part: Reason) -> str:
    """Return one part of a decision in words, with its numbers."""
    words = part.words.removeprefix(f"{part.name} {part.value}".strip() + ": ")
    if not part.value or part.name in _IN_WORDS:
        return words
    words = words.removeprefix(f"{part.value}: ")
    return f"{level(part.name)}: {', '.join(part.value.split(' & '))}; {words}"


def known(decision: Decision) -> str:
    """Return how many trades were known, and their mean profit."""
    trades = f"{decision.n_effective:.1f} closed trades of {decision.origin.strategy}"
    whole = decision.strategy_part
    mean = "" if whole is None else whole.words.partition(", ")[2]
    return f"known: {trades} (older trades count less){mean and f', {mean}'}"


def expected(decision: Decision) -> str:
    """Return the expected profit against the strategy's mean; "" without a forecast.

    Two digits of the difference are shown, as far as six decimals have them.
    """
    whole, difference = decision.strategy_part, decision.expected_difference
    if decision.expected_ratio is None or whole is None or difference is None:
        return ""
    digits = 2 if difference == 0.0 else 1 - math.floor(math.log10(abs(difference) * 100.0))
    digits = max(2, min(digits, 6))
    return (
        f"expected profit: {decision.expected_ratio:+.{digits}%} per trade in this situation, "
        f"{difference:+.{digits}%} against {whole.mean_ratio:+.{digits}%} per trade of the strategy"
    )


def account(decision: Decision) -> str:
    """Return memory's account in words; "" where the policy keeps none."""
    return "" if decision.account is None else account_in_words(decision.account)


def account_in_words(state: AccountState) -> str:
    """Return memory's account in words.

    >>> from freqtrade_mem0.records.decision import AccountState
    >>> state = AccountState(followed=0.34, experts={"response": 0.34}, earned=0.84, floor=-1.78,
    ...                      earned_ratio=0.012, n_trades=212)
    >>> account_in_words(state)  # doctest: +NORMALIZE_WHITESPACE
    "memory's account: followed 34%; over 212 trades it has won 0.84 usual daily results against
    the same mean stake (+1.20% of one stake); its floor is -1.78"
    """
    won = "won" if state.earned >= 0.0 else "lost"
    return (
        f"memory's account: followed {state.followed:.0%}; over {state.n_trades:.0f} trades it has "
        f"{won} {abs(state.earned):.2f} usual daily results against the same mean stake "
        f"({percent(state.earned_ratio)} of one stake); its floor is {state.floor:.2f}"
    )


def reasons(decision: Decision) -> list[str]:
    """Return one line per part of a decision, each with its effect on the multiplier.

    Levels with an effect below 0.005 share a line, so that the effects still add up.
    """
    lines, small = [], []
    for part in decision.reasons:
        if part.value and abs(part.effect) < _SMALL and part.name != RULE:
            small.append(part)
        else:
            lines.append(f"{part.effect:+.3f}  {reason(part)}")
    names = list(dict.fromkeys(_short(part) for part in small if part.name != _STRATEGY))
    if names:
        effect = sum(part.effect for part in small)
        effect = effect if abs(effect) >= _SMALL / 10 else 0.0  # no "-0.000"
        between = "; " if any(" " in name for name in names) else ", "
        each = " each" if len(names) > 1 else ""
        lines.append(f"{effect:+.3f}  {between.join(names)}: less than {_SMALL:g}{each}")
    return lines or ["+0.000  nothing"]


def _short(part: Reason) -> str:
    """Return what a part is about, without its numbers."""
    if part.name == _RISK:
        return f"risk event {part.value.replace('_', ' ')}"
    return level(part.name)


def situation(features: Mapping[str, float | str]) -> str:
    """Return a situation in words, or why there is none."""
    if "regime" not in features:
        return "too few closed candles to describe the market"
    parts_say_it = {"volatility_regime", "trend_regime"} <= features.keys()
    said = {name + BUCKET for name in features} | ({"regime"} if parts_say_it else set())
    words = []
    for name, value in features.items():
        if name not in said:
            form = _FORMATS.get(name, "g") if isinstance(value, float) else ""
            bucket = features.get(name + BUCKET)
            said_too = f" ({bucket})" if bucket is not None else ""
            words.append(f"{name.replace('_', ' ')} {value:{form}}{said_too}")
    return ", ".join(words)


def outcome(line: LedgerLine) -> str:
    """Return what became of a decision, with memory and without it."""
    decision, trade = line.decision, line.trade
    if is_vetoed(decision):
        return "no entry order was placed"
    if decision.trade_id is None:
        asked = f"; Freqtrade asked {decision.n_asked} times" if decision.n_asked > 1 else ""
        return f"the entry order was never filled{asked}"
    if trade is None:
        return "the trade is still open"
    if trade.told is not None and "profit_abs" in trade.told.unknown:
        reason = trade.exit_reason or "unknown"
        return f"closed {percent(trade.profit_ratio)} by {reason}; its amounts are no longer kept"
    with_memory, without = both_outcomes(decision, trade)
    about = ("", "about ") if decision.applied else ("about ", "")
    currency = stake_currency(decision.pair)
    return (
        f"closed {percent(trade.profit_ratio)} by {trade.exit_reason or 'unknown'}: "
        f"{about[0]}{amount(with_memory, 4, signed=True)} {currency} with memory's stake, "
        f"{about[1]}{amount(without, 4, signed=True)} {currency} with the proposed stake"
    )


def execution(trade: TradeRecord) -> str:
    """Return how a bot's orders were decided and filled; "" where nothing was seen of them."""
    seen = trade.execution
    if seen is None:
        return ""
    parts = [
        f"{name} {_filled(slippage)}"
        for name, slippage in (("entry", seen.entry_slippage), ("exit", seen.exit_slippage))
        if slippage is not None
    ]
    if seen.asked_rate is not None:
        refused = f", refused {counted(seen.n_refused, 'time')}" if seen.n_refused else ""
        parts.append(
            f"exit by {seen.asked_reason or 'unknown'} asked for at {amount(seen.asked_rate)}"
            f" ({counted(seen.n_asked, 'time')} in all{refused})"
        )
    return "; ".join(parts)


def _filled(slippage: float) -> str:
    if abs(slippage) < _NO_SLIPPAGE:
        return "filled at its rate"
    return f"filled {abs(slippage):.2%} {'worse' if slippage > 0.0 else 'better'} than its rate"


def both_outcomes(decision: Decision, trade: TradeRecord) -> tuple[float, float]:
    """Return the profit in stake currency with memory's stake, and with the proposed stake.

    One of them is Freqtrade's own number. The other differs by memory's effect, as in `worth`: what
    the stake was moved by, as far as it was filled, times the profit ratio. Later entries of the
    trade are left as they are.
    """
    moved = decision.stake - decision.proposed_stake
    if trade.max_stake_amount > 0.0:
        placed = decision.stake if decision.applied else decision.proposed_stake
        moved *= min(1.0, trade.max_stake_amount / placed)
    effect = moved * trade.profit_ratio
    if decision.applied:
        return trade.profit_abs, trade.profit_abs - effect
    return trade.profit_abs + effect, trade.profit_abs


def why(line: LedgerLine) -> str:
    """Return the whole explanation of one decision, several lines."""
    decision = line.decision
    lines = [
        headline(decision),
        *numbers(decision),
        f"  situation: {situation(decision.situation)}",
        f"  outcome: {outcome(line)}",
    ]
    orders = "" if line.trade is None else execution(line.trade)
    if orders:
        lines.append(f"  orders: {orders}")
    return "\n".join(map(visible, lines))


def would(decision: Decision) -> str:
    """Return in one sentence what would be decided about a proposed stake of any size."""
    if decision.multiplier == 1.0:
        change = "left as proposed"
    else:
        verb = "raised" if decision.multiplier > 1.0 else "cut"
        change = f"{verb} to {decision.multiplier:.1%} of the proposed stake"
    shadow = "" if decision.applied else "; shadow mode, trades get the proposed stake"
    return (
        f"{_entry(decision)}, with what was known on "
        f"{decision.decided_at.strftime(_TIME)}: the stake would be {change}{shadow}"
    )


def numbers(decision: Decision) -> list[str]:
    """Return what is known, what is expected, and the parts of the multiplier, line by line."""
    return [
        f"  {known(decision)}",
        *(f"  {text}" for text in (expected(decision), account(decision)) if text),
        f"  what moved the multiplier away from 1 (policy {decision.policy}):",
        *(f"    {text}" for text in reasons(decision)),
        f"  = x{decision.multiplier:.3f} of the proposed stake{_limited(decision)}",
    ]


def _limited(decision: Decision) -> str:
    """Return what the limits of exchange and wallet left of the multiplier, where it is less."""
    if is_vetoed(decision):
        return ""
    wanted = decision.multiplier * decision.proposed_stake
    is_as_wanted = math.isclose(wanted, decision.stake, rel_tol=_SAME_STAKE)
    left = decision.stake / decision.proposed_stake
    return "" if is_as_wanted else f"; x{left:.3f} within the limits"


def _entry(decision: Decision) -> str:
    tag = f" ({decision.enter_tag})" if decision.enter_tag else ""
    return f"{decision.side} {decision.pair}{tag}"
