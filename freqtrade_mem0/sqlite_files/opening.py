"""SQLite files that several processes share: private, usable by the folder's owner, in WAL mode.

WAL needs memory that processes share through a file. Some network drives and mounted folders do not
offer it; there SQLite's older mode is used, in which a reader waits for a writer's commit.
"""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
import stat
import time
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from freqtrade_mem0.encryption.keyring import KEYRING
from freqtrade_mem0.sqlite_files.connecting import connect

if TYPE_CHECKING:
    from collections.abc import Callable

logger = logging.getLogger(__name__)

_MAGIC = b"SQLite format 3\x00"
PLAIN_AMONG_ENCRYPTED = (
    "it is not encrypted, and the memory in its folder is. Stop what uses it and run "
    "'freqtrade-mem0 encrypt'"
)
_READ = "SELECT count(*) FROM sqlite_master"
_NO_SHARED_MEMORY = "SQLITE_IOERR_SHM"
_NO_LOCKS = ("SQLITE_IOERR_LOCK", "SQLITE_IOERR_RDLOCK", "SQLITE_IOERR_CHECKRESERVEDLOCK")


def open_shared(
    path: Path,
    timeout_s: float,
    *,
    refuse: Callable[[sqlite3.Connection], object],
    new_file_pragma: str,
) -> sqlite3.Connection:
    """Open a file in WAL mode, or in SQLite's older mode where its folder does not allow WAL.

    Parameters
    ----------
    path
        A file that exists; it may be empty.
    timeout_s
        How long a statement waits for another process's write.
    refuse
        Raises for a file that is not ours, before anything in it is changed.
    new_file_pragma
        Is executed in an empty file; several are parted by semicolons.
    """
    connection = connect(path, timeout_s)
    try:
        try:
            refuse(connection)
            if path.stat().st_size == 0:
                is_plain_one = KEYRING.data_key(path) is None  # SQLCipher has one size of pages
                for pragma in new_file_pragma.split(";"):
                    if is_plain_one or "page_size" not in pragma:
                        connection.execute(pragma)
            _switch_to_wal(connection, path, timeout_s)
            if _mode(connection) != "wal":
                _warn(path)
            connection.execute(_READ)
        except sqlite3.OperationalError as error:
            # SQLCipher's module does not say which error of the disk it is.
            if not error.sqlite_errorname.startswith(_NO_SHARED_MEMORY) and (
                error.sqlite_errorname != "SQLITE_IOERR"
            ):
                raise
            connection.close()
            connection = _leave_wal(path, timeout_s, refuse)
    except BaseException:
        connection.close()
        raise
    return connection


def open_read_only(path: Path, timeout_s: float) -> sqlite3.Connection:
    """Open a file of another user, or on a read-only file system, without creating files."""
    log = path.with_name(f"{path.name}-wal")
    # Without a log no process has the file open, and SQLite needs no index of the log.
    access = "mode=ro" if log.exists() and log.stat().st_size else "immutable=1"
    return connect(path, timeout_s, access=access)


def is_writable(path: Path) -> bool:
    """Return whether this user may write to an SQLite file and create its side files."""
    return os.access(path, os.R_OK | os.W_OK) and os.access(path.parent, os.W_OK | os.X_OK)


def create_privately(path: Path) -> None:
    """Create a file before SQLite does, so that no other user can read it even for an instant.

    An existing file is not opened: closing it again would drop the locks that SQLite holds on it
    in this process, and another process could then delete a write-ahead log that is in use.

    Raises
    ------
    OSError
        It can not be created, is no file, or may not be written to.
    """
    make_folder(path.parent)
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        if not path.is_file():
            raise
        if not is_writable(path):
            is_read_only = os.statvfs(path).f_flag & os.ST_RDONLY
            code = errno.EROFS if is_read_only else errno.EACCES
            raise OSError(code, os.strerror(code), str(path)) from None
    else:
        _give_to_owner(path)


def make_folder(folder: Path) -> None:
    """Create a folder for its owner alone, and what it is in."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for each in reversed(missing):
        _give_to_owner(each)


def give_to_owner(folder: Path) -> None:
    """As root, give what is in a folder to the folder's owner: a bot of that user must open it."""
    if os.geteuid() != 0 or not folder.is_dir() or folder.stat().st_uid == 0:
        return
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            _give_to_owner(Path(place, name))


