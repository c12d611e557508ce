"""Makes a backup of a memory that is in use.

SQLite copies each file as it was at one moment, the journal first: what Mem0 has beyond it is read
back by sync. The finished file is checked, see `check`; only then does it get its name.
"""

from __future__ import annotations

import os
import platform
import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

from freqtrade_mem0 import __version__
from freqtrade_mem0.archive.answers import answers_of, blocks_of
from freqtrade_mem0.archive.check import Backup, checked, counts_of, n_memories
from freqtrade_mem0.archive.container import (
    ENVELOPE,
    HISTORY,
    JOURNAL,
    NAMES,
    STORE,
    hash_of,
    pack,
)
from freqtrade_mem0.archive.manifest import FORMAT, Answers, Manifest
from freqtrade_mem0.archive.workplace import sync_folder, workplace
from freqtrade_mem0.config.address import vector_store
from freqtrade_mem0.encryption import envelope as envelopes
from freqtrade_mem0.errors import ArchiveError
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.sqlite_files.connecting import PATIENCE_S, connect
from freqtrade_mem0.sqlite_files.opening import is_writable, make_folder, open_read_only

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from freqtrade_mem0.archive.container import Progress

_PAGES_AT_ONCE = 2_000


def make_backup(
    store: MemoryFolder, target: Path, now: datetime, progress: Progress = lambda _: None
) -> Backup:
    """Back a memory up into a new file. Bots may go on meanwhile.

    Parameters
    ----------
    store
        The memory; it must exist.
    target
        A file that does not exist, or a folder, in which the file is named after the time.
    now
        Aware UTC wall time.
    progress
        Is told how many more bytes are done; `expected_bytes` says of how many.

    Raises
    ------
    ArchiveError
        There is such a file, the disk is full, the memory is damaged, or the backup, when it was
        restored, did not answer as the memory did. Nothing is left behind.
    """
    is_folder = target.is_dir() or str(target).endswith(os.sep)
    folder = target if is_folder else target.parent
    wanted = folder / file_name(now) if is_folder else target
    if not is_folder and os.path.lexists(target):
        raise ArchiveError(f"{target} exists already. Name another file, or a folder.")
    try:
        make_folder(folder)
        with workplace(folder, "backup") as work:
            packed = work / "unfinished.zip"
            manifest = _packed(store, work, packed, now, progress)
            done = checked(packed, work, progress)
            if done.not_compared:
                raise ArchiveError(f"No backup was made: {done.not_compared}.")
            path = _named(packed, wanted, is_free=is_folder)
        sync_folder(folder)
        return Backup(
            path=path,
            bytes=path.stat().st_size,
            manifest=manifest,
            n_compared=done.n_compared,
        )
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(
            f"No backup was made in {folder}: {getattr(error, 'strerror', None) or error}. Nothing "
            "was left behind, and the memory is unchanged."
        ) from error


def file_name(now: datetime) -> str:
    """Return the name of a backup made at a time.

    >>> from datetime import UTC, datetime
    >>> file_name(datetime(2026, 11, 28, 5, 3, 1, tzinfo=UTC))
    'freqtrade-mem0-20261128T050301Z.zip'
    """
    return f"freqtrade-mem0-{now:%Y%m%dT%H%M%SZ}.zip"


def expected_bytes(store: MemoryFolder) -> int:
    """Return about how many bytes `make_backup` tells its progress: those packed and unpacked."""
    paths = [store.folder / name for name in NAMES]
    return 2 * sum(path.stat().st_size for path in paths if path.exists())


