"""Writers whose trades are no evidence on this machine, whatever Mem0 still brings of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING

from freqtrade_mem0.records.base import from_ms, to_ms

if TYPE_CHECKING:
    from collections.abc import Iterable

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.records.base import Origin, Record
    from freqtrade_mem0.records.kinds.trade import ClosedTrade

NEVER_MS = 1 << 62
"""After every time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revoked:
    """A writer that was revoked.

    Parameters
    ----------
    user_id, strategy, run_id
        The writer; strategy "" stands for each of its strategies.
    since
        Aware UTC market time; what became known then or later is no evidence.
    revoked_at
        Aware UTC wall time.
    """

    user_id: str
    strategy: str
    run_id: str
    since: datetime
    revoked_at: datetime


def revoked(journal: Journal) -> tuple[Revoked, ...]:
    """Return the writers that are revoked on this machine."""
    rows = journal.connection.rows(
        "SELECT user_id, strategy, run_id, since_ms, revoked_ms FROM revoked"
        " ORDER BY user_id, strategy, run_id"
    )
    return tuple(
        Revoked(
            user_id=user_id,
            strategy=strategy,
            run_id=run_id,
            since=from_ms(since_ms),
            revoked_at=from_ms(revoked_ms),
        )
        for user_id, strategy, run_id, since_ms, revoked_ms in rows
    )


def revoke(journal: Journal, writer: Revoked) -> None:
    """Take the records of a writer out of evidence; a bot learns of it at its next look."""
    with journal.connection.write() as sqlite:
        sqlite.execute(
            "INSERT OR REPLACE INTO revoked VALUES (?, ?, ?, ?, ?)",
            [
                *(writer.user_id, writer.strategy, writer.run_id),
                *(to_ms(writer.since), to_ms(writer.revoked_at)),
            ],
        )


def restore(journal: Journal, user_id: str, run_id: str, strategy: str) -> int:
    """Let the records of a writer count again; return how many entries that undid."""
    with journal.connection.write() as sqlite:
        return sqlite.execute(
            "DELETE FROM revoked WHERE user_id = ? AND run_id = ? AND strategy = ?",
            [user_id, run_id, strategy],
        ).rowcount


def revoked_from_ms(origin: Origin, writers: Iterable[Revoked]) -> int:
    """Return from when on records of an origin are no evidence; `NEVER_MS` where all are."""
    return min(
        (
            to_ms(writer.since)
            for writer in writers
            if (writer.user_id, writer.run_id) == (origin.user_id, origin.run_id)
            and writer.strategy in {"", origin.strategy}
        ),
        default=NEVER_MS,
    )


def is_revoked(record: Record | ClosedTrade, writers: Iterable[Revoked]) -> bool:
    """Return whether a record is no evidence, because its writer was revoked."""
    return bool(writers) and to_ms(record.known_at) >= revoked_from_ms(record.origin, writers)


def fingerprint(writers: Iterable[Revoked]) -> str:
    """Return a hash of what is revoked; "" where nothing is."""
    said = [repr((w.user_id, w.strategy, w.run_id, to_ms(w.since))) for w in writers]
    return sha256("\n".join(said).encode()).hexdigest()[:16] if said else ""
