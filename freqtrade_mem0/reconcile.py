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
        self._n_closed = 0

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
        n_closed = host.count_closed_bot_trades()
        # Fewer than before: some were deleted, and only a look at all of them tells which.
        since = None if self._until is None or n_closed < self._n_closed else self._until - OVERLAP
        trades = host.closed_bot_trades(since)
        self._session.trades_closed(trades)
        self._session.trades_open(host.open_bot_trades())
        if since is None:
            birth = host.database_birth()
            if birth is not None:
                self._session.retract_missing(trades, as_utc(birth))
        self._until, self._n_closed = moment, n_closed
