"""Sizing holds its promises for any evidence and any limits."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.insight.performance import RecentPerformance
from freqtrade_mem0.insight.shrinkage import EntryGroup, Moments, Shrinkage
from freqtrade_mem0.sizing.guard import Guarded
from freqtrade_mem0.sizing.limits import within_limits
from freqtrade_mem0.sizing.policies.bayes import Bayes
from freqtrade_mem0.sizing.policies.kelly import Kelly
from freqtrade_mem0.sizing.policies.off import Off
from freqtrade_mem0.sizing.policies.rules import Rules
from freqtrade_mem0.sizing.policies.rules import Settings as RuleSettings
from freqtrade_mem0.sizing.policy import Known, Wish

counts = st.floats(0.0, 1e9) | st.sampled_from([0.0, 5e-324, 1e-310, 1e-200, 1e-9, 1.0])
means = st.floats(-100.0, 100.0) | st.sampled_from([0.0, 1e-300, -1e-300])
variances = st.floats(0.0, 1e4) | st.sampled_from([0.0, 5e-324, 1e-300])


@st.composite
def moments(draw: st.DrawFn) -> Moments:
    """Return moments of any kind, with wins counted or not."""
    n = draw(counts)
    wins = draw(st.none() | st.floats(0.0, 1.0).map(lambda share: n * share))
    return Moments(n, draw(means), draw(variances), wins)


parts = st.builds(EntryGroup, st.just("pair"), st.text(max_size=3), moments())
forms = st.builds(
    lambda n, streak, lost: RecentPerformance(n, min(streak, n), lost),
    st.integers(0, 10_000),
    st.integers(0, 50),
    st.floats(0.0, 1e4) | st.just(0.0),
)
knowledge = st.builds(
    lambda form, **known: Known(form=lambda: form, **known),
    forms,
    strategy=parts,
    levels=st.lists(parts, max_size=5),
    differences=st.dictionaries(st.just("pair"), st.floats(1e-9, 1e3)),
    situation=st.dictionaries(
        st.just("volatility_rank"), st.floats(0.0, 1.0) | st.text(max_size=3), max_size=1
    ),
)
low = st.floats(0.0, 1.0, exclude_min=True)
high = st.floats(1.0, 10.0)
priors = st.builds(Shrinkage, pseudo_trades=st.floats(1e-6, 10_000.0))
thresholds = st.builds(
    RuleSettings,
    min_trades=st.floats(1.0, 100.0),
    win_rate_levels=st.sampled_from([(), ("pair",)]),
    low_win_rate=st.none() | st.floats(0.0, 1.0),
    low_win_rate_factor=low,
    high_win_rate=st.none() | st.floats(0.0, 1.0),
    high_win_rate_factor=high,
    losing_streak=st.none() | st.integers(1, 20),
    losing_streak_factor=low,
    drawdown=st.none() | st.floats(0.0, 1000.0, exclude_min=True),
    drawdown_factor=low,
    high_volatility=st.none() | st.floats(0.0, 1.0),
    high_volatility_factor=low,
)
bayes = st.builds(
    Bayes,
    prior=priors,
    brake_after=st.floats(0.0, 100.0),
    min_multiplier=low,
    max_multiplier=high,
)
kelly = st.builds(
    Kelly,
    prior=priors,
    min_multiplier=low,
    max_multiplier=high,
    fraction=low,
    edge=st.floats(0.001, 10.0),
)
rules = st.builds(Rules, thresholds=thresholds, min_multiplier=low, max_multiplier=high)
AnyPolicy = Bayes | Kelly | Rules
policies: st.SearchStrategy[AnyPolicy] = st.one_of(bayes, kelly, rules)
stakes = st.floats(1e-9, 1e9)


def effects(wish: Wish) -> float:
    """Return what all reasons of a wish changed together."""
    return math.fsum(reason.effect for reason in wish.reasons)


@given(policies, knowledge)
def test_the_bounds_hold(policy: AnyPolicy, known: Known) -> None:
    """Whatever the evidence, the multiplier is a number within the configured bounds."""
    assert policy.min_multiplier <= policy(known).multiplier <= policy.max_multiplier


@given(policies, knowledge)
def test_the_reasons_explain_all_of_it(policy: AnyPolicy, known: Known) -> None:
    """There is always a reason, and the effects add up to multiplier - 1."""
    wish = policy(known)

    assert len(wish.reasons) > 0
    assert abs(effects(wish) - (wish.multiplier - 1.0)) <= 1e-12
    assert all(reason.words for reason in wish.reasons)


@given(policies, knowledge)
def test_no_trades_no_effect(policy: AnyPolicy, known: Known) -> None:
    """With nothing known of the strategy the stake is exactly the proposal."""
    nothing = known._replace(strategy=known.strategy._replace(moments=Moments(0.0, 0.0, 0.0)))

    assert policy(nothing).multiplier == 1.0


@given(policies, knowledge)
def test_asking_again_gives_the_same(policy: AnyPolicy, known: Known) -> None:
    """A policy has no state and no dice."""
    assert policy(known) == policy(known)


@given(policies, knowledge)
def test_no_promise_of_ours_needs_its_guard(policy: AnyPolicy, known: Known) -> None:
    """What our policies wish passes as it is, without a complaint."""
    complaints: list[str] = []
    guarded = Guarded(
        policy,
        policy.name,
        policy.min_multiplier,
        policy.max_multiplier,
        lambda text, error: complaints.append(f"{text} {error}"),
    )

    assert (policy(known), []) == (guarded(known), complaints)


@given(st.one_of(bayes, kelly), knowledge, st.floats(0.0, 200.0))
def test_a_better_group_never_gets_less(
    policy: Bayes | Kelly, known: Known, better_by: float
) -> None:
    """The last level alone has a larger mean, all else being equal."""
    if not known.levels:
        return
    *others, last = known.levels
    if any(last.moments == other.moments for other in others):
        return  # the same trades, which are not counted again
    better = last._replace(moments=last.moments._replace(mean=last.moments.mean + better_by))

    more = policy(known._replace(levels=[*others, better])).multiplier
    assert more >= policy(known).multiplier - 1e-12


@given(policies, knowledge, st.data())
def test_a_level_with_the_groups_of_another_changes_nothing(
    policy: AnyPolicy, known: Known, data: st.DataObject
) -> None:
    """Wherever the copy stands, behind or before what it is a copy of."""
    levels = [part._replace(name=f"level {n}") for n, part in enumerate(known.levels)]
    if not levels:
        return
    copy = data.draw(st.sampled_from(levels))._replace(name="copy")
    place = data.draw(st.integers(0, len(levels)))
    more = [*levels[:place], copy, *levels[place:]]

    once = policy(known._replace(levels=levels))
    again = policy(known._replace(levels=more))
    assert again.multiplier == once.multiplier
    assert again.expected_ratio == once.expected_ratio


@given(kelly, counts, st.floats(-1.0, 1.0), st.floats(-1.0, 1.0))
def test_a_better_strategy_never_gets_less_of_kelly(
    policy: Kelly, n: float, one: float, other: float
) -> None:
    """As a whole, at the same mean square."""
    worse, better = (
        Known(strategy=EntryGroup("strategy", "", Moments(n, mean, 1.0 - mean**2)), levels=[])
        for mean in sorted((one, other))
    )

    assert policy(better).multiplier >= policy(worse).multiplier - 1e-12


@given(rules, knowledge, st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_more_wins_never_get_less_of_rules(
    policy: Rules, known: Known, one: float, other: float
) -> None:
    """All else being equal: the same trades, more of them won."""
    worse, better = (
        known._replace(
            strategy=known.strategy._replace(
                moments=known.strategy.moments._replace(wins=known.strategy.moments.n * share),
            ),
        )
        for share in sorted((one, other))
    )

    assert policy(better).multiplier >= policy(worse).multiplier - 1e-12


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
