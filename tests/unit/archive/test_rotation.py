"""Backups are made when they are due, and only the oldest of them are deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.archive.check import verify_backup
from freqtrade_mem0.archive.rotation import backup_folder, rotate
from freqtrade_mem0.errors import ArchiveError
from tests.unit.archive.memories import NOW, lived_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[MemoryFolder]:
    """A memory that is backed up every two days; three backups are kept."""
    made = lived_in(tmp_path, 5)
    asked = made.settings.backup.model_copy(update={"every_days": 2.0, "keep": 3})
    made.settings = made.settings.model_copy(update={"backup": asked})
    yield made
    made.close()


def test_one_is_made_every_two_days_and_three_are_kept(memory: MemoryFolder) -> None:
    """Ten days, looked at twice a day."""
    folder = backup_folder(memory)
    done = [rotate(memory, NOW + timedelta(hours=12 * n)) for n in range(20)]
    assert [n for n, each in enumerate(done) if each.made is not None] == [0, 4, 8, 12, 16]
    assert [len(each.deleted) for each in done if each.made is not None] == [0, 0, 0, 1, 1]
    left = sorted(folder.iterdir())
    assert len(left) == 3
    assert all(verify_backup(path).n_compared for path in left)
    assert folder.name == "mem0_backups"


def test_other_files_are_never_deleted(memory: MemoryFolder) -> None:
    """Notes, and backups that were given a name by hand."""
    folder = backup_folder(memory)
    folder.mkdir()
    others = {"before-the-upgrade.zip", "freqtrade-mem0-2020.zip", "notes.txt"}
    for name in others:
        (folder / name).write_text("mine")
    for n in range(5):
        rotate(memory, NOW + timedelta(days=3 * n))
    names = {path.name for path in folder.iterdir()}
    assert others <= names
    assert len(names) == len(others) + 3


def test_none_is_deleted_where_none_can_be_made(
    memory: MemoryFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The old ones are all there is then."""
    for n in range(3):
        rotate(memory, NOW + timedelta(days=3 * n))
    asked = memory.settings.backup.model_copy(update={"keep": 1})
    memory.settings = memory.settings.model_copy(update={"backup": asked})

    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("freqtrade_mem0.archive.backup.hash_of", full)
    with pytest.raises(ArchiveError):
        rotate(memory, NOW + timedelta(days=30))
    assert len(list(backup_folder(memory).iterdir())) == 3


def test_a_clock_that_was_ahead_does_not_end_backups(memory: MemoryFolder) -> None:
    """A backup of the future is none."""
    assert rotate(memory, NOW + timedelta(days=4_000)).made is not None
    made = rotate(memory, NOW).made
    assert made is not None
    assert made.path.exists()


def test_without_a_schedule_nothing_is_made(memory: MemoryFolder) -> None:
    """`every_days` is null by default."""
    asked = memory.settings.backup.model_copy(update={"every_days": None})
    memory.settings = memory.settings.model_copy(update={"backup": asked})
    assert rotate(memory, NOW).made is None
    assert not backup_folder(memory).exists()
