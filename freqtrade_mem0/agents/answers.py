"""What memory says about a signal, in the form that agents read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.agents.nearest import trade_facts
from freqtrade_mem0.decide import explain
from freqtrade_mem0.decide.vetoes import is_vetoed
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.situation import calendar
from freqtrade_mem0.views.entries import decided, not_seen, not_told
from freqtrade_mem0.views.values import Facts, iso, origin_facts
from freqtrade_mem0.words.numbers import percent
from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from freqtrade_mem0.agents.known import Asked
    from freqtrade_mem0.agents.signal import Signal
    from freqtrade_mem0.insight.expectation import Expectation
    from freqtrade_mem0.records.decision import Decision
    from freqtrade_mem0.views.present import Present

NEAREST = slice(5)
"""Which of the nearest trades an answer shows."""


def nothing(signal: Signal, why: str) -> Facts:
    """Return the answer where nothing is known: the stake stays as proposed."""
    return _asked(signal) | {
        "is_known": False,
        "multiplier": 1.0,
        "is_vetoed": False,
        "applied": False,
        "confidence": 0.5,
        "reason": visible(f"Nothing is known: {why}"),
        "expected_ratio": None,
        "interval": None,
        "n_effective": 0.0,
        "nearest_trades": [],
        "strategy": signal.strategy,
        "mode": None,
        "run_id": None,
        "as_of": None,
        "market": None,
        "reasons": [],
        "not_told": {},
        "not_seen": {},
    }


def answer(
    signal: Signal,
    asked: Asked,
    now: datetime,
    levels: Sequence[str],
    present: Present | None,
    *,
    shown: slice = NEAREST,
) -> Facts:
    """Return what a run knows about a signal; see `AgentMemory.analyze_signal`.

    Parameters
    ----------
    signal
        With a pair and a side.
    asked
        The run that is asked.
    now
        Aware UTC.
    levels
        `mem0.sizing.levels`.
    present
        The market, where it was looked up.
    shown
        Which of the nearest trades, by nearness.
    """
    run = asked.run
    told = signal.situation or (present.situation if present else {})
    situation = {**calendar(to_ms(now)), **told}
    decision = decided(run, signal.pair, signal.side, signal.enter_tag, now, situation)
    if decision.n_effective <= 0.0:
        return nothing(signal, f"no closed trade of {run.origin.strategy} counts.")
    expected = run.replay.expected(decision)
    entry = {"pair": signal.pair, "side": signal.side, "enter_tag": signal.enter_tag}
    unseen = not_seen({**entry, **decision.situation}, run.seen)
    low, high = expected.low_ratio, expected.high_ratio
    return (
        _asked(signal)
        | {
            "is_known": True,
            "multiplier": decision.multiplier,
            "is_vetoed": is_vetoed(decision),
            "applied": decision.applied,
            "confidence": expected.is_gain,
            "reason": visible(_reason(decision, expected, unseen)),
            "expected_ratio": expected.mean_ratio,
            "interval": None if low is None or high is None else [low, high],
            "n_effective": decision.n_effective,
            "nearest_trades": [
                trade_facts(trade, rank) for rank, trade in asked.nearest.find(decision, shown)
            ],
        }
        | origin_facts(run.origin)
        | {
            "as_of": iso(decision.decided_at),
            "market": None if present is None else visible(present.text),
            "reasons": [visible(text) for text in explain.reasons(decision)],
            "not_told": not_told(levels, decision.situation, signal.enter_tag, run.seen),
            "not_seen": {name: seen for name, (_, *seen) in unseen.items()},
        }
    )


def _asked(signal: Signal) -> Facts:
    return {
        "pair": visible(signal.pair),
        "side": signal.side,
        "enter_tag": visible(signal.enter_tag),
        "problems": list(signal.problems),
        "guesses": [visible(text) for text in signal.guesses],
    }


def _reason(decision: Decision, expected: Expectation, unseen: dict[str, list[str]]) -> str:
    """Return the answer in words: the stake, the expectation, what moved the stake most."""
    low, high = expected.low_ratio, expected.high_ratio
    spread = "too few trades for an interval"
    if low is not None and high is not None:
        spread = f"95% interval {percent(low)} to {percent(high)}"
    shadow = "" if decision.applied else " (shadow mode: the bot's own stakes stay as proposed)"
    change = "Leave the stake as proposed"
    if is_vetoed(decision):
        change = "Make no entry"
    elif decision.multiplier != 1.0:
        change = f"Multiply the stake by {decision.multiplier:.2f}"
    parts = [part for part in decision.reasons if part.effect]
    largest = max(parts, key=lambda part: abs(part.effect), default=None)
    mainly = "" if largest is None else f" Mainly: {largest.words}."
    missing = ", ".join(f"{name} {asked}" for name, (asked, *_) in unseen.items())
    never = f" No known trade has {missing}." if missing else ""
    return (
        f"{change}{shadow}. {decision.n_effective:.1f} trades of {decision.origin.strategy} are "
        f"known; entries like this one make {percent(expected.mean_ratio)} on average "
        f"({spread}).{mainly}{never}"
    )
