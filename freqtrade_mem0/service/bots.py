"""What bots did, counted from the journal: no bot has a port, and none is asked.

The first look counts the whole journal, later ones only the rows that came since.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.journal.forgotten import BOTS
from freqtrade_mem0.journal.marks import read_mark
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.run.bot.namesakes import MARK, signs

if TYPE_CHECKING:
    import sqlite3

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.memory_folder import MemoryFolder

MOST_BOTS = 50
"""Bots with series of their own; those with the newest records are shown."""

_NEWEST = 50
"""Decisions of a bot behind its means."""
_MOST_DECISIONS = 5_000
"""Decisions whose numbers are read in one look."""
_LEAST_PAUSE = 50
"""Pause between looks, as a multiple of what one takes."""

_MODES = f"mode IN {tuple(map(str, BOTS))}"
_RECORDS = f"""
    SELECT s.run_id, s.mode, s.kind, max(e.recorded_ms), sum(e.n)
    FROM (SELECT scope, max(recorded_ms) AS recorded_ms, count(*) AS n
        FROM evidence NOT INDEXED WHERE seq > ? GROUP BY scope) AS e
    CROSS JOIN scopes AS s ON s.number = e.scope WHERE s.{_MODES} GROUP BY 1, 2, 3
"""  # noqa: S608 - fixed texts, as below
_EARLIER = (
    "EXISTS (SELECT 1 FROM evidence AS earlier WHERE earlier.id = e.id AND earlier.seq < e.seq)"
)
_AGAIN = f"""
    SELECT s.run_id, s.mode, s.kind, count(*) FROM evidence AS e NOT INDEXED
    CROSS JOIN scopes AS s ON s.number = e.scope
    WHERE e.seq > ? AND s.{_MODES} AND {_EARLIER} GROUP BY 1, 2, 3
"""  # noqa: S608
"""New rows that are a further version of a record, which counts once."""
_ALL_AGAIN = f"""
    SELECT s.run_id, s.mode, s.kind, count(*)
    FROM (SELECT DISTINCT id FROM evidence NOT INDEXED WHERE is_current = 0) AS several
    CROSS JOIN evidence AS e ON e.id = several.id CROSS JOIN scopes AS s ON s.number = e.scope
    WHERE s.{_MODES} AND {_EARLIER} GROUP BY 1, 2, 3
"""  # noqa: S608
"""The same for the whole journal: of several versions all but one are not current."""
_ALL_DECISIONS = f"""
    SELECT run_id, mode, max(decided_ms), count(*) FROM decisions INDEXED BY decisions_scope
    WHERE {_MODES} GROUP BY user_id, strategy, mode, run_id
"""  # noqa: S608
"""By an index alone: the bodies beside the columns are two kilobytes each."""
_DECISIONS = f"""
    SELECT run_id, mode, max(decided_ms), count(*) FROM decisions NOT INDEXED
    WHERE seq > ? AND {_MODES} GROUP BY 1, 2
"""  # noqa: S608
_OLD_DECISIONS = f"""
    SELECT s.run_id, s.mode, d.decided_ms, d.n FROM (SELECT scope, max(decided_ms) AS decided_ms,
        count(*) AS n FROM old_decisions INDEXED BY old_decisions_scope GROUP BY scope) AS d
    CROSS JOIN scopes AS s ON s.number = d.scope WHERE s.{_MODES}
"""  # noqa: S608
_NUMBERS = f"""
    SELECT run_id, mode, json_extract(body, '$.multiplier'), json_extract(body, '$.n_effective')
    FROM (SELECT seq, run_id, mode, body_of(-seq, body) AS body FROM decisions
        WHERE seq > ? AND {_MODES} ORDER BY seq DESC LIMIT {_MOST_DECISIONS})
    WHERE json_valid(body) ORDER BY seq
"""  # noqa: S608
_OUTBOX = f"""
    SELECT s.run_id, s.mode, sum(w.n_pending), sum(w.n_dead), min(w.since_ms)
    FROM (SELECT e.scope, sum(o.is_dead = 0) AS n_pending, sum(o.is_dead) AS n_dead,
            min(e.recorded_ms) FILTER (WHERE o.is_dead = 0) AS since_ms
        FROM outbox AS o CROSS JOIN evidence AS e ON e.seq = o.seq GROUP BY e.scope) AS w
    CROSS JOIN scopes AS s ON s.number = w.scope WHERE s.{_MODES} GROUP BY 1, 2
"""  # noqa: S608
_STATE = """
    SELECT (SELECT coalesce(max(seq), 0) FROM evidence),
        (SELECT coalesce(max(seq), 0) FROM decisions),
        (SELECT count(*) || ' ' || coalesce(max(until_ms), 0) FROM forgotten)
