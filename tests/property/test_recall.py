"""Recall against brute force: strictly as-of, exact, indifferent to order, without a trace."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freqtrade_mem0.insight.shrinkage import Group, Key, Moments
from freqtrade_mem0.insight.student import freedom_of
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.recall.index import foreign
from freqtrade_mem0.recall.index import recall as index
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.support.samples import START, a_trade, at

if TYPE_CHECKING:
    from collections.abc import Iterator

LEVELS = ("pair", "side", "enter_tag", "regime")
HALF_LIFE_DAYS = 30.0

DISCOUNTS = (1.0, 0.5, 0.25)
ALWAYS = 2.0


@pytest.fixture(autouse=True, scope="module")
def _few_foreign_trades_count_fully() -> Iterator[None]:
    """So that histories of a few trades meet the bound."""
    with patch.object(foreign, "ALWAYS", ALWAYS):
        yield


@dataclass(frozen=True)
class Known:
    """A trade, and what it counts for."""

    trade: TradeRecord
    discount: float
    is_foreign: bool = False


# Few distinct moments and pairs, so that trades often share them.
moments_in_time = st.integers(0, 12).map(lambda step: START + timedelta(hours=7 * step))
ratios = st.floats(-1.0, 3.0) | st.sampled_from([0.0, 0.01, -0.01])


def known(number: int) -> st.SearchStrategy[Known]:
    """Return trades told from others by a number."""
    return st.builds(
        lambda moment, ratio, pair, regime, evidence, discount, is_foreign: Known(
            a_trade(
                number,
                closed_at=moment,
                profit_ratio=ratio,
                pair=pair,
                situation={"regime": regime} if regime else {},
                is_evidence=evidence,
            ),
            discount,
            is_foreign,
        ),
        moments_in_time,
        ratios,
        st.sampled_from(["ETH/USDT", "BTC/USDT"]),
        st.sampled_from(["calm", "volatile", ""]),
        st.sampled_from([True, True, True, False]),
        st.sampled_from(DISCOUNTS),
        st.sampled_from([False, False, True]),
    )


histories = st.integers(0, 14).flatmap(lambda n: st.tuples(*(known(i) for i in range(n)))).map(list)


def index_of(history: list[Known], half_life_days: float = HALF_LIFE_DAYS) -> Recall:
    """Return a fresh index that was told of a history in its order."""
    recall = Recall(LEVELS, half_life_days)
    for item in history:
        recall.add(item.trade, item.discount, is_foreign=item.is_foreign)
    return recall


def keys_of(recall: Recall, trade: TradeRecord) -> list[Key]:
    """Return every group a trade is in."""
    return [
        STRATEGY,
        *recall.keys(trade.pair, trade.side, trade.enter_tag, trade.situation),
    ]


def brute_force(
    history: list[Known], key: Key, moment: datetime, half_life_days: float = HALF_LIFE_DAYS
) -> Moments:
    """Return a group's moments the plain way, from all trades each time."""
    recall = Recall(LEVELS, half_life_days)
    known = [item for item in history if item.trade.is_evidence and item.trade.known_at < moment]

    def weight(item: Known) -> float:
        age_days = (moment - item.trade.known_at) / timedelta(days=1)
        return float(item.discount * 0.5 ** (age_days / half_life_days))

    own = math.fsum(weight(item) for item in known if not item.is_foreign)
    others = math.fsum(weight(item) for item in known if item.is_foreign)
    share = min(1.0, max(ALWAYS, own) / others) if others else 1.0
    weights, values = [], []
    for item in known:
        if key in keys_of(recall, item.trade):
            weights.append(weight(item) * (share if item.is_foreign else 1.0))
            values.append(item.trade.profit_ratio)
    n = math.fsum(weights)
    if n == 0.0:
        return Moments(0.0, 0.0, 0.0)
    mean = math.fsum(w * x for w, x in zip(weights, values, strict=True)) / n
    variance = math.fsum(w * (x - mean) ** 2 for w, x in zip(weights, values, strict=True)) / n
    # What the fixed point of recall rounds to zero made nothing.
    wins = math.fsum(w for w, x in zip(weights, values, strict=True) if x > 2.0**-51)
    kish = n**2 / math.fsum(w**2 for w in weights)
    freedom = freedom_of(kish, math.fsum((w / n) ** 3 for w in weights))
    return Moments(n, mean, variance, wins, kish, freedom)


