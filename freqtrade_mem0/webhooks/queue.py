"""The queue of each endpoint: messages in the order of their records, at least once.

Messages about the same record keep their order; one that is refused holds up no others.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.journal.news import Place
from freqtrade_mem0.webhooks.event import corrected
from freqtrade_mem0.webhooks.schedule import PAUSES_S, pause_s, rest_s

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Sequence

    from freqtrade_mem0.webhooks.event import Event
    from freqtrade_mem0.webhooks.file import WebhookFile
    from freqtrade_mem0.webhooks.post import Outcome

MOST_WAITING = 100_000
"""Messages of an endpoint; what is behind them stays in the journal until there is room."""

KEPT_MS = 30 * 86_400_000
"""How long messages are kept that were sent or given up, so that they can be sent again."""

_LASTS_MS = 1_000 * sum(PAUSES_S)
_LONGEST_MS = 30 * 3_600_000
"""More than any pause: what is due later was noted before the clock was set back, and is due."""


class State(StrEnum):
    """Of a message."""

    WAITING = "waiting"
    SENT = "sent"
    DEAD = "dead"


class Message(NamedTuple):
    """What is to be sent next."""

    number: int
    id: str
    body: bytes
    attempts: int
    since_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """How far an endpoint is with the journal.

    Parameters
    ----------
    journal
        Which journal `place` is of.
    place
        The last rows that were looked at.
    made_ms
        Since when the endpoint is known, epoch milliseconds.
    troubles
        Since when each trouble of memory lasts that it was told of, epoch milliseconds.
    is_gone
        Whether it is switched off.
    n_waiting
        Its messages.
    """

    journal: str
    place: Place
    made_ms: int
    troubles: Mapping[str, int]
    is_gone: bool
    n_waiting: int


class Queue:
    """The queue of one endpoint of an owner.

    Parameters
    ----------
    file
        Where it is.
    user_id, name
        The owner, and the endpoint's name in the config.
    """

    def __init__(self, file: WebhookFile, user_id: str, name: str) -> None:
        self._file = file
        self.key = f"{user_id} {name}"

    def reader(self) -> Reader | None:
        """Return how far the endpoint is; None where it was never seen."""
        rows = self._file.rows(
            "SELECT journal, record_seq, decision_seq, made_ms, troubles, gone_ms FROM endpoints"
            " WHERE name = ?",
            [self.key],
        )
        if not rows:
            return None
        journal, records, decisions, made_ms, troubles, gone_ms = rows[0]
        ((n_waiting,),) = self._file.rows(
            "SELECT count(*) FROM messages WHERE endpoint = ? AND state = 'waiting'", [self.key]
        )
        return Reader(
            journal=journal,
            place=Place(records, decisions),
            made_ms=made_ms,
            troubles=json.loads(troubles),
            is_gone=gone_ms is not None,
            n_waiting=n_waiting,
        )

    def begin(self, journal: str, place: Place) -> None:
        """Note a new endpoint: it gets what comes behind a place."""
        with self._file.write() as sqlite:
            sqlite.execute(
                "INSERT OR IGNORE INTO endpoints (name, journal, record_seq, decision_seq, made_ms)"
                " VALUES (?, ?, ?, ?, ?)",
                [self.key, journal, *place, self._file.now_ms()],
            )

    def add(
        self,
        events: Sequence[Event],
        journal: str,
        place: Place,
        troubles: Mapping[str, int] | None = None,
    ) -> None:
        """Queue events, and note how far the journal was read, in one transaction."""
        with self._file.write() as sqlite:
            for event in events:
                self._add(sqlite, event)
            sqlite.execute(
                "UPDATE endpoints SET journal = ?, record_seq = ?, decision_seq = ?,"
                " troubles = coalesce(?, troubles) WHERE name = ?",
                [journal, *place, None if troubles is None else json.dumps(troubles), self.key],
            )

    def next(self) -> Message | None:
        """Return the message that is to be tried now; None where none is due."""
        now_ms = self._file.now_ms()
        times = [now_ms, now_ms + _LONGEST_MS]
        is_off = (
            "SELECT 1 FROM endpoints WHERE name = ?"
            " AND (gone_ms NOTNULL OR rests_until_ms BETWEEN ? + 1 AND ?)"
        )
        if self._file.rows(is_off, [self.key, *times]):
            return None
        rows = self._file.rows(
            "SELECT number, id, body, attempts, since_ms FROM messages AS m"
            " WHERE endpoint = ?1 AND state = 'waiting' AND due_ms NOT BETWEEN ?2 + 1 AND ?3"
            " AND NOT EXISTS (SELECT 1 FROM messages AS before WHERE before.endpoint = ?1"
            " AND before.about = m.about AND before.state = 'waiting' AND before.number < m.number)"
            " ORDER BY number LIMIT 1",
            [self.key, *times],
        )
        return Message(*rows[0]) if rows else None

    def sent(self, message: Message) -> None:
        """Note that a message was taken: the endpoint is there, so all that waits is due."""
        now_ms = self._file.now_ms()
        with self._file.write() as sqlite:
            sqlite.execute(
                "UPDATE messages SET state = 'sent', attempts = attempts + 1, done_ms = ?,"
                " error = '' WHERE number = ?",
                [now_ms, message.number],
            )
            sqlite.execute(
                "UPDATE messages SET due_ms = ?2 WHERE endpoint = ?1 AND state = 'waiting'"
                " AND due_ms > ?2 AND EXISTS (SELECT 1 FROM endpoints WHERE name = ?1"
                " AND failures > 0)",
                [self.key, now_ms],
            )
            sqlite.execute(
                "UPDATE endpoints SET failures = 0, rests_until_ms = 0, n_sent = n_sent + 1,"
                " sent_ms = ?, error = '' WHERE name = ?",
                [now_ms, self.key],
            )

    def failed(self, message: Message, outcome: Outcome, random: float) -> None:
        """Note a failed attempt: when it is tried again, or that it is given up."""
        now_ms, attempts = self._file.now_ms(), message.attempts + 1
        pause = pause_s(attempts, random)
        if now_ms - message.since_ms >= _LASTS_MS:
            pause = None
        due_ms = now_ms + round(1_000 * max(pause or 0.0, outcome.retry_after_s or 0.0))
        is_dead = pause is None and not outcome.is_gone
        with self._file.write() as sqlite:
            sqlite.execute(
                "UPDATE messages SET attempts = ?, due_ms = ?, error = ?, state = ?, done_ms = ?"
                " WHERE number = ?",
                [
                    *(attempts, due_ms, outcome.error),
                    *((State.DEAD, now_ms) if is_dead else (State.WAITING, None)),
                    message.number,
                ],
            )
            (failures,) = sqlite.execute(
                "UPDATE endpoints SET n_failed = n_failed + 1, error = ?,"
                " failures = failures + ?, gone_ms = coalesce(gone_ms, ?) WHERE name = ?"
                " RETURNING failures",
                [
                    *(outcome.error, int(outcome.is_down)),
                    *(now_ms if outcome.is_gone else None, self.key),
                ],
            ).fetchone()
            if outcome.is_down:
                wait_s = max(rest_s(failures), outcome.retry_after_s or 0.0)
                sqlite.execute(
                    "UPDATE endpoints SET rests_until_ms = ? WHERE name = ?",
                    [now_ms + round(1_000 * wait_s), self.key],
                )
                # Those that never had their turn meanwhile are given up as late as the others.
                sqlite.execute(
                    "UPDATE messages SET state = 'dead', done_ms = ?2, error = ?3"
                    " WHERE endpoint = ?1 AND state = 'waiting' AND since_ms <= ?4",
                    [self.key, now_ms, outcome.error, now_ms - _LASTS_MS],
                )

    def prune(self) -> None:
        """Delete messages that were sent or given up a month ago."""
        with self._file.write() as sqlite:
            sqlite.execute(
                "DELETE FROM messages WHERE endpoint = ? AND done_ms < ?",
                [self.key, self._file.now_ms() - KEPT_MS],
            )

    def enable(self) -> bool:
        """Switch an endpoint on again that answered 410; return whether it was off."""
        with self._file.write() as sqlite:
            return bool(
                sqlite.execute(
                    "UPDATE endpoints SET gone_ms = NULL, failures = 0, rests_until_ms = 0"
                    " WHERE name = ? AND gone_ms IS NOT NULL",
                    [self.key],
                ).rowcount
            )

    def replay(self, ids: Sequence[str], since_ms: int | None) -> int:
        """Let messages wait again; return how many.

        Parameters
        ----------
        ids
            Which ones.
        since_ms
            Without ids: those that were made since, epoch milliseconds; None: those given up.
        """
        if ids:
            chosen, value = "id IN (SELECT value FROM json_each(?))", json.dumps(list(ids))
        elif since_ms is not None:
            chosen, value = "made_ms >= ?", str(since_ms)
        else:
            chosen, value = "state = ?", State.DEAD
        now_ms = self._file.now_ms()
        with self._file.write() as sqlite:
            return sqlite.execute(
                "UPDATE messages SET state = 'waiting', attempts = 0, since_ms = ?, due_ms = ?,"  # noqa: S608 - fixed texts
                f" done_ms = NULL, error = '' WHERE endpoint = ? AND {chosen}",
                [now_ms, now_ms, self.key, value],
            ).rowcount

    def _add(self, sqlite: sqlite3.Connection, event: Event) -> None:
        known = sqlite.execute(
            "SELECT version FROM messages WHERE endpoint = ? AND id = ?", [self.key, event.id]
        ).fetchone()
        if known is not None:
            if event.type != "trade.closed" or known[0] == event.version:
                return
            event = corrected(event)
        now_ms, origin = self._file.now_ms(), event.origin
        whose: tuple[Any, ...] = (None, None, None)
        if origin is not None:
            whose = (origin.strategy, str(origin.mode), origin.run_id)
        sqlite.execute(
            "INSERT OR IGNORE INTO messages (endpoint, id, type, about, version, strategy, mode,"
            " run_id, made_ms, state, since_ms, due_ms, body)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, 'waiting', ?, ?, ?)",
            [
                *(self.key, event.id, event.type, event.about, event.version, *whose, now_ms),
                *(now_ms, now_ms, event.body()),
            ],
        )
