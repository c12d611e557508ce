"""Keeps a bot's recall up to date with the journal, whichever process or machine wrote to it.

* A *situation* is what an entry is described by: its pair, side, enter tag, and features of the
  market such as the regime.
* *Recall* holds the closed trades of one strategy in memory and computes the decayed statistics of
  those in similar situations, as of a moment. Decisions read nothing else.
* *Evidence* are the closed trades that count in these statistics; a trade that a backtest cut at
  the end of its data is none.
* A *prior* are the trades of a promoted backtest, which count at a discount.

See `docs/concepts/memory.md`.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from freqtrade_mem0.journal.evidence.trade import TradeEvidence
from freqtrade_mem0.journal.revoked import fingerprint, is_revoked, revoked, revoked_from_ms
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.recall.fill import PageFill, Writer
from freqtrade_mem0.recall.index.bulk import BulkFill
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.promotion import Promotion
from freqtrade_mem0.records.kinds.trade import ClosedTrade, TradeRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freqtrade_mem0.journal.evidence.read import Item
    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.journal.revoked import Revoked
    from freqtrade_mem0.recall import Recall
    from freqtrade_mem0.recall.snapshot import Snapshots
    from freqtrade_mem0.records.base import Origin

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """New in the journal, besides what was added to recall.

    Parameters
    ----------
    own
        The bot's own trades, as they are in the journal.
    prior_changed
        Whether a run was promoted for this strategy, or withdrawn.
    """

    own: tuple[ClosedTrade, ...]
    prior_changed: bool


class Adopted:
    """Rows of trades that came from Mem0 and nothing on this machine confirms.

    Parameters
    ----------
    journal, scope
        Where to look, and for whose.
    after_seq
        Rows up to this one are of no interest.
    """

    def __init__(self, journal: Journal, scope: Scope, after_seq: int) -> None:
        self._journal = journal
        self._scope = scope
        self.last_seq = journal.last_seq()
        """Rows up to this one were looked at."""
        self._seqs = (
            journal.adopted(scope, after_seq=after_seq) if self.last_seq > after_seq else set()
        )

    def up_to(self, seq: int) -> set[int]:
        """Return them, having looked again where the row arrived meanwhile."""
        if seq > self.last_seq:
            after, self.last_seq = self.last_seq, self._journal.last_seq()
            self._seqs |= self._journal.adopted(self._scope, after_seq=after)
        return self._seqs


class JournalFollower:
    """Reads the trades of a strategy's bots from the journal into recall, each row once.

    Parameters
    ----------
    journal
        Shared by all processes of this memory.
    recall
        Of one bot.
    origin
        The bot. Trades of the same user and strategy are read, live and dry-run trades alike; in a
        live bot dry-run trades, whose fills are simulated, count at `discount`. Own trades that
        came from Mem0 count once the bot's trade database has confirmed them; those of other
        machines count in the statistics of situations only (see `Recall.add`), and those of
        writers that were revoked on this machine nowhere.
    discount
        In (0, 1].
    snapshots
        Loaded at the start, and written from time to time; None reads the whole journal.
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
        # Promotions have mode "manual"; trades of that mode are no bot's.
        modes = [Mode.LIVE, Mode.DRY_RUN, Mode.MANUAL]
        self._scope = Scope(user_id=origin.user_id, strategy=origin.strategy, modes=modes)
        self._discount = discount
        self._snapshots = snapshots
        self._seen_seq = 0
        self._n_learned = 0
        self._revoked: tuple[Revoked, ...] = ()

    def begin(self) -> None:
        """Read all trades at the start of a bot, and update the sums for its first decision."""
        self._revoked = revoked(self._journal)
        if self._snapshots is not None:
            self._seen_seq = self._snapshots.restore(fingerprint(self._revoked))
        if self._seen_seq == 0 and not self._recall.keeps_entries:
            self._read_all()
        for _ in self._learned():
            pass
        self._recall.take_in_all()
        self._note()

    def start_over(self) -> None:
        """Read everything again at the next run: the journal is another file."""
        self._seen_seq = 0
        if self._snapshots is not None:
            self._snapshots.give_up()

    def run(self) -> News:
        """Read new rows, and all again where other writers are revoked now."""
        now_revoked = revoked(self._journal)
        if now_revoked != self._revoked:
            self._revoked = now_revoked
            self._seen_seq = 0
            if self._snapshots is not None:
                self._snapshots.forget(fingerprint(now_revoked))
        own: list[ClosedTrade] = []
        prior_changed = False
        for record in self._learned():
            if isinstance(record, Promotion):
                prior_changed = True
            elif isinstance(record, TradeEvidence) and record.origin == self._origin:
                # The bot keeps whole records; without its body, a trade's evidence is all there is.
                own.append(self._journal.record_of(TradeRecord, record.id) or record)
        self._note()
        return News(own=tuple(own), prior_changed=prior_changed)

    def close(self, timeout_s: float) -> None:
        """Write a snapshot for the next start; wait at most `timeout_s`."""
        if self._snapshots is not None:
            self._snapshots.close(timeout_s)

    def _read_all(self) -> None:
        adopted = self._adopted()
        fill = BulkFill(self._recall)
        pages = PageFill(fill, self._writer)
        self._seen_seq = adopted.last_seq
        for page in self._journal.evidence.pages(
            self._scope, partial(self._leave_out, fill.remove)
        ):
            self._seen_seq = max(self._seen_seq, page.last_seq)
            if page.trades:
                pages.add(page, adopted.up_to(page.last_seq))
                self._n_learned += sum(len(trades.seqs) for trades in page.trades)
            for seq, record in page.items:
                self._learn(record, seq in adopted.up_to(seq), fill.add, fill.remove)
        fill.finish()

    def _learned(self) -> Iterator[Item]:
        """Yield new records after adding them to recall."""
        adopted = self._adopted()
        last = adopted.last_seq
        if last <= self._seen_seq:
            return
        add = partial(self._recall.add, from_journal=True)
        remove = partial(self._recall.remove, from_journal=True)
        records = self._journal.evidence.items(
            self._scope, after_seq=self._seen_seq, left_out=partial(self._leave_out, remove)
        )
        for seq, record in records:
            last = max(last, seq)
            if self._learn(record, seq in adopted.up_to(seq), add, remove):
                yield record
        # Including rows of others, which need not be looked at again.
        self._seen_seq = last

    def _learn(
        self,
        record: Item,
        is_adopted: bool,
        add: Callable[..., None],
        remove: Callable[[str], None],
    ) -> bool:
        """Add or remove the trade that a record is about; return whether the record counts."""
        self._n_learned += 1
        if isinstance(record, TradeEvidence) and record.origin.mode is not Mode.MANUAL:
            is_own = record.origin == self._origin
            if is_adopted if is_own else is_revoked(record, self._revoked):
                remove(record.id)
                return False
            add(record, self._weight_of(record.origin), is_foreign=is_adopted)
        elif record.retracts is not None and not self._journal.is_current(record.retracts):
            # A current target was recorded again after this retraction.
            remove(record.retracts)
        return True

    def _writer(self, scope: int) -> Writer:
        origin = self._journal.evidence.origin(scope)
        return Writer(
            self._weight_of(origin), origin == self._origin, revoked_from_ms(origin, self._revoked)
        )

    def _adopted(self) -> Adopted:
        return Adopted(self._journal, replace(self._scope, kind=TradeRecord.kind), self._seen_seq)

    def _weight_of(self, origin: Origin) -> float:
        is_assumed = self._origin.mode is Mode.LIVE and origin.mode is Mode.DRY_RUN
        return self._discount if is_assumed else 1.0

    def _leave_out(self, remove: Callable[[str], None], record_id: str) -> None:
        """Remove the trade of a row that can not be read: an earlier version is outdated."""
        logger.warning(
            "The evidence of record %s can not be read and is left out; 'freqtrade-mem0 doctor' "
            "says why.",
            record_id,
        )
        remove(record_id)
        self._journal.put_aside("journal", {record_id: "its row can not be read"})
        if self._snapshots is not None:
            self._snapshots.give_up()

    def _note(self) -> None:
        if self._snapshots is not None:
            self._snapshots.note(self._seen_seq, self._n_learned)
        self._n_learned = 0
