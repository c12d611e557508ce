"""Closed trades with proposed and decided stakes: what `why` says, archived ones included."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.decide.explain import both_outcomes
from freqtrade_mem0.journal.bodies.archive import archive_decisions, archive_records
from freqtrade_mem0.journal.brief_writes import BriefWrites
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.journal.sized_trades import SizedTrade, sized_trades
from freqtrade_mem0.records.base import to_ms
from tests.support.bot_ledger import a_ledger
from tests.support.samples import NOTED, ORIGIN, a_decision, a_trade, at, opened

if TYPE_CHECKING:
    from typing import Any

    from freqtrade_mem0.journal.journal import Journal


CHANGE = {"was": '"profit_abs":1.0', "is": '"profit_abs":9.0'}


def only(journal: Journal, **decision: Any) -> SizedTrade:
    """Return the one trade of a journal, after writing it with a decision."""
    trade = {name.removeprefix("trade_"): decision.pop(name) for name in list(decision)
             if name.startswith("trade_")}  # fmt: skip
    said, closed = a_decision(**decision), a_trade(**trade)
    journal.append([said, opened(said, closed), replace(closed, decision_id=said.id)])
    (found,) = sized_trades(journal, Scope())
    return found


@pytest.mark.parametrize("applied", [True, False])
def test_an_effect_is_the_difference_that_why_shows(journal: Journal, applied: bool) -> None:
    """For a trade with one entry, the effect is the difference of the two outcomes of `why`."""
    placed = 125.0 if applied else 100.0
    amounts = {"trade_stake_amount": placed, "trade_max_stake_amount": placed}
    found = only(journal, applied=applied, **amounts, trade_profit_abs=placed * 0.01)
    (line,) = journal.ledger()
    assert line.trade is not None
    with_memory, without = both_outcomes(line.decision, line.trade)
    assert found.effect == pytest.approx(with_memory - without)
    assert found.effect == pytest.approx(0.25)


def test_an_entry_that_was_filled_in_part_counts_in_part(journal: Journal) -> None:
    """Of 125 asked for, 50 were filled: two fifths of the effect."""
    found = only(journal, trade_max_stake_amount=50.0, trade_profit_abs=0.5)
    assert found.sized is not None
    assert found.sized.filled == pytest.approx(0.4)
    assert found.effect == pytest.approx(0.4 * 0.25)


def test_later_entries_are_not_memorys(journal: Journal) -> None:
    """A trade that grew to 500 has the effect of the stake that memory moved, at its ratio."""
    found = only(journal, trade_max_stake_amount=500.0, trade_profit_abs=5.0, trade_leverage=3.0)
    assert found.effect == pytest.approx(0.25)
    assert found.profit_abs == 5.0


def test_a_trade_without_a_decision_has_no_effect(journal: Journal) -> None:
    """Its profit counts, and nothing else."""
    journal.append([a_trade()])
    (found,) = sized_trades(journal, Scope())
    assert (found.sized, found.effect, found.profit_abs) == (None, 0.0, 1.0)


def test_only_what_a_scope_and_a_time_select(journal: Journal) -> None:
    """Other bots' trades, and earlier ones, are left out."""
    journal.append(a_ledger(20, days=10))
    journal.append(a_ledger(5, days=10, origin=replace(ORIGIN, run_id="bot-2"), seed=2))
    assert len(list(sized_trades(journal, Scope(run_id="bot-2")))) == 5
    late = list(sized_trades(journal, Scope(run_id="bot-1", since=at(24 * 5))))
    assert len(late) == 10
    assert all(each.sized is not None for each in late)


def test_changed_amounts_are_not_believed(journal: Journal) -> None:
    """Where a body is not what was written, its amounts are unknown; the evidence counts."""
    only(journal, trade_max_stake_amount=125.0)
    with journal.connection.write() as sqlite:
        sqlite.execute("UPDATE records SET body = replace(body, :was, :is)", CHANGE)
    (found,) = sized_trades(journal, Scope())
    assert found.profit_abs is None
    assert found.effect == pytest.approx(0.25)


def test_archived_trades_keep_their_effects(journal: Journal) -> None:
    """Once bodies are archived and reasons are gone, effects and profits are those from before."""
    journal.append(a_ledger(20, days=10))
    before = list(sized_trades(journal, Scope()))
    Outbox(journal).delivered(range(1, 21), NOTED)
    writes = BriefWrites(journal, lambda _: None)
    long_after = to_ms(NOTED + timedelta(days=1))
    assert archive_records(writes, long_after) == 20
    assert archive_decisions(writes, long_after) == 19  # the newest one stays
    after = list(sized_trades(journal, Scope()))
    assert [each.effect for each in after] == pytest.approx([each.effect for each in before])
    assert {each.trade.id: each.profit_abs for each in after} == {
        each.trade.id: each.profit_abs for each in before
    }
