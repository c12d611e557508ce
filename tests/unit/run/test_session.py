"""A session of a bot: decided, placed, filled, closed - each step leaves its entry, once."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.settings import CategorySettings
from freqtrade_mem0.journal.append import Opened
from freqtrade_mem0.recall.priors import Prior
from freqtrade_mem0.records.decision import Decision
from freqtrade_mem0.records.from_trade import EntryContext, trade_id_of, trade_record
from freqtrade_mem0.records.kinds.retraction import Retraction
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.support.samples import (
    BACKTEST,
    NOTED,
    ORIGIN,
    OrderStandIn,
    TradeStandIn,
    a_trade,
    at,
)
from tests.support.session_stage import SITUATION, Stage, a_stage, proposal

if TYPE_CHECKING:
    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.run.bot.session import BotSession


def a_number(number: int, hours: float = 0.0) -> TradeStandIn:
    """Return an open trade, told from others by its entry order, opened after so many hours."""
    moment = at(hours)
    order = OrderStandIn(f"dry_run_entry-{number}", "buy", order_date=moment)
    return TradeStandIn(id=number, orders=[order], open_date=moment)


def entered(stage: Stage[BotSession], trade: TradeStandIn, hours: float = 0.0) -> Decision:
    """Walk a trade through decision, confirmation and fill; return the decision."""
    decision = stage.session.decide(proposal(hours))
    stage.session.entry_confirmed("ETH/USDT", "long")
    stage.session.entry_filled(trade)
    return decision


def test_a_trade_leaves_decision_fill_and_outcome() -> None:
    """In this order, tied to each other, with the situation of the entry."""
    stage, trade = a_stage(), a_number(1)
    decision = entered(stage, trade)
    stage.session.trade_closed(trade.close(0.02, hours=5))

    trade_id = trade_id_of(trade, ORIGIN)
    first, second, third = stage.entries
    assert first == decision
    assert second == Opened(decision_id=decision.id, trade_id=trade_id, open_date=at())
    assert isinstance(third, TradeRecord)
    assert (trade_id, decision.id, SITUATION, 0.02, at(5), NOTED) == (
        third.id,
        third.decision_id,
        third.situation,
        third.profit_ratio,
        third.known_at,
        third.recorded_at,
    )


def test_deciding_writes_nothing() -> None:
    """A denied entry is asked for again every few seconds."""
    stage = a_stage()
    for _ in range(3):
        stage.session.decide(proposal())

    assert stage.entries == []


def test_only_what_is_confirmed_is_written_once() -> None:
    """The last decision before the confirmation; confirming without one is harmless."""
    stage = a_stage()
    stage.session.decide(proposal(0))
    last = stage.session.decide(proposal(1))
    stage.session.entry_confirmed("BTC/USDT", "long")
    stage.session.entry_confirmed("ETH/USDT", "short")
    stage.session.entry_confirmed("ETH/USDT", "long")
    stage.session.entry_confirmed("ETH/USDT", "long")

    assert stage.entries == [last]


def test_asking_again_at_one_moment_is_the_same_decision() -> None:
    """Same id, same content; another moment, pair or side is another decision."""
    session = a_stage().session
    decision = session.decide(proposal())

    assert decision == session.decide(proposal())
    others = [proposal(1), proposal(pair="BTC/USDT"), proposal(side="short")]
    assert len({decision.id, *(session.decide(other).id for other in others)}) == 4


def test_a_decision_says_what_it_was_made_of() -> None:
    """Proposal, multiplier, stake, reasons, and how much was known."""
    stage = a_stage()
    stage.session.trade_closed(a_number(1).close(0.02, hours=1))
    decision = stage.session.decide(proposal(2))

    assert decision.multiplier > 1.0
    assert decision.stake == 100.0 * decision.multiplier
    assert decision.n_effective == pytest.approx(1.0, abs=1e-3)
    assert [reason.text for reason in decision.reasons] == ["the pair's mean is +2.00%"]
    assert decision.expected_ratio == pytest.approx(0.02)
    assert (100.0, "follows", "dip", ORIGIN, at(2), SITUATION, True, None) == (
        decision.proposed_stake,
        decision.policy,
        decision.enter_tag,
        decision.origin,
        decision.decided_at,
        decision.situation,
        decision.applied,
        decision.trade_id,
    )


def test_limits_are_part_of_the_reasons() -> None:
    """What exchange and wallet allow has the last word, and says so."""
    stage = a_stage()
    stage.session.trade_closed(a_number(1).close(0.02, hours=1))
    decision = stage.session.decide(replace(proposal(2), max_stake=101.0))

    assert (decision.stake, decision.reasons[-1].name) == (101.0, "max_stake")


def test_a_trade_closed_at_the_moment_of_a_decision_is_not_known_to_it() -> None:
    """Strictly before: the order in which pairs are processed can not matter."""
    stage = a_stage()
    stage.session.trade_closed(a_number(1).close(0.02, hours=2))

    assert stage.session.decide(proposal(2)).multiplier == 1.0
    assert stage.session.decide(proposal(2.001)).multiplier > 1.0


def test_in_shadow_the_decision_is_made_and_marked() -> None:
    """The same numbers; the caller places the proposal."""
    shadow, live = a_stage(applied=False), a_stage()
    for stage in (shadow, live):
        stage.session.trade_closed(a_number(1).close(0.02, hours=1))
    in_shadow, applied = (stage.session.decide(proposal(2)) for stage in (shadow, live))

    assert not in_shadow.applied
    assert applied == replace(in_shadow, applied=True)


def test_a_second_entry_order_ties_nothing_again() -> None:
    """Position adjustments fill further entry orders of the same trade."""
    stage, trade = a_stage(), a_number(1)
    entered(stage, trade)
    trade.orders.append(OrderStandIn("dry_run_entry-1b", "buy"))
    stage.session.decide(proposal(1))
    stage.session.entry_confirmed("ETH/USDT", "long")
    stage.session.entry_filled(trade)

    assert len(stage.written(Opened)) == 1


def test_a_decision_is_tied_to_one_trade() -> None:
    """A trade that was entered without us does not get the decision of the one before."""
    stage = a_stage()
    entered(stage, a_number(1))
    stage.session.entry_filled(a_number(2))

    assert len(stage.written(Opened)) == 1


def test_a_decision_is_not_tied_to_an_order_of_another_time() -> None:
    """Its own order timed out; the next trade was entered while memory was away."""
    stage = a_stage()
    stage.session.decide(proposal(0))
    stage.session.entry_confirmed("ETH/USDT", "long")
    stage.session.entry_filled(a_number(1, hours=3))

    assert stage.written(Opened) == []


def test_a_trade_that_was_entered_without_us_is_recorded_all_the_same() -> None:
    """Memory was switched on while it was open: no decision, no situation."""
    stage = a_stage()
    stage.session.trade_closed(a_number(1).close(0.02))

    (record,) = stage.written(TradeRecord)
    assert isinstance(record, TradeRecord)
    assert (record.decision_id, record.situation) == (None, {})


def test_seen_twice_is_recorded_once() -> None:
    """By the callback and by reconciliation; risk events as well."""
    stage, trade = a_stage(), a_number(1)
    entered(stage, trade)
    trade.close(-0.05, reason="stop_loss")
    stage.session.trade_closed(trade)
    stage.session.trades_closed([trade, trade])

    assert [len(stage.written(kind)) for kind in (TradeRecord, RiskEvent)] == [1, 1]
    assert stage.n_known(at(100)) <= 1.0


def test_seen_by_two_threads_is_recorded_once() -> None:
    """Freqtrade's REST server closes a trade while the main loop reconciles."""
    stage = a_stage()
    trades = [a_number(number).close(0.01) for number in range(50)]
    together = threading.Barrier(3)

    def see() -> None:
        together.wait()
        stage.session.trades_closed(trades)

    threads = [threading.Thread(target=see) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(stage.written(TradeRecord)) == 50
    assert len(stage.session.recall) == 50


def test_a_trade_that_turned_out_different_is_corrected() -> None:
    """Fees arrive late: the same id, new numbers, the entry's context kept, one event."""
    stage, trade = a_stage(), a_number(1)
    decision = entered(stage, trade)
    stage.session.trade_closed(trade.close(-0.05, reason="stop_loss"))
    trade.close_profit = -0.06
    stage.session.trades_closed([trade])

    first, second = stage.written(TradeRecord)
    assert isinstance(first, TradeRecord)
    assert isinstance(second, TradeRecord)
    assert replace(first, profit_ratio=-0.06) == second
    assert second.decision_id == decision.id
    events = [entry for entry in stage.entries if isinstance(entry, RiskEvent)]
    assert ({event.id for event in events}, events[-1].impact) == ({events[0].id}, -0.06)
    (known,) = stage.session.recall.as_of(at(100), [("pair", "ETH/USDT")])
    assert known.mean == pytest.approx(-0.06)


def test_a_trade_that_can_not_be_recorded_stops_no_other() -> None:
    """And is recorded when it can be."""
    stage, broken = a_stage(), a_number(1).close(math.nan)
    stage.session.trades_closed([broken, a_number(2).close(0.01)])
    assert len(stage.written(TradeRecord)) == 1

    stage.session.trades_closed([broken.close(0.02)])
    assert len(stage.written(TradeRecord)) == 2


def test_a_trade_of_another_strategy_is_recorded_and_not_learned_from() -> None:
    """A bot's database may hold what it traded under an earlier strategy."""
    stage, trade = a_stage(), a_number(1)
    trade.strategy = "Other"
    stage.session.trade_closed(trade.close(0.02))

    (record,) = stage.written(TradeRecord)
    assert isinstance(record, TradeRecord)
    assert record.origin == replace(ORIGIN, strategy="Other")
    assert stage.n_known(at(100)) == 0.0


@pytest.mark.parametrize(
    ("category", "kind"), [("strategy_performance", TradeRecord), ("risk_profile", RiskEvent)]
)
def test_a_category_that_is_off_is_not_written_but_learned_from(category: str, kind: type) -> None:
    """The switch is about what is remembered for good, not about what is known now."""
    stage = a_stage(categories=CategorySettings(**{category: False}))
    stage.session.trade_closed(a_number(1).close(-0.05, reason="stop_loss"))

    assert stage.written(kind) == []
    assert len(stage.entries) == 1
    assert stage.n_known(at(2)) > 0.9


def test_a_restarted_bot_goes_on_where_it_stopped() -> None:
    """Placed orders, open trades and recorded ones of an earlier process."""
    before, placed, still_open = a_stage(), a_number(1), a_number(2)
    decision = before.session.decide(proposal())
    done = a_number(3).close(0.01)
    before.session.trade_closed(done)
    (recorded,) = before.written(TradeRecord)
    assert isinstance(recorded, TradeRecord)

    after = a_stage()
    context = EntryContext(decision_id="d-2", situation=SITUATION)
    after.session.remember_earlier(
        placed=[decision],
        opened={trade_id_of(still_open, ORIGIN): context},
        recorded=[recorded],
    )
    after.session.entry_filled(placed)
    after.session.trades_closed([done, placed.close(0.01), still_open.close(0.01)])

    entries: list[Entry] = after.entries
    opened, *records = entries
    assert isinstance(opened, Opened)
    assert opened.decision_id == decision.id
    assert [decision.id, "d-2"] == [
        record.decision_id for record in records if isinstance(record, TradeRecord)
    ]


def test_a_fill_that_was_missed_is_tied_when_the_trade_is_found() -> None:
    """The bot was killed between the fill and its callback."""
    stage, trade = a_stage(), a_number(1)
    decision = stage.session.decide(proposal())
    stage.session.entry_confirmed("ETH/USDT", "long")
    stage.session.trades_open([trade])
    stage.session.trades_open([trade, TradeStandIn(id=9, orders=[])])

    assert [decision.id] == [
        entry.decision_id for entry in stage.entries if isinstance(entry, Opened)
    ]


def test_a_trade_that_was_opened_and_closed_unseen_is_tied() -> None:
    """Both happened while the bot was down; its decision is still known."""
    stage, trade = a_stage(), a_number(1)
    decision = stage.session.decide(proposal())
    stage.session.entry_confirmed("ETH/USDT", "long")
    stage.session.trades_closed([trade.close(0.01)])

    assert [Decision, Opened, TradeRecord] == [type(entry) for entry in stage.entries]
    (record,) = stage.written(TradeRecord)
    assert isinstance(record, TradeRecord)
    assert record.decision_id == decision.id


def test_a_trade_deleted_in_freqtrade_is_taken_back() -> None:
    """Recall forgets it without a trace, the journal gets its retraction."""
    stage = a_stage(database="bots.sqlite")
    kept, deleted = (a_number(number).close(0.01) for number in (1, 2))
    stage.session.trades_closed([kept, deleted])
    record = stage.session.recorded(trade_id_of(deleted, ORIGIN))
    assert record is not None
    stage.session.retract(record, "it was deleted")

    assert stage.session.recorded(record.id) is None
    assert [record.id] == [
        entry.target_id for entry in stage.entries if isinstance(entry, Retraction)
    ]
    assert len(stage.session.recall) == 1


def test_a_prior_is_known_from_the_start_at_its_discount() -> None:
    """But no trade of it before it became known."""
    prior = Prior(trades=(a_trade(1, closed_at=at(1)), a_trade(2, closed_at=at(3))), discount=0.5)
    stage = a_stage(prior=prior)

    known = [stage.n_known(at(hours)) for hours in (1, 2, 4)]
    assert known == pytest.approx([0.0, 0.5, 1.0], abs=1e-3)
    assert stage.entries == []


def test_a_reopened_trade_keeps_its_decision_and_situation() -> None:
    """Freqtrade reloads a trade on request; when it closes again, its entry is still known."""
    stage = a_stage(database="bots.sqlite")
    decision = stage.session.decide(proposal())
    stage.session.entry_confirmed("ETH/USDT", "long")
    trade = a_number(1)
    stage.session.entry_filled(trade)
    stage.session.trade_closed(trade.close(-0.05, reason="stop_loss"))
    record = stage.session.recorded(trade_id_of(trade, ORIGIN))
    assert record is not None
    stage.session.retract(record, "the trade is open again")
    stage.session.trade_closed(trade.close(-0.02, hours=2, reason="stop_loss"))

    first, second = stage.written(TradeRecord)
    assert isinstance(second, TradeRecord)
    assert (second.decision_id, second.profit_ratio) == (decision.id, -0.02)
    assert [entry.reason for entry in stage.entries if isinstance(entry, Retraction)] == [
        "the trade is open again"
    ] * 2  # the trade, and its stop-loss
    assert first != second


def test_a_corrected_trade_corrects_its_risk_event() -> None:
    """The event says what the trade says."""
    stage = a_stage()
    trade = a_number(1).close(-0.05, reason="stop_loss")
    stage.session.trade_closed(trade)
    stage.session.trade_closed(trade.close(-0.01, reason="stop_loss"))

    impacts = [entry.impact for entry in stage.entries if isinstance(entry, RiskEvent)]
    assert impacts == [-0.05, -0.01]
    assert len({entry.id for entry in stage.entries if isinstance(entry, RiskEvent)}) == 1


def test_an_imported_trade_gets_its_entry_from_the_ledger() -> None:
    """Imported while the bot was down, the record knew nothing of its decision."""
    stage = a_stage()
    decision = stage.session.decide(proposal())
    trade = a_number(1).close(0.01)
    imported = trade_record(trade, ORIGIN, NOTED)
    context = EntryContext(decision_id=decision.id, situation={"regime": "calm"})
    stage.session.remember_earlier(placed=[], opened={imported.id: context}, recorded=[imported])
    stage.session.trade_closed(trade)

    (record,) = stage.written(TradeRecord)
    assert isinstance(record, TradeRecord)
    assert (record.id, record.decision_id) == (imported.id, decision.id)


def test_a_strange_trade_does_not_stop_the_others() -> None:
    """Whatever goes wrong with one of them."""
    stage = a_stage()
    strange = a_number(2).close(0.01)
    strange.orders = None  # type: ignore[assignment]
    stage.session.trades_closed([a_number(1).close(0.01), strange, a_number(3).close(0.01)])
    assert len(stage.written(TradeRecord)) == 2


def test_an_old_question_is_no_answer_to_a_new_one() -> None:
    """When the strategy's own callback fails, nothing of the last candle is confirmed."""
    stage = a_stage()
    stage.session.decide(proposal())
    stage.session.forget_answer("ETH/USDT", "long")
    stage.session.entry_confirmed("ETH/USDT", "long")
    assert stage.entries == []


def test_an_own_trade_replaces_its_twin_in_the_prior() -> None:
    """A backtest over the candles of its prior must not know each of its trades twice."""
    trade = a_number(1).close(0.01)
    twin = replace(trade_record(trade, BACKTEST, NOTED), id="another run's")
    stage = a_stage(prior=Prior(trades=(twin,), discount=0.5))
    assert stage.n_known(at(500)) > 0.0
    stage.session.trade_closed(trade)
    assert len(stage.session.recall) == 1


def test_an_entry_asked_for_again_within_a_candle_is_one_decision_with_a_count() -> None:
    """Freqtrade asks each loop while the exchange refuses; a filled entry ends the counting."""
    stage = a_stage(timeframe_s=300)
    seconds = (0, 5, 10, 290, 300)
    decisions = []
    for second in seconds:
        stage.session.answer(proposal(second / 3_600))
        answer = stage.session.entry_confirmed("ETH/USDT", "long")
        assert answer is not None
        decisions.append(answer.decision())
    first, other = decisions[0].id, decisions[-1].id
    assert [decision.id for decision in decisions] == [first] * 4 + [other]
    assert [decision.n_asked for decision in decisions] == [1, 2, 3, 4, 1]
    assert decisions[3].decided_at == at(290 / 3_600)
    trade = a_number(1, 301 / 3_600)
    stage.session.entry_filled(trade)
    (tie,) = stage.written(Opened)
    assert isinstance(tie, Opened)
    assert tie.decision_id == other
    stage.session.answer(proposal(310 / 3_600))
    again = stage.session.entry_confirmed("ETH/USDT", "long")
    assert again is not None
    assert again.decision().id not in {first, other}


def test_counting_goes_on_after_a_restart() -> None:
    """What an earlier process asked within the same candle is counted on."""
    stage, later = a_stage(timeframe_s=300), a_stage(timeframe_s=300)
    stage.session.answer(proposal())
    first = stage.session.entry_confirmed("ETH/USDT", "long")
    assert first is not None
    later.session.remember_earlier(placed=[first.decision()], opened={}, recorded=[])
    later.session.answer(proposal(1 / 60))
    second = later.session.entry_confirmed("ETH/USDT", "long")
    assert second is not None
    assert (second.decision().id, second.decision().n_asked) == (first.decision().id, 2)
