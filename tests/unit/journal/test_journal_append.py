"""Appending: once, with corrections that leave a trace, all of it or nothing."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.outbox import Outbox
from tests.support.samples import (
    NOTED,
    a_decision,
    a_note,
    a_retraction,
    a_risk_event,
    a_trade,
    opened,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.records.base import Record


def rows(journal: Journal, query: str) -> list[Any]:
    """Return what SQLite itself sees in the journal's file."""
    sqlite = sqlite3.connect(journal.path)
    try:
        return sqlite.execute(query).fetchall()
    finally:
        sqlite.close()


def test_others_can_write_while_entries_are_worded(journal: Journal) -> None:
    """The file is locked for the writing alone, however long the wording takes."""
    journal.open()
    other = sqlite3.connect(journal.path, isolation_level=None, timeout=0.0)

    def worded() -> Iterator[Record]:
        other.execute("BEGIN IMMEDIATE")
        yield a_trade(1)
        other.execute("ROLLBACK")

    assert journal.append(worded()) == 1
    other.close()
    assert [a_trade(1)] == [record for _, record in journal.records()]


def test_records_come_back_in_order_of_arrival(journal: Journal) -> None:
    """Market time does not matter here: a late record is read last."""
    records = [a_trade(3), a_note(2), a_risk_event(9), a_trade(1)]

    assert journal.append(records) == 4
    assert records == [record for _, record in journal.records()]


def test_appending_again_changes_nothing(journal: Journal) -> None:
    """The same backtest run twice adds no record, whenever it was noted."""
    journal.append([a_trade(1)])
    later = a_trade(1, recorded_at=NOTED.replace(year=2025))

    assert journal.append([a_trade(1), later, later]) == 0
    assert [a_trade(1)] == [record for _, record in journal.records()]
    assert rows(journal, "SELECT count(*) FROM records") == [(1,)]


def test_a_correction_becomes_current_and_the_old_row_stays(journal: Journal) -> None:
    """Append-only: what was once written can always be looked up."""
    right = a_trade(1, profit_ratio=-0.5)
    journal.append([a_trade(1), a_trade(2)])

    assert journal.append([right]) == 1
    assert [a_trade(2), right] == [record for _, record in journal.records()]
    assert right == journal.record(right.id)
    assert rows(journal, "SELECT seq, is_current FROM records ORDER BY seq") == [
        (1, 0),
        (2, 1),
        (3, 1),
    ]


def test_a_correction_can_be_taken_back(journal: Journal) -> None:
    """Three rows, and the first one's content is current again."""
    first, second = a_trade(1), a_trade(1, profit_ratio=-0.5)
    journal.append([first])
    journal.append([second])

    assert journal.append([first]) == 1
    assert [(3, first)] == list(journal.records())


def test_the_correction_is_delivered_in_stead_of_the_old_record(journal: Journal) -> None:
    """Sending both could end with the wrong one in Mem0."""
    outbox = Outbox(journal)
    journal.append([a_trade(1), a_trade(2)])
    journal.append([a_trade(1, profit_ratio=-0.5)])

    assert [(2, a_trade(2)), (3, a_trade(1, profit_ratio=-0.5))] == outbox.pending(10)


def test_a_correction_of_a_delivered_record_is_delivered_again(journal: Journal) -> None:
    """Mem0 gets the newest word, also when it has an older one."""
    outbox = Outbox(journal)
    journal.append([a_trade(1)])
    outbox.delivered([1], NOTED)
    journal.append([a_trade(1, profit_ratio=-0.5)])

    assert [(2, a_trade(1, profit_ratio=-0.5))] == outbox.pending(10)


def test_every_new_record_waits_for_delivery(journal: Journal) -> None:
    """Record and outbox row are one transaction; a skipped record waits not again."""
    journal.append([a_trade(1), a_note(1), a_decision(1), a_trade(1)])

    assert [seq for seq, _ in Outbox(journal).pending(10)] == [1, 2]


def test_an_unknown_id_is_none(journal: Journal) -> None:
    """Asking for a record that is not there is no error."""
    journal.append([a_trade(1)])

    assert journal.record("nobody") is None


def test_all_of_an_append_or_nothing(journal: Journal) -> None:
    """A record that can not be written leaves none of its companions behind."""
    with pytest.raises(RecordError):
        journal.append([a_trade(1), a_risk_event(impact=float("nan")), a_trade(2)])

    assert list(journal.records()) == []
    assert journal.append([a_trade(1)]) == 1


