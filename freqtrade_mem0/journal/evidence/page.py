"""Reads a page of evidence as one row of SQLite's: the values of each column behind one another.

To give rows one by one takes SQLite and Python twice as long.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from freqtrade_mem0.journal.evidence.facts import ID_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from numpy.typing import NDArray

_SAID_BYTES = 16
_BEHIND_FACTS = _SAID_BYTES + ID_BYTES
_DIGITS = 13
"""Of times from 2001 to 2286 in milliseconds."""

IN_ONE_ROW = (
    "group_concat(seq), group_concat(scope), group_concat(pair), group_concat(checksum),"
    " group_concat(length(facts)), group_concat(known_ms), group_concat(recorded_ms),"
    " CAST(group_concat(facts || said || id, '') AS BLOB), typeof(min(id))"
)
"""What to select of rows of `rows.COLUMNS`."""


class PageColumns(NamedTuple):
    """Rows of evidence in columns, shape (n_rows,).

    Parameters
    ----------
    seqs, scopes, pairs, checksums, known_ms, recorded_ms
        As in the table.
    times
        The two times in digits, each with a zero behind it, shape (n_rows, 28).
    n_facts
        Bytes of the facts.
    ends
        Where each row ends in `texts`.
    texts
        Facts, `said` and id of each row, all behind one another.
    """

    seqs: NDArray[np.int64]
    scopes: NDArray[np.int64]
    pairs: NDArray[np.int64]
    checksums: NDArray[np.int64]
    known_ms: NDArray[np.int64]
    recorded_ms: NDArray[np.int64]
    times: NDArray[np.uint8]
    n_facts: NDArray[np.int64]
    ends: NDArray[np.int64]
    texts: bytes

    def tables(
        self, places: NDArray[np.intp]
    ) -> Iterator[tuple[NDArray[np.intp], NDArray[np.uint8]]]:
        """Yield some rows as their checksums have them, without words, by the length of facts.

        Which rows, and their bytes: facts, `said`, id and times, shape (n_rows, n_bytes).
        """
        raw = np.frombuffer(self.texts, np.uint8)
        n_facts = self.n_facts[places]
        for length in np.unique(n_facts).tolist():
            some, width = places[n_facts == length], length + _BEHIND_FACTS
            if len(raw) == width * len(some):  # nearly always
                found = raw.reshape(len(some), width)
            else:
                found = raw[(self.ends[some] - width)[:, None] + np.arange(width)]
            yield some, np.concatenate([found, self.times[some]], axis=1)

    def facts(self, table: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return the facts in what `tables` yielded, shape (n_rows, n_bytes)."""
        return table[:, : -_BEHIND_FACTS - self.times.shape[1]]

    def ids(self, table: NDArray[np.uint8]) -> NDArray[np.uint64]:
        """Return the ids in what `tables` yielded as `ids.packed_all` does, shape (n_rows, 2)."""
        end = table.shape[1] - self.times.shape[1]
        halves = table[:, end - ID_BYTES : end].copy().view(">u8")
        return halves.astype(np.uint64)

    def others(self, scopes: Iterable[int]) -> list[tuple[Any, ...]]:
        """Return the rows outside of some scopes as they are in the table, see `rows.COLUMNS`."""
        places = np.flatnonzero(~np.isin(self.scopes, list(scopes)))
        columns = (self.seqs, self.scopes, self.pairs, self.known_ms, self.recorded_ms)
        found = []
        for place in places.tolist():
            seq, *others = (int(column[place]) for column in columns)
            id_at = int(self.ends[place]) - ID_BYTES
            said_at = id_at - _SAID_BYTES
            facts = self.texts[said_at - int(self.n_facts[place]) : said_at]
            said, own_id = self.texts[said_at:id_at], self.texts[id_at : id_at + ID_BYTES]
            found.append((seq, own_id, *others, said, facts, int(self.checksums[place])))
        return found


def page_columns(row: Sequence[Any]) -> PageColumns | None:
    """Return the page that SQLite gave in one row.

    None where its rows have to be read one by one: where an id is no UUID, a record could not be
    read, a time is far away, or something is damaged.
    """
    page = _columns(row)
    return None if page is None or (np.diff(page.seqs) <= 0).any() else page


def page_of(rows: Sequence[Sequence[Any]]) -> PageColumns | None:
    """Return rows of the table as `page_columns` does, in their order, whatever it is."""
    if not rows:
        return None
    seqs, ids, scopes, pairs, known_ms, recorded_ms, said, facts, checksums = zip(
        *rows, strict=True
    )
    if None in facts or set(map(type, ids)) != {bytes}:
        return None
    integers = (seqs, scopes, pairs, checksums, map(len, facts), known_ms, recorded_ms)
    texts = b"".join(chain.from_iterable(zip(facts, said, ids, strict=True)))
    return _columns([*(",".join(map(str, each)) for each in integers), texts, "blob"])


def _columns(row: Sequence[Any]) -> PageColumns | None:
    *integers, texts, type_of_ids = row
    if None in row or type_of_ids != "blob":
        return None
    try:
        numbers = [np.fromstring(each, np.int64, sep=",") for each in integers]
    except (ValueError, DeprecationWarning):  # something else than integers
        return None
    seqs, scopes, pairs, checksums, n_facts, known_ms, recorded_ms = numbers
    ends = np.cumsum(n_facts + _BEHIND_FACTS)
    if {len(each) for each in numbers} != {len(seqs)} or ends[-1] != len(texts):
        return None
    times = [known_ms, recorded_ms]
    if min(each.min() for each in times) < 10 ** (_DIGITS - 1):
        return None
    if max(each.max() for each in times) >= 10**_DIGITS:
        return None
    digits = [f"{each},".encode() for each in integers[-2:]]
    columns = [np.frombuffer(each, np.uint8).reshape(-1, _DIGITS + 1) for each in digits]
    said = np.concatenate(columns, axis=1)
    said[:, [_DIGITS, -1]] = 0
    return PageColumns(
        seqs, scopes, pairs, checksums, known_ms, recorded_ms, said, n_facts, ends, texts
    )
