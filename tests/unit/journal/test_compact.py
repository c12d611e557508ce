"""Compaction: nothing that anybody reads is lost, bots are not held up, kills do no harm."""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.errors import ConfigError, JournalError
from freqtrade_mem0.journal.compact import Compacted, compact
from freqtrade_mem0.journal.journal import FILE_NAME, Journal
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.journal.salvage import salvage
from freqtrade_mem0.journal.schema import VERSION
from freqtrade_mem0.records.base import Mode
from tests.support.samples import (
    BACKTEST,
    NOTED,
    ORIGIN,
    a_backtest,
    a_decision,
    a_retraction,
    a_trade,
    opened,
)
from tests.unit.journal.damage import page_kinds

if TYPE_CHECKING:
    from freqtrade_mem0.records.base import Record

pytestmark = pytest.mark.usefixtures("forked")

ROOT = Path(__file__).parents[3]
ASSETS = ROOT / "tests" / "assets"
NOW = datetime(2030, 1, 1, tzinfo=UTC)
LIVE = replace(ORIGIN, mode=Mode.LIVE)


def compacted(journal: Journal, **options: Any) -> Compacted:
    """Compact a journal that this process has closed, without pauses."""
    journal.close()
    return compact(journal.path, NOW, pause=lambda _: None, **options)


def content(journal: Journal) -> dict[str, Any]:
    """Return all that is read of a journal."""
    outbox = Outbox(journal)
    return {
        "records": list(journal.records()),
        "ledger": list(journal.ledger()),
        "waiting": outbox.pending(10_000),
        "dead": outbox.dead_letters(),
        "counts": journal.counts(),
    }


def stale(path: Path) -> int:
    """Count rows of records that do not count."""
    with closing(sqlite3.connect(path)) as sqlite:
        (count,) = sqlite.execute("SELECT count(*) FROM records WHERE is_current = 0").fetchone()
    return int(count)


def corrected(journal: Journal, n_trades: int = 300, n_times: int = 3) -> list[Record]:
    """Write trades and correct each of them some times; return them as they are in the end."""
    trades: list[Record] = []
    for time in range(n_times + 1):
        trades = [a_trade(n, profit_ratio=time / 10) for n in range(1, n_trades + 1)]
        journal.append(trades)
    return trades


def test_replaced_versions_go_and_the_last_word_stays(journal: Journal) -> None:
    """Records, numbers, queue and dead letters are as before; the space is the disk's again."""
    corrected(journal)
    outbox = Outbox(journal)
    outbox.refused([1_190], "too long")
    outbox.delivered(range(901, 1_100), NOTED)
    before = content(journal)
    done = compacted(journal)

    assert (done.records, done.decisions, done.was_in_use) == (900, 0, False)
    assert done.bytes_after < done.bytes_before / 2
    assert done.bytes_free < 10 * 4_096
    assert content(journal) == before
    assert journal.check() == "ok"
    assert compacted(journal).records == 0


def test_numbers_never_come_again(journal: Journal) -> None:
    """Who follows a journal by number meets each once, also where the last rows were taken."""
    journal.append([a_trade(1)])
    journal.append([a_trade(1, profit_ratio=0.5)])
    journal.append([a_trade(1, profit_ratio=0.6), a_trade(2)])
    journal.append([a_retraction(a_trade(2).id)])
    compacted(journal)
    journal.append([a_trade(3)])

    assert [seq for seq, _ in journal.records()] == [3, 5, 6]


def test_what_was_taken_back_is_remembered_as_such(journal: Journal) -> None:
    """Its last version stays, as imports go by that; it does not come back by one or by sync."""
    journal.append([a_trade(1), a_trade(2)])
    journal.append([a_trade(1, profit_ratio=0.5)])
    journal.append([a_retraction(a_trade(1).id)])
    known = journal.recorded_ms([a_trade(1).id, a_trade(2).id])

    assert compacted(journal).records == 1
    assert journal.recorded_ms([a_trade(1).id, a_trade(2).id]) == known
    assert journal.adopt([a_trade(1), a_trade(1, profit_ratio=0.5)]) == 0
    assert not journal.is_current(a_trade(1).id)