@given(
    histories,
    moments_in_time,
    st.sampled_from(["ETH/USDT", "BTC/USDT", "new/USDT"]),
    st.sampled_from(["dip", ""]),
    st.sampled_from(["calm", "volatile", "new", ""]),
)
def test_what_is_known_of_an_entry_are_the_moments_of_its_groups(
    history: list[Known], moment: datetime, pair: str, tag: str, regime: str
) -> None:
    """Level by level, asked twice; without those it has no value for, with those nobody was in."""
    recall = Recall(("pair", "regime*enter_tag", "regime", "enter_tag"), HALF_LIFE_DAYS)
    asked = (pair, "long", tag, {"regime": regime} if regime else {})
    before = recall.of_entry(*asked, to_ms(moment))
    for item in history:
        recall.add(item.trade, item.discount, is_foreign=item.is_foreign)
    whole, parts, _ = recall.of_entry(*asked, to_ms(moment))
    keys = recall.keys(*asked)

    assert [(part.name, part.value) for part in parts] == keys
    assert [whole, *(part.moments for part in parts)] == recall.as_of(moment, [STRATEGY, *keys])
    assert all(part.inside == recall.parts_of[part.name] for part in parts)
    assert [part[:2] for part in before[1]] == keys
    assert all(part.moments.n == 0.0 for part in before[1])


def everything(recall: Recall, moment: datetime) -> dict[Key, Group]:
    """Return all an index knows as of a moment."""
    return recall.groups(moment)


ALL_KEYS: list[Key] = [
    STRATEGY,
    ("pair", "ETH/USDT"),
    ("pair", "BTC/USDT"),
    ("side", "long"),
    ("enter_tag", "dip"),
    ("regime", "calm"),
    ("regime", "volatile"),
]


@given(histories, moments_in_time)
def test_moments_match_brute_force(history: list[Known], moment: datetime) -> None:
    """Every group's count, mean, variance and wins, with decay and discount, to 1e-9."""
    found = index_of(history).as_of(moment, ALL_KEYS)

    for key, moments in zip(ALL_KEYS, found, strict=True):
        expected = brute_force(history, key, moment)
        assert moments.n == pytest.approx(expected.n, abs=1e-9)
        assert moments.mean == pytest.approx(expected.mean, abs=1e-9)
        assert moments.variance == pytest.approx(expected.variance, abs=1e-9)
        assert moments.variance >= 0.0
        assert moments.n_effective == pytest.approx(expected.n_effective, rel=1e-9)
        if moments.freedom is not None and expected.freedom is not None:
            assert moments.freedom == pytest.approx(expected.freedom, rel=1e-6)
        assert (moments.wins or 0.0) == pytest.approx(expected.wins or 0.0, abs=1e-9)
        assert moments.win_rate is None or 0.0 <= moments.win_rate <= 1.0


@given(histories, moments_in_time)
def test_what_became_known_at_the_moment_itself_is_not_seen(
    history: list[Known], moment: datetime
) -> None:
    """Strictly before: the order in which pairs are processed in one candle can not matter."""
    earlier = [item for item in history if item.trade.known_at < moment]

    assert everything(index_of(earlier), moment) == everything(index_of(history), moment)


@given(histories, moments_in_time, st.data())
def test_what_comes_later_changes_no_earlier_answer(
    history: list[Known], cut: datetime, data: st.DataObject
) -> None:
    """Deleting everything from a moment on leaves every answer up to it as it was, bit for bit."""
    moment = data.draw(moments_in_time.filter(lambda when: when <= cut))
    kept = [item for item in history if item.trade.known_at < cut]

    assert everything(index_of(kept), moment) == everything(index_of(history), moment)


@given(histories, st.lists(moments_in_time, max_size=4), st.data())
def test_the_order_of_arrival_does_not_matter(
    history: list[Known], asked: list[datetime], data: st.DataObject
) -> None:
    """Shuffled, and asked in between: the same trades give the same bits."""
    shuffled = data.draw(st.permutations(history))
    recall = Recall(LEVELS, HALF_LIFE_DAYS)
    for number, item in enumerate(shuffled):
        recall.add(item.trade, item.discount, is_foreign=item.is_foreign)
        if number < len(asked):
            recall.groups(asked[number])
    for moment in [*asked, at(1_000)]:
        assert everything(index_of(history), moment) == everything(recall, moment)


