"""Takes the records of an export into the journal, as far as a file may be believed.

Anybody can write a file. So nothing in it changes a record that is known here, and bots that only
the file speaks for are no evidence until the owner says so. Records that carry the signature of the
owner's key are taken as they are from Mem0.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.importers.export_format import DECISION, read_items
from freqtrade_mem0.journal.revoked import Revoked, is_revoked, revoke, revoked
from freqtrade_mem0.journal.rows import record_row
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.codec import content_hash, decode
from freqtrade_mem0.records.kinds.removal import Removal
from freqtrade_mem0.records.kinds.retraction import retraction_id
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.limits import EARLIEST
from freqtrade_mem0.records.mapping import refuse_future, to_memory
from freqtrade_mem0.records.signing import SIGNATURE, refuse_unsigned
from freqtrade_mem0.words.numbers import counted
from freqtrade_mem0.words.visible import brief

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.importers.export_format import Item
    from freqtrade_mem0.importers.report import FileReport
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record

_BATCH = 500
_MOST_NAMED = 1_000
"""Records that are named one by one; further ones are counted."""

_MOST_USERS = 20

_BOTS = (Mode.DRY_RUN, Mode.LIVE)


class _Read(NamedTuple):
    place: str
    record: Record
    is_signed: bool


class ExportTaker:
    """Takes one export into a memory.

    Parameters
    ----------
    store
        The memory.
    strategy
        Only records of this strategy; None for all.
    now
        Aware UTC wall time.
    report
        Is told what was new, known and left out.
    """

    def __init__(
        self, store: MemoryFolder, strategy: str | None, now: datetime, report: FileReport
    ) -> None:
        self._journal = store.journal
        self._owner = store.settings.user_id
        self._categories = store.settings.categories
        self._key = store.settings.trust.secret()
        self._strategy = strategy
        self._now = now
        self._report = report
        self._left_out: Counter[str] = Counter()
        self._quarantined: Counter[str] = Counter()
        self._runs = self._runs_here()
        self._revoked = revoked(self._journal)

    def take(self) -> None:
        """Take the file.

        Raises
        ------
        ImportFileError
            It can not be read to its end; what was read before stays.
        """
        items = read_items(self._report.path)
        try:
            while batch := list(islice(items, _BATCH)):
                self._keep([each for each in map(self._wanted, batch) if each is not None])
        finally:
            for why, n in self._left_out.items():
                self._report.skip(counted(n, "record"), why, is_bad=why.startswith("of user"))
            self._report.notes += [
                f"{counted(n, 'trade')} of bot {run_id}: no evidence for stakes until "
                f"'freqtrade-mem0 revoke --undo --run-id {run_id}' lets them count"
                for run_id, n in self._quarantined.items()
            ]

    def _wanted(self, item: Item) -> _Read | None:
        """Return the record of an item if it is sound and asked for."""
        if item.kind == DECISION:
            self._left_out["of the ledger, which comes back with a backup alone"] += 1
            return None
        try:
            read = self._read(item)
        except (RecordError, ValueError, OverflowError, RecursionError) as error:
            self._refuse(item.place, str(error))
            return None
        origin = read.record.origin
        self._report.n_found += 1
        if origin.user_id != self._owner:
            whose = f"of user {brief(origin.user_id)}; mem0.user_id is {self._owner!r}"
            self._left_out[whose if len(self._left_out) < _MOST_USERS else "of user ..."] += 1
        elif self._strategy not in (None, origin.strategy):
            self._left_out["of other strategies"] += 1
        elif not getattr(self._categories, read.record.category):
            self._left_out["of a category that is switched off in mem0.categories"] += 1
        else:
            return read
        return None

    def _read(self, item: Item) -> _Read:
        if not isinstance(item.kind, str) or not item.body:
            raise RecordError("It is no record: 'kind' or 'record' is missing.")
        record = decode(item.kind, item.body)
        refuse_future(record, self._now)
        if record.retracts is not None and record.id != retraction_id(record.retracts):
            raise RecordError(f"Its id is not that of a retraction of {record.retracts}.")
        if record_row(record)[1] != item.hash:
            raise RecordError("It was changed after it was exported: its hash does not match.")
        if self._key is not None:
            memory = to_memory(record)
            signature = {SIGNATURE: item.signature} if isinstance(item.signature, str) else {}
            signed = replace(memory, metadata={**memory.metadata, **signature})
            refuse_unsigned(signed, self._key)
        return _Read(item.place, record, is_signed=self._key is not None)

    def _keep(self, found: list[_Read]) -> None:
        known = self._journal.recorded_ms([each.record.id for each in found])
        fresh: list[Record] = []
        for each in found:
            is_known = each.record.id in known
            if is_known and self._is_same(each.record):
                self._report.n_known += 1
            elif not each.is_signed and (why := self._objection(each.record, is_known=is_known)):
                self._refuse(each.place, f"{why} (record {each.record.id})")
            else:
                fresh.append(each.record)
                if not each.is_signed and each.record.origin.mode in _BOTS:
                    self._quarantine(each.record)
        if fresh:
            n_new = self._journal.adopt(fresh)
            self._report.n_new += n_new
            self._report.n_known += len(fresh) - n_new

    def _is_same(self, record: Record) -> bool:
        current = self._journal.record(record.id)
        return current is None or content_hash(current) == content_hash(record)

    def _objection(self, record: Record, *, is_known: bool) -> str:
        """Return why a record that nobody signed may not be taken; "" where it may."""
        origin = record.origin
        if is_known:
            return "another version of it is known here"
        if isinstance(record, Removal):
            return "it deletes a memory, and is not signed"
        is_here = (origin.strategy, origin.run_id) in self._runs
        if origin.mode in _BOTS and is_here and not is_revoked(record, self._revoked):
            return (
                f"bot {brief(origin.run_id)} counts here already, and the file is not signed: its "
                "trade database and Mem0 bring what is missing. To take it nevertheless, 'revoke' "
                "the bot, import, and undo that"
            )
        return ""

    def _quarantine(self, record: Record) -> None:
        """Let the records of a bot that only the file speaks for be no evidence."""
        origin = record.origin
        if (origin.strategy, origin.run_id) not in self._runs:
            writer = Revoked(
                user_id=origin.user_id,
                strategy=origin.strategy,
                run_id=origin.run_id,
                since=EARLIEST,
                revoked_at=self._now,
            )
            revoke(self._journal, writer)
            self._runs.add((origin.strategy, origin.run_id))
            self._revoked = revoked(self._journal)
        if isinstance(record, TradeRecord):
            self._quarantined[origin.run_id] += 1

    def _runs_here(self) -> set[tuple[str, str]]:
        rows = self._journal.connection.rows(
            "SELECT DISTINCT strategy, run_id FROM scopes WHERE user_id = ? AND mode IN (?, ?)",
            [self._owner, *_BOTS],
        )
        return {(strategy, run_id) for strategy, run_id in rows}

    def _refuse(self, place: str, why: str) -> None:
        if len(self._report.skipped) < _MOST_NAMED:
            self._report.skip(place, why, is_bad=True)
        else:
            self._left_out["that can not be taken either"] += 1
