"""Journals as formats 1 to 4 wrote them, kept for ever: every later version reads them.

The JSON file beside each says what is in it. None of these files is ever written again.
"""

from __future__ import annotations

import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.journal import schema
from freqtrade_mem0.journal.journal import FILE_NAME, Journal
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.journal.own_records import OwnRecords
from freqtrade_mem0.journal.schema import VERSION
from freqtrade_mem0.records.codec import to_plain
from tests.support.samples import ORIGIN, a_trade
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.usefixtures("forked")

ROOT = Path(__file__).parents[3]
ASSETS = ROOT / "tests" / "assets"
OLD_VERSIONS = range(1, VERSION)

MIGRATION = """
import sys
from pathlib import Path
from freqtrade_mem0.journal.journal import Journal

journal = Journal(Path(sys.argv[1]))
print("begins", flush=True)
journal.open()
print("done", flush=True)
"""


@pytest.fixture(params=OLD_VERSIONS)
def version(request: pytest.FixtureRequest) -> int:
    """One of the formats there were."""
    number: int = request.param
    return number


@pytest.fixture
def old_journal(tmp_path: Path, version: int) -> Iterator[Journal]:
    """A copy of the old file, opened by the present code."""
    shutil.copy(ASSETS / f"journal-v{version}.sqlite", tmp_path / FILE_NAME)
    journal = Journal(tmp_path)
    yield journal
    journal.close()


@pytest.fixture
def content(version: int) -> Any:
    """What the old file holds."""
    return json.loads((ASSETS / f"journal-v{version}.json").read_text(encoding="utf-8"))


def known_keys(expected: dict[str, Any], found: dict[str, Any]) -> dict[str, Any]:
    """Return what was found without the keys that later versions added, in reasons as well."""
    return {
        key: [known_keys(*each) for each in zip(value, found[key], strict=True)]
        if key == "reasons"
        else found[key]
        for key, value in expected.items()
    }


def all_rows(path: Path) -> dict[str, list[Any]]:
    """Return every row of the tables that all formats have, corrected ones included."""
    with closing(sqlite3.connect(path)) as sqlite:
        return {
            table: sqlite.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall()  # noqa: S608
            for table in ("records", "decisions", "outbox")
        }


def format_of(path: Path) -> int:
    """Return a file's format, as the file says."""
    with closing(sqlite3.connect(path)) as sqlite:
        number: int = sqlite.execute("PRAGMA user_version").fetchone()[0]
    return number


def test_its_records_are_read(old_journal: Journal, content: Any) -> None:
    """Every kind, with the correction in place of what it corrected."""
    records = [(seq, record.kind, to_plain(record)) for seq, record in old_journal.records()]

    assert [(seq, kind) for seq, kind, _ in content["records"]] == [x[:2] for x in records]
    for (_, _, expected), (_, _, found) in zip(content["records"], records, strict=True):
        assert expected == known_keys(expected, found)


def test_its_decisions_are_read(old_journal: Journal, content: Any) -> None:
    """With their reasons, ties and outcomes."""
    lines = list(old_journal.ledger(only_opened=False))

    assert len(content["ledger"]) == len(lines)
    for (expected, trade_id), line in zip(content["ledger"], lines, strict=True):
        assert expected == known_keys(expected, to_plain(line.decision))
        assert trade_id == (line.trade.id if line.trade else None)


def test_its_outbox_is_read(old_journal: Journal, content: Any) -> None:
    """What waited still waits, what was refused is still listed."""
    outbox = Outbox(old_journal)
    state = outbox.state()

    assert content["waiting"] == [seq for seq, _ in outbox.pending(100)]
    expected = content["outbox"]
    assert (expected["pending"], expected["dead"]) == (state.pending, state.dead)
    assert len(outbox.dead_letters()) == state.dead
    # Formats 1 and 2 did not know when something was delivered.
    delivered_at = expected.get("delivered_at")
    assert expected.get("failures", 0) == state.failures
    assert delivered_at == (state.delivered_at and state.delivered_at.isoformat())


def test_its_sightings_are_read(old_journal: Journal, content: Any) -> None:
    """Which trade was seen in which of Freqtrade's databases; format 1 did not know."""
    for database, ids in content.get("seen", {"sqlite:///trades.sqlite": []}).items():
        own = OwnRecords(old_journal, ORIGIN)
        assert own.unseen([*ids, "another"], database) == ["another"]


