"""Puts a backup into a memory's folder; the memory that was there is moved aside, never deleted."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.archive.check import Backup, checked
from freqtrade_mem0.archive.container import ENVELOPE, JOURNAL, NAMES, open_backup
from freqtrade_mem0.archive.workplace import sync_folder, workplace
from freqtrade_mem0.encryption import envelope as envelopes
from freqtrade_mem0.encryption.keyring import KEYRING
from freqtrade_mem0.errors import ArchiveError
from freqtrade_mem0.journal.exchange import SIDE_FILES, exchange, keep
from freqtrade_mem0.journal.identity import IDENTITY_MARK
from freqtrade_mem0.journal.in_use import is_in_use, kept_out
from freqtrade_mem0.sqlite_files.connecting import connect
from freqtrade_mem0.sqlite_files.convert import convert
from freqtrade_mem0.sqlite_files.opening import give_to_owner, make_folder

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable
    from datetime import datetime

    from freqtrade_mem0.archive.container import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """A backup that was put into a folder.

    Parameters
    ----------
    folder
        The memory's folder.
    kept
        Where the memory is that was there before; None where there was none.
    backup
        What was restored, and how it was compared.
    """

    folder: Path
    kept: Path | None
    backup: Backup


def restore_backup(
    path: Path,
    folder: Path,
    now: datetime,
    *,
    replaces: bool = False,
    progress: Progress = lambda _: None,
) -> Restored:
    """Check a backup, and put its files into a memory's folder.

    Nothing of this process may have that memory open. A kill at any instant leaves each memory
    whole: the old one in its place or in the folder `before-restore-...`, and one of the two in
    use. The same command then does the rest.

    Parameters
    ----------
    path
        The backup.
    folder
        The memory's folder; it is made if it is missing.
    now
        Aware UTC wall time, for the name of the folder with the old memory.
    replaces
        Whether a memory that is there may be moved aside.
    progress
        Is told how many more bytes were unpacked.

    Raises
    ------
    ArchiveError
        The backup can not be used, a process uses the folder, or a memory is in it. The folder is
        as it was.
    """
    open_backup(path)
    was_there = folder.exists()
    try:
        make_folder(folder)
        present = _present(folder)
        if present and not replaces:
            raise ArchiveError(
                f"There is a memory in {folder}. Add --yes to move it aside and restore the backup "
                "in its place, or name another folder with --to."
            )
        _refuse_in_use([each for each in present if is_in_use(each)])
        with workplace(folder, "restore") as work:
            backup = checked(path, work, progress)
            fresh, names = work / "restored", set(backup.manifest.files) - {ENVELOPE}
            _make_ready(fresh, names)
            fresh = _as_in(folder, work, fresh, names, is_new=not present)
            kept = _put_in_place(folder, fresh, now, names)
        sync_folder(folder)
        give_to_owner(folder)
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(
            f"The backup was not restored into {folder}: "
            f"{getattr(error, 'strerror', None) or error}. No memory was lost; mend what the "
            "message names and run the command again."
        ) from error
    finally:
        if not was_there:
            with suppress(OSError):  # it is not empty: the memory is in it
                folder.rmdir()
    return Restored(folder=folder, kept=kept, backup=backup)


def _present(folder: Path) -> list[Path]:
    return [folder / name for name in NAMES if (folder / name).exists()]


def _refuse_in_use(paths: list[Path]) -> None:
    if paths:
        raise ArchiveError(
            f"{paths[0]} is in use. Stop the bots and commands that use this memory, and try again."
        )


def _make_ready(fresh: Path, names: Iterable[str]) -> None:
    """Give the restored journal an identity of its own, and leave no side file."""
    for name in names:
        with closing(connect(fresh / name)) as copy:
            copy.execute("PRAGMA journal_mode = DELETE")
            if name == JOURNAL:
                # Whoever noted how far he read the other file must begin again.
                copy.execute("DELETE FROM marks WHERE name = ?", [IDENTITY_MARK])
        with (fresh / name).open("rb") as file:
            os.fsync(file.fileno())


def _as_in(folder: Path, work: Path, fresh: Path, names: Iterable[str], *, is_new: bool) -> Path:
    """Return a folder with the restored files, encrypted or plain as the memory's folder is."""
    has, wanted = KEYRING.data_key(fresh / JOURNAL), KEYRING.data_key(folder / JOURNAL)
    if has == wanted:
        return fresh
    if wanted is None:
        if not is_new:
            raise ArchiveError(
                f"The backup is encrypted, and the memory in {folder} is not. Encrypt it first "
                "with 'freqtrade-mem0 encrypt', or restore the backup into another folder by --to."
            )
        envelopes.share(work, folder)
        return fresh
    other = work / "converted"
    other.mkdir(mode=0o700)
    for name in names:
        convert(fresh / name, has, other / name, wanted)
    return other


def _put_in_place(folder: Path, fresh: Path, now: datetime, names: Collection[str]) -> Path | None:
    """Exchange the files, the journal first: what Mem0 has beyond it does no harm."""
    present = _present(folder)
    for path in present:
        _empty_log(path)
    with kept_out(present) as in_use:
        _refuse_in_use(in_use)
        kept = _new_folder(folder, now) if present else None
        for name in NAMES:
            path, new = folder / name, fresh / name
            if kept is not None and name in names and path in present:
                exchange(path, new, kept / name)
            elif name in names:
                new.replace(path)
            elif kept is not None and path in present:
                keep(path, kept / name)
                for suffix in SIDE_FILES:
                    path.with_name(name + suffix).unlink(missing_ok=True)
    return kept


def _empty_log(path: Path) -> None:
    """Bring what is in a file's write-ahead log into the file itself, if it is not damaged."""
    with suppress(sqlite3.Error), closing(connect(path)) as sqlite:
        sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _new_folder(folder: Path, now: datetime) -> Path:
    number = 0
    while True:
        kept = folder / f"before-restore-{now:%Y%m%dT%H%M%SZ}{f'-{number}' if number else ''}"
        try:
            kept.mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return kept
