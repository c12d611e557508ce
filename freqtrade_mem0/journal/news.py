"""What bots of an owner noted here since a row: for readers that go through the journal once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.journal.forgotten import BOTS
from freqtrade_mem0.journal.ledger_line import decision_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.records.base import Record
    from freqtrade_mem0.records.decision import Decision

_MODES = f"mode IN {tuple(map(str, BOTS))}"


class Place(NamedTuple):
    """How far a reader is: the last rows of records and of decisions that it has seen."""

    records: int
    decisions: int


class News(NamedTuple):
    """What was read, in order of arrival, and how far the reader is with it."""

    records: list[Record]
    decisions: list[Decision]
    place: Place
    is_all: bool
    """Whether nothing more is there."""


def end_of(journal: Journal) -> Place:
    """Return the place behind everything that is there."""
    with journal.connection.read() as sqlite:
        (records,) = sqlite.execute("SELECT coalesce(max(seq), 0) FROM evidence").fetchone()
        (decisions,) = sqlite.execute("SELECT coalesce(max(seq), 0) FROM decisions").fetchone()
    return Place(records, decisions)


def news(
    journal: Journal,
    user_id: str,
    kinds: Sequence[str],
    *,
    after: Place,
    since_ms: int,
    most: int,
) -> News:
    """Return what is behind a place.

    Records that came from Mem0 are left out: the machine that noted them tells of them.

    Parameters
    ----------
    journal
        Where to read.
    user_id
        The owner.
    kinds
        Of records.
    after
        Where the last read ended.
    since_ms
        What became known earlier is left out. Epoch milliseconds.
    most
        Records, and decisions, that are read at once.
    """
    end = end_of(journal)
    marks = ", ".join("?" * len(kinds))
    seqs = [
        seq
        for (seq,) in journal.connection.rows(
            "SELECT e.seq FROM evidence AS e NOT INDEXED"  # noqa: S608 - question marks and fixed texts
            " CROSS JOIN scopes AS s ON s.number = e.scope"
            " WHERE e.seq > ? AND e.seq <= ? AND e.is_current = 1 AND e.known_ms >= ?"
            f" AND s.user_id = ? AND s.{_MODES} AND s.kind IN ({marks})"
            " AND NOT EXISTS (SELECT 1 FROM adopted WHERE adopted.seq = e.seq)"
            " ORDER BY e.seq LIMIT ?",
            [after.records, end.records, since_ms, user_id, *kinds, most],
        )
    ]
    rows = journal.connection.rows(
        "SELECT seq, body_of(-seq, body), trade_id, open_ms FROM decisions"  # noqa: S608
        f" WHERE seq > ? AND seq <= ? AND decided_ms >= ? AND user_id = ? AND {_MODES}"
        " ORDER BY seq LIMIT ?",
        [after.decisions, end.decisions, since_ms, user_id, most],
    )
    found = journal.records_at(seqs)
    return News(
        records=[found[seq] for seq in seqs if seq in found],
        decisions=[each for each in (_readable(*row) for _, *row in rows) if each is not None],
        place=Place(
            seqs[-1] if len(seqs) == most else end.records,
            rows[-1][0] if len(rows) == most else end.decisions,
        ),
        is_all=max(len(seqs), len(rows)) < most,
    )


def _readable(body: str, trade_id: str | None, open_ms: int | None) -> Decision | None:
    try:
        return decision_of(body, trade_id, open_ms)
    except RecordError:
        return None  # a newer version wrote it; whoever shows the ledger says so
