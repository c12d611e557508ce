"""Compares a bot's own trade database with what it remembers; Freqtrade's database is right.

Callbacks are not guaranteed: a bot is killed between a fill and its callback, a stop is filled on
the exchange while the bot is down, a trade is deleted over REST.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from freqtrade_mem0 import host
from freqtrade_mem0.records.base import as_utc

if TYPE_CHECKING:
    from freqtrade_mem0.session import Session

OVERLAP = timedelta(hours=1)
"""How far back each comparison looks again: a close can reach the database late."""


class Reconciler:
    """Brings a session up to its bot's trade database; everything at first, then what is new.

    Parameters
    ----------
    session
        Of the bot that this process is.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._until: datetime | None = None
        self._ids: set[int] = set()
        """Freqtrade's own ids of the closed trades there were."""

    @property
    def has_run(self) -> bool:
        """Whether there was a complete comparison yet."""
        return self._until is not None

    def run(self, moment: datetime) -> None:
        """Record what is missing, correct what differs, take back what is gone.

        Parameters
        ----------
        moment
            Aware UTC time; the next comparison begins a little before it.
        """
        ids = host.closed_bot_trade_ids()
        # Where some are gone, only a look at all of them tells which.
        is_whole = self._until is None or not self._ids <= ids
        # The earlier of the two: a clock that was ahead may have been put right.
        since = None if self._until is None or is_whole else min(self._until, moment) - OVERLAP
        closed, still_open = host.closed_bot_trades(since), host.open_bot_trades()
        self._session.trades_closed(closed)
        self._session.trades_open(still_open)
        birth = host.database_birth() if is_whole else None
        if birth is not None:
            self._session.retract_missing(closed, still_open, as_utc(birth))
        self._until, self._ids = moment, ids
