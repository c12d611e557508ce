"""Notices other bots of one's own name that use the same memory at the same time.

Two such bots read and write as one: each takes the other's decisions and trades for its own. If one
has a copy of the other's trade database, each lacks trades that the other has seen in "its"
database. So every bot renews a sign in a mark of the journal, and looks for the signs of others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import uuid4

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.journal.marks import Marks
    from freqtrade_mem0.records.base import Origin

MARK = "bots "
"""Marks of signs are named so, followed by user, strategy, mode and name of the bot."""

_MISSED = 3
"""A bot that did not renew its sign for so many of its intervals has ended."""

_SHORTEST_S = 5.0
"""Freqtrade's loop may ask for a look no more often, whatever `sync_interval` is."""


class Sign(NamedTuple):
    """That a bot's process runs: its database, when it began to look, and when it looked last."""

    database: str
    since_s: float
    at_s: float
    interval_s: float

    def lasts(self, now_s: float) -> bool:
        """Return whether the process may still run, also where a clock was put back or forth."""
        return abs(now_s - self.at_s) <= _MISSED * max(self.interval_s, _SHORTEST_S)

    def clashes_with(self, other: Sign) -> bool:
        """Return whether two processes are two bots, not a bot and how it was started again."""
        ran_at_one_time = self.at_s > other.since_s and other.at_s > self.since_s
        return self.database != other.database or ran_at_one_time


def signs(mark: Mapping[str, Any], now_s: float) -> dict[str, Sign]:
    """Return the signs in a mark of processes that may still run, by process."""
    read = {
        process: Sign(str(sign[0]), *map(float, sign[1:]))
        for process, sign in mark.items()
        if isinstance(sign, list | tuple)
        and len(sign) == len(Sign._fields)
        and all(isinstance(part, int | float) for part in sign[1:])
    }
    return {process: sign for process, sign in read.items() if sign.lasts(now_s)}


class Namesakes:
    """Renews one bot's sign, and says which others it finds.

    Its methods raise `JournalError` where the file can not be used.

    Parameters
    ----------
    marks
        Of the journal.
    origin
        The bot's.
    interval_s
        Seconds between two looks.
    """

    def __init__(self, marks: Marks, origin: Origin, interval_s: float) -> None:
        self._marks = marks
        self._origin = origin
        self._name = f"{MARK}{origin.user_id} {origin.strategy} {origin.mode} {origin.run_id}"
        self._interval_s = interval_s
        self._process = uuid4().hex[:16]
        self._since_s: float | None = None
        self._told: set[str] = set()
        self.may_share_database = False
        """Whether the last look found another process with the same database, or a copy of it.

        It may be this bot's last process, if that was killed: then its sign soon ends."""

    def look(self, database: str, now_s: float) -> list[str]:
        """Renew the sign; return what is to be told of others, once for each database.

        Parameters
        ----------
        database
            Identity of the bot's own trade database.
        now_s
            Seconds since 1970 in UTC.
        """
        if self._since_s is None:
            self._since_s = now_s
        own = Sign(database, self._since_s, now_s, self._interval_s)
        mark = self._marks.change(
            self._name, lambda mark: {**signs(mark, now_s), self._process: own}
        )
        others = [sign for process, sign in signs(mark, now_s).items() if process != self._process]
        self.may_share_database = any(sign.database == database for sign in others)
        texts = []
        for sign in others:
            if sign.database not in self._told and sign.clashes_with(own):
                self._told.add(sign.database)
                texts.append(self._text(is_same=sign.database == database))
        return texts

    def leave(self) -> None:
        """Take the sign away, as the bot ends."""
        if self._since_s is not None:
            self._marks.change(
                self._name, lambda mark: {k: v for k, v in mark.items() if k != self._process}
            )

    def _text(self, *, is_same: bool) -> str:
        which = "the same trade database, or a copy of it," if is_same else "another trade database"
        rest = " No trade is retracted as long as both run." if is_same else ""
        return (
            f"Another bot with the name {self._origin.run_id!r} (strategy {self._origin.strategy}, "
            f"{self._origin.mode}) uses this memory with {which} at the same time, and both take "
            f"each other's trades for their own. Give each bot its own 'mem0.bot_id' or "
            f"'bot_name'.{rest}"
        )
