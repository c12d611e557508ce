"""Whether Mem0 keeps and gives back what it is given: a probe that is deleted again."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from uuid import uuid4

from freqtrade_mem0.errors import BackendError
from freqtrade_mem0.records.memory import Memory
from freqtrade_mem0.sqlite_files.connecting import connect

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.backends.port import MemoryBackend

PROBE_USER = "freqtrade-mem0-doctor"


def probe(backend: MemoryBackend) -> bool:
    """Write, read, search and delete a memory; return whether the search found it.

    Its owner is not the bot's, so that no bot reads it meanwhile.
    """
    sent = Memory(
        id=str(uuid4()),
        text="A probe of freqtrade-mem0 doctor, which deletes it at once.",
        user_id=PROBE_USER,
        agent_id="doctor",
        run_id="doctor",
        created_at=datetime.now(UTC).replace(microsecond=0),
        metadata={"kind": "probe"},
    )
    try:
        backend.write([sent])
        read = backend.get(sent.id)
        if read is None or read.text != sent.text:
            raise BackendError(
                f"Mem0 ({backend.name}) took a probe, memory {sent.id}, and does not give it back."
            )
        found = backend.search(sent.text, filters={"user_id": PROBE_USER}, limit=10)
    finally:
        backend.delete([sent.id])
    if backend.get(sent.id) is not None:
        raise BackendError(
            f"Mem0 ({backend.name}) did not delete the probe {sent.id} of user {PROBE_USER}."
        )
    return any(each.id == sent.id for each in found)


def refuse_foreign_history(path: Path) -> None:
    """Raise for a history file that Mem0 did not make: Mem0 would change it, or fail in it."""
    if not path.exists() or not path.stat().st_size:
        return
    try:
        with closing(connect(path, access="mode=ro")) as sqlite:
            tables = {name for (name,) in sqlite.execute("SELECT name FROM sqlite_master")}
            columns = {row[1] for row in sqlite.execute("PRAGMA table_info(history)")}
    except sqlite3.Error as error:
        tables, columns, reason = {"?"}, set(), f"{error}"
    else:
        reason = f"its tables are {', '.join(sorted(tables))}"
    if tables and "memory_id" not in columns:
        raise BackendError(
            f"{path} is not Mem0's history: {reason}. Move it away, or set 'mem0.path' to a folder "
            "of its own.",
            permanent=True,
        )
