"""Sizing holds its promises for any evidence and any limits."""

from __future__ import annotations

import math
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.insight import Moments, Part, Shrinkage
from freqtrade_mem0.sizing.bayes import Bayes
from freqtrade_mem0.sizing.limits import within_limits
from freqtrade_mem0.sizing.off import Off
from freqtrade_mem0.sizing.policy import Known, Wish

counts = st.floats(0.0, 1e9) | st.sampled_from([0.0, 5e-324, 1e-310, 1e-200, 1e-9, 1.0])
means = st.floats(-100.0, 100.0) | st.sampled_from([0.0, 1e-300, -1e-300])
variances = st.floats(0.0, 1e4) | st.sampled_from([0.0, 5e-324, 1e-300])
parts = st.builds(
    Part,
    st.just("pair"),
    st.text(max_size=3),
    st.builds(Moments, counts, means, variances),
    st.just(0.0),
)
knowledge = st.builds(
    Known,
    strategy=parts,
    levels=st.lists(parts, max_size=5),
    differences=st.dictionaries(st.just("pair"), st.floats(1e-9, 1e3)),
)
policies = st.builds(
    Bayes,
    prior=st.builds(Shrinkage, pseudo_trades=st.floats(1e-6, 10_000.0)),
    brake_after=st.floats(0.0, 100.0),
    min_multiplier=st.floats(0.0, 1.0, exclude_min=True),
    max_multiplier=st.floats(1.0, 10.0),
)
stakes = st.floats(1e-9, 1e9)


def effects(wish: Wish) -> float:
    """Return what all reasons of a wish changed together."""
    return math.fsum(reason.effect for reason in wish.reasons)


@given(policies, knowledge)
def test_the_bounds_hold(policy: Bayes, known: Known) -> None:
    """Whatever the evidence, the multiplier is a number within the configured bounds."""
    assert policy.min_multiplier <= policy(known).multiplier <= policy.max_multiplier


@given(policies, knowledge)
def test_the_reasons_explain_all_of_it(policy: Bayes, known: Known) -> None:
    """There is always a reason, and the effects add up to multiplier - 1."""
    wish = policy(known)

    assert len(wish.reasons) > 0
    assert abs(effects(wish) - (wish.multiplier - 1.0)) <= 1e-12
    assert all(reason.text for reason in wish.reasons)


@given(policies, knowledge)
def test_no_trades_no_effect(policy: Bayes, known: Known) -> None:
    """With nothing known of the strategy the stake is exactly the proposal."""
    nothing = replace(known, strategy=replace(known.strategy, moments=Moments(0.0, 0.0, 0.0)))

    assert policy(nothing).multiplier == 1.0


@given(policies, knowledge)
def test_asking_again_gives_the_same(policy: Bayes, known: Known) -> None:
    """A policy has no state and no dice."""
    assert policy(known) == policy(known)


@given(knowledge)
def test_off_is_exactly_one(known: Known) -> None:
    """And explains itself."""
    wish = Off()(known)

    assert (wish.multiplier, effects(wish), len(wish.reasons)) == (1.0, 0.0, 1)


@given(stakes, st.floats(0.01, 10.0), st.none() | st.floats(0.0, 1e9), st.floats(0.0, 1e9))
def test_limits_are_kept_wherever_the_proposal_kept_them(
    proposed: float, multiplier: float, min_stake: float | None, max_stake: float
) -> None:
    """Memory never breaks a limit that the strategy's own proposal respected."""
    stake, _ = within_limits(proposed, proposed * multiplier, min_stake, max_stake)

    if min_stake is not None and proposed >= min_stake:
        assert stake >= min_stake
    if proposed <= max_stake:
        assert stake <= max_stake


@given(stakes, st.floats(0.01, 10.0), st.none() | st.floats(0.0, 1e9), st.floats(0.0, 1e9))
def test_a_limit_never_turns_a_wish_around(
    proposed: float, multiplier: float, min_stake: float | None, max_stake: float
) -> None:
    """A stake lies between proposal and wish: less was wanted, so it is never more."""
    wished = proposed * multiplier
    stake, reasons = within_limits(proposed, wished, min_stake, max_stake)

    assert min(proposed, wished) <= stake <= max(proposed, wished)
    assert (stake != wished) == (len(reasons) > 0)
