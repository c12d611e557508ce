"""Deletes the rows of a scope in the journal, in short transactions."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal.bring_back import bring_back, count_archived, forget_words
from freqtrade_mem0.journal.chain import note_gone
from freqtrade_mem0.journal.forgotten import note_forgotten
from freqtrade_mem0.journal.marks import read_mark, write_mark
from freqtrade_mem0.lifecycle.forget.places import JOURNAL_TABLES, Rule

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable

    from freqtrade_mem0.journal.chain import Table
    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.lifecycle.forget.scope import ForgetScope

_ROWS_PER_WRITE = 200
_DELIVERY = "delivery"
WHY = "forgotten"
"""Under which word the chain has the deletions."""


def count_rows(journal: Journal, scope: ForgetScope) -> Counter[str]:
    """Count what would be deleted in the tables that say whose their rows are."""
    found: Counter[str] = Counter()
    for table in JOURNAL_TABLES:
        if table.rule is Rule.SCOPE:
            where, values = _where(scope, table.name)
            query = f"SELECT count(*) FROM {table.name} WHERE {where}"  # noqa: S608 - ours
            found[table.name] = journal.connection.row(query, values)[0]
    found.update(count_archived(journal, *_where(scope, "records")))
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
        where, values = _where(scope, "records")
        done["outbox"] += sqlite.execute(
            f"DELETE FROM outbox WHERE seq IN (SELECT seq FROM records WHERE {where})",  # noqa: S608
            values,
        ).rowcount
    return done


def delete_rows(journal: Journal, scope: ForgetScope, point: Callable[[], None]) -> Counter[str]:
    """Delete every row of a scope; return how many, by table."""
    done: Counter[str] = Counter()
    done += bring_back(journal, *_where(scope, "records"))
    point()
    tables: tuple[Table, ...] = ("records", "decisions")
    for table in tables:
        while True:
            with journal.connection.write() as sqlite:
                deleted = _delete_some(sqlite, scope, table)
            if not deleted:
                break
            done += deleted
            point()
    forget_words(journal)
    with journal.connection.write() as sqlite:
        done["set_aside"] += sqlite.execute("DELETE FROM set_aside").rowcount
        where, values = _where(scope, "revoked")
        done["revoked"] += sqlite.execute(f"DELETE FROM revoked WHERE {where}", values).rowcount  # noqa: S608
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


def _delete_some(sqlite: sqlite3.Connection, scope: ForgetScope, table: Table) -> Counter[str]:
    """Delete some rows of a table and what belongs to them, inside the caller's transaction."""
    done: Counter[str] = Counter()
    sqlite.execute("PRAGMA secure_delete = ON")
    where, values = _where(scope, table)
    rows = sqlite.execute(
        f"SELECT seq, id FROM {table} WHERE {where} LIMIT {_ROWS_PER_WRITE}",  # noqa: S608
        values,
    ).fetchall()
    if not rows:
        return done
    seqs, ids = json.dumps([seq for seq, _ in rows]), json.dumps([each for _, each in rows])
    if table == "records":
        for place in JOURNAL_TABLES:
            if place.rule in {Rule.ROW, Rule.RECORD}:
                done[place.name] += sqlite.execute(
                    f"DELETE FROM {place.name} WHERE {place.column} IN"  # noqa: S608
                    " (SELECT value FROM json_each(?))",
                    [seqs if place.rule is Rule.ROW else ids],
                ).rowcount
    done[table] += sqlite.execute(
        f"DELETE FROM {table} WHERE seq IN (SELECT value FROM json_each(?))",  # noqa: S608
        [seqs],
    ).rowcount
    note_gone(sqlite, table, [seq for seq, _ in rows], WHY)
    return done


def _where(scope: ForgetScope, table: str) -> tuple[str, list[Any]]:
    if table == "revoked":  # it has no mode, and '' for every strategy
        where, values = "user_id = ?", [scope.user_id]
        for column, value in (("strategy", scope.strategy), ("run_id", scope.run_id)):
            if value is not None:
                where, values = f"{where} AND {column} = ?", [*values, value]
        return where, values
    is_narrower = table == "records" and not scope.is_whole_user
    return scope.where(with_derived=is_narrower)
