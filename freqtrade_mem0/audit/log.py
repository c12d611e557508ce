"""The list of uses of credentials: a file in the memory's folder, a chain of hashes.

The same use by the same program is listed once an hour. A row's link is a hash of the row and of
the link before it. Without the key of an encrypted memory nobody can write another list; in a plain
one, whoever can write to the file can, with all its links. Nothing fails because of the list.
"""

from __future__ import annotations

import getpass
import json
import logging
import socket
import sys
import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.sqlite_files.opening import is_writable
from freqtrade_mem0.sqlite_files.own_file import OwnFile

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

logger = logging.getLogger(__name__)

FILE_NAME = "audit.sqlite"
_APPLICATION_ID = 0x4D304155  # "M0AU"
_SCHEMA = """
PRAGMA synchronous = NORMAL;
CREATE TABLE IF NOT EXISTS uses (
    number INTEGER PRIMARY KEY,
    at_ms INTEGER NOT NULL,       -- epoch milliseconds
    who TEXT NOT NULL,            -- user, host and program
    action TEXT NOT NULL,
    credential TEXT NOT NULL,     -- its name
    source TEXT NOT NULL,         -- where it was found
    link BLOB NOT NULL
) STRICT;
"""
_HOUR_MS = 3_600_000
_TIMEOUT_S = 2.0
_FIRST = bytes(32)
_COLUMNS = "number, at_ms, who, action, credential, source"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """A credential was used.

    Parameters
    ----------
    number
        Counts from 1.
    at_ms
        When, in epoch milliseconds.
    who
        User, host and program.
    action
        "read", "used", "made", "revoked" or "changed".
    credential
        Its name, such as `mem0.encryption.key`.
    source
        Where it was found, such as `env:NAME`; "" where that is not known.
    """

    number: int
    at_ms: int
    who: str
    action: str
    credential: str
    source: str


class _UsesFile(OwnFile):
    name = FILE_NAME
    application_id = _APPLICATION_ID
    schema = _SCHEMA
    timeout_s = _TIMEOUT_S


class AuditLog:
    """The list of a memory.

    Parameters
    ----------
    folder
        The memory's folder.
    now
        Returns the time in epoch seconds.
    """

    def __init__(self, folder: Path, now: Callable[[], float] = time.time) -> None:
        self._file = _UsesFile(folder, now)
        self.path = self._file.path

    def note(self, credential: str, source: str = "", action: str = "read") -> None:
        """List a use; a memory that is not there, or can only be read, gets no list."""
        folder = self.path.parent
        if not folder.is_dir() or not is_writable(self.path if self.path.exists() else folder):
            return
        try:
            self._note((_who(), action, credential, source))
        except (Mem0Error, OSError) as error:
            logger.warning("The use of %s is not listed: %s", credential, error)
        finally:
            self._file.close()

    def uses(self) -> tuple[list[Use], int | None]:
        """Return all uses, and the number of the first row that was changed; None: none was.

        `ConfigError`: the file can not be read.
        """
        if not self.path.exists():
            return [], None
        try:
            rows = self._file.rows(f"SELECT {_COLUMNS}, link FROM uses ORDER BY number")  # noqa: S608
        finally:
            self._file.close()
        broken, link = None, _FIRST
        for expected, (*values, found) in enumerate(rows, 1):
            if broken is None and (values[0] != expected or _linked(link, values) != found):
                broken = expected
            link = found
        names = _COLUMNS.split(", ")
        return [Use(**dict(zip(names, row, strict=False))) for row in rows], broken

    def _note(self, use: Sequence[str]) -> None:
        now_ms = self._file.now_ms()
        same = "who = ? AND action = ? AND credential = ? AND source = ? AND at_ms > ?"
        recent = f"SELECT 1 FROM uses WHERE {same} LIMIT 1"  # noqa: S608
        if self._file.rows(recent, [*use, now_ms - _HOUR_MS]):
            return
        with self._file.write() as sqlite:
            last = "SELECT number, link FROM uses ORDER BY number DESC LIMIT 1"
            number, link = sqlite.execute(last).fetchone() or (0, _FIRST)
            values = [number + 1, now_ms, *use]
            sqlite.execute(
                f"INSERT INTO uses ({_COLUMNS}, link) VALUES (?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                [*values, _linked(link, values)],
            )


def _linked(link: bytes, values: Sequence[object]) -> bytes:
    return sha256(link + json.dumps(list(values)).encode()).digest()


def _who() -> str:
    """Return user, host and program; of its arguments only a command's name."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in a container
        user = "?"
    program = Path(sys.argv[0]).name if sys.argv and sys.argv[0] else "python"
    command = sys.argv[1] if len(sys.argv) > 1 else ""
    is_name = command.replace("-", "").isalpha() and command.islower()
    return f"{user}@{socket.gethostname()} {program}{f' {command}' if is_name else ''}"
