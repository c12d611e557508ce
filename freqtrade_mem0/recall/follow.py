"""Lets recall know what the journal gained, from whichever process or machine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.recall.index.bulk import BulkFill
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.promotion import Promotion
from freqtrade_mem0.records.kinds.trade import TradeRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.recall import Recall
    from freqtrade_mem0.recall.snapshot import Snapshots
    from freqtrade_mem0.records.base import Origin, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What a look into the journal brought, beyond what recall learned.

    Parameters
    ----------
    own
        Trades of the reading bot itself that came since it began, as they stand in the journal.
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
    snapshots
        Where recall begins from, and what is written on; None reads the whole journal.
    """

    def __init__(
        self,
        journal: Journal,
        recall: Recall,
        origin: Origin,
        discount: float,
        snapshots: Snapshots | None = None,
    ) -> None:
        self._journal = journal
        self._recall = recall
        self._origin = origin
        # Promotions are written by hand (mode "manual"); a trade so written is no bot's.
        modes = [Mode.LIVE, Mode.DRY_RUN, Mode.MANUAL]
        self._scope = Scope(user_id=origin.user_id, strategy=origin.strategy, modes=modes)
        self._discount = discount
        self._snapshots = snapshots
        self._seen_seq = 0
        self._n_learned = 0

    def begin(self) -> None:
        """Read what there is when a bot starts, so that its first decision finds it summed up."""
        if self._snapshots is not None:
            self._seen_seq = self._snapshots.restore()
        if self._seen_seq == 0:
            self._read_all()
        for _ in self._news():
            pass
        self._recall.take_in_all()
        self._note()

    def start_over(self) -> None:
        """Read everything again at the next run: the file is another one, and counts anew."""
        self._seen_seq = 0
        if self._snapshots is not None:
            self._snapshots.give_up()

    def run(self) -> News:
        """Read what came since the last time."""
        own: list[TradeRecord] = []
        prior_changed = False
        for record in self._news():
            if isinstance(record, Promotion):
                prior_changed = True
            elif isinstance(record, TradeRecord) and record.origin == self._origin:
                own.append(record)
        self._note()
        return News(own=tuple(own), prior_changed=prior_changed)

    def close(self, timeout_s: float) -> None:
        """Leave behind what the next start begins from; at most so many seconds are waited."""
        if self._snapshots is not None:
            self._snapshots.close(timeout_s)

    def _read_all(self) -> None:
        fill = BulkFill(self._recall)
        for _ in self._read(fill.add, fill.remove):
            pass
        fill.finish()

    def _news(self) -> Iterator[Record]:
        """Let recall learn what is new, and yield it."""
        recall = self._recall
        return self._read(
            partial(recall.add, from_journal=True), partial(recall.remove, from_journal=True)
        )

    def _read(
        self, add: Callable[[TradeRecord, float], None], remove: Callable[[str], None]
    ) -> Iterator[Record]:
        """Yield what is new, and say what of it counts, with which discount, and what no more."""
        last = self._journal.last_seq()
        if last <= self._seen_seq:
            return
        records = self._journal.records(
            self._scope, after_seq=self._seen_seq, left_out=partial(self._leave_out, remove)
        )
        for seq, record in records:
            last = max(last, seq)
            self._n_learned += 1
            if isinstance(record, TradeRecord) and record.origin.mode is not Mode.MANUAL:
                add(record, self._weight_of(record))
            elif record.retracts is not None and not self._journal.is_current(record.retracts):
                # Else the retracted record was noted again since.
                remove(record.retracts)
            yield record
        # Also rows of others: nobody has to walk over them again.
        self._seen_seq = last

    def _weight_of(self, record: TradeRecord) -> float:
        is_assumed = self._origin.mode is Mode.LIVE and record.origin.mode is Mode.DRY_RUN
        return self._discount if is_assumed else 1.0

    def _leave_out(self, remove: Callable[[str], None], record_id: str) -> None:
        """Forget what an unreadable record has corrected; one day, somebody will read it."""
        remove(record_id)
        if self._snapshots is not None:
            self._snapshots.give_up()

    def _note(self) -> None:
        if self._snapshots is not None:
            self._snapshots.note(self._seen_seq, self._n_learned)
        self._n_learned = 0
