"""A restore replaces no memory that is in use, deletes none, and survives a kill."""

from __future__ import annotations

import os
import random
import signal
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.archive.backup import make_backup
from freqtrade_mem0.archive.restore import restore_backup
from freqtrade_mem0.errors import ArchiveError
from freqtrade_mem0.journal.identity import identity_of
from freqtrade_mem0.journal.journal import Journal
from tests.support.samples import a_note
from tests.support.wait import HANG_S
from tests.unit.archive.memories import LIMITED, NOW, content_of, lived_in, python

if TYPE_CHECKING:
    from freqtrade_mem0.archive.check import Backup

HOLDER = """
import sys
from pathlib import Path
from freqtrade_mem0.journal.journal import Journal
journal = Journal(Path(sys.argv[1]))
journal.open()
print("ready", flush=True)
sys.stdin.read()
"""

RESTORER = """
import sys
from datetime import UTC, datetime
from pathlib import Path
from freqtrade_mem0.archive.restore import restore_backup
print("ready", flush=True)
restore_backup(Path(sys.argv[1]), Path(sys.argv[2]), datetime(2026, 11, 28, tzinfo=UTC),
               replaces=True)
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Backup:
    """A backup."""
    folder = tmp_path_factory.mktemp("made")
    memory = lived_in(folder / "data", 30)
    done = make_backup(memory, folder / "b.zip", NOW)
    memory.close()
    return done


def another(folder: Path) -> Path:
    """Return the folder of another memory than that of the backup."""
    memory = lived_in(folder, 15)
    memory.journal.append([a_note(9)])
    memory.close()
    return memory.folder


def test_an_existing_memory_is_moved_aside_and_only_if_asked(made: Backup, tmp_path: Path) -> None:
    """Both are whole; a second restore moves the first one aside."""
    folder = another(tmp_path)
    before = content_of(folder)
    with pytest.raises(ArchiveError, match=r"Add --yes.*--to"):
        restore_backup(made.path, folder, NOW)
    assert content_of(folder) == before
    done = restore_backup(made.path, folder, NOW, replaces=True)
    assert done.kept is not None
    assert content_of(done.kept) == before
    restored = content_of(folder)
    assert restored[2] == (made.n_compared, made.manifest.answers.sha256)
    again = restore_backup(made.path, folder, NOW, replaces=True)
    assert again.kept is not None
    assert again.kept != done.kept
    assert content_of(again.kept) == content_of(folder) == restored
    assert stat.S_IMODE((folder / "journal.sqlite").stat().st_mode) == 0o600


def test_a_memory_in_use_is_left_alone(made: Backup, tmp_path: Path) -> None:
    """A bot has it open, even if it is agreed."""
    folder = another(tmp_path)
    before = content_of(folder)
    holder = python(HOLDER, folder)
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(ArchiveError, match=r"is in use\. Stop the bots"):
            restore_backup(made.path, folder, NOW, replaces=True)
    finally:
        holder.kill()
        holder.communicate(timeout=HANG_S)
    assert content_of(folder) == before
    assert sorted(path.name for path in folder.iterdir()) == ["journal.sqlite"]


def test_a_restored_journal_is_another_file(made: Backup, tmp_path: Path) -> None:
    """Who noted how far he read the other one begins again."""
    folder = another(tmp_path)
    for target in (folder, tmp_path / "b"):
        restore_backup(made.path, target, NOW, replaces=True)
    found = [identity_of(Journal(each)) for each in (folder, tmp_path / "b")]
    assert len(set(found)) == 2


@pytest.mark.parametrize("seed", range(4))
def test_a_kill_leaves_both_memories_whole(made: Backup, tmp_path: Path, seed: int) -> None:
    """One of them is in use, the old one is somewhere, and the command again does the rest."""
    folder = another(tmp_path)
    old = content_of(folder)
    restorer = python(RESTORER, made.path, folder)
    assert restorer.stdout is not None
    restorer.stdout.readline()
    time.sleep(random.Random(seed).uniform(0.0, 0.5))
    restorer.send_signal(signal.SIGKILL)
    restorer.communicate(timeout=HANG_S)
    kept = [content_of(each) for each in folder.glob("before-restore-*") if list(each.iterdir())]
    now = content_of(folder)
    assert old in [now, *kept]
    assert now == old or now[2][1] == made.manifest.answers.sha256
    for rest in folder.glob(".freqtrade-mem0-*"):
        os.utime(rest, (1, 1))
    restore_backup(made.path, folder, NOW, replaces=True)
    assert content_of(folder)[2][1] == made.manifest.answers.sha256
    assert not list(folder.glob(".freqtrade-mem0-*"))


def test_a_kill_at_each_step_of_the_exchange(
    made: Backup, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before each link, deletion and renaming the memory in use is one of the two."""
    for n_done in range(12):
        folder = another(tmp_path / str(n_done))
        old = content_of(folder)
        with monkeypatch.context() as patch:
            _stop_after(patch, n_done)
            with suppress(_Killed):
                restore_backup(made.path, folder, NOW, replaces=True)
        kept = [content_of(each) for each in folder.glob("before-*") if list(each.iterdir())]
        now = content_of(folder)
        assert old in [now, *kept]
        assert now == old or now[2][1] == made.manifest.answers.sha256


class _Killed(BaseException):
    """Stands for the end of the process: nothing handles it."""


def _stop_after(patch: pytest.MonkeyPatch, n_done: int) -> None:
    steps = iter(range(1_000))

    def stopped(real: object) -> object:
        def step(*arguments: object, **named: object) -> object:
            if next(steps) >= n_done:
                raise _Killed
            return real(*arguments, **named)  # type: ignore[operator]

        return step

    patch.setattr(os, "link", stopped(os.link))
    patch.setattr(Path, "replace", stopped(Path.replace))
    patch.setattr(Path, "mkdir", stopped(Path.mkdir))


@pytest.mark.parametrize("share", [0.5, 0.99])
def test_a_full_disk_leaves_the_memory_that_is_there(
    made: Backup, tmp_path: Path, share: float
) -> None:
    """Files may only be so large: a plain sentence, and nothing else in the folder."""
    folder = another(tmp_path)
    old = content_of(folder)
    limit = int(share * made.manifest.files["journal.sqlite"].bytes)
    restorer = python(f"{LIMITED}{RESTORER}", made.path, folder, limit)
    _, errors = restorer.communicate(timeout=HANG_S)
    assert "ArchiveError: The backup was not restored" in errors
    assert content_of(folder) == old
    assert sorted(path.name for path in folder.iterdir()) == ["journal.sqlite"]


def test_a_folder_that_can_not_be_written_to_is_named(made: Backup, tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "file").write_text("")
    with pytest.raises(ArchiveError, match=r"was not restored into .*file"):
        restore_backup(made.path, tmp_path / "file" / "mem0", NOW)