@settings(max_examples=50)
@given(histories, st.lists(moments_in_time, min_size=1, max_size=8), st.integers(1, 3))
def test_a_recall_asked_about_the_strategy_alone_knows_the_rest_as_well(
    history: list[Known], asked: list[datetime], n_at_once: int
) -> None:
    """Its answers, and its snapshot, are those of a recall that was asked about all groups."""
    alone, both = Recall(LEVELS, HALF_LIFE_DAYS), Recall(LEVELS, HALF_LIFE_DAYS)
    kept = []
    for number, item in enumerate(history):
        for recall in (alone, both):
            recall.add(item.trade, item.discount, is_foreign=item.is_foreign)
        if number % 5 == 4:
            alone.remove(item.trade.id)
            both.remove(item.trade.id)
        moment = asked[number % len(asked)]
        kept.append((alone.whole_kept(to_ms(moment)), both.whole(to_ms(moment))))
        assert [alone.whole(to_ms(moment))[0]] == both.as_of(moment, [STRATEGY])
    assert [whole() for whole, _ in kept] == [whole for _, whole in kept]
    with patch.object(index, "_N_AT_ONCE", n_at_once):
        assert alone.state().groups == both.state().groups
    assert everything(alone, asked[0]) == everything(both, asked[0])


@given(histories, st.lists(moments_in_time, min_size=1, max_size=8))
def test_time_may_run_backwards(history: list[Known], asked: list[datetime]) -> None:
    """Asked about any moments in any order, an index answers as a fresh one does."""
    recall = index_of(history)

    for moment in asked:
        assert everything(index_of(history), moment) == everything(recall, moment)


@given(histories, histories, moments_in_time)
def test_a_correction_leaves_no_trace(
    wrong: list[Known], right: list[Known], moment: datetime
) -> None:
    """A trade told again in other words is as if it had always been so, bit for bit."""
    recall = index_of(wrong)
    recall.groups(moment)
    for item in right:
        recall.add(item.trade, item.discount, is_foreign=item.is_foreign)
    replaced = {item.trade.id for item in right}
    final = [*right, *(item for item in wrong if item.trade.id not in replaced)]

    assert everything(index_of(final), moment) == everything(recall, moment)


@given(histories, moments_in_time)
def test_a_trade_that_turns_out_no_evidence_leaves_no_trace(
    history: list[Known], moment: datetime
) -> None:
    """Nothing remains of it: not a weight, not a rounding error, not a group."""
    recall = index_of(history)
    recall.groups(moment)
    for item in history:
        recall.add(replace(item.trade, is_evidence=False))

    assert everything(recall, at(1_000)) == {}
    assert len(recall) == 0


@given(histories, moments_in_time, st.integers(0, 14))
def test_a_trade_that_is_removed_leaves_no_trace(
    history: list[Known], moment: datetime, number: int
) -> None:
    """Bit-identical with its never having been there; removing it twice is harmless."""
    recall = index_of(history)
    recall.groups(moment)
    gone = {item.trade.id for item in history[number:]}
    for record_id in [*gone, *gone]:
        recall.remove(record_id)

    assert everything(index_of(history[:number]), moment) == everything(recall, moment)


@settings(max_examples=30)
@given(histories, moments_in_time, st.sampled_from([1.0, 3650.0]))
def test_extreme_half_lives_stay_exact(
    history: list[Known], moment: datetime, half_life_days: float
) -> None:
    """A day and ten years, the bounds of the config."""
    (found,) = index_of(history, half_life_days).as_of(moment, [STRATEGY])
    expected = brute_force(history, STRATEGY, moment, half_life_days)

    assert (found.n, found.mean, found.variance) == pytest.approx(
        (expected.n, expected.mean, expected.variance), abs=1e-9
    )


@given(st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1)), st.floats(1, 3650))  # noqa: DTZ001
def test_one_half_life_halves_the_weight(naive: datetime, half_life_days: float) -> None:
    """Wherever in time the trade lies."""
    moment = naive.replace(tzinfo=UTC, microsecond=0)
    later = moment + timedelta(milliseconds=round(half_life_days * 86_400_000))
    recall = Recall([], half_life_days)
    recall.add(a_trade(1, closed_at=moment))
    (found,) = recall.as_of(later, [STRATEGY])

    assert found.n == pytest.approx(0.5, abs=1e-6)
    assert found.mean == pytest.approx(0.01, abs=1e-12)
