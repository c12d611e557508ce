"""The recorded trades of one run: the newest are kept whole, older ones are looked up."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from freqtrade_mem0.records.from_trade import EntryContext
    from freqtrade_mem0.records.kinds.trade import TradeRecord

KEPT = 1_000
"""Newest trades that a bot keeps whole, some 1.5 KB each."""

_LATELY = 4 * KEPT
"""Ids of trades noted as seen, or as taken back, that are kept, some 100 bytes each."""


class Archive(Protocol):
    """What the journal says of a bot's own trades. It reads a disk: never in a trading callback."""

    def trade(self, record_id: str) -> TradeRecord | None:
        """Return the record that counts under an id; None where there is none."""

    def entry(self, record_id: str) -> EntryContext | None:
        """Return what was known when a trade was opened; None where no decision opened it."""


class OwnTrades:
    """Trades of a run that are in the journal, or on their way to it.

    Parameters
    ----------
    archive
        Where older ones are looked up; None keeps all in memory, as a backtest does.
    """

    def __init__(self, archive: Archive | None = None) -> None:
        self._archive = archive
        self._recent: dict[str, TradeRecord] = {}
        self._taken_back: dict[str, None] = {}
        """Lately, so that the journal may not know of it yet."""
        self._seen: dict[str, None] = {}

    def __iter__(self) -> Iterator[TradeRecord]:
        """Go through those that are kept."""
        return iter(list(self._recent.values()))

    @property
    def are_all_kept(self) -> bool:
        """Whether there is nowhere to look older ones up, nor any need to."""
        return self._archive is None

    def recent(self, record_id: str) -> TradeRecord | None:
        """Return a trade that is kept; None for others. Reads no disk."""
        return self._recent.get(record_id)

    def archived(self, record_id: str) -> TradeRecord | None:
        """Return a trade that is not kept any more, as the journal has it; None where it has not.

        Raises
        ------
        JournalError
            The journal can not be used.
        """
        if self._archive is None or record_id in self._recent or record_id in self._taken_back:
            return None
        return self._archive.trade(record_id)

    def archived_entry(self, record_id: str) -> EntryContext | None:
        """Return what the journal knows of a trade's entry; None where it knows nothing.

        Raises
        ------
        JournalError
            The journal can not be used.
        """
        return None if self._archive is None else self._archive.entry(record_id)

    def was_taken_back(self, record_id: str) -> bool:
        """Return whether a trade was taken back lately, and not recorded again since."""
        return record_id in self._taken_back

    def add(self, record: TradeRecord) -> None:
        """Take a trade that was recorded, or its correction."""
        self._taken_back.pop(record.id, None)
        self._recent[record.id] = record
        if self._archive is not None:
            _shorten(self._recent, KEPT)

    def add_all(self, records: Iterable[TradeRecord]) -> None:
        """Take trades, oldest first."""
        for record in records:
            self.add(record)

    def take_back(self, record_id: str) -> None:
        """Let a trade count no more."""
        self._recent.pop(record_id, None)
        self._taken_back[record_id] = None
        _shorten(self._taken_back, _LATELY)

    def is_seen_first(self, record_id: str) -> bool:
        """Note that a trade stands in the bot's database; return whether that is new.

        Of a trade seen long ago it may be said again: the journal knows.
        """
        if record_id in self._seen:
            return False
        self._seen[record_id] = None
        _shorten(self._seen, _LATELY)
        return True

    def forget_seen(self) -> None:
        """Note again which trades stand in the bot's database: the journal is another one."""
        self._seen.clear()


def _shorten(kept: dict[str, object] | dict[str, None] | dict[str, TradeRecord], most: int) -> None:
    """Drop the oldest of a dict that has grown to twice of what it may hold for long."""
    if len(kept) >= 2 * most:
        for key in list(islice(kept, len(kept) - most)):
            del kept[key]
