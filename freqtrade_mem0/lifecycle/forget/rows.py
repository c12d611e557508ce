"""Deletes the rows of a scope in the journal, in short transactions."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal.brief_writes import BriefWrites
from freqtrade_mem0.journal.chain import note_gone
from freqtrade_mem0.journal.evidence.ids import id_of
from freqtrade_mem0.journal.forgotten import note_forgotten
from freqtrade_mem0.journal.marks import read_mark, write_mark
from freqtrade_mem0.lifecycle.forget.archived import (
    drop_unused_texts,
    renew_dictionaries,
    trim_blocks,
)
from freqtrade_mem0.lifecycle.forget.places import JOURNAL_TABLES, Rule

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from freqtrade_mem0.journal.chain import Table
    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.lifecycle.forget.scope import ForgetScope

_ROWS_PER_WRITE = 40
"""A transaction of so many takes 10 ms, and others that wait to write come next."""
_WAITING_PER_WRITE = 500
_DELIVERY = "delivery"

_OWNERS: dict[str, Table] = {
    "records": "records",
    "evidence": "records",  # of archived records: the others go with their rows
    "decisions": "decisions",
    "old_decisions": "decisions",
}
"""Tables whose rows have an owner, in the order of deletion, and where these stood first."""

WHY = "forgotten"
"""Under which word the chain has the deletions."""


def count_rows(journal: Journal, scope: ForgetScope) -> Counter[str]:
    """Count what would be deleted in the tables that say whose their rows are."""
    found: Counter[str] = Counter()
    for name in (*_OWNERS, "revoked"):
        chosen, values = _chosen(scope, name)
        found[name] = journal.connection.row(f"SELECT count(*) FROM {chosen}", values)[0]  # noqa: S608
    return found


def begin(journal: Journal, scope: ForgetScope, at_ms: int) -> Counter[str]:
    """Note that a scope is forgotten, and delete what would bring it back or continue it."""
    done: Counter[str] = Counter()
    with journal.connection.write() as sqlite:
        sqlite.execute("PRAGMA secure_delete = ON")  # what is deleted is overwritten with zeros
        note_forgotten(sqlite, scope.key, at_ms)
        for (name,) in sqlite.execute("SELECT name FROM marks").fetchall():
            if scope.names_mark(name):
                done["marks"] += sqlite.execute("DELETE FROM marks WHERE name = ?", [name]).rowcount
        mark = read_mark(sqlite, _DELIVERY)
        if mark.get("error"):  # it may say what Mem0 refused
            write_mark(sqlite, _DELIVERY, mark | {"error": ""})
    done["outbox"] += _empty_outbox(journal, scope)
    return done


def _empty_outbox(journal: Journal, scope: ForgetScope) -> int:
    where, values = scope.where()
    query = (
        "DELETE FROM outbox WHERE seq IN (SELECT seq FROM outbox AS waits WHERE EXISTS (SELECT 1"  # noqa: S608
        f" FROM records WHERE records.seq = waits.seq AND {where}) LIMIT {_WAITING_PER_WRITE})"
    )
    writes, n_gone = BriefWrites(journal), 0
    while True:
        with writes.one() as sqlite:
            n = sqlite.execute(query, values).rowcount
        if not n:
            return n_gone
        n_gone += n


def delete_rows(journal: Journal, scope: ForgetScope, point: Callable[[], None]) -> Counter[str]:
    """Delete every row of a scope; return how many, by table."""
    done: Counter[str] = Counter()
    writes = BriefWrites(journal)
    for owner in _OWNERS:
        while True:
            with writes.one() as sqlite:
                deleted = _delete_some(sqlite, scope, owner)
            if not deleted:
                break
            done += deleted
            point()
    done["dictionaries"] += renew_dictionaries(journal, point)
    done["words"] += drop_unused_texts(journal)
    with journal.connection.write() as sqlite:
        done["set_aside"] += sqlite.execute("DELETE FROM set_aside").rowcount
        chosen, values = _chosen(scope, "revoked")
        done["revoked"] += sqlite.execute(f"DELETE FROM {chosen}", values).rowcount  # noqa: S608
    return done


def end(journal: Journal, scope: ForgetScope) -> None:
    """Note that nothing of a scope is left."""
    with journal.connection.write() as sqlite:
        sqlite.execute("UPDATE forgotten SET is_done = 1 WHERE scope = ?", [scope.key])
        sqlite.execute("PRAGMA secure_delete = OFF")


def allow_return(journal: Journal, scope: ForgetScope) -> bool:
    """Let what was forgotten be taken in again; return whether it was forgotten."""
    with journal.connection.write() as sqlite:
        done = sqlite.execute("DELETE FROM forgotten WHERE scope = ?", [scope.key])
        return bool(done.rowcount)


def _delete_some(sqlite: sqlite3.Connection, scope: ForgetScope, owner: str) -> Counter[str]:
    """Delete some rows of a table and what belongs to them, inside the caller's transaction."""
    done: Counter[str] = Counter()
    sqlite.execute("PRAGMA secure_delete = ON")
    chosen, values = _chosen(scope, owner)
    query = f"SELECT seq, id FROM {chosen} LIMIT {_ROWS_PER_WRITE}"  # noqa: S608 - ours
    rows = sqlite.execute(query, values).fetchall()
    if not rows:
        return done
    seqs, of = [seq for seq, _ in rows], _OWNERS[owner]
    for place in JOURNAL_TABLES:
        if place.rule is Rule.ROW and (of == "records" or place.name == "packed"):
            keys: list[Any] = seqs if of == "records" else [-seq for seq in seqs]
        elif place.rule is Rule.RECORD and of == "records":
            keys = [id_of(each) for _, each in rows]
        elif place.name == owner:
            keys = seqs
        else:
            continue
        done[place.name] += sqlite.execute(
            f"DELETE FROM {place.name} WHERE {place.column or 'seq'} IN"  # noqa: S608
            " (SELECT value FROM json_each(?))",
            [json.dumps(keys)],
        ).rowcount
    if owner == "evidence":
        done["blocks"] += trim_blocks(sqlite, seqs)
    note_gone(sqlite, of, seqs, WHY)
    return done


def _chosen(scope: ForgetScope, table: str) -> tuple[str, list[Any]]:
    """Return a table with the condition on its rows, and the values to bind."""
    if table == "revoked":  # it has no mode, and '' for every strategy
        where, values = "user_id = ?", [scope.user_id]
        for column, value in (("strategy", scope.strategy), ("run_id", scope.run_id)):
            if value is not None:
                where, values = f"{where} AND {column} = ?", [*values, value]
        return f"{table} WHERE {where}", values
    where, values = scope.where()
    if table in {"evidence", "old_decisions"}:
        where = f"scope IN (SELECT number FROM scopes WHERE {where})"  # noqa: S608 - ours
    return f"{table} WHERE {where}", values
