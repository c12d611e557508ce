"""Long work on a file gives way to who waits to write to it."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.brief_writes import BriefWrites
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.sqlite_files.turns import give_way, waiting
from tests.support.samples import a_trade
from tests.support.wait import eventually

if TYPE_CHECKING:
    from pathlib import Path


def pauses(path: Path, worked_s: float = 1.0) -> list[float]:
    """Return for how long work pauses now."""
    found: list[float] = []
    give_way(path, found.append, worked_s)
    return found


def test_work_pauses_only_while_somebody_waits(tmp_path: Path) -> None:
    """With nobody there it goes on at once."""
    path = tmp_path / "journal.sqlite"
    assert pauses(path) == [0.0]
    with waiting(path):
        assert len(pauses(path)) > 10
    assert pauses(path) == [0.0]


def test_who_waits_for_ever_does_not_stop_the_work(tmp_path: Path) -> None:
    """A process that was stopped in the middle costs half a second a write."""
    path = tmp_path / "journal.sqlite"
    pauses(path)
    with waiting(path), waiting(path):
        assert 0.4 < sum(pauses(path)) < 0.6


def test_where_locks_can_not_be_had_it_pauses_as_long_as_it_worked(tmp_path: Path) -> None:
    """So a folder without them is shared fairly, too."""
    assert pauses(tmp_path / "no" / "journal.sqlite", 0.25) == [0.0, 0.25]


def test_a_writer_has_its_turn_after_one_write(tmp_path: Path) -> None:
    """It waits for the write that is under way, and the next one waits for it."""
    ours, other = Journal(tmp_path), Journal(tmp_path)
    other.append([a_trade(1)])
    writes = BriefWrites(ours)
    with writes.one():
        pass
    with writes.one() as sqlite:
        sqlite.execute("INSERT INTO marks VALUES ('ours', '1')")
        thread = threading.Thread(target=lambda: other.append([a_trade(2)]))
        thread.start()
        assert eventually(lambda: pauses(ours.path, 0.0) != [0.0]), "it never waited"
    with writes.one() as sqlite:
        assert sqlite.execute("SELECT count(*) FROM records").fetchone() == (2,)
    thread.join()
    ours.close()
    other.close()
