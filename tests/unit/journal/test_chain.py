"""The chain of hashes: what was changed behind the journal's back is named, what we did is not."""

from __future__ import annotations

import random
import shutil
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.journal import chain
from freqtrade_mem0.journal.append import Confirmed, Opened
from freqtrade_mem0.journal.chain_check import Checked, check_chain
from freqtrade_mem0.journal.compact import compact
from freqtrade_mem0.journal.journal import FILE_NAME, Journal
from freqtrade_mem0.journal.salvage import salvage
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.retraction import retraction
from tests.support.samples import NOTED, ORIGIN, a_decision, a_note, a_trade, opened
from tests.support.wait import HANG_S
from tests.unit.journal.test_journal_processes import writer
from tests.unit.journal.test_old_journal_files import ASSETS, OLD_VERSIONS

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 28, tzinfo=UTC)


def fill(journal: Journal, n: int = 12) -> None:
    """Append trades with their decisions, as a bot does: decision, tie and trade one by one."""
    for number in range(n):
        decision, trade = a_decision(number), a_trade(number)
        journal.append([decision])
        journal.append([opened(decision, trade)])
        journal.append([trade])


def edit(journal: Journal, statement: str, *values: object) -> None:
    """Change the file behind the journal's back."""
    with closing(sqlite3.connect(journal.path)) as sqlite:
        assert sqlite.execute(statement, values).rowcount == 1
        sqlite.commit()


def checked(journal: Journal, **kept: str) -> Checked:
    """Return what a check finds."""
    return check_chain(
        journal.connection, {day[1:].replace("_", "-"): r for day, r in kept.items()}
    )


def root_of(journal: Journal) -> tuple[str, str]:
    """Return day and root of the end of the chain."""
    last = checked(journal).roots[-1]
    return last.day, last.root


def test_whatever_the_journal_does_fits(journal: Journal) -> None:
    """Corrections, retractions, repeated and revised decisions, records that came from Mem0."""
    fill(journal)
    journal.append([a_trade(1, profit_ratio=0.5), a_note(1), a_note(1, content="always")])
    journal.append([retraction(a_trade(2), "gone", NOTED + timedelta(days=1))])
    journal.append([replace(a_trade(2), recorded_at=NOTED + timedelta(days=2))])
    decision = a_decision(50)
    journal.append([decision])
    journal.append([replace(decision, n_asked=7)])
    journal.append([replace(decision, n_asked=7), opened(decision, a_trade(50))])
    journal.append([Opened(decision_id=decision.id, trade_id="other", open_date=NOTED)])
    journal.append([replace(decision, n_asked=9)])
    foreign = [a_trade(number, origin=replace(ORIGIN, run_id="sister")) for number in (60, 61)]
    journal.adopt([*foreign, retraction(foreign[1], "gone", NOTED + timedelta(days=1))])
    journal.append([Confirmed(record_id=foreign[0].id)])

    found = checked(journal)
    assert found.breaks == []
    assert found.n_rows > 30


def test_rows_that_are_not_read_again_fit(journal: Journal) -> None:
    """Also where a text is of a type of its own, and where a batch has corrections and removals."""

    class Pair(str):
        __slots__ = ()

        def __repr__(self) -> str:
            return f"Pair({str(self)!r})"

    journal.append([a_trade(number, pair=Pair("ETH/USDT")) for number in range(3)])
    journal.append([a_trade(3), a_trade(1, profit_ratio=0.5), a_trade(4)])
    journal.append([a_trade(5), retraction(a_trade(2), "gone", NOTED + timedelta(days=1))])
    journal.append([a_trade(6)])

    found = checked(journal)
    assert found.breaks == []
    assert found.n_rows == found.n_items == 9


def test_what_is_written_again_adds_nothing(journal: Journal) -> None:
    """A repeated backtest must not make the chain longer."""
    decision, trade = a_decision(1), a_trade(1)
    journal.append([decision, opened(decision, trade), trade])
    n_items = checked(journal).n_items
    journal.append([decision, opened(decision, trade), trade])
    assert checked(journal).n_items == n_items == 2


