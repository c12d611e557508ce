"""A memory is encrypted as a whole and back, whatever happens on the way."""

from __future__ import annotations

import shutil
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.archive import encrypting
from freqtrade_mem0.archive.backup import make_backup
from freqtrade_mem0.archive.encrypting import decrypt, encrypt
from freqtrade_mem0.archive.restore import restore_backup
from freqtrade_mem0.compare.trials import FILE_NAME as TRIALS
from freqtrade_mem0.encryption.envelope import FILE_NAME, Secret
from freqtrade_mem0.errors import ArchiveError
from freqtrade_mem0.journal.salvage import salvage
from freqtrade_mem0.lifecycle.forget.files import rewrite_files
from tests.support.full_memory import (
    CANARY,
    WHOSE,
    files_with,
    fill_folder,
    in_small_steps,
    open_memory,
    rows_of,
)

if TYPE_CHECKING:
    from freqtrade_mem0.memory_folder import MemoryFolder

KEY = Secret("env:TEST_ENCRYPTION_KEY", "a key of this test")
NOW = datetime(2026, 11, 28, tzinfo=UTC)
PAGE = 4096


@pytest.fixture(scope="module")
def full(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A plain memory with data in every place."""
    folder = tmp_path_factory.mktemp("full")
    with pytest.MonkeyPatch.context() as patched:
        in_small_steps(patched)
        fill_folder(folder, 30)
    for path in (folder / "mem0").glob("*.damaged-*"):
        path.unlink()
    return folder


@pytest.fixture
def folder(full: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it."""
    monkeypatch.setenv(KEY.source.removeprefix("env:"), KEY.text)
    return Path(shutil.copytree(full, tmp_path / "copy"))


def opened(folder: Path, *, encrypted: bool = True) -> MemoryFolder:
    """Open a memory with its key."""
    return open_memory(folder, encryption={"key": KEY.source} if encrypted else {})


def content(folder: Path, *, encrypted: bool = True) -> object:
    """Return every row and memory of a user."""
    memory = opened(folder, encrypted=encrypted)
    try:
        return rows_of(memory, WHOSE.user_id)
    finally:
        memory.close()


def test_it_becomes_encrypted_and_plain_again(folder: Path) -> None:
    """The same rows are read, no byte of them is in a file; not after work on it, in no backup."""
    before, place = content(folder, encrypted=False), folder / "mem0"
    trials = (place / TRIALS).read_text(encoding="utf-8")
    assert len(files_with(folder, CANARY)) > 5
    done = encrypt(place, KEY)
    assert {"journal.sqlite", "memories.sqlite", "history.db", "service.sqlite"} <= {*done.files}
    assert done.plain == ()
    assert files_with(folder, CANARY) == []
    assert content(folder) == before

    memory = opened(folder)
    assert memory.journal.check() == "ok"
    backup = make_backup(memory, folder / "backups" / "one.zip", NOW).path
    memory.close()
    assert rewrite_files(place, lambda: None) == []
    assert encrypt(place, KEY).files == ()
    restored = restore_backup(backup, place, NOW, replaces=True)
    restore_backup(backup, folder / "other" / "mem0", NOW)
    assert restored.kept is not None
    assert files_with(folder, CANARY) == []
    assert content(folder) == content(folder / "other") == before

    assert "before-restore-20261128T000000Z/journal.sqlite" in decrypt(place).files
    assert not (place / FILE_NAME).exists()
    assert (place / TRIALS).read_text(encoding="utf-8") == trials
    assert content(folder, encrypted=False) == before
    with pytest.raises(ArchiveError, match="backup is encrypted, and the memory in"):
        restore_backup(backup, place, NOW, replaces=True)
    assert content(folder, encrypted=False) == before


@pytest.mark.parametrize("back", [False, True])
def test_it_can_be_killed_between_any_two_files(
    folder: Path, back: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is whole then; the same command does the rest."""
    place, before = folder / "mem0", content(folder, encrypted=False)
    if back:
        encrypt(place, KEY)
    n_steps = n_left = 0
    replace = Path.replace

    class Killed(BaseException):
        """The process ends here."""

    def replaced(self: Path, target: Path) -> Path:
        nonlocal n_left
        n_left -= 1
        if n_left == 0:
            raise Killed
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", replaced)
    is_done = False
    while not is_done:
        n_steps += 1
        n_left = n_steps
        try:
            _ = decrypt(place) if back else encrypt(place, KEY)
            is_done = True
        except Killed:
            n_left = -1
    monkeypatch.undo()
    monkeypatch.setenv(KEY.source.removeprefix("env:"), KEY.text)

    assert n_steps > 1
    assert content(folder, encrypted=not back) == before
    assert (files_with(folder, CANARY) == []) is not back


def test_a_copy_that_differs_replaces_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And a memory in use is refused."""
    place = folder / "mem0"
    before = {path.name: path.read_bytes() for path in place.glob("*.db")}

    def failing(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(encrypting, "export", failing)
        with pytest.raises(ArchiveError, match=r"No space left.*No memory was lost"):
            encrypt(place, KEY)
    assert {path.name: path.read_bytes() for path in place.glob("*.db")} == before
    assert not (place / FILE_NAME).exists()
    holds = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); c.execute('SELECT * FROM marks')"
    )
    code = f"{holds}; print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", code, str(place / "journal.sqlite")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as bot:
        assert bot.stdout is not None
        bot.stdout.readline()
        with pytest.raises(ArchiveError, match=r"journal.sqlite is in use\. Stop the bots"):
            encrypt(place, KEY)
        bot.communicate()
    assert not (place / FILE_NAME).exists()


@pytest.mark.parametrize("damaged", [(1,), (2,), (3, 9, 20), (1, 2, 5)])
def test_salvage_reads_around_damaged_pages(folder: Path, damaged: tuple[int, ...]) -> None:
    """As in a plain file; what it keeps and makes is encrypted."""
    place = folder / "mem0"
    encrypt(place, KEY)
    memory = opened(folder)
    n_before = len(memory.records())
    memory.close()
    with (place / "journal.sqlite").open("r+b") as file:
        for number in damaged:
            file.seek((number - 1) * PAGE + 2_000)
            file.write(b"\xff" * 300)

    done = salvage(place / "journal.sqlite", NOW)
    assert done is not None
    memory = opened(folder)
    assert len(memory.records()) >= 0.7 * n_before
    memory.close()
    assert files_with(folder, CANARY) == []
