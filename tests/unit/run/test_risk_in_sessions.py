"""Risk in a session: what is noted, damped, refused and told, and over a restart."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from freqtrade.persistence import PairLocks
from freqtrade.persistence.models import PairLock

from freqtrade_mem0.decide.vetoes import is_vetoed
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.kinds.retraction import Retraction
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.risk.damping import Damping
from freqtrade_mem0.risk.event_type import Lock
from tests.support.real_trades import a_backtests_trades, close_trade, open_trade
from tests.support.samples import OrderStandIn, TradeStandIn, at
from tests.support.session_stage import Stage, a_backtest_stage, a_stage, proposal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freqtrade_mem0.run.bot.session import BotSession

DAMPING = Damping(
    severity={
        "stop_loss_cluster": 0.4,
        "protection_lock": 0.2,
        "volatility_regime_change": 0.1,
        "liquidation": 0.5,
    },
    half_life_days=5.0,
    min_multiplier=0.2,
    leverage=True,
)
LOCK = Lock(
    pair="*",
    side="*",
    reason="2 stoplosses in 60 min, locking for 24 candles.",
    since=at(1),
    until=at(3),
)


def stopped(number: int, hours: float, reason: str = "stop_loss") -> TradeStandIn:
    """Return a trade of a pair of its own that was stopped out."""
    order = OrderStandIn(f"dry_run_entry-{number}", "buy", order_date=at(hours - 1))
    trade = TradeStandIn(id=number, pair=f"P{number}/USDT", orders=[order], open_date=at(hours - 1))
    return trade.close(-0.02, reason=reason)


def clustered(stage: Stage[BotSession]) -> Stage[BotSession]:
    """Let three trades be stopped out within two hours."""
    stage.session.trades_closed([stopped(number, number) for number in (1, 2, 3)])
    return stage


def types(stage: Stage[BotSession]) -> list[str]:
    """Return the types of the risk events that were written, in order."""
    return [entry.event_type for entry in stage.entries if isinstance(entry, RiskEvent)]


def test_a_cluster_is_noted_when_the_market_is_past_it() -> None:
    """By the bot's loop or by the next decision; once."""
    stage = clustered(a_stage())
    assert types(stage) == ["stop_loss"] * 3
    stage.session.watch_risk(at(3), [])
    assert types(stage) == ["stop_loss"] * 3
    stage.session.watch_risk(at(3.001), [])
    stage.session.decide(proposal(4))
    assert types(stage) == ["stop_loss"] * 3 + ["stop_loss_cluster"]
    assert [event.event_type for event in stage.told] == types(stage)


def test_active_events_damp_the_stake() -> None:
    """Multiplier, stake and reasons; effects still add up; it wears off."""
    stage, undamped = clustered(a_stage(damping=DAMPING)), clustered(a_stage())
    for days in (0.2, 5.0, 20.0):
        moment = proposal(3 + 24 * days)
        damped, before = stage.session.decide(moment), undamped.session.decide(moment)
        assert before.multiplier == 1.0
        assert damped.multiplier == pytest.approx(1.0 - 0.4 * 2.0 ** (-days / 5.0))
        assert damped.stake == pytest.approx(100.0 * damped.multiplier)
        effects = math.fsum(reason.effect for reason in damped.reasons)
        assert effects == pytest.approx(damped.multiplier - 1.0)
        assert [r.value for r in damped.reasons if r.name == "risk"] == ["stop_loss_cluster"]
    assert undamped.session.decide(proposal(9)).reasons == before.reasons


def test_the_exchange_has_the_last_word_over_damping() -> None:
    """A stake is not damped below its minimum."""
    stage = clustered(a_stage(damping=DAMPING))
    decision = stage.session.decide(replace(proposal(4), min_stake=90.0))
    assert decision.stake == 90.0
    assert decision.reasons[-1].name == "min_stake"


def test_without_damping_events_change_nothing() -> None:
    """Bit for bit the decisions of a session that saw no event."""
    with_events, without = a_stage(), a_stage()
    for number in (1, 2, 3):
        with_events.session.trade_closed(stopped(number, number))
        without.session.trade_closed(stopped(number, number, reason="roi"))
    with_events.session.watch_risk(at(4), [LOCK])
    asked = replace(proposal(5), times_usual_range=3.0)
    assert with_events.session.decide(asked) == without.session.decide(proposal(5))


def test_only_locks_by_protections_are_events() -> None:
    """Not cooldowns, not Freqtrade's auto lock, not one by hand; each once."""
    stage = a_stage(damping=DAMPING)
    reasons = ["Cooldown period for 5 candles.", "Auto lock", "user", ""]
    others = [replace(LOCK, reason=reason) for reason in reasons]
    of_a_pair = replace(LOCK, pair="ETH/USDT", side="long")
    for _ in range(3):
        stage.session.watch_risk(at(2), [*others, LOCK, of_a_pair])
    events = [entry for entry in stage.entries if isinstance(entry, RiskEvent)]
    assert [event.pair for event in events] == ["", "ETH/USDT"]
    assert {event.event_type for event in events} == {"protection_lock"}
    assert "until 2024-01-01 03:00 UTC: 2 stoplosses" in events[0].description
    assert stage.session.decide(proposal(1)).multiplier == 1.0
    assert stage.session.decide(proposal(1.001)).multiplier == pytest.approx(0.64, abs=1e-3)