def test_migration_changes_no_row(old_journal: Journal) -> None:
    """Corrected and retracted rows, refused letters and ties are there as before."""
    before = all_rows(old_journal.path)
    old_journal.open()

    assert format_of(old_journal.path) == VERSION
    assert all_rows(old_journal.path) == before


def test_it_can_be_written(old_journal: Journal, content: Any) -> None:
    """An upgrade goes on where the old version stopped."""
    known = [record for _, record in old_journal.records()]

    assert old_journal.append([*known, a_trade(99)]) == 1
    assert len(content["records"]) + 1 == len(list(old_journal.records()))
    assert old_journal.check() == "ok"


@pytest.mark.parametrize("seed", range(len(OLD_VERSIONS)))
def test_a_kill_during_migration_leaves_one_format_or_the_other(tmp_path: Path, seed: int) -> None:
    """SIGKILL at any instant of it: never half; the next start completes it, nothing is lost."""
    version = OLD_VERSIONS[seed]
    path = tmp_path / FILE_NAME
    shutil.copy(ASSETS / f"journal-v{version}.sqlite", path)
    before = all_rows(path)
    chance = random.Random(seed)
    with subprocess.Popen(
        [sys.executable, "-c", MIGRATION, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begins\n"
        for _ in range(chance.randrange(100_000)):
            pass  # up to some milliseconds, in which the migration goes on
        process.send_signal(signal.SIGKILL)

    assert format_of(path) in (version, VERSION)
    assert all_rows(path) == before
    journal = Journal(tmp_path)
    assert journal.check() == "ok"
    assert format_of(path) == VERSION
    assert all_rows(path) == before
    journal.close()


def test_a_migration_that_fails_in_the_middle_undoes_its_steps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All steps and the version number are one transaction."""
    path = tmp_path / FILE_NAME
    shutil.copy(ASSETS / "journal-v1.sqlite", path)
    before = all_rows(path)
    steps = ((), ("CREATE TABLE half (a)",), ("CREATE TABLE records (a)",))
    with monkeypatch.context() as patched:
        patched.setattr("freqtrade_mem0.journal.schema._STEPS", steps)
        with pytest.raises(Exception, match="table records already exists"):
            Journal(tmp_path).open()
    with closing(sqlite3.connect(path)) as sqlite:
        tables = {name for (name,) in sqlite.execute("SELECT name FROM sqlite_master")}
    assert "half" not in tables
    assert (format_of(path), all_rows(path)) == (1, before)
    journal = Journal(tmp_path)
    journal.open()
    assert format_of(path) == VERSION
    journal.close()


def test_another_process_that_migrates_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A large file takes longer than writers wait for each other."""
    path = tmp_path / FILE_NAME
    shutil.copy(ASSETS / "journal-v3.sqlite", path)
    monkeypatch.setattr("freqtrade_mem0.journal.connection.BUSY_TIMEOUT_S", 0.0)
    journal = Journal(tmp_path)
    begins, begin = threading.Event(), schema._begin_patiently

    def begin_and_say_so(connection: sqlite3.Connection) -> None:
        begins.set()
        begin(connection)

    monkeypatch.setattr(schema, "_begin_patiently", begin_and_say_so)
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as other,
        ThreadPoolExecutor(1) as pool,
    ):
        other.execute("PRAGMA journal_mode = WAL")
        other.execute("BEGIN IMMEDIATE")
        opening = pool.submit(journal.open)
        assert begins.wait(HANG_S)
        for number in range(10_000):
            other.execute("INSERT INTO seen VALUES ('sqlite:///other.sqlite', ?)", [number])
        other.execute("COMMIT")
        opening.result()
    with journal.connection.read() as sqlite:
        assert sqlite.execute("PRAGMA busy_timeout").fetchone() == (0,)
    assert format_of(path) == VERSION
    journal.close()


def test_a_newer_format_is_refused_and_left_alone(tmp_path: Path) -> None:
    """An old program does not guess at what a new one wrote."""
    path = tmp_path / FILE_NAME
    shutil.copy(ASSETS / "journal-v2.sqlite", path)
    with closing(sqlite3.connect(path)) as sqlite:
        sqlite.execute(f"PRAGMA user_version = {VERSION + 1}")
    content = path.read_bytes()
    with pytest.raises(ConfigError, match=f"has journal format {VERSION + 1}"):
        Journal(tmp_path).open()
    assert path.read_bytes() == content
