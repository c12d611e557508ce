"""Triggers are as rarely wrong as they say, and find what has become worse."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from freqtrade_mem0.insight.drift.history import DriftTrade, History
from freqtrade_mem0.insight.drift.triggers import Alarm, Trigger, alarms, calibrated
from tests.support.drifting import Process

AS_BEFORE = Process()
NAMES = ["poor_results", "win_rate", "drawdown", "volatility"]


@cache
def past() -> History:
    """Return the history that most of these tests compare with."""
    return History(AS_BEFORE.trades(400, 1))


@cache
def usual() -> list[Trigger]:
    """Return its triggers."""
    return calibrated(past())


def raised(trades: list[DriftTrade], name: str) -> list[Alarm]:
    """Return the alarms of one trigger in trades after the history."""
    return [a for a in alarms(usual(), past(), History(trades)) if a.name == name]


def test_each_has_a_threshold_and_a_measured_rate() -> None:
    """Of about one false alarm a year, on shuffled histories the calibration has not seen."""
    assert [trigger.name for trigger in usual()] == NAMES
    assert all(0.3 < trigger.per_year < 1.5 for trigger in usual())


def test_false_alarms_on_other_trades_of_the_same_kind_are_rare() -> None:
    """Five histories, each with three years after it; on average over all of them."""
    found: Counter[str] = Counter()
    for seed in range(5):
        history = History(AS_BEFORE.trades(400, 100 + seed))
        triggers = calibrated(history)
        for year in range(3):
            later = History(AS_BEFORE.trades(365, 200 + 3 * seed + year, 400))
            found.update(alarm.name for alarm in alarms(triggers, history, later))
    assert all(found[name] / 15 <= 1.5 for name in NAMES), found


@pytest.mark.parametrize(
    ("name", "worse"),
    [
        ("poor_results", Process(mean=-0.006)),
        ("win_rate", Process(mean=-0.006)),
        ("drawdown", Process(mean=-0.006)),
        ("volatility", Process(volatility=1.6)),
        ("volatility", Process(volatility=0.6)),
    ],
)
def test_a_change_is_found_once(name: str, worse: Process) -> None:
    """However long it lasts: an excursion goes on until what it lost is made good."""
    found = raised(worse.trades(365, 7, 400), name)
    assert [alarm.ended for alarm in found] == [None]
    assert found[0].is_higher is (worse.volatility >= 1.0)


def test_a_second_excursion_is_a_second_alarm() -> None:
    """After the first one was made good."""
    bad, good = Process(mean=-0.006), Process(mean=0.012)
    trades = [
        *bad.trades(150, 7, 400),
        *good.trades(600, 8, 550),
        *bad.trades(150, 9, 1_150),
    ]
    found = raised(trades, "poor_results")
    assert len(found) == 2
    assert found[0].ended is not None
    assert found[1].ended is None


def test_an_alarm_does_not_depend_on_what_comes_later() -> None:
    """It is raised at the same trade when the trades after it are not there."""
    trades = Process(mean=-0.006).trades(365, 7, 400)
    (alarm,) = raised(trades, "drawdown")
    ordered = sorted(trades, key=lambda trade: trade.close_ms)
    (again,) = raised(ordered[: alarm.at + 1], "drawdown")
    assert again == alarm
    assert not raised(ordered[: alarm.at], "drawdown")


def test_half_of_the_edge_is_found_later_than_its_loss() -> None:
    """The stated delay is that of half of the edge; a change of volatility is seen sooner."""
    by_name = {trigger.name: trigger for trigger in usual()}
    assert 0.2 < by_name["drawdown"].found_in_year <= 1.0
    delay, volatility = by_name["drawdown"].delay_days, by_name["volatility"].delay_days
    assert delay is not None
    assert volatility is not None
    assert volatility < delay


def test_equal_histories_give_equal_triggers() -> None:
    """Whatever the order in which the trades are given."""
    assert calibrated(History(past().trades[::-1])) == usual()


@pytest.mark.parametrize(("n_days", "per_day"), [(80, 5.0), (400, 0.1)])
def test_too_short_a_history_gives_no_trigger_and_says_so(n_days: int, per_day: float) -> None:
    """Too few days, or too few trades."""
    history = History(Process(per_day=per_day).trades(n_days, 1))
    found = calibrated(history)
    assert {trigger.lacks for trigger in found} == {history.lacks}
    assert "are too few" in history.lacks
    assert not alarms(found, history, History(Process(mean=-0.5).trades(99, 2, n_days)))


def test_without_volatilities_only_their_trigger_is_missing() -> None:
    """As in a backtest that was imported without candles."""
    history = History(Process(has_volatility=False).trades(400, 1))
    lacks = {trigger.name: trigger.lacks for trigger in calibrated(history)}
    assert "does not say how volatile" in lacks.pop("volatility")
    assert set(lacks.values()) == {""}


def test_trades_without_any_spread_give_no_trigger() -> None:
    """All gained the same."""
    history = History([trade._replace(ratio=0.01) for trade in past().trades])
    found: list[Trigger] = calibrated(history)
    assert [each.name for each in found if not each.lacks] == ["volatility"]


def test_a_regime_of_volatility_needs_a_year_of_history() -> None:
    """With less, a usual change would be taken for one; the other triggers are there."""
    lacks = {t.name: t.lacks for t in calibrated(History(AS_BEFORE.trades(200, 1)))}
    assert "a history of 365 days is needed" in lacks.pop("volatility")
    assert set(lacks.values()) == {""}