def test_a_jump_of_the_range_is_noted_once_a_day() -> None:
    """Per pair; it does not damp the very decision at which it was seen."""
    stage = a_stage(damping=DAMPING)
    first = stage.session.decide(replace(proposal(1), times_usual_range=2.5))
    later = stage.session.decide(replace(proposal(2), times_usual_range=4.0))
    stage.session.decide(replace(proposal(2, pair="BTC/USDT"), times_usual_range=2.1))
    stage.session.decide(replace(proposal(25), times_usual_range=2.1))
    events = [entry for entry in stage.entries if isinstance(entry, RiskEvent)]
    assert [(event.pair, event.known_at) for event in events] == [
        ("ETH/USDT", at(1)),
        ("BTC/USDT", at(2)),
        ("ETH/USDT", at(25)),
    ]
    assert (first.multiplier, later.multiplier < 1.0) == (1.0, True)
    assert "2.5 times" in events[0].description


def test_a_restarted_bot_knows_its_events() -> None:
    """Those of trades follow from the trades, others are read; nothing is written or told twice."""
    before = clustered(a_stage(damping=DAMPING))
    before.session.decide(replace(proposal(5), times_usual_range=2.5))
    before.session.watch_risk(at(6), [LOCK])
    records = [entry for entry in before.entries if isinstance(entry, TradeRecord)]
    events = [entry for entry in before.entries if isinstance(entry, RiskEvent)]

    after = a_stage(damping=DAMPING)
    after.session.remember_earlier(placed=[], opened={}, recorded=records, events=events)
    after.session.trades_closed([stopped(number, number) for number in (1, 2, 3)])
    after.session.watch_risk(at(6), [LOCK])
    asked = replace(proposal(7), times_usual_range=2.5)
    decisions = [stage.session.decide(asked) for stage in (after, before)]
    damped, expected = ([r for r in d.reasons if r.name == "risk"] for d in decisions)
    assert len(damped) == 3
    assert damped == expected
    assert (after.entries, after.told) == ([], [])


def test_a_bot_killed_before_it_noted_an_event_notes_it_later() -> None:
    """The trades are in the journal, what they completed is not."""
    before = clustered(a_stage())
    records = [entry for entry in before.entries if isinstance(entry, TradeRecord)]
    events = [entry for entry in before.entries if isinstance(entry, RiskEvent)]
    after = a_stage()
    after.session.remember_earlier(placed=[], opened={}, recorded=records, events=events)
    after.session.watch_risk(at(5), [])
    assert types(after) == ["stop_loss_cluster"]


def test_a_streak_goes_on_over_a_restart() -> None:
    """Two stops before, one after."""
    before, after = a_stage(), a_stage()
    before.session.trades_closed([stopped(1, 1), stopped(2, 2)])
    records = [entry for entry in before.entries if isinstance(entry, TradeRecord)]
    events = [entry for entry in before.entries if isinstance(entry, RiskEvent)]
    after.session.remember_earlier(placed=[], opened={}, recorded=records, events=events)
    after.session.trade_closed(stopped(3, 3))
    after.session.watch_risk(at(4), [])
    assert types(after) == ["stop_loss", "stop_loss_cluster"]


def test_a_trade_that_is_gone_takes_its_cluster_along() -> None:
    """Deleted in Freqtrade: its own event at once, what it completed at the next look."""
    stage = a_stage(database="bots.sqlite", damping=DAMPING)
    clustered(stage).session.watch_risk(at(4), [])
    last = [entry for entry in stage.entries if isinstance(entry, TradeRecord)][-1]
    stage.session.retract(last, "it was deleted")
    stage.session.watch_risk(at(5), [])
    gone = [entry.target_id for entry in stage.entries if isinstance(entry, Retraction)]
    events = {e.id: e.event_type for e in stage.entries if isinstance(e, RiskEvent)}
    assert [events.get(target, "trade") for target in gone] == [
        "trade",
        "stop_loss",
        "stop_loss_cluster",
    ]
    assert stage.session.decide(proposal(6)).multiplier == 1.0


def test_a_trade_that_ended_otherwise_takes_its_event_back() -> None:
    """Freqtrade's database says later that it was no stop."""
    stage = a_stage()
    stage.session.trade_closed(stopped(1, 1))
    stage.session.trade_closed(stopped(1, 1, reason="liquidation"))
    assert types(stage) == ["stop_loss", "liquidation"]
    assert len(stage.written(Retraction)) == 1


