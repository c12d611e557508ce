"""Damage to real journal files, and what stood in the pages that were hit."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.append import SeenIn
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.journal.pages import read_pages
from freqtrade_mem0.records.base import as_utc
from tests.support.samples import (
    BACKTEST,
    NOTED,
    a_backtest,
    a_decision,
    a_note,
    a_retraction,
    a_trade,
    opened,
)

if TYPE_CHECKING:
    import random

PAGE = 4096
TABLES = {
    "records": "SELECT seq, id, is_current, body FROM records",
    "decisions": "SELECT seq, id, trade_id, body FROM decisions",
    "outbox": "SELECT seq, attempts, is_dead, error FROM outbox",
    "seen": "SELECT 0, database, record_id FROM seen",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """All rows of a journal, by table, as text: what is to be found again."""

    rows: dict[str, set[str]]

    def missing_from(self, other: Content) -> dict[str, int]:
        """Count the rows that another journal lacks."""
        return {table: len(rows - other.rows[table]) for table, rows in self.rows.items()}


def content_of(path: Path) -> Content:
    """Return all rows of a journal that SQLite can read."""
    with closing(sqlite3.connect(path)) as sqlite:
        return Content(
            rows={table: {str(row) for row in sqlite.execute(q)} for table, q in TABLES.items()}
        )


def a_full_journal(folder: Path, n_trades: int = 400) -> Journal:
    """Return a journal with all there can be in one, all of it in the file itself."""
    journal = Journal(folder)
    outbox = Outbox(journal)
    journal.append([a_trade(n) for n in range(1, n_trades)])
    decisions = [a_decision(n) for n in range(1, n_trades // 4)]
    journal.append(decisions)
    journal.append([opened(each, a_trade(n)) for n, each in enumerate(decisions[:60], start=1)])
    journal.append([SeenIn(record_id=a_trade(n).id, database="one") for n in range(1, 100)])
    outbox.delivered(range(1, n_trades // 2), as_utc(NOTED))
    journal.append([a_trade(n, profit_ratio=-0.5) for n in range(5, n_trades, 50)])
    journal.append([a_retraction(a_trade(n).id) for n in range(7, n_trades, 70)])
    journal.append([a_note(1, content="long words " * 2_000), a_backtest()])
    journal.append([a_trade(n, origin=BACKTEST) for n in range(1, 20)])
    outbox.refused([n_trades // 2 + 1], "too long")
    journal.close()
    return journal


def page_kinds(path: Path) -> dict[int, str]:
    """Return for each page which table or index it belongs to, as SQLite itself tells."""
    with closing(sqlite3.connect(path)) as sqlite:
        roots = sqlite.execute("SELECT name, rootpage FROM sqlite_master").fetchall()
    content = path.read_bytes()
    kinds: dict[int, str] = {1: "head"}
    for name, root in roots:
        waiting = [root]
        while waiting:
            number = waiting.pop()
            page = content[(number - 1) * PAGE : number * PAGE]
            is_inner = page[0] in (2, 5)
            kinds[number] = f"{name} {'inner' if is_inner else 'leaf'}"
            if is_inner:
                cells = int.from_bytes(page[3:5])
                places = [int.from_bytes(page[12 + 2 * n : 14 + 2 * n]) for n in range(cells)]
                waiting += [int.from_bytes(page[at : at + 4]) for at in places]
                waiting.append(int.from_bytes(page[8:12]))
    return kinds


def overwrite(path: Path, number: int, chance: random.Random) -> None:
    """Fill a page with noise."""
    with path.open("r+b") as file:
        file.seek((number - 1) * PAGE)
        file.write(chance.randbytes(PAGE))


def rows_on(path: Path, numbers: set[int], table: str = "records") -> set[int]:
    """Return the row ids that stand on some pages of an undamaged journal."""
    n_columns = {"records": 14, "decisions": 12, "outbox": 4}[table]
    return {
        row.rowid
        for row in read_pages(path.read_bytes(), b"").rows()
        if row.page in numbers and row.rowid is not None and len(row.values) == n_columns
    }


def copied(path: Path, folder: Path) -> Path:
    """Return a copy of a journal's file in another folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(path, folder / path.name))
