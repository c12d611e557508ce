"""Connections to encrypted SQLite files, by SQLCipher.

SQLCipher is another build of SQLite with a Python module of its own. Its errors are made to be
those of `sqlite3`, so that nobody who catches these has to know which build has a file open.
"""

from __future__ import annotations

import sqlite3
from functools import cache
from typing import Any, cast

from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.words.extras import how_to_install

_ERRORS = ("InternalError", "OperationalError", "ProgrammingError", "IntegrityError", "DataError")


def connect(where: str, data_key: bytes | None, **options: Any) -> sqlite3.Connection:
    """Connect to an encrypted file, or to one that will be; `options` are those of `sqlite3`.

    Without a key the file is plain.
    """
    opened = _sqlcipher().connect(where, factory=_connection_type(), **options)
    # It would write to the standard error stream what the errors say as well.
    opened.execute("PRAGMA cipher_log_level = NONE")
    if data_key is not None:
        opened.execute(f'PRAGMA key = "{written(data_key)}"')
    opened.execute("PRAGMA temp_store = MEMORY")
    return cast("sqlite3.Connection", opened)


def written(data_key: bytes | None) -> str:
    """Return a key as SQLCipher reads it."""
    return "" if data_key is None else f"x'{data_key.hex()}'"


@cache
def _connection_type() -> type[Any]:
    """Return a type of connections that something may refer to weakly."""
    return type("Connection", (_sqlcipher().Connection,), {})


@cache
def _sqlcipher() -> Any:
    """Return the module; its errors derive from those of `sqlite3` with the same names."""
    try:
        from sqlcipher3 import dbapi2
    except ImportError as error:
        raise ConfigError(
            "The memory is encrypted, and SQLCipher is not installed: run "
            f"{how_to_install('encryption')}"
        ) from error
    for name in ("InterfaceError", "DatabaseError"):
        getattr(dbapi2, name).__bases__ = (dbapi2.Error, getattr(sqlite3, name))
    for name in (*_ERRORS, "NotSupportedError"):
        getattr(dbapi2, name).__bases__ = (dbapi2.DatabaseError, getattr(sqlite3, name))
    return dbapi2
