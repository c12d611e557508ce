"""The picture of a decision: its factors add up, and intervals are those of the words."""

from __future__ import annotations

import pytest

from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.views.waterfall import groups, steps
from tests.support.samples import a_decision


def test_the_steps_lead_from_the_proposed_stake_to_the_multiplier() -> None:
    """Each begins where the one before ends, and all of it is in the picture."""
    effects = (0.2, -0.35, 0.0002, 0.05, -0.0001)
    decision = a_decision(
        multiplier=1.0 + sum(effects),
        reasons=tuple(Reason(name=f"r{n}", text="x", effect=e) for n, e in enumerate(effects)),
    )
    found = steps(decision)
    assert [step.name for step in found] == ["r0", "r1", "r3", "others"]
    assert found[-1].after == pytest.approx(decision.multiplier)
    assert sum(step.effect for step in found) == pytest.approx(sum(effects))
    for step in found:
        assert 0.0 <= step.x <= step.x + step.width <= 100.0
        assert 0.0 < step.one < 100.0


def test_a_decision_without_an_effect_has_a_picture() -> None:
    """And one that refuses the entry."""
    assert steps(a_decision(multiplier=1.0, reasons=(Reason(name="none"),)))[0].effect == 0.0
    veto = a_decision(multiplier=0.0, stake=0.0, reasons=(Reason(name="veto", effect=-1.0),))
    assert steps(veto)[0].after == 0.0


def test_intervals_are_those_that_the_words_say() -> None:
    """And there is none with too few trades."""
    known = Reason(name="pair", value="A/B", n_effective=12.5, mean_ratio=0.02, mean_error=0.006)
    few = Reason(name="tag", value="x", n_effective=1.0, mean_ratio=-0.5)
    limit = Reason(name="max_multiplier", effect=-0.1)
    shown, lonely = groups(a_decision(reasons=(known, few, limit)))
    assert shown.low is not None
    assert shown.high is not None
    assert f"{shown.low:+.2%} to {shown.high:+.2%}" in known.words
    assert shown.low_x < shown.mean_x < shown.high_x
    assert lonely.low is None
    assert 0.0 <= lonely.mean_x <= 50.0
