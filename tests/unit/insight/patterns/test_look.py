"""What a look at a history shows: nothing in noise, and what is planted as long as it holds."""

from __future__ import annotations

import random

import pytest

from freqtrade_mem0.insight.patterns.look import Rules, look
from tests.support.histories import MONTH_MS, NOISE, SPREAD, START_MS, Noise, month_ends

RULES = Rules()
TAG = (("enter_tag", "tag0"),)
END_MS = START_MS + 25 * MONTH_MS


@pytest.mark.parametrize("kind", NOISE)
def test_noise_shows_no_pattern(kind: str) -> None:
    """At none of several looks at a history; `bench_patterns.py` has the share in many."""
    trades = Noise(**NOISE[kind]).history(0)  # type: ignore[arg-type]
    for moment in month_ends(24)[5::6]:
        assert look(trades, moment, RULES, looks_back=False).patterns == ()


def test_planted_effects_are_found_with_their_sign() -> None:
    """Of 0.8 standard deviations at 80 trades each, nine of ten at least, and little else."""
    planted = {("enter_tag", "tag0"): 0.8, ("enter_tag", "tag1"): -0.8, ("pair", "P0/USDT"): 0.8}
    n_found = n_else = 0
    for seed in range(6):
        for each in look(Noise().history(seed, planted), END_MS, RULES, looks_back=False).patterns:
            sign = planted.get(each.conditions[0], 0.0) * (len(each.conditions) == 1)
            n_found += sign * each.sign > 0.0
            n_else += sign * each.sign <= 0.0
    assert n_found >= 0.9 * 6 * len(planted)
    assert n_else <= 2


@pytest.mark.parametrize("kind", ["always several open", "clumps", "heavy tails"])
def test_planted_effects_are_found_where_trades_overlap(kind: str) -> None:
    """And where single results are large: each time, with nothing else."""
    noise = Noise(**NOISE[kind])  # type: ignore[arg-type]
    for seed in range(2):
        (found,) = look(
            noise.history(seed, {TAG[0]: 0.8}), END_MS, RULES, looks_back=False
        ).patterns
        assert (found.conditions, found.sign) == (TAG, 1)


def test_what_is_shown_comes_from_trades_after_the_discovery() -> None:
    """The effect since then is near the truth; that before is reduced."""
    trades = Noise(n=1_600, months=24).history(1, {TAG[0]: 0.8})
    (found,) = look(trades, END_MS, RULES).patterns

    later = [each for each in trades if each.known_ms >= found.discovered_ms]
    own = [each for each in later if each.enter_tag == "tag0"]
    assert START_MS < found.discovered_ms < END_MS - 6 * MONTH_MS
    assert found.after is not None
    assert found.before is not None
    assert found.after.n_blocks <= len(own)
    assert found.after.low < 0.8 * SPREAD < found.after.high
    assert found.confidence > 0.99


def test_it_depends_on_the_known_trades_and_not_on_their_order() -> None:
    """Shuffled, and with what only became known later, it is the same to the last bit."""
    trades = Noise(n=600, months=12).history(2, {TAG[0]: 1.0})
    moment = START_MS + 9 * MONTH_MS
    shuffled = trades.copy()
    random.Random(1).shuffle(shuffled)
    known = [each for each in trades if each.known_ms < moment]

    expected = look(known, moment, RULES)

    assert expected.patterns
    assert look(shuffled, moment, RULES) == expected


def test_a_pattern_is_withdrawn_when_the_evidence_turns() -> None:
    """What was better for ten months and worse afterwards is shown for a time only."""
    better = Noise(n=800, months=12).history(3, {TAG[0]: 1.0})
    worse = [
        each._replace(
            id=f"later {each.id}",
            known_ms=each.known_ms + 12 * MONTH_MS,
            open_ms=each.open_ms + 12 * MONTH_MS,
            close_ms=each.close_ms + 12 * MONTH_MS,
        )
        for each in Noise(n=800, months=12).history(4, {TAG[0]: -1.0})
    ]
    shown = [
        [
            each.sign
            for each in look(better + worse, moment, RULES, looks_back=False).patterns
            if each.conditions == TAG
        ]
        for moment in month_ends(24)[1::2]
    ]
    assert [1] in shown
    assert shown[-1] != [1]
    assert shown.index([1]) < 6 < len(shown) - 1 - shown[::-1].index([])


def test_without_trades_nothing_is_tried() -> None:
    """And with too few to rank."""
    assert look([], END_MS, RULES) == (0, 0, (), None)
    assert look(Noise(n=8).history(1), END_MS, RULES).n_tested == 0


def test_the_rules_hold() -> None:
    """The best patterns up to the maximum; none below the confidence asked for."""
    trades = Noise(n=1_600).history(1, {TAG[0]: 1.0, ("enter_tag", "tag1"): -1.0})

    everything = look(trades, END_MS, RULES, looks_back=False).patterns

    assert len(everything) >= 2
    assert look(trades, END_MS, Rules(max_patterns=1), looks_back=False).patterns == everything[:1]
    assert look(trades, END_MS, Rules(min_confidence=1.01), looks_back=False).patterns == ()
    assert everything[0].log_evidence > everything[1].log_evidence
