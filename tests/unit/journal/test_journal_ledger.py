"""The ledger: each decision with the outcome of the trade it became."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.journal.append import Opened
from freqtrade_mem0.journal.bodies.archive import archive_decisions, archive_records
from freqtrade_mem0.journal.brief_writes import BriefWrites
from freqtrade_mem0.journal.ledger_line import LedgerLine
from freqtrade_mem0.journal.ledger_order import last_decided, origins
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import Mode, to_ms
from tests.support.samples import ORIGIN, a_decision, a_trade, at, opened

if TYPE_CHECKING:
    from freqtrade_mem0.journal.append import Entry
    from freqtrade_mem0.journal.journal import Journal


def test_a_decision_finds_its_outcome(journal: Journal) -> None:
    """Decision, fill and close arrive hours apart, and make one line."""
    decision, trade = a_decision(1), a_trade(9)
    journal.append([decision])
    journal.append([opened(decision, trade)])
    journal.append([trade])

    known = replace(decision, trade_id=trade.id, open_date=trade.open_date)
    assert [LedgerLine(decision=known, trade=trade)] == list(journal.ledger())


def test_a_decision_whose_trade_is_open_has_no_outcome(journal: Journal) -> None:
    """The line is there from the fill on."""
    decision = a_decision(1)
    journal.append([decision, opened(decision, a_trade(9))])

    (line,) = journal.ledger()
    assert (a_trade(9).id, None) == (line.decision.trade_id, line.trade)


def test_a_decision_that_is_noted_again_stays_tied(journal: Journal) -> None:
    """Whether its fill came with it or before."""
    decision, trade = a_decision(1), a_trade(9)
    other = a_trade(10)
    journal.append([decision, opened(decision, trade)])
    journal.append([decision])
    journal.append([opened(decision, other), replace(decision, stake=1.0)])

    (line,) = journal.ledger()
    assert (line.decision.stake, line.decision.trade_id) == (1.0, other.id)
    assert line.decision.open_date == other.open_date


def test_a_decision_that_was_never_filled_is_left_out(journal: Journal) -> None:
    """Its entry order timed out; it can be asked for on purpose."""
    journal.append([a_decision(1)])

    assert list(journal.ledger()) == []
    assert [LedgerLine(decision=a_decision(1), trade=None)] == list(
        journal.ledger(only_opened=False)
    )


def test_the_outcome_is_the_corrected_one(journal: Journal) -> None:
    """A correction of the trade shows in its line, once."""
    decision, trade = a_decision(1), a_trade(9)
    journal.append([decision, opened(decision, trade), trade])
    journal.append([replace(trade, profit_ratio=-0.5)])

    assert [line.trade.profit_ratio for line in journal.ledger() if line.trade] == [-0.5]


def test_the_ledger_is_in_order_of_market_time(journal: Journal) -> None:
    """Whatever the order of arrival; a limit keeps the newest."""
    journal.append([a_decision(number) for number in (3, 1, 2)])

    assert [at(1), at(2), at(3)] == [
        line.decision.decided_at for line in journal.ledger(only_opened=False)
    ]
    assert [at(2), at(3)] == [
        line.decision.decided_at for line in journal.ledger(only_opened=False, limit=2)
    ]


def test_the_ledger_keeps_to_its_scope(journal: Journal) -> None:
    """Each part of a scope narrows it."""
    live = replace(ORIGIN, mode=Mode.LIVE, run_id="bot-2", strategy="Other", user_id="you")
    journal.append([a_decision(1), a_decision(2, origin=live, pair="BTC/USDT")])

    for scope in (
        Scope(user_id="you"),
        Scope(strategy="Other"),
        Scope(modes=[Mode.LIVE, Mode.BACKTEST]),
        Scope(run_id="bot-2"),
        Scope(pair="BTC/USDT"),
    ):
        assert [x.decision.pair for x in journal.ledger(scope, only_opened=False)] == ["BTC/USDT"]
    assert list(journal.ledger(Scope(modes=[]), only_opened=False)) == []


def test_loose_decisions_are_those_a_bot_still_has_to_tie(journal: Journal) -> None:
    """Unfilled recent ones, and filled ones whose trade has no record, or one without them."""
    unfilled, old, running, told, untold = (a_decision(number) for number in (5, 1, 6, 7, 8))
    trades = {
        "running": a_trade(21),
        "told": a_trade(22, decision_id=told.id),
        "untold": a_trade(23, decision_id=None),
    }
    journal.append([unfilled, old, running, told, untold])
    journal.append([opened(running, trades["running"]), opened(told, trades["told"])])
    journal.append([opened(untold, trades["untold"]), trades["told"], trades["untold"]])

    loose = journal.loose_decisions(Scope(user_id="me"), at(2))

    assert [decision.id for decision in loose] == [unfilled.id, running.id, untold.id]
    assert [decision.trade_id for decision in loose] == [
        None,
        trades["running"].id,
        trades["untold"].id,
    ]
    assert journal.loose_decisions(Scope(user_id="you"), at(0)) == []


@pytest.mark.parametrize("microsecond", [0, 250_000])
def test_the_open_date_comes_back(journal: Journal, microsecond: int) -> None:
    """Milliseconds of the fill are kept."""
    opened_at = at(1).replace(microsecond=microsecond)
    journal.append(
        [a_decision(1), Opened(decision_id=a_decision(1).id, trade_id="t", open_date=opened_at)]
    )

    (line,) = journal.ledger()
    assert opened_at == line.decision.open_date


def test_decisions_whose_trade_has_not_closed(journal: Journal) -> None:
    """Of the newest, in order; those that never became a trade are none."""
    for number in range(6):
        decision, trade = a_decision(number), a_trade(number + 20)
        closing = [trade] if number in {1, 4} else []
        journal.append([decision, opened(decision, trade), *closing])
    journal.append([a_decision(9)])

    def found(newest: int) -> list[str]:
        return [each.id for each in journal.still_open(Scope(), newest)]

    assert found(100) == [a_decision(number).id for number in (0, 2, 3, 5)]
    assert found(3) == [a_decision(number).id for number in (3, 5)]


@pytest.mark.parametrize("is_archived", [False, True])
def test_a_decision_and_its_trade_are_found_by_the_id_of_either(
    journal: Journal, is_archived: bool
) -> None:
    """Also once they are archived; a trade without a decision, and an open one, are found, too."""
    decision = a_decision(1, decided_at=at(0.5))
    trade = a_trade(2, open_date=at(0.6), decision_id=decision.id)
    alone, unfilled = a_trade(3), a_decision(4)
    journal.append([decision, opened(decision, trade), trade, alone, unfilled])
    if is_archived:
        writes = BriefWrites(journal, lambda _: None)
        archive_records(writes, to_ms(at(1_000)))
        archive_decisions(writes, to_ms(at(1_000)))
    found, closed = journal.decision_and_trade(trade.id)
    assert found is not None
    assert closed is not None
    assert (found.id, closed.id, found.stake) == (decision.id, trade.id, decision.stake)
    _, closed = journal.decision_and_trade(alone.id)
    assert closed is not None
    assert journal.decision_and_trade(alone.id)[0] is None
    found, closed = journal.decision_and_trade(unfilled.id)
    assert found is not None
    assert closed is None
    assert journal.decision_and_trade("nothing") == (None, None)
    if not is_archived:  # the id of an archived decision alone does not say where it is
        assert journal.decision_and_trade(decision.id)[1] == trade


def test_lines_are_chosen_without_reading_the_others(journal: Journal) -> None:
    """The newest of several runs, and those whose ids begin so, half of them archived."""
    runs = [ORIGIN, replace(ORIGIN, run_id="bot-2", strategy="Other", mode=Mode.LIVE)]
    runs += [replace(ORIGIN, run_id="bot"), replace(ORIGIN, user_id="you")]
    entries: list[Entry] = []
    for number in range(24):
        decision = a_decision(number, origin=runs[number % 4], decided_at=at(number - 0.5))
        trade = a_trade(number + 30, origin=runs[number % 4], decision_id=decision.id)
        entries += [decision]
        entries += [opened(decision, trade), trade] if number % 3 else []
    journal.append(entries)
    writes = BriefWrites(journal, lambda _: None)
    archive_records(writes, to_ms(at(45)))
    archive_decisions(writes, to_ms(at(10)))
    for scope in (Scope(), Scope(user_id="me"), Scope(run_id="bot-2"), Scope(pair="no/pair")):
        for only_opened in (True, False):
            lines = list(journal.ledger(scope, only_opened=only_opened))
            for limit in (0, 1, 5, 100):
                newest = list(journal.ledger(scope, only_opened=only_opened, limit=limit))
                assert newest == lines[-limit:] if limit else not newest
        for line in lines:
            for name in filter(None, (line.decision.id, line.decision.trade_id)):
                assert list(journal.ledger_of(scope, [name])) == [line]
                assert line in journal.ledger_of(scope, [name[:2], "mine"])
    assert not list(journal.ledger_of(Scope(), ["no such id"]))
    assert set(origins(journal.connection, Scope(user_id="me"))) == set(runs[:3])
    assert last_decided(journal.connection, Scope()) == {
        origin: max(
            to_ms(each.decision.decided_at)
            for each in journal.ledger()
            if each.decision.origin == origin
        )
        for origin in runs
    }
