"""Lets recall know what the journal gained, from whichever process on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.journal.journal import Scope
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.retraction import Retraction
from freqtrade_mem0.records.trade import TradeRecord

if TYPE_CHECKING:
    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.recall import Recall
    from freqtrade_mem0.records.base import Origin


class JournalSync:
    """Reads a bot's own and its sisters' trades from the journal into recall, each row once.

    Parameters
    ----------
    journal
        Shared by all processes of this memory.
    recall
        The bot's.
    origin
        The bot's: trades of the same user and strategy are read. A dry-run bot reads dry-run and
        live trades alike; a live bot reads dry-run trades, whose fills are assumed, at `discount`.
    discount
        In (0, 1].
    """

    def __init__(self, journal: Journal, recall: Recall, origin: Origin, discount: float) -> None:
        self._journal = journal
        self._recall = recall
        self._scope = Scope(
            user_id=origin.user_id, strategy=origin.strategy, modes=[Mode.LIVE, Mode.DRY_RUN]
        )
        self._is_live = origin.mode is Mode.LIVE
        self._discount = discount
        self._seen_seq = 0

    def run(self) -> None:
        """Read what came since the last time."""
        for seq, record in self._journal.records(self._scope, after_seq=self._seen_seq):
            self._seen_seq = max(self._seen_seq, seq)
            if isinstance(record, TradeRecord):
                assumed = self._is_live and record.origin.mode is Mode.DRY_RUN
                self._recall.add(record, self._discount if assumed else 1.0)
            elif isinstance(record, Retraction):
                self._recall.remove(record.target_id)
