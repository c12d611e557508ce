"""Which records have aged: whose memory was compressed, went into a summary, or was pruned.

A record without a row is hot. A correction is a new row of `records`, so it is hot again. What has
no memory of its own any more is still a record: it counts, and it stays in the journal. Delivery
sends it no more, and answers leave it out.
"""

from __future__ import annotations

import json
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.journal.evidence.ids import SEQ_OF_ID, id_of, stored_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from freqtrade_mem0.journal.connection import Connection


class State(StrEnum):
    """What became of the memory of a record that is not hot any more."""

    WARM = "warm"
    COLD = "cold"
    ARCHIVE = "archive"
    BY_AGE = "by_age"
    BY_RELEVANCE = "by_relevance"
    BY_REDUNDANCY = "by_redundancy"

    @property
    def has_memory(self) -> bool:
        """Whether the record still has a memory of its own."""
        return self is State.WARM


PRUNED = (State.BY_AGE, State.BY_RELEVANCE, State.BY_REDUNDANCY)
"""States of memories that were pruned, by the reason."""

HAS_NO_MEMORY = "coalesce(aged.state, 'warm') != 'warm'"


class Aging(NamedTuple):
    """A current record, as far as its age needs to know it."""

    seq: int
    id: str
    kind: str
    category: str
    user_id: str
    strategy: str
    mode: str
    run_id: str
    pair: str
    known_ms: int
    recorded_ms: int
    state: State | None
    """None: hot."""
    n_asked: int
    asked_ms: int
    """When it was last asked for; 0 where it never was."""

    @property
    def since_ms(self) -> int:
        """Since when memory has it. A backtest of old candles was recorded long after them."""
        return max(self.known_ms, self.recorded_ms)


