from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.recall import STRATEGY, Recall
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.sync import JournalSync
from tests.unit.samples import BACKTEST, ORIGIN, a_retraction, a_trade, at

if TYPE_CHECKING:
    from pathlib import Path

LIVE = replace(ORIGIN, mode=Mode.LIVE, run_id="live-bot")


def known(recall: Recall) -> float:
    """Return how many trades count, at a moment after all of them."""
    return round(recall.as_of(at(1000), [STRATEGY])[0].n, 3)


def synced(journal: Journal, reader: Origin) -> tuple[JournalSync, Recall]:
    """Return a sync that has run once, and its recall; nothing decays to speak of."""
    recall = Recall((), 1e9)
    sync = JournalSync(journal, recall, reader, discount=0.25)
    sync.run()
    return sync, recall


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
    _, recall = synced(journal, reader)
    assert known(recall) == weight


def test_what_comes_later_is_read_once_and_corrections_replace(tmp_path: Path) -> None:
    """Another process's new trade, its correction and its retraction reach recall in turn."""
    journal = Journal(tmp_path)
    sync, recall = synced(journal, ORIGIN)
    assert known(recall) == 0.0
    trade = a_trade(1, origin=replace(ORIGIN, run_id="its sister"))
    for row, expected in (
        (trade, (1.0, 0.01)),
        (replace(trade, profit_ratio=-0.02), (1.0, -0.02)),
        (a_retraction(trade.id), (0.0, 0.0)),
    ):
        journal.append([row])
        sync.run()
        sync.run()
        moments = recall.as_of(at(1000), [STRATEGY])[0]
        assert (round(moments.n, 3), round(moments.mean, 9)) == expected
