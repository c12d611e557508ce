"""Deletes a scope from the files in a memory's folder, and leaves no deleted byte in them."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections import Counter
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends.port import SCOPE_KEYS
from freqtrade_mem0.backends.sqlite.purge import purge
from freqtrade_mem0.encryption.keyring import data_files, is_filled
from freqtrade_mem0.encryption.sealed import from_line, reading
from freqtrade_mem0.journal.forgotten import BOTS
from freqtrade_mem0.session_memory.sqlite import FILE_NAME as SESSIONS
from freqtrade_mem0.sqlite_files.connecting import connect, deleting
from freqtrade_mem0.sqlite_files.opening import is_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
    from freqtrade_mem0.memory_folder import MemoryFolder

_ROOM = 2.5
"""Free disk space that is needed, as a multiple of the file's size."""

OLD_COPIES = (
    "journal.sqlite.damaged-*",
    "before-restore-*",
    ".salvage-*",  # these are of processes that were killed
    ".freqtrade-mem0-*",
    ".*.unfinished",
    "core_memory_updates.txt*",  # 'agent export' writes them anew
    "parameter_updates.json*",
)

REMOTE_IDS = "remote_ids.sqlite"
SERVICE = "service.sqlite"
WEBHOOKS = "webhooks.sqlite"
STORE, HISTORY, TRIALS = "memories.sqlite", "history.db", "compare-trials.jsonl"


def delete_in_files(
    memory: MemoryFolder, scope: ForgetScope, point: Callable[[], None]
) -> Counter[str]:
    """Delete what is of a scope, or about nobody any more; return how many, by file."""
    done: Counter[str] = Counter()
    store = memory.folder / STORE
    if store.exists():
        done[STORE] = purge(store, lambda owners, about: _is_of(scope, owners, about))
        point()
    done[HISTORY] = _clean_history(memory, scope)
    point()
    for path in memory.folder.glob("recall-*"):
        if _owner_of_snapshot(path) in {None, scope.user_id}:
            path.unlink(missing_ok=True)
            done["recall snapshots"] += 1
            point()
    for path in old_copies(memory.folder):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
        done["old copies"] += 1
        point()
    done[REMOTE_IDS] = _clean_remote_ids(memory, scope)
    done[SESSIONS] = _clean_sessions(memory, scope)
    done[SERVICE] = _clean_keys(memory, scope)
    done[WEBHOOKS] = _clean_webhooks(memory, scope)
    done[TRIALS] = _clean_trials(memory, scope)
    return done


def old_copies(folder: Path) -> list[Path]:
    """Return what `salvage` and `restore` kept of the files that they replaced."""
    return sorted(path for pattern in OLD_COPIES for path in folder.glob(pattern))


def rewrite_files(folder: Path, point: Callable[[], None]) -> list[str]:
    """Write every SQLite file anew without free pages; return what could not be done, and why."""
    failed = []
    for path in sqlite_files(folder):
        try:
            if shutil.disk_usage(path.parent).free < _ROOM * path.stat().st_size:
                failed.append(
                    f"free pages in {path}: the disk has no room to write the file anew. What was "
                    "deleted now is overwritten with zeros; what was replaced earlier may be there"
                )
            with closing(connect(path)) as sqlite:
                sqlite.execute("PRAGMA secure_delete = ON")
                if not failed or str(path) not in failed[-1]:
                    sqlite.execute("VACUUM")
                busy = sqlite.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
            if busy:
                failed.append(f"the log of {path}: another process reads it; run this once more")
        except (OSError, sqlite3.Error) as error:
            failed.append(f"free pages and the log of {path}: {error}")
        point()
    return failed


def sqlite_files(folder: Path) -> Iterator[Path]:
    """Yield the SQLite files in a folder, at any depth."""
    own = data_files(folder)  # they may be encrypted
    for path in sorted(folder.rglob("*")):
        with suppress(OSError):
            if path in own or (is_filled(path) and path.is_file() and is_plain(path)):
                yield path


def _is_of(scope: ForgetScope, owners: str, about: Mapping[str, Any]) -> bool:
    has_mode = not scope.bots_only or about.get("mode") in {*map(str, BOTS), None}
    return scope.owns(owners) and has_mode


def _clean_history(memory: MemoryFolder, scope: ForgetScope) -> int:
    """Delete from Mem0's history what is about memories that are gone: their texts are in it."""
    path = memory.folder / HISTORY
    if not path.exists() or not path.stat().st_size:
        return 0
    there, n_gone = _ids_in(memory.folder / STORE), 0
    with closing(connect(path)) as sqlite:
        tables = {name for (name,) in sqlite.execute("SELECT name FROM sqlite_master")}
        ids = (
            "SELECT DISTINCT memory_id FROM history" if "history" in tables else "SELECT 1 LIMIT 0"
        )
        gone = [
            (memory_id,)
            for (memory_id,) in sqlite.execute(ids).fetchall()
            if memory_id not in there
            and not (memory.delivers and memory.backend.get(str(memory_id)) is not None)
        ]
    with deleting(path) as sqlite:
        if gone:
            n_gone += sqlite.executemany("DELETE FROM history WHERE memory_id IS ?", gone).rowcount
        if "messages" in tables:
            scopes = sqlite.execute("SELECT DISTINCT session_scope FROM messages").fetchall()
            for (session,) in scopes:
                if f"user_id={scope.user_id}" in str(session):
                    n_gone += sqlite.execute(
                        "DELETE FROM messages WHERE session_scope = ?", [session]
                    ).rowcount
    return n_gone


