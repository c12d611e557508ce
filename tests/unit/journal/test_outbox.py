"""The outbox: oldest first, refused ones kept and listed."""

from __future__ import annotations

import pytest

from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.outbox import Outbox, OutboxState
from tests.unit.samples import a_trade


@pytest.fixture
def outbox(journal: Journal) -> Outbox:
    """Five trades wait."""
    journal.append([a_trade(number) for number in range(1, 6)])
    return Outbox(journal)


def test_the_oldest_are_handed_out_first(outbox: Outbox) -> None:
    """Asking takes nothing off the queue."""
    expected = [(1, a_trade(1)), (2, a_trade(2))]

    assert (expected, expected) == (outbox.pending(2), outbox.pending(2))


def test_delivered_ones_are_gone(outbox: Outbox) -> None:
    """Delivering the same twice is harmless."""
    outbox.delivered([1, 2])
    outbox.delivered([1, 2, 99])

    assert [seq for seq, _ in outbox.pending(9)] == [3, 4, 5]
    assert OutboxState(pending=3, dead=0, last_error="") == outbox.state()


def test_failed_ones_go_on_waiting_in_their_place(outbox: Outbox) -> None:
    """An attempt that failed changes the order of nothing."""
    outbox.failed([1, 2], "away", dead=False)

    assert [seq for seq, _ in outbox.pending(9)] == [1, 2, 3, 4, 5]
    assert OutboxState(pending=5, dead=0, last_error="away") == outbox.state()


def test_refused_ones_are_kept_and_not_sent(outbox: Outbox) -> None:
    """Someone can look at them; they hold up nobody."""
    outbox.failed([2], "too long", dead=True)

    assert [seq for seq, _ in outbox.pending(9)] == [1, 3, 4, 5]
    assert OutboxState(pending=4, dead=1, last_error="too long") == outbox.state()


def test_the_outbox_survives_the_process(journal: Journal, outbox: Outbox) -> None:
    """It is part of the journal's file."""
    outbox.delivered([1])
    outbox.failed([2], "too long", dead=True)
    journal.close()
    again = Journal(journal.path.parent)

    assert [seq for seq, _ in Outbox(again).pending(9)] == [3, 4, 5]
    again.close()
