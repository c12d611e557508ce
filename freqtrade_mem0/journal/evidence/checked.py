"""Reads pages of trades into columns, with every check that reading them one by one has.

Recall is filled from it. It takes a twentieth of the time of `EvidenceReader.item`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from freqtrade_mem0.journal.evidence.checksums import checksums_of, with_words
from freqtrade_mem0.journal.evidence.facts import ID_BYTES
from freqtrade_mem0.journal.evidence.ids import id_of
from freqtrade_mem0.journal.evidence.many import of_table
from freqtrade_mem0.records.limits import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    from freqtrade_mem0.journal.evidence.many import Part
    from freqtrade_mem0.journal.evidence.page import PageColumns

_END_MS = 10**14
"""Rows with times outside 1970 to 5138 are read one by one."""


class Trades(NamedTuple):
    """Some trades of a page, those with the same features; arrays have shape (n_trades,).

    Parameters
    ----------
    part
        Their facts.
    seqs
        Numbers of the rows.
    ids
        As `ids.packed_all` returns them, shape (n_trades, 2).
    scopes
        Numbers of their scopes.
    pairs
        Numbers of words.
    known_us, open_us
        When each became known and was opened, epoch microseconds.
    recorded_ms
        When each was recorded, epoch milliseconds.
    """

    part: Part
    seqs: NDArray[np.int64]
    ids: NDArray[np.uint64]
    scopes: NDArray[np.int64]
    pairs: NDArray[np.int64]
    known_us: NDArray[np.int64]
    open_us: NDArray[np.int64]
    recorded_ms: NDArray[np.int64]

    @property
    def record_ids(self) -> list[str]:
        """Their ids."""
        stored = self.ids.astype(">u8").tobytes()
        return [id_of(stored[at : at + ID_BYTES]) for at in range(0, len(stored), ID_BYTES)]

    @property
    def known_ms(self) -> NDArray[np.int64]:
        """When each became known, epoch milliseconds."""
        return self.known_us // 1_000

    @property
    def open_ms(self) -> NDArray[np.int64]:
        """When each was opened, epoch milliseconds."""
        return self.open_us // 1_000

    @property
    def close_us(self) -> NDArray[np.int64]:
        """When each was closed, epoch microseconds."""
        return self.known_us - self.part.heads["closed_us"] if self.part.is_fine else self.known_us


def checked(
    page: PageColumns | None, scope_checksums: Mapping[int, int], words: Mapping[int, str]
) -> list[Trades] | None:
    """Return the trades of a page.

    None where it has to be read row by row, whether or not each row can be read.

    Parameters
    ----------
    scope_checksums
        By the numbers of the scopes of trades.
    """
    if page is None:
        return None
    places = np.flatnonzero(np.isin(page.scopes, list(scope_checksums)))
    scopes_met, scope_of = np.unique(page.scopes, return_inverse=True)
    before = np.array([scope_checksums.get(each, 0) for each in scopes_met.tolist()])[scope_of]
    found = []
    for some, table in page.tables(places):
        checksums = np.zeros(len(page.seqs), np.int64)
        checksums[some] = checksums_of(table, before[some])
        parts = list(of_table(page.facts(table), some, words))
        if sum(len(part.places) for part in parts) < len(some):
            return None
        ids = np.empty((len(page.seqs), 2), np.uint64)
        ids[some] = page.ids(table)
        for part in parts:
            heads, where = part.heads, part.places
            said = [heads[name] for name in ("side", "enter_tag", "exit_reason", "shape")]
            numbers = [page.pairs[where], *said, *part.words.values()]
            computed = with_words(checksums[where], numbers, words)
            known_us, open_us, is_in_range = _times_us(part, page.known_ms[where])
            if computed is None or (computed != page.checksums[where]).any():
                return None
            if not (is_in_range and _is_sound(part)):
                return None
            whose = page.seqs[where], ids[where], page.scopes[where], page.pairs[where]
            found.append(Trades(part, *whose, known_us, open_us, page.recorded_ms[where]))
    return found


def _times_us(
    part: Part, known_ms: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """Return when trades became known and were opened, and whether all times are in range."""
    known_us, open_us = known_ms * 1_000, part.open_us
    times = [open_us]
    if "closed_us" in (part.heads.dtype.names or ()):
        known_us += part.heads["known"]
        times.append(part.heads["closed_us"])
    times = [known_us - each for each in times]  # what overflows is negative
    is_in_range = all(each.min() >= 0 and each.max() <= _END_MS * 1_000 for each in times)
    return known_us, times[0], is_in_range


def _is_sound(part: Part) -> bool:
    """Return whether numbers are in the ranges of their fields, and each feature has one value."""
    values = part.numbers.values()
    is_in_range = all((np.abs(each) <= LARGEST).all() for each in values)
    return is_in_range and len(part.numbers) + len(part.words) == len(part.shape.features)