"""


class Bot(NamedTuple):
    """The name of a bot, which is the run id of its records, and `dry_run` or `live`."""

    bot: str
    mode: str


@dataclass(slots=True)
class Counts:
    """What one bot did. Times are epoch milliseconds."""

    n_decisions: int = 0
    n_trades: int = 0
    n_risk_events: int = 0
    last_ms: int = 0
    """When the newest record was noted, or the newest decision made."""
    multipliers: deque[float] = field(default_factory=lambda: deque(maxlen=_NEWEST))
    hits: deque[bool] = field(default_factory=lambda: deque(maxlen=_NEWEST))
    """Of the newest decisions: whether recall knew a trade to go by."""
    n_pending: int = 0
    n_dead: int = 0
    waiting_since_ms: int | None = None
    n_running: int = 0
    """Processes that gave a sign of life lately."""
    has_namesake: bool = False
    """Whether several bots of one name run at the same time."""

    def add(self, kind: str, n: int) -> None:
        """Count so many records of a kind."""
        self.n_trades += n * (kind == TradeRecord.kind)
        self.n_risk_events += n * (kind == RiskEvent.kind)


class BotCounts:
    """Counts bots of all users; a name that several have is one bot.

    Parameters
    ----------
    memory
        Whether records are delivered.
    journal
        Where to count, by a connection that nobody else uses.
    """

    def __init__(self, memory: MemoryFolder, journal: Journal) -> None:
        self._delivers = memory.delivers
        self._journal = journal
        self._counts: dict[Bot, Counts] = {}
        self._seen = (0, 0, "", 0)
        self._look_at_s = 0.0
        self.shown: dict[Bot, Counts] = {}
        self.n_left_out = 0

    def look(self) -> None:
        """Count what is new, if that was not done lately."""
        began_s = time.monotonic()
        if began_s < self._look_at_s:
            return
        with self._journal.connection.read() as sqlite:
            self._look(sqlite)
        newest = sorted(self._counts, key=lambda bot: (-self._counts[bot].last_ms, bot))
        self.shown = {bot: self._counts[bot] for bot in newest[:MOST_BOTS]}
        self.n_left_out = max(0, len(newest) - MOST_BOTS)
        self._look_at_s = began_s + _LEAST_PAUSE * (time.monotonic() - began_s)

    def _look(self, sqlite: sqlite3.Connection) -> None:
        state = (*sqlite.execute(_STATE).fetchone(), self._journal.connection.n_replaced)
        seen = self._seen
        if state[2:] != seen[2:] or state[0] < seen[0] or state[1] < seen[1]:
            self._counts, seen = {}, (0, 0, "", 0)  # something was forgotten, or restored
        self._seen = state
        if state[0] > seen[0]:
            for bot, mode, kind, at_ms, n in sqlite.execute(_RECORDS, [seen[0]]):
                self._of(bot, mode, at_ms).add(kind, n)
            again = (_AGAIN, [seen[0]]) if seen[0] else (_ALL_AGAIN, [])
            for bot, mode, kind, n in sqlite.execute(*again):
                self._of(bot, mode).add(kind, -n)
        if seen[:2] == (0, 0):
            self._add_decisions(sqlite.execute(_OLD_DECISIONS))
        if state[1] > seen[1]:
            new = (_DECISIONS, [seen[1]]) if seen[1] else (_ALL_DECISIONS, [])
            self._add_decisions(sqlite.execute(*new))
            for bot, mode, multiplier, n_effective in sqlite.execute(_NUMBERS, [seen[1]]):
                found = self._of(bot, mode)
                found.multipliers.append(multiplier)
                found.hits.append(n_effective > 0)
        if self._delivers:
            self._look_at_outbox(sqlite)
        self._look_for_signs(sqlite)

    def _add_decisions(self, rows: sqlite3.Cursor) -> None:
        for bot, mode, at_ms, n in rows:
            self._of(bot, mode, at_ms).n_decisions += n

    def _look_at_outbox(self, sqlite: sqlite3.Connection) -> None:
        for each in self._counts.values():
            each.n_pending, each.n_dead, each.waiting_since_ms = 0, 0, None
        for bot, mode, *waiting in sqlite.execute(_OUTBOX):
            found = self._of(bot, mode)
            found.n_pending, found.n_dead, found.waiting_since_ms = waiting

    def _look_for_signs(self, sqlite: sqlite3.Connection) -> None:
        for each in self._counts.values():
            each.n_running, each.has_namesake = 0, False
        rows = sqlite.execute("SELECT name FROM marks WHERE name LIKE ?", [f"{MARK}%"]).fetchall()
        for (name,) in rows:
            _, _, mode, bot = name.removeprefix(MARK).split(" ", 3)
            running = list(signs(read_mark(sqlite, name), time.time()).values())
            if running:
                found = self._of(bot, mode)
                found.n_running += len(running)
                pairs = combinations(running, 2)
                found.has_namesake |= any(one.clashes_with(other) for one, other in pairs)

    def _of(self, bot: str, mode: str, at_ms: int = 0) -> Counts:
        found = self._counts.setdefault(Bot(bot, mode), Counts())
        found.last_ms = max(found.last_ms, at_ms)
        return found
