"""The outbox: records that still have to reach Mem0. It is a table of the journal file."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.aged import HAS_NO_MEMORY
from freqtrade_mem0.journal.marks import read_mark, write_mark
from freqtrade_mem0.journal.revive import revive
from freqtrade_mem0.records.base import from_ms, to_ms
from freqtrade_mem0.records.codec import decode
from freqtrade_mem0.records.kinds.removal import removal_id
from freqtrade_mem0.records.kinds.retraction import retraction_id

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.records.base import Record


_MARK = "delivery"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxState:
    """The state of delivery, as all processes that deliver left it.

    Parameters
    ----------
    pending, dead
        Number of records that wait, and of records that Mem0 refused for good.
    last_error
        The error of the newest failed attempt; "" where the newest attempt succeeded and nothing
        is dead.
    waiting_since
        Aware UTC wall time at which the oldest waiting record was noted; None where none waits.
    delivered_at
        Aware UTC wall time of the last delivery; None before the first.
    failures
        Failed attempts since the last delivery.
    """

    pending: int
    dead: int
    last_error: str
    waiting_since: datetime | None = None
    delivered_at: datetime | None = None
    failures: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """A record that Mem0 refused, or that this version can not read.

    Parameters
    ----------
    record_id, kind, body
        The record; `body` is its JSON, so that it can be corrected.
    attempts
        How often it was tried.
    error
        Why it was refused.
    """

    record_id: str
    kind: str
    body: str
    attempts: int
    error: str


class Outbox:
    """The queue between the journal and Mem0: oldest first, at least once."""

    def __init__(self, journal: Journal) -> None:
        self._connection = journal.connection
        self._handed_out: dict[int, str] = {}
        """Ids of the last batch, by `seq`."""

    def pending(self, limit: int) -> list[tuple[int, Record]]:
        """Return up to `limit` waiting records as `(seq, record)`, oldest first."""
        rows = self._connection.rows(
            "SELECT o.seq, r.id, r.kind, body_of(r.seq, r.body)"
            " FROM outbox o JOIN records r ON r.seq = o.seq"
            " WHERE o.is_dead = 0 ORDER BY o.seq LIMIT ?",
            [limit],
        )
        self._handed_out = {seq: record_id for seq, record_id, _, _ in rows}
        batch, unreadable = [], []
        for seq, _, kind, body in rows:
            try:
                batch.append((seq, decode(kind, body)))
            except RecordError as error:
                unreadable.append((seq, str(error)))
        for seq, error_text in unreadable:
            # A newer version wrote it, perhaps. It must not hold up the records behind it.
            self.refused([seq], error_text)
        return batch if batch or not unreadable else self.pending(limit)

    def has_waiting(self, count: int) -> bool:
        """Return whether at least `count` (>= 1) records wait, without reading them."""
        row = self._connection.row(
            "SELECT 1 FROM outbox WHERE is_dead = 0 LIMIT 1 OFFSET ?", [count - 1]
        )
        return row is not None

    def delivered(self, seqs: Sequence[int], at: datetime) -> None:
        """Take these off the queue; `at` is the aware UTC wall time.

        A correction or retraction that was made meanwhile is put on the queue again: another
        process may have delivered it before this one's write, which then undid it.
        """
        with self._connection.write() as sqlite:
            sqlite.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq in seqs])
            overtaken = sqlite.execute(
                "SELECT sent.value, r.id FROM json_each(?) AS sent LEFT JOIN records AS r"
                " ON r.seq = sent.value WHERE r.is_current IS NOT 1",
                [json.dumps(list(seqs))],
            ).fetchall()
            for seq, known in overtaken:
                # Compaction may have deleted the row itself.
                record_id: str | None = known or self._handed_out.get(seq)
                if record_id is None:
                    continue
                sqlite.executemany(
                    "INSERT OR IGNORE INTO outbox (seq)"
                    " SELECT seq FROM records WHERE id = ? AND is_current = 1",
                    [(record_id,), (retraction_id(record_id),)],
                )
            # So is a removal: this write may have brought back a memory that was deleted.
            sent = [self._handed_out[seq] for seq in seqs if seq in self._handed_out]
            sqlite.execute(
                "INSERT OR IGNORE INTO outbox (seq) SELECT r.seq FROM json_each(?1) AS removal"
                " CROSS JOIN records AS r ON r.id = removal.value AND r.is_current = 1"
                " WHERE r.seq NOT IN (SELECT value FROM json_each(?2))",
                [json.dumps([removal_id(each) for each in sent]), json.dumps(list(seqs))],
            )
            write_mark(sqlite, _MARK, {"delivered_ms": to_ms(at)})

    def failed(self, seqs: Sequence[int], error: str) -> None:
        """Note an attempt that failed as a whole because Mem0 was away; the records still wait."""
        with self._connection.write() as sqlite:
            self._note(sqlite, seqs, error, dead=False)
            mark = read_mark(sqlite, _MARK)
            failures = mark.get("failures", 0) + 1
            write_mark(sqlite, _MARK, mark | {"error": error, "failures": failures})

    def refused(self, seqs: Sequence[int], error: str) -> None:
        """Keep these as dead letters, as Mem0 refused them for good."""
        with self._connection.write() as sqlite:
            self._note(sqlite, seqs, error, dead=True)

    def dead_letters(self) -> list[DeadLetter]:
        """Return what was refused, oldest first."""
        rows = self._connection.rows(
            "SELECT r.id, r.kind, body_of(r.seq, r.body), o.attempts, o.error"
            " FROM outbox o JOIN records r ON r.seq = o.seq WHERE o.is_dead = 1 ORDER BY o.seq"
        )
        return [
            DeadLetter(record_id=each, kind=kind, body=body, attempts=attempts, error=error)
            for each, kind, body, attempts, error in rows
        ]

    def resend(self, record_ids: Sequence[str] | None = None) -> int:
        """Let dead letters wait again, all of them or these; return how many there were."""
        chosen, values = _chosen(record_ids)
        with self._connection.write() as sqlite:
            cursor = sqlite.execute(
                f"UPDATE outbox SET is_dead = 0, error = '' WHERE is_dead = 1 AND {chosen}",  # noqa: S608
                values,
            )
            return cursor.rowcount

    def send_again(self) -> int:
        """Let everything that this machine recorded wait once more; return how many records.

        What was archived comes back into the table of records for it.
        """
        with self._connection.write() as sqlite:
            archived = sqlite.execute(
                "SELECT seq FROM evidence WHERE is_archived = 1 AND is_current = 1"  # noqa: S608 - a fixed text
                " AND NOT EXISTS (SELECT 1 FROM adopted WHERE adopted.seq = evidence.seq)"
                " AND NOT EXISTS (SELECT 1 FROM aged WHERE aged.seq = evidence.seq"
                f" AND {HAS_NO_MEMORY})"
            ).fetchall()
            revive(sqlite, [seq for (seq,) in archived])
            return sqlite.execute(
                "INSERT OR IGNORE INTO outbox (seq) SELECT seq FROM records WHERE is_current = 1"  # noqa: S608
                " AND NOT EXISTS (SELECT 1 FROM adopted WHERE adopted.seq = records.seq)"
                " AND NOT EXISTS (SELECT 1 FROM aged WHERE aged.seq = records.seq"
                f" AND {HAS_NO_MEMORY})"
            ).rowcount

    def give_up(self, record_ids: Sequence[str]) -> int:
        """Stop trying to deliver these dead letters; they stay in the journal."""
        chosen, values = _chosen(record_ids)
        with self._connection.write() as sqlite:
            cursor = sqlite.execute(
                f"DELETE FROM outbox WHERE is_dead = 1 AND {chosen}",  # noqa: S608
                values,
            )
            return cursor.rowcount

    def state(self) -> OutboxState:
        """Return how many records wait or are dead, and the last outcomes of delivery."""
        with self._connection.read() as sqlite:
            n, dead, oldest = sqlite.execute(
                "SELECT (SELECT count(*) FROM outbox),"
                " (SELECT count(*) FROM outbox WHERE is_dead = 1),"
                " (SELECT seq FROM outbox WHERE is_dead = 0 ORDER BY seq LIMIT 1)"
            ).fetchone()
            row = sqlite.execute(
                "SELECT error FROM outbox WHERE is_dead = 1 ORDER BY seq DESC LIMIT 1"
            ).fetchone()
            since = sqlite.execute(
                "SELECT recorded_ms FROM records WHERE seq = ?", [oldest]
            ).fetchone()
            mark = read_mark(sqlite, _MARK)
        delivered_ms = mark.get("delivered_ms")
        return OutboxState(
            pending=n - dead,
            dead=dead,
            last_error=mark.get("error") or (row[0] if row else ""),
            waiting_since=None if since is None else from_ms(since[0]),
            delivered_at=None if delivered_ms is None else from_ms(delivered_ms),
            failures=mark.get("failures", 0),
        )

    @staticmethod
    def _note(sqlite: sqlite3.Connection, seqs: Sequence[int], error: str, *, dead: bool) -> None:
        sqlite.executemany(
            "UPDATE outbox SET attempts = attempts + 1, is_dead = ?, error = ? WHERE seq = ?",
            [(int(dead), error, seq) for seq in seqs],
        )


def _chosen(record_ids: Sequence[str] | None) -> tuple[str, list[str]]:
    if record_ids is None:
        return "1", []
    query = (
        "seq IN (SELECT r.seq FROM json_each(?) AS named CROSS JOIN records AS r"
        " ON r.id = named.value)"
    )
    return query, [json.dumps(list(record_ids))]
