"""Lets a bot's detectors of risk start where they were, and go through everything again if need be.

What they know of trades that are not kept in memory is a checkpoint, a mark in the journal. It
holds as long as nothing before it changes: no late arrival, no correction, nothing taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.risk.events import SEQUENCE_TYPES
from freqtrade_mem0.risk.log import WINDOW
from freqtrade_mem0.risk.sequence import BEGINNING, Checkpoint, position_of
from freqtrade_mem0.run.bot.entries.own_trades import KEPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.journal.marks import Marks
    from freqtrade_mem0.journal.own_records import OwnRecords
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.records.kinds.trade import TradeRecord
    from freqtrade_mem0.risk.watch import Wanted
    from freqtrade_mem0.run.bot.session import BotSession

_SAVED_EVERY = WINDOW // 2
"""Trades after which the checkpoint is written again; so many more are read at a start."""

_BREATHE_EVERY = 200
"""Trades after which others get the interpreter."""


class RiskHistory:
    """Keeps the checkpoint of one bot, and replays its trades where that does not hold.

    Every method raises `JournalError` where the file can not be used, and reads a disk: it is not
    for a trading callback.

    Parameters
    ----------
    own
        What the journal has of the bot.
    marks
        Of the same journal.
    origin
        The bot's.
    """

    def __init__(self, own: OwnRecords, marks: Marks, origin: Origin) -> None:
        self._own = own
        self._marks = marks
        self._name = f"risk {origin.user_id} {origin.strategy} {origin.mode} {origin.run_id}"
        self._n_saved = 0
        """Trades behind the checkpoint that was written last."""

    def start(self) -> tuple[Checkpoint, list[TradeRecord]]:
        """Return where the detectors start, and the trades behind it: the newest, oldest first."""
        newest = self._own.newest(KEPT)
        mark = self._marks.get(self._name)
        checkpoint = Checkpoint.from_json(mark) if mark else None
        if checkpoint is not None and checkpoint.last is not None:
            self._n_saved = checkpoint.n
            moment = checkpoint.last[0]
            if not self._own.has_changed_behind(moment, mark["seq"]):
                if len(newest) < KEPT or position_of(newest[0]) <= checkpoint.last:
                    return checkpoint, newest
                return checkpoint, list(self._own.trades(moment))
        if len(newest) < KEPT:
            return BEGINNING, newest
        # Nobody knows what the detectors made of the trades before.
        return Checkpoint(last=position_of(newest[0]), detectors=None), newest

    def forget(self) -> None:
        """Begin to count anew: the journal is another one."""
        self._n_saved = 0

    def save(self, session: BotSession, after_seq: int) -> None:
        """Write the checkpoint, where it has moved on far enough.

        Parameters
        ----------
        session
            Knows what the journal had up to `after_seq`, of whichever process.
        after_seq
            Rows behind it are looked at again at the next start.
        """
        checkpoint = session.on_risk(lambda risk: risk.checkpoint())
        if checkpoint is None or abs(checkpoint.n - self._n_saved) < _SAVED_EVERY:
            return
        self._marks.set(self._name, {**checkpoint.to_json(), "seq": after_seq})
        self._n_saved = checkpoint.n

    def mend(self, session: BotSession, breathe: Callable[[], bool]) -> bool:
        """Go through everything again where something has changed before the checkpoint.

        Parameters
        ----------
        session
            Whose detectors.
        breathe
            Lets other threads run; False to break off.

        Returns
        -------
        bool
            Whether all is right now; else it has to be tried again.
        """
        wanted: Wanted | None = session.on_risk(lambda risk: risk.wanted)
        if wanted is None:
            return True
        history = session.on_risk(lambda risk: risk.replayed())
        found: list[RiskEvent] = []
        standing: dict[str, RiskEvent] = {}
        if wanted.until is not None:
            for number, trade in enumerate(self._own.trades()):
                if position_of(trade) > wanted.until:
                    break
                if trade.is_evidence:
                    found += history.show(trade)
                if number % _BREATHE_EVERY == 0 and not breathe():
                    return False
            for event in self._own.events():
                if event.known_at > wanted.until[0]:
                    break
                if event.event_type in SEQUENCE_TYPES:
                    standing[event.id] = event
        self._n_saved = 0  # what is written does not hold any more
        return session.on_risk(lambda risk: risk.take_history(wanted, history, found, standing))
