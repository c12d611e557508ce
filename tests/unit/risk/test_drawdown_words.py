"""The words of a drawdown: a fall has no sign, and what earlier versions wrote keeps its text."""

from __future__ import annotations

from dataclasses import replace

from freqtrade_mem0.risk.watch import RiskWatch
from tests.support.samples import a_trade


def watch(n: int, **known: object) -> RiskWatch:
    """Return a watch that was given so many losses after a gain."""
    found = RiskWatch(**known)  # type: ignore[arg-type]
    for number in range(n):
        found.add(a_trade(number, profit_ratio=-0.02 if number else 0.01))
    return found


def test_a_fall_has_no_sign() -> None:
    """It is 22.78% below its peak, and not -22.78% below."""
    (event,) = [e for e in watch(40).until(None).noted if e.event_type == "drawdown"]
    assert " is 2" in event.description
    assert " -" not in event.description


def test_what_was_written_before_is_not_written_again() -> None:
    """After an update the owner hears of no old drawdown once more."""
    before = list(watch(40).until(None).noted)
    older = [
        replace(each, description=each.description.replace("equity is ", "equity is -"))
        for each in before
    ]
    assert any(each.description != old.description for each, old in zip(before, older, strict=True))
    changes = watch(40, standing=older).until(None)
    assert (list(changes.noted), list(changes.gone)) == ([], [])