def _ids_in(store: Path) -> set[str]:
    if not store.exists():
        return set()
    with closing(connect(store)) as sqlite:
        return {each for (each,) in sqlite.execute("SELECT id FROM memories")}


def _owner_of_snapshot(path: Path) -> str | None:
    """Return whose trades a snapshot of recall has; None where it can not be read."""
    with suppress(OSError, ValueError, KeyError, TypeError), path.open("rb") as raw:
        file = reading(raw, path)
        lead = file.read(20)
        heading = json.loads(file.read(int.from_bytes(lead[12:20], "little")))
        return str(heading["about"]["user_id"])
    return None


def _clean_remote_ids(memory: MemoryFolder, scope: ForgetScope) -> int:
    """Delete the names under which a server was listed; it is then listed again."""
    path = memory.folder / REMOTE_IDS
    if not path.exists():
        return 0
    with deleting(path) as sqlite:
        names = sqlite.execute("SELECT DISTINCT scope FROM listed").fetchall()
        gone = [(name,) for (name,) in names if scope.owns(_as_owners(json.loads(name)))]
        n_gone = sqlite.executemany("DELETE FROM listed WHERE scope = ?", gone).rowcount
    return max(n_gone, 0)


def _as_owners(about: Mapping[str, Any]) -> str:
    return json.dumps([about.get(key) for key in SCOPE_KEYS])


def _clean_sessions(memory: MemoryFolder, scope: ForgetScope) -> int:
    """Delete a user's session memory; it does not say which strategy or run it is about."""
    path = memory.folder / SESSIONS
    if not path.exists() or not scope.is_whole_user:
        return 0
    with deleting(path) as sqlite:
        n_gone: int = sqlite.execute(  # an agent's owner is the user, a blank and the agent
            "DELETE FROM sessions WHERE owner = ?1 OR instr(owner, ?1 || ' ') = 1", [scope.user_id]
        ).rowcount
    return n_gone


def _clean_keys(memory: MemoryFolder, scope: ForgetScope) -> int:
    """Delete the keys that are bound to a user; those that are not bound say nothing of anybody."""
    path = memory.folder / SERVICE
    if not path.exists() or not scope.is_whole_user:
        return 0
    with deleting(path) as sqlite:
        return sqlite.execute("DELETE FROM keys WHERE user_id = ?", [scope.user_id]).rowcount


def _clean_webhooks(memory: MemoryFolder, scope: ForgetScope) -> int:
    """Delete messages about a scope; those about no bot with everything of their owner."""
    path = memory.folder / WEBHOOKS
    if not path.exists():
        return 0
    named = {"strategy": scope.strategy, "run_id": scope.run_id}
    equal = {name: value for name, value in named.items() if value is not None}
    terms = ["instr(endpoint, ? || ' ') = 1", *(f"{name} = ?" for name in equal)]
    if scope.bots_only:
        terms.append("mode NOTNULL")  # all messages that name a run are of bots
    with deleting(path) as sqlite:
        if scope.is_whole_user:
            sqlite.execute("DELETE FROM endpoints WHERE instr(name, ? || ' ') = 1", [scope.user_id])
        return sqlite.execute(
            f"DELETE FROM messages WHERE {' AND '.join(terms)}",  # noqa: S608 - fixed names
            [scope.user_id, *equal.values()],
        ).rowcount


def _clean_trials(memory: MemoryFolder, scope: ForgetScope) -> int:
    """Delete the lines about strategies that nobody else has; they do not say whose they are."""
    path = memory.folder / TRIALS
    if not path.exists() or scope.run_id is not None:
        return 0
    left = {
        strategy
        for table in ("records", "decisions")
        for (strategy,) in memory.journal.connection.rows(
            f"SELECT DISTINCT strategy FROM {table}"  # noqa: S608
        )
    }
    kept, n_gone = [], 0
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines(keepends=True):
        strategy = None
        with suppress(ValueError, TypeError, KeyError):
            strategy = json.loads(from_line(path, line))["strategy"]
        is_meant = scope.strategy in {None, strategy}
        if strategy in left or not is_meant:
            kept.append(line)
        else:
            n_gone += 1
    if n_gone:
        fresh = path.with_name(f"{path.name}.tmp")
        fresh.write_text("".join(kept), encoding="utf-8")
        fresh.replace(path)
    return n_gone