def test_a_version_that_was_recorded_later_than_the_last_stays(journal: Journal) -> None:
    """Sync decides by it what is news; such a row is made by hand, or by a clock put back."""
    journal.append([a_trade(1)])
    journal.append([a_trade(1, profit_ratio=0.5)])
    with journal.connection.write() as sqlite:
        sqlite.execute("UPDATE evidence SET recorded_ms = recorded_ms + 9000 WHERE seq = 1")

    assert compacted(journal).records == 0


def test_a_batch_on_its_way_is_delivered_again_all_the_same(journal: Journal) -> None:
    """Another process corrected what is being sent, and the sent version was compacted away."""
    journal.append([a_trade(1)])
    outbox = Outbox(journal)
    (sent,) = outbox.pending(1)
    journal.append([a_trade(1, profit_ratio=0.5)])
    Outbox(journal).delivered([2], NOTED)  # by a faster process
    assert compacted(journal).records == 1
    outbox.delivered([sent[0]], NOTED)

    assert [seq for seq, _ in outbox.pending(9)] == [2]


def test_old_decisions_without_a_trade_go(journal: Journal) -> None:
    """Those that are tied stay, and those that a bot may tie still."""
    tied, unfilled = a_decision(1, origin=LIVE), a_decision(2, origin=LIVE)
    young = a_decision(3, origin=LIVE, decided_at=NOW - timedelta(days=89))
    journal.append([tied, unfilled, young, opened(tied, a_trade(1))])

    assert compacted(journal, dry_run=True).decisions == 1
    assert compacted(journal).decisions == 1
    assert {line.decision.id for line in journal.ledger(only_opened=False)} == {tied.id, young.id}
    assert compacted(journal, keep_days=31).decisions == 1


def test_decisions_of_a_backtest_go_when_it_has_ended(journal: Journal) -> None:
    """One that is running may still fill its orders."""
    tied, unfilled = a_decision(1, origin=BACKTEST), a_decision(2, origin=BACKTEST)
    journal.append([tied, unfilled, opened(tied, a_trade(1, origin=BACKTEST))])
    assert compacted(journal).decisions == 0

    journal.append([a_backtest()])
    assert compacted(journal).decisions == 1
    assert [line.decision.id for line in journal.ledger(only_opened=False)] == [tied.id]


HOLDER = """
import sys
from pathlib import Path
from freqtrade_mem0.journal.journal import Journal
journal = Journal(Path(sys.argv[1]))
journal.open()
print("open", flush=True)
sys.stdin.read()
"""


