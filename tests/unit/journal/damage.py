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
            page = _page(content, number)
            is_inner = page[0] in (2, 5)
            kinds[number] = f"{name} {'inner' if is_inner else 'leaf'}"
            if is_inner:
                waiting += [int.from_bytes(page[at : at + 4]) for at in _cells(page, 12)]
                waiting.append(int.from_bytes(page[8:12]))
    return kinds


def _page(content: bytes, number: int) -> bytes:
    return content[(number - 1) * PAGE : number * PAGE]


def _cells(page: bytes, first: int) -> list[int]:
    """Return where in a page its cells are; `first` is the place of the first one's address."""
    count = int.from_bytes(page[3:5])
    return [int.from_bytes(page[first + 2 * n : first + 2 * n + 2]) for n in range(count)]


def overwrite(path: Path, number: int, chance: random.Random) -> None:
    """Fill a page with noise."""
    with path.open("r+b") as file:
        file.seek((number - 1) * PAGE)
        file.write(chance.randbytes(PAGE))


def rows_on(path: Path, numbers: set[int], table: str = "records") -> set[int]:
    """Return the row ids that stand on some pages of an undamaged journal."""
    content, kinds = path.read_bytes(), page_kinds(path)
    found = set()
    for number in numbers:
        if kinds.get(number) == f"{table} leaf":
            page = _page(content, number)
            for cell in _cells(page, 8):
                _, at = _varint(page, cell)  # the length of the row
                found.add(_varint(page, at)[0])
    return found


def _varint(page: bytes, at: int) -> tuple[int, int]:
    """Return a number of variable length, and where it ends."""
    value = 0
    while page[at] >= 128:
        value, at = value << 7 | page[at] & 127, at + 1
    return value << 7 | page[at], at + 1


def copied(path: Path, folder: Path) -> Path:
    """Return a copy of a journal's file in another folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(path, folder / path.name))
