"""The recorded trades of one run: the newest are kept in RAM, older ones are looked up."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freqtrade_mem0.records.from_trade import EntryContext
    from freqtrade_mem0.records.kinds.trade import TradeRecord

KEPT = 1_000
"""Newest trades that a bot keeps in RAM, about 1.5 KB each."""

_KEPT_IDS = 4 * KEPT
"""Newest ids of retracted trades, and of trades seen in the database; about 100 bytes each."""


class Archive(Protocol):
    """A bot's own trades in the journal. It reads a disk: never call it in a trading callback."""

    def trade(self, record_id: str) -> TradeRecord | None:
        """Return the valid record with an id, if there is one."""

    def entry(self, record_id: str) -> EntryContext | None:
        """Return what was known when a trade was opened; None where no decision opened it."""


class OwnTrades:
    """Trades of a run that are in the journal, or waiting to be written.

    Older trades are looked up in `archive`; None keeps all trades in RAM.
    """

    def __init__(self, archive: Archive | None = None) -> None:
        self._archive = archive
        self._recent: dict[str, TradeRecord] = {}
        self._retracted: dict[str, None] = {}
        """Newest retractions, which the journal may not have yet."""
        self._seen: dict[str, None] = {}

    def __iter__(self) -> Iterator[TradeRecord]:
        """Iterate over the trades in RAM."""
        return iter(list(self._recent.values()))

    @property
    def are_all_kept(self) -> bool:
        """Whether all trades are in RAM."""
        return self._archive is None

    def recent(self, record_id: str) -> TradeRecord | None:
        """Return a trade, if it is in RAM."""
        return self._recent.get(record_id)

    def archived(self, record_id: str) -> TradeRecord | None:
        """Return a trade that is in the journal alone, if it is there."""
        if self._archive is None or record_id in self._recent or record_id in self._retracted:
            return None
        return self._archive.trade(record_id)

    def archived_entry(self, record_id: str) -> EntryContext | None:
        """Return what the journal knows of a trade's entry, if anything."""
        return None if self._archive is None else self._archive.entry(record_id)

    def was_retracted(self, record_id: str) -> bool:
        """Return whether a trade was retracted recently, and not recorded again since."""
        return record_id in self._retracted

    def add(self, record: TradeRecord) -> None:
        """Add a recorded trade, or its correction."""
        self._retracted.pop(record.id, None)
        self._recent[record.id] = record
        if self._archive is not None:
            _shorten(self._recent, KEPT)

    def add_all(self, records: Iterable[TradeRecord]) -> None:
        """Add trades, oldest first."""
        for record in records:
            self.add(record)

    def retract(self, record_id: str) -> None:
        """Forget a trade that was retracted."""
        self._recent.pop(record_id, None)
        self._retracted[record_id] = None
        _shorten(self._retracted, _KEPT_IDS)

    def is_seen_first(self, record_id: str) -> bool:
        """Note that a trade is in the bot's database; return whether this was unknown.

        It is also True for trades seen long ago; the journal ignores what it has.
        """
        if record_id in self._seen:
            return False
        self._seen[record_id] = None
        _shorten(self._seen, _KEPT_IDS)
        return True

    def forget_seen(self) -> None:
        """Forget which trades were seen in the bot's database: the journal was replaced."""
        self._seen.clear()


def _shorten(kept: dict[str, object] | dict[str, None] | dict[str, TradeRecord], most: int) -> None:
    """Keep the `most` newest entries of a dict that has grown to twice as many."""
    if len(kept) >= 2 * most:
        for key in list(islice(kept, len(kept) - most)):
            del kept[key]
