"""What was forgotten on purpose, so that it is not taken in again.

A forgotten scope is kept as a hash of its names with the moment of forgetting. A record of that
scope that became known before that moment (of a bot), or was recorded before it (of anything else),
is refused, whether it comes from Mem0, an import or a trade database. What is new is taken.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import Mode, from_ms, to_ms

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime

    from freqtrade_mem0.journal.connection import Connection
    from freqtrade_mem0.records.base import Origin, Record

BOTS = (Mode.DRY_RUN, Mode.LIVE)


def scope_key(
    user_id: str, strategy: str | None, run_id: str | None, *, bots_only: bool = False
) -> bytes:
    """Return the hash of a scope; None stands for every strategy or run."""
    return sha256(json.dumps([user_id, strategy, run_id, bots_only]).encode()).digest()


def note_forgotten(sqlite: sqlite3.Connection, key: bytes, at_ms: int) -> None:
    """Begin to forget a scope: from now on nothing of it that is older is taken in."""
    sqlite.execute(
        "INSERT INTO forgotten (scope, until_ms, is_done) VALUES (?, ?, 0) ON CONFLICT (scope)"
        " DO UPDATE SET until_ms = max(until_ms, excluded.until_ms), is_done = 0",
        [key, at_ms],
    )


def forgotten_until(journal: Connection, origin: Origin) -> datetime | None:
    """Return up to when what this origin noted was forgotten; None where nothing was."""
    with journal.read() as sqlite:
        until_ms = _until_ms(_all(sqlite), origin)
    return None if until_ms is None else from_ms(until_ms)


def is_under_way(journal: Connection) -> bool:
    """Return whether a forgetting was interrupted and has to be run again."""
    return journal.row("SELECT 1 FROM forgotten WHERE is_done = 0") is not None


def forgotten_in(sqlite: sqlite3.Connection) -> Callable[[Record], bool]:
    """Return what tells whether a record was forgotten, inside the caller's transaction."""
    known = _all(sqlite)

    def is_forgotten(record: Record) -> bool:
        return bool(known) and _is_older(record, _until_ms(known, record.origin))

    return is_forgotten


def _all(sqlite: sqlite3.Connection) -> dict[bytes, int]:
    return dict(sqlite.execute("SELECT scope, until_ms FROM forgotten").fetchall())


def _until_ms(known: dict[bytes, int], origin: Origin) -> int | None:
    """Return the latest moment of forgetting of the scopes that an origin is in."""
    if not known:
        return None
    keys = [
        scope_key(origin.user_id, strategy, run_id, bots_only=bots_only)
        for strategy in (None, origin.strategy)
        for run_id in (None, origin.run_id)
        for bots_only in (False, True)
        if origin.mode in BOTS or not bots_only
    ]
    return max((known[key] for key in keys if key in known), default=None)


def _is_older(record: Record, until_ms: int | None) -> bool:
    # A backtest that is run again makes records of old candles, and is meant.
    moment = record.known_at if record.origin.mode in BOTS else record.recorded_at
    return until_ms is not None and to_ms(moment) <= until_ms