def test_beside_a_running_process_backtests_are_left_alone(journal: Journal) -> None:
    """It may be the one that repeats them; all else is done, and the file gets smaller."""
    corrected(journal)
    unfilled = a_decision(2, origin=BACKTEST)
    journal.append([unfilled, a_backtest()])
    journal.close()
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(journal.path.parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"open\n"
        done = compacted(journal)
        process.communicate()

    assert (done.was_in_use, done.records, done.decisions) == (True, 900, 0)
    assert done.bytes_free == 0


def test_it_pauses_between_short_writes(journal: Journal) -> None:
    """A bot's writer gets its turn; fifty rows or pages at a time."""
    corrected(journal)
    journal.close()
    pauses: list[float] = []
    other = Journal(journal.path.parent)

    def write_meanwhile(_: float) -> None:
        pauses.append(_)
        other.append([a_trade(1_000 + len(pauses))])

    done = compact(journal.path, NOW, pause=write_meanwhile)
    other.close()

    assert done.records == 900
    assert len(pauses) >= 9
    assert len(list(journal.records())) == 300 + len(pauses)


COMPACTING = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from freqtrade_mem0.journal.compact import compact
print("begins", flush=True)
compact(Path(sys.argv[1]), datetime(2030, 1, 1, tzinfo=UTC))
print("done", flush=True)
"""


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("is_old", [False, True], ids=["new file", "old file"])
def test_a_kill_at_any_instant_loses_nothing(tmp_path: Path, seed: int, is_old: bool) -> None:
    """SIGKILL while rows go, while the file shrinks, while it is written anew."""
    chance = random.Random(seed)
    journal = Journal(tmp_path)
    if is_old:
        _as_before_compaction(tmp_path)
    corrected(journal)
    decisions = [a_decision(n, origin=LIVE) for n in range(1, 200)]
    journal.append([*decisions, *(opened(each, a_trade(7)) for each in decisions[::2])])
    before = content(journal)
    journal.close()
    with subprocess.Popen(
        [sys.executable, "-c", COMPACTING, str(journal.path)], stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begins\n"
        for _ in range(chance.randrange(4_000_000)):
            pass  # up to some tenths of a second, in which it goes on
        process.send_signal(signal.SIGKILL)

    assert journal.check() == "ok"
    assert content(journal) == before
    compacted(journal)
    assert (content(journal), stale(journal.path), journal.check()) == (before, 0, "ok")


def _as_before_compaction(folder: Path) -> None:
    """Make a file that can not shrink bit by bit, as earlier versions did."""
    with closing(sqlite3.connect(folder / FILE_NAME)) as sqlite:
        sqlite.execute("PRAGMA auto_vacuum = NONE")
        sqlite.execute("CREATE TABLE first (a)")
        sqlite.execute("DROP TABLE first")


@pytest.mark.parametrize("version", range(1, VERSION))
def test_a_file_of_an_earlier_version_is_written_anew_once(tmp_path: Path, version: int) -> None:
    """After that it shrinks bit by bit, too."""
    path = tmp_path / FILE_NAME
    shutil.copy(ASSETS / f"journal-v{version}.sqlite", path)
    journal = Journal(tmp_path)
    before = content(journal)
    compacted(journal)

    assert content(journal) == before
    with journal.connection.read() as sqlite:
        assert sqlite.execute("PRAGMA auto_vacuum").fetchone() == (2,)
    journal.close()


@pytest.mark.parametrize(
    ("was_in_use", "what"), [(True, "Stop what uses this memory"), (False, "Free two and a half")]
)
def test_a_file_that_can_not_be_written_anew_stays_in_use(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    was_in_use: bool,
    what: str,
) -> None:
    """Another process uses it, or the disk is too full: the command says what to do."""
    (tmp_path / "mem0").mkdir()
    path = tmp_path / "mem0" / FILE_NAME
    shutil.copy(ASSETS / "journal-v2.sqlite", path)
    monkeypatch.setattr("freqtrade_mem0.journal.compact.is_in_use", lambda _: was_in_use)
    monkeypatch.setattr("freqtrade_mem0.sqlite_files.space._COPIES", 1e12)

    assert main(["compact", "--userdir", str(tmp_path)]) == 0
    assert what in " ".join(capsys.readouterr().out.split())
    assert stale(path) <= 1


def test_salvage_counts_nothing_as_lost_that_was_taken_out(journal: Journal) -> None:
    """Gaps in the row numbers that compaction left are no loss."""
    trades = corrected(journal)
    compacted(journal)
    last = max(n for n, kind in page_kinds(journal.path).items() if kind == "decisions_trade leaf")
    with journal.path.open("r+b") as file:
        file.seek((last - 1) * 4_096)
        file.write(b"\xff" * 4_096)
    done = salvage(journal.path, NOW)

    assert done is not None
    assert done.lost_records == 0
    assert [record for _, record in journal.records()] == trades


def test_a_file_that_stays_locked_is_left_as_it_is(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody writes for longer than anybody should; the sentence names the file."""
    corrected(journal, 10)
    monkeypatch.setattr("freqtrade_mem0.journal.connection.BUSY_TIMEOUT_S", 0.01)
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(JournalError, match=FILE_NAME):
            compacted(journal)
    assert stale(journal.path) == 30


def test_what_bots_may_still_tie_can_not_be_taken(journal: Journal) -> None:
    """Thirty-one days are allowed, less is refused."""
    journal.open()
    assert compacted(journal, keep_days=31).decisions == 0
    with pytest.raises(ConfigError, match="at least 31, it is 30"):
        compacted(journal, keep_days=30)


def test_the_command_says_what_it_did(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """For people and as JSON; a dry run changes nothing."""
    journal = Journal(tmp_path / "mem0")
    corrected(journal, 10)
    journal.close()
    command = ["compact", "--userdir", str(tmp_path)]

    assert main([*command, "--dry-run", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["dry_run"], said["records"], said["decisions"]) == (True, 30, 0)
    assert stale(journal.path) == 30

    assert main(command) == 0
    assert "30 replaced versions of records and 0 decisions" in capsys.readouterr().out
    assert stale(journal.path) == 0
    assert main(["compact", "--userdir", str(tmp_path / "nowhere")]) == 1
    assert "There is no memory" in capsys.readouterr().err
