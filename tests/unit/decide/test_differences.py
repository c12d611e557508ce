"""The outlook: once a market day, from what was known when the day began, whatever came between."""

from __future__ import annotations

from datetime import timedelta

import pytest

from freqtrade_mem0.decide.differences import DailyDifferences
from freqtrade_mem0.insight.shrinkage import Shrinkage, differences
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.records.base import to_ms
from tests.support.samples import START, a_trade

PRIOR = Shrinkage(pseudo_trades=20.0, doubt=0.0)
DAY = timedelta(days=1)


def recall_with(*numbers: int) -> Recall:
    """Return recall of trades closed every six hours, in four pairs that differ."""
    recall = Recall(("pair", "side", "pair*side"), 1e6)
    for number in numbers:
        recall.add(trade(number))
    return recall


def trade(number: int):  # type: ignore[no-untyped-def] # noqa: ANN201 - a TradeRecord
    """Return the trade of a number."""
    moment = START + timedelta(hours=6 * number)
    ratio = 0.01 * (number % 4) + 0.001 * (number % 3)
    return a_trade(number, pair=f"P{number % 4}/USDT", profit_ratio=ratio, closed_at=moment)


def fresh(recall: Recall, moment: object) -> dict[str, float]:
    """Return what is found without any cache, as of the beginning of a day."""
    groups = recall.groups(moment)  # type: ignore[arg-type]
    whole = groups.pop(STRATEGY).moments
    return differences(whole, recall.levels, groups, PRIOR)


def test_it_is_as_of_the_beginning_of_the_day() -> None:
    """What becomes known during the day counts from the next day on."""
    recall = recall_with(*range(40))
    daily = DailyDifferences(recall, PRIOR)
    morning = START + 5 * DAY

    at_noon = daily.of_day(to_ms(morning + DAY / 2))
    assert at_noon == fresh(recall, morning)
    assert daily.of_day(to_ms(morning + DAY)) == fresh(recall, morning + DAY) != at_noon


def test_a_close_today_changes_nothing_today() -> None:
    """Neither before nor after it was asked."""
    recall = recall_with(*range(20))
    daily = DailyDifferences(recall, PRIOR)
    noon = START + 4.5 * DAY
    before = daily.of_day(to_ms(noon))
    recall.add(trade(18))

    recall.add(a_trade(77, pair="P9/USDT", profit_ratio=0.5, closed_at=noon))
    assert daily.of_day(to_ms(noon + timedelta(hours=1))) == before


@pytest.mark.parametrize("change", ["add", "remove", "correct", "clear"])
def test_news_about_the_past_are_heeded_at_once(change: str) -> None:
    """A trade that another machine closed last week arrives now; one is taken back."""
    recall = recall_with(*range(20))
    daily = DailyDifferences(recall, PRIOR)
    noon = START + 5.5 * DAY
    before = daily.of_day(to_ms(noon))
    old = a_trade(3, pair="P3/USDT", profit_ratio=-0.9, closed_at=START + DAY)
    if change == "add":
        recall.add(a_trade(99, pair="P9/USDT", profit_ratio=-0.9, closed_at=START + DAY))
    elif change == "remove":
        recall.remove(trade(3).id)
    elif change == "correct":
        recall.add(old)
    else:
        recall.clear()

    after = daily.of_day(to_ms(noon))
    if change == "clear":
        assert after == dict.fromkeys(recall.levels, 1 / PRIOR.pseudo_trades)
    else:
        assert after == fresh(recall, START + 5 * DAY) != before


def test_without_trades_the_assumption_holds() -> None:
    """For every level."""
    recall = Recall(("pair", "side"), 120.0)

    assert DailyDifferences(recall, PRIOR).of_day(to_ms(START)) == {"pair": 0.05, "side": 0.05}