def test_a_decision_asked_again_replaces_itself(journal: Journal) -> None:
    """A bot asks every few seconds within one candle; the last word counts, the tie stays."""
    decision, trade = a_decision(1), a_trade(1)
    journal.append([decision, opened(decision, trade)])
    journal.append([a_decision(1, proposed_stake=50.0)])

    (line,) = journal.ledger()
    assert (50.0, trade.id) == (line.decision.proposed_stake, line.decision.trade_id)


def test_opening_a_decision_nobody_knows_is_harmless(journal: Journal) -> None:
    """The decision may have been lost with a machine; the trade is remembered all the same."""
    journal.append([opened(a_decision(1), a_trade(1)), a_trade(1)])

    assert list(journal.ledger(only_opened=False)) == []
    assert [a_trade(1)] == [record for _, record in journal.records()]


def test_a_reader_follows_the_order_of_arrival(journal: Journal) -> None:
    """`after_seq` is where another process stopped reading: new ones and corrections follow."""
    journal.append([a_trade(1), a_trade(2)])
    (*_, (last, _)) = journal.records()
    journal.append([a_trade(1, profit_ratio=-0.5), a_trade(3)])

    assert [a_trade(1, profit_ratio=-0.5), a_trade(3)] == [
        record for _, record in journal.records(after_seq=last)
    ]
    assert list(journal.records(after_seq=99)) == []


@pytest.mark.parametrize(("limit", "expected"), [(0, []), (2, [4, 5]), (9, [1, 2, 3, 4, 5])])
def test_a_limit_keeps_the_newest(journal: Journal, limit: int, expected: list[int]) -> None:
    """The newest so many, still in order of arrival."""
    journal.append([a_trade(number) for number in range(1, 6)])

    assert expected == [seq for seq, _ in journal.records(limit=limit)]
    assert expected[-2:] == [seq for seq, _ in journal.records(after_seq=3, limit=limit)]


def test_counts_by_kind_category_and_mode(journal: Journal) -> None:
    """Current records alone are counted, of all owners or of one."""
    journal.append([a_trade(1), a_trade(2), a_note(1), a_trade(1, profit_ratio=0.5)])

    expected = {
        ("note", "user_preferences", "dry_run"): 1,
        ("trade", "strategy_performance", "dry_run"): 2,
    }
    assert expected == journal.counts()
    assert expected == journal.counts(user_id="me")
    assert journal.counts(user_id="you") == {}


def test_a_retracted_record_counts_no_more_and_stays_in_the_file(journal: Journal) -> None:
    """It is no longer current, nor delivered; the retraction is both."""
    journal.append([a_trade(1), a_trade(2)])
    retraction = a_retraction(a_trade(1).id)

    assert journal.append([retraction]) == 1
    assert [a_trade(2), retraction] == [record for _, record in journal.records()]
    assert [seq for seq, _ in Outbox(journal).pending(10)] == [2, 3]
    assert rows(journal, "SELECT count(*) FROM records") == [(3,)]


def test_a_retracted_record_can_come_back_and_be_retracted_again(journal: Journal) -> None:
    """A bot that is given its old database back, and loses it again."""
    retraction = a_retraction(a_trade(1).id)
    journal.append([a_trade(1)])
    journal.append([retraction])
    journal.append([a_trade(1)])
    assert a_trade(1) == journal.record(a_trade(1).id)

    assert journal.append([retraction]) == 1
    assert journal.record(a_trade(1).id) is None
    assert journal.append([retraction]) == 0


def test_a_record_can_be_read_while_records_are_written(journal: Journal) -> None:
    """Reading is finished before the first record is handed out: writing in between is safe."""
    journal.append([a_trade(number) for number in range(1, 4)])

    for number, _ in enumerate(journal.records(), start=10):
        journal.append([a_trade(number)])

    assert len(list(journal.records())) == 6


def test_an_unreadable_row_is_left_out_and_the_others_are_read(journal: Journal) -> None:
    """A newer version on the same memory must not keep an older bot from its own records."""
    journal.append([a_trade(1), a_trade(2), a_trade(3)])
    with journal.connection.write() as sqlite:
        sqlite.execute("UPDATE records SET kind = 'from the future' WHERE seq = 2")

    assert [(1, a_trade(1)), (3, a_trade(3))] == list(journal.records())


def test_corrections_use_the_index(journal: Journal) -> None:
    """What a correction supersedes is looked up, not searched for in the whole file."""
    journal.append([a_trade(1)])
    plan = rows(
        journal,
        "EXPLAIN QUERY PLAN UPDATE records SET is_current = 0 WHERE id = 'x' AND is_current = 1",
    )
    assert "records_current" in str(plan)
