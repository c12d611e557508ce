"""A policy under guard: whatever it does, a wish comes out that keeps the rules."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, cast

import numpy as np
import pytest

from freqtrade_mem0.insight.shrinkage import EntryGroup, Moments
from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.sizing.guard import Guarded
from freqtrade_mem0.sizing.policy import Known, Policy, Wish

KNOWN = Known(strategy=EntryGroup("strategy", "Sample", Moments(7.0, 0.0, 0.01)), levels=[])
REASON = Reason(name="mine", text="because", effect=0.25)


def good(**changes: Any) -> Wish:
    """Return a wish that keeps all rules, but for what is changed."""
    values: dict[str, Any] = {"multiplier": 1.25, "reasons": (REASON,), "expected_ratio": 0.01}
    return Wish(**values | changes)


@dataclass
class Says:
    """A policy that answers with whatever it was given, or raises it."""

    answer: Any
    name: str = "says"

    def __call__(self, _known: Known) -> Wish:
        """Answer."""
        if isinstance(self.answer, Exception):
            raise self.answer
        return cast("Wish", self.answer)


def asked(answer: Any) -> tuple[Wish, list[str]]:
    """Return what comes out of a guarded policy, and its complaints."""
    complaints: list[str] = []
    policy: Policy = Guarded(
        Says(answer), "mine", 0.25, 1.75, lambda text, error: complaints.append(f"{text} {error}")
    )
    return policy(KNOWN), complaints


def test_a_good_wish_passes_as_it_is() -> None:
    """Without a complaint."""
    wish, complaints = asked(good())
    assert (wish.multiplier, wish.reasons, wish.expected_ratio) == (1.25, (REASON,), 0.01)
    assert complaints == []


def test_reasons_that_are_put_off_are_checked_when_they_are_given() -> None:
    """Nothing is worded before somebody looks; then they must add up like all others."""
    asked_for: list[int] = []

    def explain() -> list[Reason]:
        asked_for.append(1)
        return [replace(REASON, effect=0.1)]

    wish, complaints = asked(good(reasons=explain))
    assert (wish.multiplier, asked_for, complaints) == (1.25, [], [])
    assert [reason.name for reason in wish.reasons] == ["mine", "unexplained"]
    assert math.fsum(reason.effect for reason in wish.reasons) == pytest.approx(0.25)
    assert (asked_for, len(complaints)) == ([1], 1)


def test_reasons_that_can_not_be_given_later_say_so() -> None:
    """The stake has been placed by then; it is explained as what nobody explained."""

    def explain() -> list[Reason]:
        raise ValueError("no words")

    wish, complaints = asked(good(reasons=explain))
    assert [(r.name, r.effect) for r in wish.reasons] == [("unexplained", 0.25)]
    assert complaints == ["it can not say why no words"]


@pytest.mark.parametrize(
    "answer",
    [
        ValueError("no idea"),
        None,
        1.2,
        good(multiplier=math.nan),
        good(multiplier=math.inf),
        good(multiplier="1.2"),
        good(multiplier=None),
        good(expected_ratio=math.nan),
        good(reasons=None),
        good(reasons=("because",)),
        good(reasons=(replace(REASON, effect=math.nan),)),
        good(reasons=(replace(REASON, n_effective=math.inf),)),
    ],
)
def test_nonsense_leaves_the_proposal(answer: Any) -> None:
    """And one complaint; the reason says that the policy failed."""
    wish, complaints = asked(answer)

    assert (wish.multiplier, wish.expected_ratio) == (1.0, None)
    assert [(r.name, r.effect, r.n_effective) for r in wish.reasons] == [
        ("policy_failed", 0.0, 7.0)
    ]
    assert wish.reasons[0].text.startswith("policy mine could not be used (")
    assert len(complaints) == 1


@pytest.mark.parametrize(
    ("wanted", "bound", "name"),
    [
        (9.0, 1.75, "max_multiplier"),
        (0.1, 0.25, "min_multiplier"),
        (-3.0, 0.25, "min_multiplier"),
        (0.0, 0.25, "min_multiplier"),
    ],
)
def test_beyond_a_bound_the_bound_holds(wanted: float, bound: float, name: str) -> None:
    """What it took back is a reason, so that effects still add up."""
    reason = replace(REASON, effect=wanted - 1.0)
    wish, complaints = asked(Wish(multiplier=wanted, reasons=(reason,)))

    assert (bound, name) == (wish.multiplier, wish.reasons[-1].name)
    assert math.fsum(r.effect for r in wish.reasons) == pytest.approx(bound - 1.0)
    assert len(complaints) == 1


@pytest.mark.parametrize("reasons", [(), (replace(REASON, effect=0.1),)])
def test_what_is_not_explained_is_said_to_be(reasons: tuple[Reason, ...]) -> None:
    """The stake follows the policy; the ledger shows what it kept to itself."""
    wish, complaints = asked(good(reasons=reasons))

    assert (wish.multiplier, wish.reasons[-1].name) == (1.25, "unexplained")
    assert math.fsum(r.effect for r in wish.reasons) == pytest.approx(0.25)
    assert complaints == ["the effects of its reasons do not add up to multiplier - 1 None"]


def test_the_sum_of_a_built_in_policys_reasons_is_looked_at_all_the_same() -> None:
    """They are taken as they are, and what they do not explain is said."""
    complaints: list[str] = []
    policy = Guarded(
        Says(good(reasons=(REASON, replace(REASON, effect=0.1)))),
        "mine",
        0.25,
        1.75,
        lambda text, _: complaints.append(text),
        is_built_in=True,
    )
    reasons = policy(KNOWN).reasons

    assert reasons[0] is REASON
    assert [reason.name for reason in reasons] == ["mine", "mine", "unexplained"]
    assert math.fsum(reason.effect for reason in reasons) == pytest.approx(0.25)
    assert complaints == ["the effects of its reasons do not add up to multiplier - 1"]


def test_numbers_of_numpy_become_plain_ones() -> None:
    """The journal keeps JSON."""
    wish, complaints = asked(
        Wish(
            multiplier=np.float32(1.25),  # type: ignore[arg-type]
            reasons=(replace(REASON, effect=np.float64(0.25)),),
            expected_ratio=np.float32(0.5),  # type: ignore[arg-type]
        )
    )

    assert (wish.multiplier, wish.expected_ratio, complaints) == (1.25, 0.5, [])
    assert {type(wish.multiplier), type(wish.expected_ratio), type(wish.reasons[0].effect)} == {
        float
    }
