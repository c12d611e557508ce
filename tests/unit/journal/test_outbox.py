"""The outbox: oldest first, refused ones kept and listed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.outbox import DeadLetter, Outbox, OutboxState
from freqtrade_mem0.records.codec import encode
from freqtrade_mem0.records.kinds.removal import removal
from tests.support.samples import NOTED, a_retraction, a_trade

NOW = NOTED + timedelta(hours=1)


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
    outbox.delivered([1, 2], NOW)
    outbox.delivered([1, 2, 99], NOW)

    assert [seq for seq, _ in outbox.pending(9)] == [3, 4, 5]
    assert outbox.state() == OutboxState(
        pending=3, dead=0, last_error="", waiting_since=NOTED, delivered_at=NOW, failures=0
    )


def test_failed_ones_go_on_waiting_in_their_place(outbox: Outbox) -> None:
    """An attempt that failed changes the order of nothing; failures in a row are counted."""
    outbox.failed([1, 2], "away")
    outbox.failed([1, 2], "still away")

    assert [seq for seq, _ in outbox.pending(9)] == [1, 2, 3, 4, 5]
    assert outbox.state() == OutboxState(
        pending=5, dead=0, last_error="still away", waiting_since=NOTED, failures=2
    )
    outbox.delivered([1], NOW)
    assert (outbox.state().failures, outbox.state().last_error) == (0, "")


def test_refused_ones_are_kept_and_not_sent(outbox: Outbox) -> None:
    """Someone can look at them; they hold up nobody, and are no failure of Mem0's."""
    outbox.refused([2], "too long")

    assert [seq for seq, _ in outbox.pending(9)] == [1, 3, 4, 5]
    assert outbox.state() == OutboxState(
        pending=4, dead=1, last_error="too long", waiting_since=NOTED
    )


def test_what_waits_longest_tells_the_lag(journal: Journal) -> None:
    """The oldest waiting record, not a refused one; nothing waits, no lag."""
    outbox = Outbox(journal)
    assert outbox.state().waiting_since is None
    times = [NOTED + timedelta(minutes=n) for n in range(3)]
    journal.append([a_trade(n, recorded_at=at) for n, at in enumerate(times, start=1)])
    outbox.refused([1], "no")
    assert outbox.state().waiting_since == times[1]
    outbox.delivered([2, 3], NOW)
    assert outbox.state().waiting_since is None


def test_a_dead_letter_is_listed_as_it_is(outbox: Outbox) -> None:
    """With all there is to mend it: the record's own JSON, the attempts, the reason."""
    outbox.failed([2], "away")
    outbox.refused([2, 4], "too long")

    second, fourth = outbox.dead_letters()
    assert second == DeadLetter(
        record_id=a_trade(2).id,
        kind="trade",
        body=encode(a_trade(2)),
        attempts=2,
        error="too long",
    )
    assert fourth.record_id == a_trade(4).id


def test_dead_letters_can_wait_again(outbox: Outbox) -> None:
    """Some of them, or all; what is not dead is not counted."""
    outbox.refused([2, 3, 4], "too long")

    assert outbox.resend([a_trade(3).id, a_trade(1).id, "nobody"]) == 1
    assert [seq for seq, _ in outbox.pending(9)] == [1, 3, 5]
    assert outbox.resend() == 2
    assert [seq for seq, _ in outbox.pending(9)] == [1, 2, 3, 4, 5]
    assert (outbox.state().dead, outbox.state().last_error) == (0, "")


def test_dead_letters_can_be_given_up(journal: Journal, outbox: Outbox) -> None:
    """They stay in the journal; one that is not dead can not be given up."""
    outbox.refused([2, 3], "too long")

    assert outbox.give_up([a_trade(2).id, a_trade(5).id]) == 1
    assert [letter.record_id for letter in outbox.dead_letters()] == [a_trade(3).id]
    assert [seq for seq, _ in outbox.pending(9)] == [1, 4, 5]
    assert journal.record(a_trade(2).id) == a_trade(2)


def test_a_correction_or_retraction_takes_a_dead_letters_place(
    journal: Journal, outbox: Outbox
) -> None:
    """What was refused is not sent any more; what says more about it is."""
    outbox.refused([2, 3], "too long")
    journal.append([a_trade(2, profit_ratio=0.5), a_retraction(a_trade(3).id)])

    assert outbox.dead_letters() == []
    assert [seq for seq, _ in outbox.pending(9)] == [1, 4, 5, 6, 7]


def test_what_was_said_meanwhile_is_sent_again(journal: Journal, outbox: Outbox) -> None:
    """A slow write that ends after its correction or retraction was delivered may undo it."""
    journal.append([a_trade(1, profit_ratio=0.5), a_retraction(a_trade(2).id)])
    outbox.delivered([6, 7], NOW)
    assert [seq for seq, _ in outbox.pending(9)] == [3, 4, 5]
    outbox.delivered([1, 2], NOW)

    assert [seq for seq, _ in outbox.pending(9)] == [3, 4, 5, 6, 7]


def test_a_memory_deleted_meanwhile_is_deleted_again(journal: Journal, outbox: Outbox) -> None:
    """Another process delivered the removal before this one's write, which then undid it."""
    outbox.pending(5)
    journal.append([removal(a_trade(1), "by hand", NOTED)])
    Outbox(journal).delivered([6], NOW)

    outbox.delivered([1, 2, 3, 4, 5], NOW)

    assert [seq for seq, _ in outbox.pending(9)] == [6]
    outbox.delivered([6], NOW)
    assert outbox.pending(9) == []
    journal.append([a_trade(1, exit_reason="corrected")])
    assert outbox.pending(9) == []


def test_the_outbox_survives_the_process(journal: Journal, outbox: Outbox) -> None:
    """It is part of the journal's file."""
    outbox.delivered([1], NOW)
    outbox.refused([2], "too long")
    outbox.failed([3], "away")
    before = outbox.state()
    journal.close()
    again = Journal(journal.path.parent)

    assert [seq for seq, _ in Outbox(again).pending(9)] == [3, 4, 5]
    assert Outbox(again).state() == before
    again.close()