def explain(error: sqlite3.Error, path: Path) -> str | None:
    """Return what is wrong with a file's folder or side files; None if it is something else."""
    name = getattr(error, "sqlite_errorname", "")
    if name == "SQLITE_NOTADB" and KEYRING.data_key(path) is not None and is_plain(path):
        return PLAIN_AMONG_ENCRYPTED
    if name.startswith((_NO_SHARED_MEMORY, *_NO_LOCKS)):
        return (
            f"the file system of {path.parent} does not let processes share memory or lock files, "
            "which SQLite needs. Use a folder on a local disk (in Docker a named volume) for "
            "'mem0.path'"
        )
    for side_file in (path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal")):
        if side_file.exists() and not os.access(side_file, os.R_OK | os.W_OK):
            return (
                f"this user may not open {side_file}, which user {side_file.stat().st_uid} made. "
                f"Give it to the owner of {path.name} (chown)"
            )
    return None


def is_plain(path: Path) -> bool:
    """Return whether a file begins as an SQLite file does that is not encrypted.

    Nothing of this process may have it open: looking would drop its locks.
    """
    with path.open("rb") as file:
        return file.read(len(_MAGIC)) == _MAGIC


def lacks_envelope(error: sqlite3.Error, path: Path) -> bool:
    """Return whether a file that is no database to SQLite may be an encrypted one."""
    return (
        getattr(error, "sqlite_errorname", "") == "SQLITE_NOTADB" and KEYRING.data_key(path) is None
    )


def _give_to_owner(path: Path) -> None:
    """As root, give a new file to the owner of its folder."""
    if os.geteuid() != 0:
        return
    with suppress(OSError):  # the file is gone again, or the file system knows no owners
        owner, own = path.parent.stat(), path.lstat()
        # A second name may belong to a file elsewhere.
        is_ours = own.st_uid == 0 and (stat.S_ISDIR(own.st_mode) or own.st_nlink == 1)
        if is_ours and owner.st_uid != 0:
            os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def _switch_to_wal(connection: sqlite3.Connection, path: Path, timeout_s: float) -> None:
    if _mode(connection) == "wal" or not _shares_memory(path):
        return
    _patiently(lambda: connection.execute("PRAGMA journal_mode = WAL"), timeout_s)


def _shares_memory(path: Path) -> bool:
    """Return whether WAL works in the folder of a file; tried with another file."""
    index = path.with_name(f"{path.name}-shm")
    if index.exists() and not index.is_file():
        return False
    with TemporaryDirectory(dir=path.parent, prefix=".trial-") as trial:
        connection = connect(Path(trial, "trial.sqlite"), timeout_s=1)
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute(_READ)
            return _mode(connection) == "wal"
        except sqlite3.OperationalError:
            return False
        finally:
            connection.close()


def _leave_wal(
    path: Path, timeout_s: float, refuse: Callable[[sqlite3.Connection], object]
) -> sqlite3.Connection:
    def leave() -> None:
        connection = connect(path, timeout_s)
        try:
            # One process alone needs no shared memory.
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
            refuse(connection)
            connection.execute("PRAGMA journal_mode = DELETE")
        finally:
            connection.close()

    _patiently(leave, timeout_s)
    _warn(path)
    return connect(path, timeout_s)


def _warn(path: Path) -> None:
    logger.warning(
        "The file system of %s does not let processes share memory: in %s readers wait for writers."
        " A folder on a local disk is faster.",
        path.parent,
        path.name,
    )


def _mode(connection: sqlite3.Connection) -> str:
    mode: str = connection.execute("PRAGMA journal_mode").fetchone()[0]
    return mode


def _patiently(act: Callable[[], object], timeout_s: float) -> None:
    """Change the journal mode; SQLite by itself does not wait for other processes to do so."""
    deadline_s = time.monotonic() + timeout_s
    while True:
        try:
            act()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline_s:
                raise
            time.sleep(0.01)
        else:
            return
