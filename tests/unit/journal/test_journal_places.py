"""The journal in places that are not a local disk of the bot's own user."""

from __future__ import annotations

import logging
import os
import sqlite3
import sys
from contextlib import closing
from shutil import which
from subprocess import run
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import ConfigError, JournalError
from freqtrade_mem0.journal import connection as connection_module
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.sqlite_files import opening as sqlite_files
from tests.support.samples import a_trade

if TYPE_CHECKING:
    from pathlib import Path

NOBODY = 65534


def journal_mode(path: Path) -> str:
    """Return the journal mode that a file is in."""
    with closing(sqlite3.connect(path)) as sqlite:
        mode: str = sqlite.execute("PRAGMA journal_mode").fetchone()[0]
        return mode


@pytest.fixture
def read_only(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> Journal:
    """A journal with two trades that this user may only read."""
    journal.append([a_trade(1), a_trade(2)])
    journal.close()
    for module in (sqlite_files, connection_module):
        monkeypatch.setattr(module, "is_writable", lambda _path: False)
    return journal


def test_a_journal_that_can_only_be_read_is_read(read_only: Journal) -> None:
    """No file is made beside it, and none is changed."""
    before = {each: each.stat().st_mtime_ns for each in read_only.path.parent.iterdir()}

    assert len(list(read_only.records())) == 2
    assert read_only.check() == "ok"
    assert before == {each: each.stat().st_mtime_ns for each in read_only.path.parent.iterdir()}


def test_who_writes_to_a_journal_that_can_only_be_read_is_told_so(read_only: Journal) -> None:
    """At the start, and at the write."""
    for act in (read_only.open, lambda: read_only.append([a_trade(3)])):
        with pytest.raises(ConfigError, match="can not be opened for writing: Permission denied"):
            act()
    assert len(list(read_only.records())) == 2


def test_an_old_journal_that_can_only_be_read_is_refused(read_only: Journal) -> None:
    """It would have to be migrated."""
    with closing(sqlite3.connect(read_only.path)) as sqlite:
        sqlite.execute("PRAGMA user_version = 3")

    with pytest.raises(JournalError, match="journal format 3 and can only be read here"):
        list(read_only.records())


def test_a_reader_sees_what_a_running_bot_wrote(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is in the write-ahead log counts."""
    journal.append([a_trade(1)])
    other = Journal(journal.path.parent)
    with monkeypatch.context() as patch:
        patch.setattr(connection_module, "is_writable", lambda _path: False)
        assert len(list(other.records())) == 1
    journal.append([a_trade(2)])
    assert len(list(other.records())) == 2
    other.close()


@pytest.fixture
def without_shared_memory(tmp_path: Path) -> Path:
    """A place for a journal where SQLite can not share memory between processes."""
    path = tmp_path / "journal.sqlite"
    os.mkfifo(path.with_name("journal.sqlite-shm"))
    return path


def test_without_shared_memory_the_older_mode_is_used(
    without_shared_memory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Several processes and threads write and read all the same; a warning says what is wrong."""
    folder = without_shared_memory.parent
    journal, other = Journal(folder), Journal(folder)
    with caplog.at_level(logging.WARNING):
        journal.append([a_trade(1)])
    other.append([a_trade(2)])
    journal.append([a_trade(3)])

    assert len(list(journal.records())) == len(list(other.records())) == 3
    assert "does not let processes share memory" in caplog.text
    journal.close()
    other.close()
    assert journal_mode(without_shared_memory) == "delete"


def test_a_journal_is_brought_to_a_place_without_shared_memory(
    journal: Journal,
) -> None:
    """A file in WAL mode is taken out of it; on a better place it is put back."""
    journal.append([a_trade(1)])
    journal.close()
    index = journal.path.with_name("journal.sqlite-shm")
    os.mkfifo(index)

    journal.append([a_trade(2)])
    journal.close()
    assert journal_mode(journal.path) == "delete"
    index.unlink()
    assert len(list(journal.records())) == 2
    journal.close()
    assert journal_mode(journal.path) == "wal"


def test_a_file_system_without_locks_is_named(tmp_path: Path) -> None:
    """Not the disk, and not damage."""
    error = sqlite3.OperationalError("disk I/O error")
    error.sqlite_errorname = "SQLITE_IOERR_LOCK"
    assert "share memory or lock files" in (sqlite_files.explain(error, tmp_path / "a") or "")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_what_root_makes_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    """The bot's user must be able to open it."""
    user_data = tmp_path / "user_data"
    user_data.mkdir()
    os.chown(user_data, NOBODY, NOBODY)
    memory = MemoryFolder(Settings(), user_data)
    memory.journal.append([a_trade(1)])
    during = {each.name: each.stat().st_uid for each in memory.folder.iterdir()}
    (memory.folder / "recall.snapshot").touch()
    memory.close()

    assert set(during.values()) == {NOBODY}
    assert {each.stat().st_uid for each in user_data.rglob("*")} == {NOBODY}
    assert {each.stat().st_mode & 0o077 for each in memory.folder.rglob("*.sqlite")} == {0}


@pytest.mark.skipif(
    os.geteuid() != 0 or which("setpriv") is None, reason="only root can make such files"
)
def test_a_side_file_of_another_user_is_named(journal: Journal) -> None:
    """What an older version left as root; without capabilities root is a user like others."""
    journal.append([a_trade(1)])
    journal.close()
    index = journal.path.with_name("journal.sqlite-shm")
    index.touch(0o600)
    os.chown(index, NOBODY, NOBODY)
    code = (
        "from pathlib import Path; from freqtrade_mem0.journal.journal import Journal\n"
        f"list(Journal(Path({str(journal.path.parent)!r})).records())"
    )
    words = ["setpriv", "--bounding-set=-all", sys.executable, "-c", code]
    done = run(words, capture_output=True, text=True, check=False)

    assert f"this user may not open {index}, which user {NOBODY} made" in done.stderr