def _packed(
    store: MemoryFolder, work: Path, packed: Path, now: datetime, progress: Progress
) -> Manifest:
    """Copy the memory's files, ask the original as of the same moment, and pack the copies."""
    files = {}
    if envelopes.share(store.folder, work):  # the copies below are encrypted by it
        files[ENVELOPE] = work / ENVELOPE
    with _at_one_moment(store) as (original, sqlite):
        _copy(sqlite, work / JOURNAL)
        files[JOURNAL] = work / JOURNAL
        counts = counts_of(original)
        n, digest = answers_of(original)
    for name in (STORE, HISTORY):
        source = store.folder / name
        if source.is_file():
            with closing(_connected(source)) as sqlite:
                _copy(sqlite, work / name)
            files[name] = work / name
    counts["memories"] = n_memories(work / STORE)
    settings = store.settings
    manifest = Manifest(
        format=FORMAT,
        made_by=__version__,
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        made_at=now.isoformat(),
        user_id=settings.user_id,
        mode=settings.mode,
        files={name: hash_of(path) for name, path in files.items()},
        counts=counts,
        answers=Answers(version=__version__, settings=blocks_of(settings), n=n, sha256=digest),
        not_in_it=_not_in_it(store),
        has_own_store=STORE in files and vector_store(settings) is None and not settings.embedder,
    )
    pack(packed, manifest, files, progress)
    for path in files.values():
        path.unlink()
    return manifest


@contextmanager
def _at_one_moment(store: MemoryFolder) -> Iterator[tuple[MemoryFolder, sqlite3.Connection]]:
    """Give the memory as it is now, whatever others write meanwhile, and its connection."""
    settings = store.settings.model_copy(update={"path": store.folder, "mode": "local"})
    original = MemoryFolder(settings, store.folder)
    try:
        with original.journal.connection.read() as sqlite:
            sqlite.execute("BEGIN")
            sqlite.execute("SELECT count(*) FROM marks").fetchone()  # from here on, one moment
            yield original, sqlite
    finally:
        original.journal.close()


def _connected(path: Path) -> sqlite3.Connection:
    if not is_writable(path):
        return open_read_only(path, PATIENCE_S)
    return connect(path)


def _copy(source: sqlite3.Connection, target: Path) -> None:
    os.close(os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    with closing(connect(target)) as copy:
        # In one transaction of the source, so that writers do not make it begin again.
        if not source.in_transaction:
            source.execute("BEGIN")
        try:
            source.backup(copy, pages=_PAGES_AT_ONCE, sleep=0)
            # One file: SQLite opens it in WAL mode again when it is used.
            copy.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.Error as error:
            if error.sqlite_errorcode in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
                raise
            raise OSError(error.sqlite_errorcode, str(error)) from error  # of the disk of the copy


def _not_in_it(store: MemoryFolder) -> list[str]:
    """Return what a backup of this memory lacks."""
    lacks = ["The config, and Freqtrade's own trade database: back them up beside it."]
    settings = store.settings
    chosen = vector_store(settings)
    if settings.mode in ("server", "platform"):
        lacks.append(
            f"The memories in Mem0 (mode {settings.mode!r}). 'freqtrade-mem0 deliver --again' "
            "writes this machine's records to Mem0 again."
        )
    elif chosen is not None:
        lacks.append(
            f"The memories in the vector store {chosen.provider!r}, which is not ours. "
            "'freqtrade-mem0 deliver --again' writes the records to it again."
        )
    others = sorted(
        path.name
        for path in store.folder.iterdir()
        if not path.name.startswith((*NAMES, ENVELOPE, "."))
        and path.suffix not in (".snapshot", ".lock")
    )
    if others:
        lacks.append(f"Other files of the folder: {', '.join(others)}.")
    return lacks


def _named(packed: Path, wanted: Path, *, is_free: bool) -> Path:
    """Give a finished file its name, never that of another file; return the name."""
    for number in range(1, 1_000):
        path = wanted if number == 1 else wanted.with_stem(f"{wanted.stem}-{number}")
        try:
            os.link(packed, path)
        except FileExistsError:
            if not is_free:
                raise ArchiveError(f"{path} exists already. Name another file.") from None
            continue
        except OSError:  # a file system without hard links
            if path.exists():
                continue
            packed.rename(path)
        return path
    raise ArchiveError(f"{wanted.parent} has too many backups of this second.")
