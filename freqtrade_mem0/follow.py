"""Lets recall know what the journal gained, from whichever process or machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.journal import Scope
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.promotion import Promotion
from freqtrade_mem0.records.retraction import Retraction
from freqtrade_mem0.records.trade import TradeRecord

if TYPE_CHECKING:
    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.recall import Recall
    from freqtrade_mem0.records.base import Origin


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a look into the journal brought, beyond what recall learned.

    Parameters
    ----------
    own
        Trades of the reading bot itself, as they stand in the journal.
    prior_changed
        Whether a run was promoted for this strategy, or withdrawn.
    """

    own: tuple[TradeRecord, ...]
    prior_changed: bool


class JournalFollower:
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
        self._origin = origin
        # Promotions are written by hand (mode "manual"); a trade so written is no bot's.
        modes = [Mode.LIVE, Mode.DRY_RUN, Mode.MANUAL]
        self._scope = Scope(user_id=origin.user_id, strategy=origin.strategy, modes=modes)
        self._discount = discount
        self._seen_seq = 0

    def start_over(self) -> None:
        """Read everything again at the next run: the file is another one, and counts anew."""
        self._seen_seq = 0

    def run(self) -> News:
        """Read what came since the last time."""
        own: list[TradeRecord] = []
        prior_changed = False
        for seq, record in self._journal.records(self._scope, after_seq=self._seen_seq):
            self._seen_seq = max(self._seen_seq, seq)
            if isinstance(record, TradeRecord) and record.origin.mode is not Mode.MANUAL:
                self._learn(record)
                if record.origin == self._origin:
                    own.append(record)
            elif isinstance(record, Retraction):
                if not self._journal.is_current(record.target_id):  # it may be older than its news
                    self._recall.remove(record.target_id)
            elif isinstance(record, Promotion):
                prior_changed = True
        return News(own=tuple(own), prior_changed=prior_changed)

    def _learn(self, record: TradeRecord) -> None:
        is_assumed = self._origin.mode is Mode.LIVE and record.origin.mode is Mode.DRY_RUN
        self._recall.add(record, self._discount if is_assumed else 1.0)