TAMPERING: dict[str, tuple[str, str, str]] = {
    "a body": (
        "UPDATE records SET body = replace(body, ':0.01,', ':0.91,') WHERE seq = 5",
        "row 5 of records",
        "changed",
    ),
    "a body with its hash": (
        "UPDATE records SET (body, content_hash) = (SELECT body, content_hash FROM records LIMIT 1)"  # noqa: ISC004
        " WHERE seq = 5",
        "row 5 of records",
        "changed",
    ),
    "a column": ("UPDATE records SET run_id = 'x' WHERE seq = 5", "row 5 of records", "changed"),
    "a decision": (
        "UPDATE decisions SET body = replace(body, '1.25', '0.25') WHERE seq = 5",
        "row 5 of decisions",
        "changed",
    ),
    "a decision's trade": (
        "UPDATE decisions SET trade_id = 'x' WHERE seq = 5",
        "row 5 of decisions",
        "changed",
    ),
    "a trade taken from its decision": (
        "UPDATE decisions SET trade_id = NULL WHERE seq = 5",
        "row 5 of decisions",
        "changed",
    ),
    "a decision taken out": (
        "DELETE FROM decisions WHERE seq = 5",
        "row 5 of decisions",
        "taken out",
    ),
    "a record put in": (
        "INSERT INTO records SELECT 99, 'new', content_hash, 1, kind, category, user_id, strategy,"  # noqa: ISC004
        " mode, run_id, pair, known_ms, recorded_ms, body FROM records WHERE seq = 5",
        "row 99 of records",
        "another program",
    ),
    "a loss switched off": (
        "UPDATE records SET is_current = 0 WHERE seq = 5",
        "row 5 of records",
        "switched",
    ),
    "an item": (
        "UPDATE chain SET digest = zeroblob(16) WHERE n = 14",
        "row 5 of decisions",
        "changed",
    ),
    "an item that a later one replaced": (
        "UPDATE chain SET digest = zeroblob(16) WHERE n = 13",
        "the root of",
        "changed",
    ),
    "an item taken out": ("DELETE FROM chain WHERE n = 13", "item 13 of the chain", "missing"),
    "the last item taken out": (
        "DELETE FROM chain WHERE n = 36",
        "row 12 of records",
        "another program",
    ),
}


@pytest.mark.parametrize("how", TAMPERING)
def test_what_was_changed_in_the_file_is_named(journal: Journal, how: str) -> None:
    """With the first row that does not fit, and what that means."""
    fill(journal)
    assert checked(journal).n_breaks == 0
    statement, what, means = TAMPERING[how]
    edit(journal, statement)
    found = checked(journal)
    assert found.n_breaks > 0
    named = [each for each in found.breaks if each.what.startswith(what)]
    assert named
    assert means in named[0].means


def test_a_record_taken_out_is_named(journal: Journal) -> None:
    """Together with its place in the outbox, so that SQLite finds nothing wrong."""
    fill(journal)
    edit(journal, "DELETE FROM outbox WHERE seq = 5")
    edit(journal, "DELETE FROM records WHERE seq = 5")
    first = checked(journal).breaks[0]
    assert first.what == "row 5 of records"
    assert "taken out" in first.means


def test_a_chain_made_anew_is_seen_with_a_root_from_elsewhere_alone(journal: Journal) -> None:
    """That is what the chain does not prove by itself."""
    fill(journal)
    day, root = root_of(journal)
    journal.append([a_trade(99)])
    assert checked(journal, **{f"d{day}": root}).n_breaks == 0

    edit(journal, "UPDATE decisions SET body = replace(body, '1.25', '0.25') WHERE seq = 5")
    with journal.connection.write() as sqlite:
        for table in ("chain", "chain_roots", "chain_gone"):
            sqlite.execute(f"DELETE FROM {table}")  # noqa: S608 - names of this test
        chain.begin(sqlite)
    assert checked(journal).n_breaks == 0
    found = checked(journal, **{f"d{day}": root})
    assert [each.what for each in found.breaks] == [f"the root {root} of {day}"]


def test_an_older_copy_in_its_place_is_seen_with_a_root(journal: Journal, tmp_path: Path) -> None:
    """The copy itself fits its own chain."""
    fill(journal)
    older = root_of(journal)
    journal.close()
    shutil.copy(journal.path, tmp_path / "copy")
    journal.append([a_trade(99)])
    newer = root_of(journal)
    journal.close()
    shutil.copy(tmp_path / "copy", journal.path)
    assert checked(journal, **{f"d{older[0]}": older[1]}).n_breaks == 0
    assert "cut off" in checked(journal, **{f"d{newer[0]}": newer[1]}).breaks[0].means


