"""Recall follows the journal: what this bot may read, in whatever order it came there."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.recall.follow import JournalFollower
from freqtrade_mem0.records.base import Mode, Origin
from tests.support.samples import BACKTEST, NOTED, ORIGIN, a_promotion, a_retraction, a_trade, at

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.records.kinds.retraction import Retraction

LIVE = replace(ORIGIN, mode=Mode.LIVE, run_id="live-bot")


def known(recall: Recall) -> float:
    """Return how many trades count, at a moment after all of them."""
    return round(recall.as_of(at(1000), [STRATEGY])[0].n, 3)


def followed(journal: Journal, reader: Origin) -> tuple[JournalFollower, Recall]:
    """Return a follower that has run once, and its recall; nothing decays to speak of."""
    recall = Recall((), 1e9)
    follower = JournalFollower(journal, recall, reader, discount=0.25)
    follower.run()
    return follower, recall


@pytest.mark.parametrize(
    ("reader", "written", "weight"),
    [
        (ORIGIN, ORIGIN, 1.0),
        (ORIGIN, replace(ORIGIN, run_id="its sister"), 1.0),
        (ORIGIN, LIVE, 1.0),
        (LIVE, LIVE, 1.0),
        (LIVE, ORIGIN, 0.25),
        (ORIGIN, BACKTEST, 0.0),
        (LIVE, BACKTEST, 0.0),
        (ORIGIN, replace(ORIGIN, mode=Mode.MANUAL), 0.0),
        (ORIGIN, replace(ORIGIN, strategy="Another"), 0.0),
        (ORIGIN, replace(ORIGIN, user_id="somebody else"), 0.0),
    ],
)
def test_a_bot_reads_what_its_run_mode_may_read(
    tmp_path: Path, reader: Origin, written: Origin, weight: float
) -> None:
    """Live, dry-run and backtest do not mix by accident; owners and strategies never."""
    journal = Journal(tmp_path)
    journal.append([a_trade(1, origin=written)])
    _, recall = followed(journal, reader)
    assert known(recall) == weight


def test_what_comes_later_is_read_once_and_corrections_replace(tmp_path: Path) -> None:
    """Another process's new trade, its correction and its retraction reach recall in turn."""
    journal = Journal(tmp_path)
    follower, recall = followed(journal, ORIGIN)
    assert known(recall) == 0.0
    trade = a_trade(1, origin=replace(ORIGIN, run_id="its sister"))
    for row, expected in (
        (trade, (1.0, 0.01)),
        (replace(trade, profit_ratio=-0.02), (1.0, -0.02)),
        (a_retraction(trade.id), (0.0, 0.0)),
    ):
        journal.append([row])
        follower.run()
        follower.run()
        moments = recall.as_of(at(1000), [STRATEGY])[0]
        assert (round(moments.n, 3), round(moments.mean, 9)) == expected


def test_a_retraction_that_arrives_late_does_not_take_back_what_was_said_since(
    tmp_path: Path,
) -> None:
    """Recall knows what the journal knows, in whatever order it came there."""
    journal = Journal(tmp_path)
    trade = a_trade(1, origin=replace(ORIGIN, run_id="its sister"))
    follower, recall = followed(journal, ORIGIN)

    def retracted(days: int) -> Retraction:
        return replace(
            a_retraction(trade.id, recorded_at=NOTED + timedelta(days=days)), origin=trade.origin
        )

    said_again = replace(trade, recorded_at=NOTED + timedelta(days=2))
    for record, expected in (
        (said_again, 1.0),
        (retracted(1), 1.0),
        (trade, 1.0),
        (retracted(3), 0.0),
    ):
        journal.adopt([record])
        follower.run()
        assert known(recall) == expected


def test_it_tells_of_own_trades_and_of_promotions(tmp_path: Path) -> None:
    """What came back from Mem0 under the bot's own name, and that its prior is another one."""
    journal = Journal(tmp_path)
    follower, _ = followed(journal, ORIGIN)
    journal.append([a_trade(1), a_trade(2, origin=replace(ORIGIN, run_id="its sister"))])
    news = follower.run()
    assert (news.own, news.prior_changed) == ((a_trade(1),), False)
    journal.append([a_promotion()])
    assert follower.run().prior_changed
    assert not follower.run().prior_changed


def test_a_new_file_is_read_from_its_beginning(tmp_path: Path) -> None:
    """Its numbers begin anew: those of the old file say nothing of it."""
    old = Journal(tmp_path / "old")
    old.append([a_trade(number) for number in range(1, 11)])
    follower, recall = followed(old, ORIGIN)
    for file in (tmp_path / "old").iterdir():
        file.unlink()
    old.append([a_trade(20, origin=replace(ORIGIN, run_id="its sister"))])
    follower.run()
    assert known(recall) == 10.0
    follower.start_over()
    follower.run()
    assert known(recall) == 11.0
