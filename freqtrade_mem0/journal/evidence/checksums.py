"""Checksums of many rows at once.

CRC-32 is linear: what some bytes make of the checksum before them is the checksum of the bytes
alone, plus (bit by bit, without carry) a linear function of the one before, in which of the bytes
only their number matters.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any
from zlib import crc32

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

_DENSE = 1 << 16
"""Numbers in such a range are told apart without sorting."""

_MOST_TEXTS = 1 << 10
"""Combinations of words that are made into one text."""


def checksums_of(table: NDArray[np.uint8], before: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the checksum of each row of bytes, as it follows on one `before` it, shape (n_rows,).

    >>> rows = np.frombuffer(b"onetwo", np.uint8).reshape(2, 3)
    >>> checksums_of(rows, np.array([7, 8])).tolist() == [crc32(b"one", 7), crc32(b"two", 8)]
    True
    """
    n_rows, width = table.shape
    each_row = np.ascontiguousarray(table).view(f"V{width}")[:, 0].tolist()
    alone = np.fromiter(map(crc32, each_row), np.int64, n_rows)
    return alone ^ _behind(before, [width], np.zeros(n_rows, np.int64))


def with_words(
    checksums: NDArray[np.int64], columns: Iterable[NDArray[Any]], words: Mapping[int, str]
) -> NDArray[np.int64] | None:
    r"""Return checksums that go on with words, given by their numbers, and zeros between them.

    None where a word is not known.

    >>> before, columns = np.array([7, 8]), [np.array([1, 2]), np.array([2, 2])]
    >>> with_words(before, columns, {1: "one", 2: "two"}).tolist() == [
    ...     crc32(b"one\0two", 7), crc32(b"two\0two", 8)
    ... ]
    True
    """
    separator = ""
    for combined, values in _combined(columns):
        which, met = numbered(combined)
        at = np.unravel_index(met, [len(each) for each in values])
        named = [
            [words.get(number) for number in each[place].tolist()]
            for each, place in zip(values, at, strict=True)
        ]
        if any(None in each for each in named):
            return None
        texts = [(separator + "\0".join(each)).encode() for each in zip(*named, strict=True)]
        alone = np.fromiter(map(crc32, texts), np.int64, len(texts))
        of_length, lengths = numbered(np.fromiter(map(len, texts), np.int64, len(texts)))
        checksums = alone[which] ^ _behind(checksums, lengths.tolist(), of_length[which])
        separator = "\0"
    return checksums


def numbered(column: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return for each value its place among the different ones, and these in order.

    >>> [each.tolist() for each in numbered(np.array([7, 3, 7]))]
    [[1, 0, 1], [3, 7]]
    >>> [each.tolist() for each in numbered(np.array([1 << 62, -1 << 63]))]
    [[1, 0], [-9223372036854775808, 4611686018427387904]]
    """
    # Integers of Python: the difference of numbers of a damaged row may need more than 64 bits.
    low, high = int(column.min()), int(column.max())
    if high - low >= _DENSE:
        values, places = np.unique(column, return_inverse=True)
        return places, values
    is_met = np.zeros(high - low + 1, np.bool_)
    is_met[column - low] = True
    return (np.cumsum(is_met) - 1)[column - low], np.flatnonzero(is_met) + low


def _combined(
    columns: Iterable[NDArray[Any]],
) -> Iterator[tuple[NDArray[np.int64], list[NDArray[np.int64]]]]:
    """Yield columns together, a few at a time: their values as one number, and the values of each.

    The number is that of `numpy.ravel_multi_index`.
    """
    combined: NDArray[np.int64] | None = None
    values: list[NDArray[np.int64]] = []
    size = 1
    for column in columns:
        places, its_values = numbered(column.astype(np.int64))
        if combined is not None and size * len(its_values) > _MOST_TEXTS:
            yield combined, values
            combined, values, size = None, [], 1
        combined = places if combined is None else combined * len(its_values) + places
        values.append(its_values)
        size *= len(its_values)
    if combined is not None:
        yield combined, values


def _behind(
    checksums: NDArray[np.int64], lengths: Sequence[int], which: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return what checksums become behind so many bytes, `lengths[which]`, all of them zero."""
    tables = np.concatenate([_table(length) for length in lengths])
    found, start = np.zeros(len(checksums), np.int64), which << 10
    for byte in range(4):
        found ^= tables[start + (256 * byte) + (checksums >> (8 * byte) & 255)]
    return found


@lru_cache(maxsize=512)
def _table(length: int) -> NDArray[np.int64]:
    """Return what each value of each byte of a checksum becomes behind so many bytes."""
    nothing = bytes(length)
    table = np.zeros((4, 256), np.int64)
    for bit in range(32):
        half, own = 1 << bit % 8, table[bit // 8]
        own[half : 2 * half] = own[:half] ^ crc32(nothing, 1 << bit) ^ crc32(nothing)
    return table.ravel()
