"""Makes a backup when one is due, and deletes the oldest."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.archive.backup import make_backup
from freqtrade_mem0.archive.check import Backup

if TYPE_CHECKING:
    from freqtrade_mem0.archive.container import Progress
    from freqtrade_mem0.memory_folder import MemoryFolder

_TOO_OLD = timedelta(days=30)
_NAME = re.compile(r"^freqtrade-mem0-(\d{8}T\d{6})Z(?:-\d+)?\.zip$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What a rotation did.

    Parameters
    ----------
    made
        The new backup; None where none was due.
    deleted
        Older backups that were deleted.
    """

    made: Backup | None
    deleted: tuple[Path, ...]


def backup_folder(store: MemoryFolder) -> Path:
    """Return where backups of a memory are kept."""
    own = store.folder
    return store.settings.backup.path or own.with_name(f"{own.resolve().name}_backups")


def is_due(store: MemoryFolder, now: datetime) -> bool:
    """Return whether `backup.every_days` asks for a backup; one of the future counts as none."""
    every_days = store.settings.backup.every_days
    if every_days is None:
        return False
    ages = [now - made_at for made_at, _ in backups_in(backup_folder(store))]
    return not any(timedelta(0) <= age < timedelta(days=every_days) for age in ages)


def newest_backup(store: MemoryFolder) -> datetime | None:
    """Return when the newest backup was made, aware UTC; None where there is none."""
    return next((made_at for made_at, _ in backups_in(backup_folder(store))), None)


def lacks_backup(store: MemoryFolder, now: datetime) -> bool:
    """Return whether the config asks for no backups, and none was made in the last 30 days."""
    if store.settings.backup.every_days is not None:
        return False
    newest = newest_backup(store)
    return newest is None or now - newest > _TOO_OLD


def too_old(store: MemoryFolder, *, with_new: int = 0) -> list[Path]:
    """Return the backups that `backup.keep` leaves no room for, once so many new ones are made."""
    older = backups_in(backup_folder(store))
    return [path for _, path in older[max(0, store.settings.backup.keep - with_new) :]]


def rotate(store: MemoryFolder, now: datetime, progress: Progress = lambda _: None) -> Rotated:
    """Make a backup if one is due; then delete all but the newest `backup.keep`.

    Only files with a name as `make_backup` gives are deleted, and never the one just made.

    Raises
    ------
    ArchiveError
        The backup can not be made; then none is deleted.
    """
    if not is_due(store, now):
        return Rotated(made=None, deleted=())
    folder = backup_folder(store)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    made = make_backup(store, folder, now, progress)
    deleted = []
    for path in too_old(store):
        if path != made.path:
            with suppress(OSError):  # another process deletes it, or may
                path.unlink()
                deleted.append(path)
    return Rotated(made=made, deleted=tuple(deleted))


def backups_in(folder: Path) -> list[tuple[datetime, Path]]:
    """Return the backups in a folder with the times in their names, newest first."""
    found = []
    for path in folder.glob("*.zip"):
        named = _NAME.match(path.name)
        if named is not None:
            with suppress(ValueError):
                moment = datetime.strptime(named[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
                found.append((moment, path))
    return sorted(found, key=lambda each: (each[0], each[1].stat().st_mtime), reverse=True)