def test_each_day_has_a_root(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where a clock was put back; a root is not taken for that of an earlier day."""

    class Clock(datetime):
        days = iter((1, 1, 2, 1, 3))

        @classmethod
        def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
            del tz
            return datetime(2026, 1, next(cls.days), tzinfo=UTC)

    monkeypatch.setattr(chain, "datetime", Clock)
    for number in range(5):
        journal.append([a_trade(number)])
    roots = checked(journal).roots
    assert [(root.day[-2:], root.n_items) for root in roots] == [
        ("01", 2),
        ("02", 3),
        ("01", 4),
        ("03", 5),
    ]
    assert checked(journal, **{"d2026-01-02": roots[1].root}).n_breaks == 0
    assert checked(journal, **{"d2026-01-01": roots[1].root}).n_breaks == 1


@pytest.mark.parametrize("version", OLD_VERSIONS)
def test_the_chain_of_an_old_journal_begins_with_what_is_there(
    tmp_path: Path, version: int
) -> None:
    """Every row of it is in the chain from then on."""
    shutil.copy(ASSETS / f"journal-v{version}.sqlite", tmp_path / FILE_NAME)
    journal = Journal(tmp_path)
    found = checked(journal)
    assert found.n_breaks == 0
    assert found.n_items == found.n_rows > 0
    journal.append([a_trade(99)])
    assert checked(journal).n_breaks == 0
    journal.close()


def test_compaction_keeps_the_hashes_and_is_counted(journal: Journal) -> None:
    """The rows that it deleted are no break; one more that somebody deletes is."""
    fill(journal)
    journal.append([a_trade(3, profit_ratio=0.5), a_decision(200), a_decision(201)])
    journal.close()
    compact(journal.path, NOW, pause=lambda _: None)
    found = checked(journal)
    assert found.n_breaks == 0
    assert found.gone == {"compacted": 3}
    edit(journal, "DELETE FROM decisions WHERE seq = 2")
    assert checked(journal).n_breaks == 1


def test_a_deletion_that_was_made_up_is_named(journal: Journal) -> None:
    """An entry in the list of deletions without its item excuses nothing."""
    fill(journal)
    edit(journal, "DELETE FROM decisions WHERE seq = 2")
    edit(journal, "INSERT INTO chain_gone VALUES (3, 0, 'compacted', '[[2,2]]')")
    assert checked(journal).n_breaks == 2


def test_several_processes_make_one_chain(journal: Journal) -> None:
    """Each link is made inside the transaction that writes the row."""
    journal.open()
    folder = journal.path.parent
    writers = [writer(folder, first, first + 30) for first in (0, 100, 200)]
    for each in writers:
        each.communicate(timeout=HANG_S)
    found = checked(journal)
    assert found.n_breaks == 0
    assert found.n_items == 90


@pytest.mark.parametrize("seed", range(12))
def test_salvage_keeps_the_chain_as_far_as_it_is_unbroken(journal: Journal, seed: int) -> None:
    """Rows that were lost are named as lost; what comes later fits."""
    for _ in range(3):
        fill(journal, 40)
    day, root = root_of(journal)
    journal.append([a_note(1)])
    journal.close()
    pages = journal.path.read_bytes()
    chance = random.Random(seed)
    damaged = bytearray(pages)
    number = chance.randrange(8, len(pages) // 4096 - 1)
    damaged[number * 4096 : (number + 1) * 4096] = chance.randbytes(4096)
    journal.path.write_bytes(damaged)

    done = salvage(journal.path, NOW)
    found = checked(journal)
    assert found.breaks == []
    if done is None:
        return
    journal.append([a_trade(500)])
    assert checked(journal).breaks == []
    assert len(checked(journal, **{f"d{day}": root}).breaks) in {0, 1}


def test_a_changed_row_that_salvage_drops_is_lost_and_no_break(journal: Journal) -> None:
    """The chain is whole afterwards, and says that a row is lost."""
    fill(journal)
    edit(journal, "UPDATE records SET body = 'x' WHERE seq = 5")
    journal.close()
    assert salvage(journal.path, NOW) is not None
    found = checked(journal)
    assert found.breaks == []
    assert found.gone == {"lost": 1}


def test_what_others_append_meanwhile_is_no_break(journal: Journal) -> None:
    """A check sees one state of the file."""
    fill(journal)
    other = Journal(journal.path.parent)

    def meanwhile(_done: int, _n: int) -> None:
        other.append([a_trade(100 + time.time_ns() % 10**6), a_decision(7, multiplier=0.5)])

    assert check_chain(journal.connection, progress=meanwhile).breaks == []
    other.close()


def test_millions_of_items_take_little_memory_each(journal: Journal) -> None:
    """A decision of a backtest in one write with its trade costs two items."""
    entries = [
        entry
        for number in range(300)
        for decision in [a_decision(number, origin=replace(ORIGIN, mode=Mode.BACKTEST))]
        for entry in (decision, opened(decision, a_trade(number)), a_trade(number))
    ]
    journal.append(entries)
    assert checked(journal).n_items == 600
