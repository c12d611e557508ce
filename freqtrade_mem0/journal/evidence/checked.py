"""Reads pages of trades into columns, with every check that reading them one by one has.

Recall is filled from it. It takes an eighth of the time of `EvidenceReader.item`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import numpy as np

from freqtrade_mem0.journal.evidence.facts import ID_BYTES
from freqtrade_mem0.journal.evidence.ids import id_of
from freqtrade_mem0.journal.evidence.many import in_parts
from freqtrade_mem0.records.limits import LARGEST

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from freqtrade_mem0.journal.evidence.many import Part

_END_MS = 10**14
"""Rows with times outside 1970 to 5138 are read one by one."""

_N_TEXTS = 1 << 16
"""Combinations of words that are kept, some 700 bytes each."""


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


class CheckedReader:
    """Reads pages of rows into columns; for one thread, and one file.

    Parameters
    ----------
    words
        By number.
    """

    def __init__(self, words: Mapping[int, str]) -> None:
        self.words = words
        self._texts: dict[bytes, bytes] = {}
        """The words of rows as their checksums have them, by the words' numbers."""

    def trades(
        self, rows: Sequence[Any], scope_checksums: Mapping[int, int]
    ) -> list[Trades] | None:
        """Return the trades that rows say, given the checksums of their scopes.

        None where one of them has to be read by itself, whether or not it can be read.
        """
        if not rows:
            return []
        columns = list(zip(*rows, strict=True))
        seqs, ids, scopes, pairs, known_ms, recorded_ms, said, facts, written = columns
        if set(map(type, ids)) != {bytes} or set(map(len, ids)) != {ID_BYTES} or None in facts:
            return None
        halves = np.frombuffer(b"".join(ids), dtype=">u8").astype(np.uint64).reshape(-1, 2)
        integers = (seqs, scopes, pairs, known_ms, recorded_ms)
        numbers = np.array([np.fromiter(each, np.int64, len(rows)) for each in integers])
        times = numbers[3:]
        if times.min() < 0 or times.max() > _END_MS:
            return None
        parts = list(in_parts(facts, self.words))
        if sum(len(part.places) for part in parts) < len(rows):
            return None
        found, texts = [], np.empty(len(rows), dtype=object)
        for part in parts:
            own_seqs, own_scopes, own_pairs, own_ms, own_recorded_ms = numbers[:, part.places]
            known_us, open_us, is_in_range = _times_us(part, own_ms)
            said_here = self._texts_of(part, own_pairs)
            if said_here is None or not (is_in_range and _is_sound(part)):
                return None
            texts[part.places] = said_here
            whose = own_seqs, halves[part.places], own_scopes, own_pairs
            found.append(Trades(part, *whose, known_us, open_us, own_recorded_ms))
        each = zip(facts, said, ids, known_ms, recorded_ms, texts.tolist(), strict=True)
        computed = [
            crc32(b"%b%b%b%d\0%d\0%b" % row, scope_checksums[scope])
            for scope, row in zip(scopes, each, strict=True)
        ]
        return found if computed == list(written) else None

    def _texts_of(self, part: Part, pairs: NDArray[np.int64]) -> list[bytes] | None:
        """Return the words of rows as checksums have them; None where one is not known."""
        heads = part.heads
        columns = [pairs, *(heads[name] for name in ("side", "enter_tag", "exit_reason", "shape"))]
        keys = row_keys([*columns, *part.words.values()])
        texts = self._texts
        found = [texts.get(key) for key in keys]
        for place, text in enumerate(found):
            if text is None:
                key = keys[place]
                if key not in texts:
                    numbers = np.frombuffer(key, dtype=np.int64).tolist()
                    words = [self.words.get(number) for number in numbers]
                    if None in words:
                        return None
                    if len(texts) >= _N_TEXTS:
                        texts.clear()
                    texts[key] = "\0".join(map(str, words)).encode()
                found[place] = texts[key]
        return found  # type: ignore[return-value]


def row_keys(columns: Sequence[NDArray[Any]]) -> list[bytes]:
    """Return the values of each row in columns of numbers as bytes, eight for each of them."""
    eights = [
        each.view(np.int64) if each.dtype == np.float64 else each.astype(np.int64)
        for each in columns
    ]
    keys: list[bytes] = np.column_stack(eights).view(f"V{8 * len(eights)}")[:, 0].tolist()
    return keys


def _times_us(
    part: Part, known_ms: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], bool]:
    """Return when trades became known and were opened, and whether all times are in range."""
    known_us, open_us = known_ms * 1_000, part.open_us
    times = [open_us]
    if part.is_fine:
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