def test_leverage_is_damped_by_what_is_left() -> None:
    """Of the pair's events, as of the moment; not in shadow, and not unless switched on."""
    stages = [
        a_stage(damping=DAMPING),
        a_stage(damping=DAMPING, applied=False),
        a_stage(damping=replace(DAMPING, leverage=False)),
        a_stage(),
    ]
    for stage in stages:
        stage.session.trade_closed(stopped(1, 1, reason="liquidation"))
    factors = [stage.session.leverage_factor("P1/USDT", at(1.001)) for stage in stages]
    assert factors == [pytest.approx(0.5, abs=1e-3), 1.0, 1.0, 1.0]
    assert stages[0].session.leverage_factor("P2/USDT", at(2)) == 1.0
    assert stages[0].session.leverage_factor("P1/USDT", at(1)) == 1.0


def test_in_shadow_the_decision_says_what_damping_would_do() -> None:
    """And the event says that nothing is done."""
    stage = clustered(a_stage(damping=DAMPING, applied=False))
    decision = stage.session.decide(proposal(4))
    assert (decision.multiplier < 0.7, decision.applied) == (True, False)
    (*_, event) = [entry for entry in stage.entries if isinstance(entry, RiskEvent)]
    assert "not damped" in event.response


def test_a_veto_is_a_decision_without_an_order() -> None:
    """One for each candle, with a count and its reason; no later order is taken for its own."""
    stage = a_stage(veto_below=0.5, timeframe_s=3_600)
    stage.session.trade_closed(stopped(1, 1))
    for minutes in range(0, 90, 10):
        asked = proposal(2 + minutes / 60.0, pair="P1/USDT")
        stage.session.decide(asked)
        answer = stage.session.entry_confirmed("P1/USDT", "long")
        assert answer is not None
        assert answer.is_vetoed
        assert is_vetoed(answer.decision())
    written = [entry for entry in stage.entries if isinstance(entry, Decision)]
    vetoed = list({decision.id: decision for decision in written}.values())
    assert [decision.n_asked for decision in vetoed] == [6, 3]
    assert [decision.decided_at for decision in vetoed] == [at(2 + 5 / 6), at(3 + 1 / 3)]
    assert vetoed[0].reasons[-1].text == "x0.250 is below sizing.veto_below, 0.5: no entry"

    opened = TradeStandIn(id=7, pair="P1/USDT", open_date=at(2), orders=[])
    opened.orders.append(OrderStandIn("dry_run_late", "buy", order_date=at(2)))
    n_before = len(stage.entries)
    stage.session.entry_filled(opened)
    restarted = a_stage(veto_below=0.5, timeframe_s=3_600)
    restarted.session.remember_earlier(placed=vetoed, opened={}, recorded=[])
    restarted.session.entry_filled(opened)
    assert (len(stage.entries), restarted.entries) == (n_before, [])
    restarted.session.trade_closed(stopped(1, 1))
    restarted.session.decide(proposal(3.5, pair="P1/USDT"))
    again = restarted.session.entry_confirmed("P1/USDT", "long")
    assert again is not None
    assert (again.id, again.decision().n_asked) == (vetoed[1].id, 4)


@pytest.mark.parametrize(
    ("veto_below", "applied", "expected"),
    [(0.5, True, True), (0.25, True, False), (None, True, False), (0.5, False, False)],
)
def test_a_veto_needs_a_reason_and_a_say(
    veto_below: float | None, applied: bool, expected: bool
) -> None:
    """Below the threshold, where one is set; never in shadow."""
    stage = a_stage(veto_below=veto_below, applied=applied)
    stage.session.trade_closed(stopped(1, 1))
    assert is_vetoed(stage.session.decide(proposal(2, pair="P1/USDT"))) is expected


@pytest.fixture
def _own_lists() -> Iterator[None]:
    """A backtest's lists of trades and locks, empty, and Freqtrade's own afterwards."""
    before = (PairLocks.use_db, PairLocks.locks, PairLocks.timeframe)
    PairLocks.use_db, PairLocks.locks, PairLocks.timeframe = False, [], "5m"
    with a_backtests_trades():
        yield
    PairLocks.use_db, PairLocks.locks, PairLocks.timeframe = before


@pytest.mark.usefixtures("_own_lists")
def test_a_backtests_locks_are_read_when_trades_closed() -> None:
    """Those of this run alone, each once, also those after the last decision."""
    stage = a_backtest_stage()
    stage.session.decide(proposal(0))
    for hour in (1, 3):
        close_trade(open_trade(number=hour, moment=at(hour - 1)), 1_900.0, at(hour))
        PairLocks.lock_pair("*", at(hour + 1), LOCK.reason, now=at(hour))
        assert isinstance(PairLocks.locks[-1], PairLock)
        if hour == 1:
            stage.session.decide(proposal(2))
    stage.session.end_run()
    events = [entry for entry in stage.entries if isinstance(entry, RiskEvent)]
    assert [(event.event_type, event.known_at) for event in events] == [
        ("protection_lock", at(1)),
        ("protection_lock", at(3)),
    ]
