"""The journal's file: private, refused where it is not ours, the same after reopening."""

from __future__ import annotations

import gc
import hashlib
import os
import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from freqtrade_mem0.errors import ConfigError, JournalError
from freqtrade_mem0.journal.journal import FILE_NAME, Journal
from freqtrade_mem0.journal.schema import VERSION
from tests.support.samples import a_decision, a_note, a_trade, opened


def digest(path: Path) -> str:
    """Return a hash of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def mode_of(path: Path) -> int:
    """Return a file's permissions."""
    return stat.S_IMODE(path.stat().st_mode)


def test_nobody_else_can_read_the_journal(journal: Journal) -> None:
    """The file and SQLite's side files are the user's alone, whatever the umask."""
    before = os.umask(0)
    try:
        journal.append([a_trade(1)])
    finally:
        os.umask(before)

    modes = {path.name: mode_of(path) for path in journal.path.parent.iterdir()}
    assert {0o600} == set(modes.values())
    assert FILE_NAME in modes
    assert mode_of(journal.path.parent) == 0o700


def test_nothing_is_written_before_it_is_needed(tmp_path: Path) -> None:
    """Building a journal opens no file."""
    Journal(tmp_path / "mem0").close()

    assert list(tmp_path.iterdir()) == []


def test_a_journal_that_nobody_closes_gives_its_files_back(tmp_path: Path) -> None:
    """They are closed with the garbage, so that a long-lived process does not run out of them."""
    forgotten = Journal(tmp_path / "mem0")
    forgotten.append([a_trade(1)])
    assert list(forgotten.records())
    path = forgotten.path

    del forgotten
    gc.collect()

    assert path not in [Path(os.path.realpath(each)) for each in Path("/proc/self/fd").iterdir()]


def test_reopening_gives_everything_back(journal: Journal) -> None:
    """Closing and opening again loses nothing; closing twice is harmless."""
    decision = a_decision(1)
    journal.append([a_trade(1), a_note(1), decision, opened(decision, a_trade(1))])
    before = (list(journal.records()), list(journal.ledger()))
    journal.close()
    journal.close()
    again = Journal(journal.path.parent)

    assert before == (list(again.records()), list(again.ledger()))
    assert again.check() == "ok"
    again.close()


def test_a_closed_journal_opens_itself_when_used(journal: Journal) -> None:
    """A strategy that is restarted in the same process goes on writing."""
    journal.append([a_trade(1)])
    journal.close()

    assert journal.append([a_trade(2)]) == 1


def test_two_instances_see_each_others_records(journal: Journal) -> None:
    """A bot and a command read and write the same file at the same time."""
    other = Journal(journal.path.parent)
    for number in range(1, 11):
        (journal, other)[number % 2].append([a_trade(number), a_trade(number)])

    expected = [a_trade(number) for number in range(1, 11)]
    assert expected == [record for _, record in journal.records()]
    assert expected == [record for _, record in other.records()]
    other.close()


def test_another_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Freqtrade's own database, say, where `mem0.path` points to the wrong folder."""
    path = tmp_path / FILE_NAME
    sqlite = sqlite3.connect(path)
    sqlite.execute("CREATE TABLE trades (id INTEGER)")
    sqlite.close()
    before = digest(path)

    with pytest.raises(ConfigError, match="not a journal of freqtrade_mem0; it is left untouched"):
        Journal(tmp_path).append([a_trade(1)])
    assert before == digest(path)


def test_a_newer_format_is_refused_and_left_alone(journal: Journal) -> None:
    """A file of a later version says which one, and keeps every byte."""
    journal.append([a_trade(1)])
    journal.close()
    sqlite = sqlite3.connect(journal.path)
    sqlite.execute(f"PRAGMA user_version = {VERSION + 1}")
    sqlite.close()
    before = digest(journal.path)

    with pytest.raises(
        ConfigError, match=f"has journal format {VERSION + 1}.*reads up to {VERSION}"
    ):
        list(journal.records())
    assert before == digest(journal.path)


def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    """Damaged or foreign bytes end in our own error with the file's name."""
    path = tmp_path / FILE_NAME
    path.write_bytes(b"not a database, but long enough to be looked at" * 30)
    before = digest(path)

    with pytest.raises(JournalError, match=f"{path} can not be used"):
        Journal(tmp_path).append([a_trade(1)])
    assert before == digest(path)


def test_a_folder_that_can_not_be_made_is_a_mistake_in_the_config(tmp_path: Path) -> None:
    """A file stands where the folder should be: the sentence names the key."""
    (tmp_path / "file").write_text("", encoding="utf-8")

    with pytest.raises(ConfigError, match=r"Set 'mem0\.path' to a folder"):
        Journal(tmp_path / "file" / "mem0").append([a_trade(1)])


def test_an_empty_file_becomes_a_journal(tmp_path: Path) -> None:
    """A crash between making the file and its tables leaves an empty one; it is used."""
    (tmp_path / FILE_NAME).touch()
    journal = Journal(tmp_path)

    assert journal.append([a_trade(1)]) == 1
    journal.close()


def test_a_damaged_page_is_found(journal: Journal) -> None:
    """The check reports what SQLite finds, or reading fails with our own error."""
    journal.append([a_trade(number) for number in range(1, 200)])
    journal.close()
    content = bytearray(journal.path.read_bytes())
    for start in range(8_192, len(content) - 4_096, 8_192):
        content[start : start + 512] = bytes(512)
    journal.path.write_bytes(content)

    try:
        word = journal.check()
    except JournalError as error:
        word = str(error)
    assert word != "ok"


def test_several_make_the_file_at_the_same_time(tmp_path: Path) -> None:
    """All of them find a complete journal; none takes the half-made one for a foreign file."""
    for attempt in range(12):
        journals = [Journal(tmp_path / str(attempt)) for _ in range(4)]
        together = threading.Barrier(len(journals))

        def first_use(
            number: int, journals: list[Journal] = journals, together: threading.Barrier = together
        ) -> int:
            together.wait()
            return journals[number].append([a_trade(number)])

        with ThreadPoolExecutor(len(journals)) as threads:
            assert list(threads.map(first_use, range(len(journals)))) == [1, 1, 1, 1]
        for journal in journals:
            journal.close()


def test_a_file_taken_away_is_noticed_at_the_next_use(tmp_path: Path) -> None:
    """What is written goes into a new file, not into one that nobody can reach any more."""
    journal = Journal(tmp_path)
    journal.append([a_trade(1)])
    for file in tmp_path.iterdir():
        file.unlink()
    journal.append([a_trade(2)])
    assert journal.connection.n_replaced == 1
    assert [record for _, record in Journal(tmp_path).records()] == [a_trade(2)]
