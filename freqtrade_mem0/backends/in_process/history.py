"""Mem0's own history of changes, in the memory's folder; encrypted where the memory is."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.encryption.keyring import KEYRING
from freqtrade_mem0.sqlite_files.connecting import connect
from freqtrade_mem0.sqlite_files.opening import create_privately

if TYPE_CHECKING:
    from pathlib import Path

_FILE = "history.db"
_NO_FILE = ":memory:"


def history_of(folder: Path) -> tuple[str, bool]:
    """Return the file that Mem0 may open itself, and whether `encrypt_history` has to follow.

    A search in a read-only folder has no history.
    """
    path = folder / _FILE
    if not os.access(folder, os.W_OK | os.X_OK):
        return _NO_FILE, False
    if KEYRING.data_key(path) is not None:
        return _NO_FILE, True
    create_privately(path)  # Mem0 would create it with the rights of the umask
    return str(path), False


def encrypt_history(history: Any, folder: Path) -> None:
    """Let Mem0's history, which it opened in memory, use the encrypted file, and make its tables.

    Mem0 begins and ends each transaction itself, so it needs no other kind of connection.
    """
    path = folder / _FILE
    create_privately(path)
    history.connection.close()
    history.connection, history.db_path = connect(path), str(path)
    history._migrate_history_table()  # noqa: SLF001 - what its constructor does; nothing is public
    history._create_history_table()  # noqa: SLF001
    history._create_messages_table()  # noqa: SLF001
