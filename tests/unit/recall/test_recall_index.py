"""Recall as an index: its groups, its discount, and several threads at once."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from freqtrade_mem0.insight.shrinkage import NOTHING, Moments
from freqtrade_mem0.recall import STRATEGY, Recall
from tests.support.samples import a_trade, at


def test_nothing_is_known_at_first() -> None:
    """Asked about anything, an empty index answers that it knows nothing."""
    recall = Recall(["pair"], 30.0)

    assert recall.as_of(at(1), [STRATEGY, ("pair", "ETH/USDT")]) == [NOTHING, NOTHING]
    assert (recall.groups(at(1)), len(recall)) == ({}, 0)


def test_a_trade_is_in_the_strategy_and_in_each_level() -> None:
    """Levels of the trade itself, features of its situation, and nothing it has no value for."""
    recall = Recall(["pair", "side", "enter_tag", "regime", "rsi", "absent"], 30.0)

    assert recall.keys("ETH/USDT", "short", "", {"regime": "calm", "rsi": 31.5, "other": "x"}) == [
        ("pair", "ETH/USDT"),
        ("side", "short"),
        ("rsi", "31.5"),
        ("regime", "calm"),  # made of two features, so after those of one
    ]


def test_a_feature_with_a_bucket_is_told_apart_by_it() -> None:
    """A level may name an indicator or its bucket; both read the bucket."""
    recall = Recall(["ADX(14)", "side*ADX(14)_bucket", "rsi"], 30.0)
    situation: dict[str, float | str] = {
        "ADX(14)": 31.5,
        "ADX(14)_bucket": "high",
        "rsi": 40.0,
    }

    assert recall.keys("ETH/USDT", "long", "", situation) == [
        ("ADX(14)", "high"),
        ("rsi", "40.0"),
        ("side*ADX(14)_bucket", "long & high"),
    ]


def test_a_fresh_trade_counts_one() -> None:
    """One millisecond after it became known it is there with nearly all its weight."""
    recall = Recall([], 30.0)
    recall.add(a_trade(1, profit_ratio=0.25))
    (before, after) = (
        recall.as_of(at(1) + timedelta(milliseconds=step), [STRATEGY])[0] for step in (0, 1)
    )

    assert before == NOTHING
    assert after.n == pytest.approx(1.0, abs=1e-6)
    assert (after.mean, after.variance) == (0.25, 0.0)


def test_a_discounted_trade_counts_less() -> None:
    """A dry-run trade at a half, a live trade in full: the mean is pulled accordingly."""
    recall = Recall([], 3650.0)
    recall.add(a_trade(1, profit_ratio=0.1, closed_at=at(0)))
    recall.add(a_trade(2, profit_ratio=-0.2, closed_at=at(0)), 0.5)
    (found,) = recall.as_of(at(0) + timedelta(milliseconds=1), [STRATEGY])

    assert found.n == pytest.approx(1.5, abs=1e-6)
    assert found.mean == pytest.approx(0.0, abs=1e-12)
    assert found.variance == pytest.approx((0.01 + 0.5 * 0.04) / 1.5, abs=1e-9)


def test_forgetting_everything() -> None:
    """As after a new start; it can be told anew."""
    recall = Recall(["pair"], 30.0)
    recall.add(a_trade(1))
    recall.groups(at(9))
    recall.clear()

    assert (recall.groups(at(9)), len(recall)) == ({}, 0)
    recall.add(a_trade(1))
    assert len(recall.groups(at(9))) == 2


def test_trades_of_a_thousand_half_lives_ago_are_harmless() -> None:
    """Their weight fades to nothing; means stay what they were."""
    recall = Recall(["pair"], 1.0)
    recall.add(a_trade(1, closed_at=at(0)))
    for days in (900, 1_000, 1_030, 1_060, 1_074, 1_100, 5_000):
        (found,) = recall.as_of(at(24 * days), [STRATEGY])

        assert 0.0 <= found.n < 1e-200
        assert found.mean == pytest.approx(0.01)


def test_told_in_one_thread_and_asked_in_another() -> None:
    """No answer is torn, and the last one is that of a fresh index."""
    recall, told = Recall(["pair"], 30.0), threading.Event()
    trades = [
        a_trade(number, profit_ratio=0.01, pair=f"P{number % 3}/USDT") for number in range(400)
    ]
    torn: list[Moments] = []

    def tell() -> None:
        for trade in reversed(trades):
            recall.add(trade)
        for trade in trades[::2]:
            recall.add(trade)
        told.set()

    def ask() -> None:
        hour = 0
        while not told.is_set():
            hour = (hour + 37) % 500
            recall.groups(at(hour))
            # Every trade made exactly 1 %, so any other mean or spread is a half-made answer.
            torn.extend(
                moments
                for moments in recall.as_of(at(hour), [STRATEGY, ("pair", "P1/USDT")])
                if moments.n and (abs(moments.mean - 0.01) > 1e-12 or moments.variance > 1e-20)
            )

    threads = [threading.Thread(target=work) for work in (tell, ask, ask)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    fresh = Recall(["pair"], 30.0)
    for trade in trades:
        fresh.add(trade)
    assert torn == []
    assert fresh.groups(at(500)) == recall.groups(at(500))
    assert len(recall) == 400