class Aged:
    """The ages of the records of one journal, and what is counted of them.

    Every method raises `JournalError` if the file can not be used.

    Parameters
    ----------
    connection
        The journal's.
    delivers
        Whether records are delivered to Mem0. If not, they wait for ever and age all the same.
    """

    def __init__(self, connection: Connection, *, delivers: bool) -> None:
        self._connection = connection
        self._delivers = delivers

    def with_memory(self, kinds: Collection[str], *, own_only: bool) -> list[Aging]:
        """Return the current records of some kinds that have a memory of their own in Mem0.

        What still waits for delivery is left out. The youngest come first: age counts from when a
        record was made, or was last asked for.

        Parameters
        ----------
        kinds
            Kinds of records.
        own_only
            Leave out those that other machines recorded; they age their own.
        """
        return self._aging(f"NOT ({HAS_NO_MEMORY})", kinds, own_only)

    def without_memory(self, kinds: Collection[str], *, own_only: bool) -> list[Aging]:
        """Return the current records of some kinds that have none any more; see `with_memory`."""
        return self._aging(HAS_NO_MEMORY, kinds, own_only)

    def _aging(self, condition: str, kinds: Collection[str], own_only: bool) -> list[Aging]:
        query = f"""
            SELECT e.seq, e.id, s.kind, s.category, s.user_id, s.strategy, s.mode, s.run_id, w.word,
                e.known_ms, e.recorded_ms, aged.state
            FROM evidence AS e NOT INDEXED CROSS JOIN scopes AS s ON s.number = e.scope
            CROSS JOIN words AS w ON w.number = e.pair LEFT JOIN aged ON aged.seq = e.seq
            WHERE e.is_current = 1 AND {condition}
            AND s.kind IN (SELECT value FROM json_each(?1))
            AND NOT (?3 AND EXISTS (SELECT 1 FROM outbox WHERE outbox.seq = e.seq))
            AND NOT (?2 AND EXISTS (SELECT 1 FROM adopted WHERE adopted.seq = e.seq))
        """  # noqa: S608 - texts of this module
        rows = self._connection.rows(query, [json.dumps(sorted(kinds)), own_only, self._delivers])
        asked = {each: rest for each, *rest in self._connection.rows("SELECT * FROM asked")}
        found = []
        for seq, stored, *columns, state in rows:
            record_id = id_of(stored)
            n_asked, asked_ms = asked.get(record_id, (0, 0))
            its_state = None if state is None else State(state)
            found.append(Aging._make([seq, record_id, *columns, its_state, n_asked, asked_ms]))
        return sorted(found, key=lambda row: (max(row.since_ms, row.asked_ms), row.seq))[::-1]

    def note(self, seqs: Sequence[int], state: State) -> None:
        """Note what became of memories. What waits for delivery again is left as it is."""
        with self._connection.write() as sqlite:
            sqlite.execute(
                "INSERT INTO aged (seq, state) SELECT r.seq, ?2 FROM json_each(?1) AS given"
                " JOIN evidence AS r ON r.seq = given.value WHERE r.is_current = 1"
                " AND NOT (?3 AND EXISTS (SELECT 1 FROM outbox WHERE outbox.seq = r.seq))"
                " ON CONFLICT (seq) DO UPDATE SET state = excluded.state",
                [json.dumps(list(seqs)), str(state), self._delivers],
            )
            if not self._delivers and not state.has_memory:
                # Should the mode change one day, their summary is delivered in their place.
                sqlite.executemany("DELETE FROM outbox WHERE seq = ?", [(seq,) for seq in seqs])

    def note_in_summary(self, ids: Collection[str]) -> None:
        """Note that these current records came with a summary, and have no memory of their own."""
        with self._connection.write() as sqlite:
            sqlite.executemany(
                f"INSERT OR IGNORE INTO aged (seq, state) SELECT seq, ? FROM ({SEQ_OF_ID})",  # noqa: S608 - a fixed text
                [(str(State.COLD), stored_id(each)) for each in ids],
            )

    def ids_without_memory(self) -> set[str]:
        """Return the ids of current records that have no memory of their own any more."""
        query = (
            f"SELECT r.id FROM aged JOIN evidence AS r ON r.seq = aged.seq WHERE {HAS_NO_MEMORY}"  # noqa: S608
            " AND r.is_current = 1"
        )
        return {id_of(each) for (each,) in self._connection.rows(query)}

    def counts(self) -> Mapping[State, int]:
        """Return how many current records are in each state."""
        query = (
            "SELECT state, count(*) FROM aged JOIN evidence AS r ON r.seq = aged.seq"
            " WHERE r.is_current = 1 GROUP BY state"
        )
        return {State(state): n for state, n in self._connection.rows(query)}

    def tell(self, seqs: Iterable[int]) -> None:
        """Note that a dry run said that these would be pruned."""
        with self._connection.write() as sqlite:
            sqlite.executemany(
                "INSERT OR IGNORE INTO told (seq) VALUES (?)", [(seq,) for seq in seqs]
            )

    def was_told(self, seq: int) -> bool:
        """Return whether a dry run said that this row would be pruned."""
        return self._connection.row("SELECT 1 FROM told WHERE seq = ?", [seq]) is not None

    def tidy(self) -> None:
        """Forget the ages of rows that are not in the journal any more, and what is done."""
        with self._connection.write() as sqlite:
            gone = "seq NOT IN (SELECT seq FROM evidence)"
            sqlite.execute(f"DELETE FROM aged WHERE {gone}")  # noqa: S608
            sqlite.execute(
                f"DELETE FROM told WHERE {gone} OR seq IN (SELECT seq FROM aged"  # noqa: S608
                f" WHERE {HAS_NO_MEMORY})"
            )
            asked = [each for (each,) in sqlite.execute("SELECT id FROM asked")]
            sqlite.executemany(
                "DELETE FROM asked WHERE id = ?1"
                " AND NOT EXISTS (SELECT 1 FROM evidence WHERE evidence.id = ?2)",
                [(each, stored_id(each)) for each in asked],
            )
