"""Compares a bot's trade database with its memory, and corrects memory where they differ.

Callbacks are not guaranteed: a bot is killed between a fill and its callback, a stop is filled on
the exchange while the bot is down, a trade is deleted over REST.

The cost of a comparison depends on what has changed since the last one, not on the number of
trades: all are compared at the first time, and where an old closed trade was changed or deleted.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.host import trade_database
from freqtrade_mem0.host.trade_database import NOTHING
from freqtrade_mem0.records.base import Mode, as_utc
from freqtrade_mem0.records.from_trade import (
    has_filled_entry,
    is_of_mode,
    trade_id_in,
    trade_identity,
)
from freqtrade_mem0.run.bot.reconcile.progress import LATELY_S, Compared, Lately

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from freqtrade_mem0.host.trade_database import ClosedSum, TradeKey
    from freqtrade_mem0.journal.marks import Marks
    from freqtrade_mem0.journal.own_records import Outcome, OwnRecords
    from freqtrade_mem0.run.bot.session import BotSession

_GONE = "the trade is not in Freqtrade's database any more"
_OPEN_AGAIN = "the trade is open again"
_OTHER_MODE = "it is a {} trade by its orders, and an earlier version took it for a {} trade"


class Reconciler:
    """Brings a session up to date with its bot's trade database.

    Parameters
    ----------
    session, own, marks
        The bot's session, its records, and the marks of its journal.
    lasts
        Whether the trade database outlives the process; False for one in memory.
    resumes
        Whether a restart continues from the last comparison; else it compares everything.
    flushed
        Waits until the journal has written what was submitted; False where it could not.
    pause
        Lets other threads run; False to stop.
    release
        Closes the thread's database session, see `trade_database.release`.
    may_retract
        Whether trades that are gone may be retracted now; else the next comparison tries again.
    """

    def __init__(
        self,
        session: BotSession,
        own: OwnRecords,
        marks: Marks,
        *,
        lasts: bool,
        resumes: bool = True,
        flushed: Callable[[], bool] = lambda: True,
        pause: Callable[[], bool] = lambda: True,
        release: Callable[[], None] = lambda: None,
        may_retract: Callable[[], bool] = lambda: True,
    ) -> None:
        self._session = session
        self._own = own
        self._marks = marks
        self._lasts = lasts
        self._resumes = resumes
        self._flushed = flushed
        self._pause = pause
        self._release = release
        self._may_retract = may_retract
        self._compared: Compared | None = None
        self._saved: dict[str, Any] = {}
        self._was_read = False

    @property
    def has_run(self) -> bool:
        """Whether everything was compared once."""
        return self._compared is not None

    def start_over(self) -> None:
        """Compare everything the next time: the journal has lost records."""
        self._compared, self._saved, self._was_read = None, {}, True
        if self._keeps_mark:
            self._marks.set(self._mark_name, {})

    @property
    def _keeps_mark(self) -> bool:
        return self._resumes and bool(self._session.database)

    @property
    def _mark_name(self) -> str:
        origin, database = self._session.origin, self._session.database
        # Under "compared" alone, trades of the other mode counted as the bot's own.
        return f"compared own {database} {origin.user_id} {origin.mode} {origin.run_id}"

    def run(self, moment: datetime) -> None:
        """Record missing trades, correct differing ones, retract deleted ones.

        Errors of the journal and of Freqtrade's database are raised; the next call then starts from
        the last completed comparison.
        """
        try:
            birth = trade_database.database_birth()
            if self._lasts and not self._session.database:
                self._session.database = trade_database.database_identity()
            if self._compared is None and not self._was_read:
                self._compared = self._read_mark(birth)
                self._was_read = True
            # A trade may be closed between two statements, so a difference is checked twice.
            if not (self._compare_news(moment, birth) or self._compare_news(moment, birth)):
                self._compared = None
                self._compare_all(moment, birth)
            self._save()
        finally:
            self._release()

    def _compare_news(self, moment: datetime, birth: datetime | None) -> bool:
        """Compare open, new and recently closed trades; False where others have changed, too."""
        before = self._compared
        if before is None:
            return False
        last_id = trade_database.last_trade_id()
        still_open = trade_database.open_bot_trades()
        open_ids = {trade.id for trade in still_open}
        new = trade_database.trade_ids_after(before.last_id)
        last_id = max(last_id, *new) if new else last_id
        candidates = (before.open_ids | before.lately.keys() | new) - open_ids
        n_candidates = trade_database.closed_sum_of(candidates).n
        n_closed = trade_database.n_closed(last_id)
        self._release()
        if n_closed != before.settled.n + n_candidates:
            return False
        now_s, lately, incomplete = moment.timestamp(), {}, set[int]()
        for closed in trade_database.closed_bot_trades(candidates):
            self._release()
            complete = [trade for trade in closed if trade.close_date is not None]
            incomplete.update(trade.id for trade in closed if trade.close_date is None)
            self._session.trades_closed(complete)
            for trade in complete:
                found = Lately(now_s, self._record_id(trade))
                known = before.lately.get(trade.id, found)
                # Freqtrade reuses the id of a deleted trade.
                lately[trade.id] = known if known.record_id == found.record_id else found
        self._session.trades_open(still_open)
        gone = [
            known
            for trade_id, known in before.lately.items()
            if trade_id not in lately or lately[trade_id].record_id != known.record_id
        ]
        if gone and not self._may_retract():
            return False
        for known in gone:
            reason = _OPEN_AGAIN if self._is_open(known, still_open) else _GONE
            self._retract(known.record_id, reason, birth)
        after = Compared(
            birth=before.birth,
            last_id=last_id,
            open_ids=open_ids | incomplete,
            lately=lately,
            settled=before.settled,
        )
        ids = after.take_settled(now_s)
        if ids:
            after.settled = after.settled.plus(trade_database.closed_sum_of(ids))
        self._compared = after
        return True

    def _compare_all(self, moment: datetime, birth: datetime | None) -> None:
        """Compare all closed trades by a few columns; load only those that differ.

        Waits for the journal to be writable: else everything would have to be compared again.
        """
        if self._resumes and not self._flushed():
            return
        last_id = trade_database.last_trade_id()
        still_open = trade_database.open_bot_trades()
        open_ids = {trade.id for trade in still_open}
        self._release()
        self._session.trades_open(still_open)
        known: set[int] = set()
        after = Compared(birth=_text(birth), last_id=last_id, open_ids=open_ids)
        now_s, after_id = moment.timestamp(), 0
        while keys := trade_database.closed_keys(after_id, last_id):
            after_id = keys[-1].id
            self._release()
            records = self._compare_some(keys)
            # 64 bits of each id: a collision that hides a deleted trade is unlikely enough.
            known.update(hash(record_id) for record_id in records.values())
            for key in keys:
                if key.close_ms is None:
                    after.open_ids.add(key.id)
                elif key.close_ms / 1_000.0 > now_s - LATELY_S:
                    after.lately[key.id] = Lately(now_s, records.get(key.id))
            after.settled = after.settled.plus(self._sum_of(keys, after))
            if not self._pause():
                return
        if birth is not None and not self._retract_missing(known, open_ids, last_id, birth):
            return
        self._compared = after

    def _compare_some(self, keys: Collection[TradeKey]) -> dict[int, str]:
        """Record those of some closed trades that differ; return record ids by trade id."""
        records = {key.id: self._identity(key) for key in keys if self._is_own(key)}
        outcomes = self._own.outcomes(records.values())
        differ = [
            key.id
            for key in keys
            if key.close_ms is not None
            and key.id in records
            and not _is_same(key, outcomes.get(records[key.id]))
        ]
        database = self._session.database
        if database:
            self._session.note_seen(self._own.unseen(records.values(), database))
        if differ:
            for trades in trade_database.closed_bot_trades(differ):
                self._release()
                self._session.trades_closed([t for t in trades if t.close_date is not None])
            self._flushed()  # at most one portion waits for the journal
        # Earlier versions recorded the trades of both modes, and knew a database by its address.
        others = [self._identity(key) for key in keys if key.order_id and not self._is_own(key)]
        for record_id in self._own.outcomes(others):
            record = self._session.recorded(record_id)
            if record is not None:
                is_live = self._session.origin.mode is Mode.LIVE
                modes = ("dry-run", "live") if is_live else ("live", "dry-run")
                self._session.retract(record, _OTHER_MODE.format(*modes))
        return records

    def _sum_of(self, keys: Collection[TradeKey], after: Compared) -> ClosedSum:
        one_by_one = after.open_ids | after.lately.keys()
        total = trade_database.closed_sum_of({key.id for key in keys} - one_by_one)
        self._release()
        return total

    def _retract_missing(
        self, known: Collection[int], open_ids: set[int], last_id: int, birth: datetime
    ) -> bool:
        """Retract trades that were seen in this database and are not closed there any more.

        What was seen in another database is kept. False where the journal has not written all of it
        yet, or nothing may be retracted now.
        """
        database = self._session.database
        if not database or not self._flushed():
            return not database
        missing = [
            record_id
            for record_id in self._own.seen_in(database, birth)
            if hash(record_id) not in known
        ]
        if not missing or not self._may_retract():
            return not missing
        # Trades that were closed during the comparison are there, too.
        still_open = {trade.id: trade for trade in trade_database.open_bot_trades()}
        since = (open_ids | trade_database.trade_ids_after(last_id)) - still_open.keys()
        there = {self._identity(key) for key in trade_database.keys_of(since) if self._is_own(key)}
        self._release()
        reopened = {self._record_id(trade) for trade in still_open.values()}
        for record_id in missing:
            if record_id not in there:
                reason = _OPEN_AGAIN if record_id in reopened else _GONE
                self._retract(record_id, reason, birth)
        return True

    def _retract(self, record_id: str | None, reason: str, birth: datetime | None) -> None:
        if record_id is None or birth is None:
            return
        record = self._session.recorded(record_id)
        if record is not None and record.open_date >= birth:
            self._session.retract(record, reason)

    def _read_mark(self, birth: datetime | None) -> Compared | None:
        """Return the state an earlier process saved, where settled trades are still the same."""
        if not self._keeps_mark:
            return None
        mark = self._marks.get(self._mark_name)
        try:
            before = Compared.from_json(mark)
        except (KeyError, TypeError, ValueError):
            before = None  # damaged: compare everything
        if before is None or before.birth != _text(birth):
            return None
        total = NOTHING
        for part in trade_database.closed_sum(before.last_id):
            total = total.plus(part)
            self._release()
            if not self._pause():
                return None
        one_by_one = trade_database.closed_sum_of(before.open_ids | before.lately.keys())
        if total.minus(one_by_one) != before.settled:
            return None
        self._saved = mark
        return before

    def _save(self) -> None:
        if self._compared is None or not self._keeps_mark:
            return
        mark = self._compared.to_json()
        # The journal must have the compared trades before the mark.
        if mark != self._saved and self._flushed():
            self._marks.set(self._mark_name, mark)
            self._saved = mark

    def _is_open(self, known: Lately, still_open: Collection[Any]) -> bool:
        return any(self._record_id(trade) == known.record_id for trade in still_open)

    def _identity(self, key: TradeKey) -> str:
        return trade_identity(self._session.origin, key.pair, key.side, str(key.order_id))

    def _is_own(self, key: TradeKey) -> bool:
        mode = self._session.origin.mode
        return key.order_id is not None and is_of_mode(key.order_id, mode)

    def _record_id(self, trade: Any) -> str | None:
        origin = self._session.origin
        try:
            return trade_id_in(trade, origin) if has_filled_entry(trade) else None
        except RecordError:
            return None


def _is_same(key: TradeKey, outcome: Outcome | None) -> bool:
    if outcome is None or key.profit_ratio is None or outcome.lacks_entry:
        return False
    if outcome.is_adopted:
        return False  # it came from Mem0: compare all of it, then it counts
    # SQLite reads numbers from JSON without their last digit.
    return key.close_ms == outcome.known_ms and math.isclose(
        key.profit_ratio, outcome.profit_ratio, rel_tol=1e-12, abs_tol=1e-12
    )


def _text(birth: datetime | None) -> str:
    return "" if birth is None else as_utc(birth).isoformat()
