"""Free pages go back to the disk: at once, or bit by bit beside others."""

from __future__ import annotations

import sqlite3
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.sqlite_files import space
from freqtrade_mem0.sqlite_files.space import give_back, size

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.mark.parametrize("quick_bytes", [0, 1 << 30])
@pytest.mark.parametrize("alone", [False, True])
@pytest.mark.parametrize("is_read", [False, True])
def test_a_file_becomes_as_small_as_what_is_in_it(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    quick_bytes: int,
    alone: bool,
    is_read: bool,
) -> None:
    """Also while a reader keeps the log from being emptied, which then waits for no one."""
    monkeypatch.setattr(space, "_QUICK_BYTES", quick_bytes)
    path = tmp_path / "a.sqlite"
    pauses: list[float] = []
    with (
        closing(sqlite3.connect(path, isolation_level=None)) as sqlite,
        closing(sqlite3.connect(path, isolation_level=None)) as reader,
    ):
        sqlite.execute("PRAGMA auto_vacuum = INCREMENTAL")
        sqlite.execute("PRAGMA journal_mode = WAL")
        sqlite.execute("CREATE TABLE a (n INTEGER PRIMARY KEY, body BLOB)")
        sqlite.executemany("INSERT INTO a VALUES (?, zeroblob(3000))", [(n,) for n in range(2_000)])
        sqlite.execute("DELETE FROM a WHERE n % 10")
        sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        if is_read:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM a").fetchall()

        @contextmanager
        def outside() -> Iterator[sqlite3.Connection]:
            yield sqlite

        give_back(path, outside, alone=alone, pause=pauses.append)
        if is_read:
            reader.execute("COMMIT")
            give_back(path, outside, alone=alone, pause=pauses.append)

        assert size(path) < 200 * 4_096 * 1.2
        assert sqlite.execute("SELECT count(*), sum(length(body)) FROM a").fetchone() == (
            200,
            600_000,
        )
        assert sqlite.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert bool(pauses) == (quick_bytes == 0 and not alone)
