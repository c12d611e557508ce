"""Restores a bot's risk detectors at a start, and replays all trades where that is necessary.

The state of the detectors after older trades is saved as a checkpoint, a mark in the journal. It is
valid as long as no trade before it is added, corrected or retracted.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.risk.events import SEQUENCE_TYPES
from freqtrade_mem0.risk.log import WINDOW
from freqtrade_mem0.risk.sequence import BEGINNING, Checkpoint, position_of
from freqtrade_mem0.run.bot.entries.own_trades import KEPT

if TYPE_CHECKING:
    from collections.abc import Callable

    from freqtrade_mem0.journal.evidence.trade import TradeEvidence
    from freqtrade_mem0.journal.marks import Marks
    from freqtrade_mem0.journal.own_records import OwnRecords
    from freqtrade_mem0.records.base import Origin
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.risk.watch import Wanted
    from freqtrade_mem0.run.bot.session import BotSession

_SAVED_EVERY = WINDOW // 2
"""Trades between two checkpoints; a start reads at most this many more."""

_PAUSE_EVERY = 200
"""Trades between two pauses that let other threads run."""


class RiskHistory:
    """Keeps the checkpoint of one bot, and replays its trades where it is not valid.

    All methods read a disk: never call them in a trading callback. They raise `JournalError` where
    the journal can not be used.
    """

    def __init__(self, own: OwnRecords, marks: Marks, origin: Origin) -> None:
        self._own = own
        self._marks = marks
        self._name = f"risk {origin.user_id} {origin.strategy} {origin.mode} {origin.run_id}"
        self._n_saved = 0
        """Number of trades before the checkpoint that was written last."""

    def start(self) -> tuple[Checkpoint, list[TradeEvidence]]:
        """Return the checkpoint to start from, and the trades after it, oldest first."""
        newest = self._own.newest(KEPT)
        mark = self._marks.get(self._name)
        try:
            checkpoint = Checkpoint.from_json(mark) if mark else None
        except (KeyError, TypeError, ValueError):
            checkpoint = None  # damaged
        if checkpoint is not None and checkpoint.last is not None:
            self._n_saved = checkpoint.n
            moment = checkpoint.last[0]
            if not self._own.has_changed_behind(moment, mark.get("seq", 0)):
                if len(newest) < KEPT or position_of(newest[0]) <= checkpoint.last:
                    return checkpoint, newest
                return checkpoint, list(self._own.trades(moment))
        if len(newest) < KEPT:
            return BEGINNING, newest
        # The state of the detectors after the earlier trades is unknown.
        return Checkpoint(last=position_of(newest[0]), detectors=None), newest

    def forget(self) -> None:
        """Write a new checkpoint next time: the journal was replaced."""
        self._n_saved = 0

    def save(self, session: BotSession, after_seq: int) -> None:
        """Write the checkpoint where enough trades came since the last one.

        The session knows the journal's rows up to `after_seq`; the next start examines later ones.
        """
        checkpoint = session.on_risk(lambda risk: risk.checkpoint())
        if checkpoint is None or abs(checkpoint.n - self._n_saved) < _SAVED_EVERY:
            return
        self._marks.set(self._name, {**checkpoint.to_json(), "seq": after_seq})
        self._n_saved = checkpoint.n

    def replay_if_needed(self, session: BotSession, pause: Callable[[], bool]) -> bool:
        """Replay all trades where one before the checkpoint has changed.

        Returns False where it must be tried again. `pause` lets other threads run, and returns
        False to stop.
        """
        wanted: Wanted | None = session.on_risk(lambda risk: risk.wanted)
        if wanted is None:
            return True
        history = session.on_risk(lambda risk: risk.replayed())
        events: list[RiskEvent] = []
        standing: dict[str, RiskEvent] = {}
        if wanted.until is not None:
            for number, trade in enumerate(self._own.trades()):
                if position_of(trade) > wanted.until:
                    break
                if trade.is_evidence:
                    events += history.show(trade)
                if number % _PAUSE_EVERY == 0 and not pause():
                    return False
            for event in self._own.events():
                if event.known_at > wanted.until[0]:
                    break
                if event.event_type in SEQUENCE_TYPES:
                    standing[event.id] = event
        self._n_saved = 0  # the written checkpoint is not valid any more
        return session.on_risk(lambda risk: risk.take_history(wanted, history, events, standing))
