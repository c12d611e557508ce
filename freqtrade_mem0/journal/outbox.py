"""The outbox: which records still have to reach Mem0. It lives in the journal, so it survives."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.codec import decode
from freqtrade_mem0.records.retraction import retraction_id

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.records.base import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxState:
    """How far delivery is.

    Parameters
    ----------
    pending, dead
        Records that wait, and records that Mem0 refused for good.
    last_error
        The error of the newest failed attempt; "" without one.
    """

    pending: int
    dead: int
    last_error: str


class Outbox:
    """The queue between the journal and Mem0: oldest first, at least once."""

    def __init__(self, journal: Journal) -> None:
        self._connection = journal.connection

    def pending(self, limit: int) -> list[tuple[int, Record]]:
        """Return up to `limit` waiting records as `(seq, record)`, oldest first."""
        with self._connection.read() as sqlite:
            rows = sqlite.execute(
                "SELECT o.seq, r.kind, r.body FROM outbox o JOIN records r ON r.seq = o.seq "
                "WHERE o.is_dead = 0 ORDER BY o.seq LIMIT ?",
                [limit],
            ).fetchall()
        batch, unreadable = [], []
        for seq, kind, body in rows:
            try:
                batch.append((seq, decode(kind, body)))
            except RecordError as error:
                unreadable.append((seq, str(error)))
        for seq, sentence in unreadable:
            # Of a newer version, say. It must not hold up what comes behind it.
            self.failed([seq], sentence, dead=True)
        return batch if batch or not unreadable else self.pending(limit)

    def delivered(self, seqs: Sequence[int]) -> None:
        """Take these off the queue.

        What was corrected or taken back meanwhile may have been delivered by another process
        before this one's write arrived, which then undid it. It is put on the queue again.
        """
        with self._connection.write() as sqlite:
            sqlite.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq in seqs])
            overtaken = sqlite.execute(
                "SELECT r.id FROM json_each(?) AS sent CROSS JOIN records AS r"
                " ON r.seq = sent.value AND r.is_current = 0",
                [json.dumps(list(seqs))],
            ).fetchall()
            for (said,) in overtaken:
                sqlite.executemany(
                    "INSERT OR IGNORE INTO outbox (seq)"
                    " SELECT seq FROM records WHERE id = ? AND is_current = 1",
                    [(said,), (retraction_id(said),)],
                )

    def delivered_already(self, record_ids: Sequence[str]) -> None:
        """Take records off the queue that came from Mem0 in the first place."""
        with self._connection.write() as sqlite:
            sqlite.execute(
                "DELETE FROM outbox WHERE seq IN (SELECT r.seq FROM json_each(?) AS known"
                " CROSS JOIN records AS r ON r.id = known.value AND r.is_current = 1)",
                [json.dumps(list(record_ids))],
            )

    def failed(self, seqs: Sequence[int], error: str, *, dead: bool) -> None:
        """Note a failed attempt; `dead` ones are kept but not tried again."""
        with self._connection.write() as sqlite:
            sqlite.executemany(
                "UPDATE outbox SET attempts = attempts + 1, is_dead = ?, error = ? WHERE seq = ?",
                [(int(dead), error, seq) for seq in seqs],
            )

    def state(self) -> OutboxState:
        """Return how many wait, how many are dead, and the last error."""
        with self._connection.read() as sqlite:
            pending, dead = sqlite.execute(
                "SELECT count(*) FILTER (WHERE is_dead = 0), count(*) FILTER (WHERE is_dead = 1)"
                " FROM outbox"
            ).fetchone()
            row = sqlite.execute(
                "SELECT error FROM outbox WHERE error <> '' ORDER BY seq DESC LIMIT 1"
            ).fetchone()
        return OutboxState(pending=pending, dead=dead, last_error=row[0] if row else "")
