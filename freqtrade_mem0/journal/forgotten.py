"""What was forgotten on purpose, so that it is not taken in again.

A forgotten scope is kept as a hash of its names with the moment of forgetting. A record of that
scope that became known before that moment (of a bot), or was recorded before it (of anything else),
is refused, whether it comes from Mem0, an import or a trade database. What is new is taken.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import Mode, Origin, from_ms

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
    from datetime import datetime

    from freqtrade_mem0.journal.connection import Connection
    from freqtrade_mem0.journal.rows import Row

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


def forgotten_in(sqlite: sqlite3.Connection) -> Callable[[Row], bool]:
    """Return what tells of a record's row whether it was forgotten, inside the transaction."""
    known = _all(sqlite)

    def is_forgotten(row: Row) -> bool:
        if not known:
            return False
        user_id, strategy, mode, run_id, _, known_ms, recorded_ms, _ = row[4:]
        origin = Origin(
            user_id=str(user_id), strategy=str(strategy), mode=Mode(str(mode)), run_id=str(run_id)
        )
        until_ms = _until_ms(known, origin)
        # A backtest that is run again makes records of old candles, and is meant.
        moment_ms = known_ms if origin.mode in BOTS else recorded_ms
        return until_ms is not None and int(moment_ms) <= until_ms

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
