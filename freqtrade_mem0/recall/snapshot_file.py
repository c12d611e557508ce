"""The file format of a snapshot of recall: numbers and texts, no executable content.

Version 4, in this order:

====== ======================== ====================================================================
bytes  what                     as
====== ======================== ====================================================================
8      `M0RECALL`
4      version                  unsigned, little-endian, like the length
8      length of the heading
n      heading                  JSON: `about` (given by the caller), `byte_order`, `n_rows`,
                                `asked_ms`, and `groups`: [level, value, numbers of the groups it is
                                inside of, six sums in hexadecimal]
32     checksum                 BLAKE2b of everything before it
n      columns                  pages of `PAGE_ROWS` rows, see `TradeColumns.packed_rows`
32     checksum                 BLAKE2b of everything before it
====== ======================== ====================================================================
"""

from __future__ import annotations

import json
import os
import struct
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.encryption.keyring import KEYRING
from freqtrade_mem0.encryption.sealed import SealedError, SealedWriter, reading
from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.insight.shrinkage import Key
from freqtrade_mem0.recall.index.columns import TradeColumns
from freqtrade_mem0.recall.index.state import PAGE_ROWS
from freqtrade_mem0.recall.index.sums import Plain

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.encryption.sealed import Readable
    from freqtrade_mem0.recall import Recall
    from freqtrade_mem0.recall.index.state import RecallState

VERSION = 4

_MAGIC = b"M0RECALL"
_LEAD = struct.Struct("<8sIQ")
_CHECKSUM_BYTES = 32


class SnapshotError(Mem0Error):
    """A snapshot can not be used. No action is needed: the journal is read instead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The checked content of a file.

    Parameters
    ----------
    about
        As given by the writer.
    columns
        Trades by time, then id.
    asked_ms
        Trades known before this moment are in the sums.
    groups
        Key, groups it is inside of, and sums, in the order of their numbers in `columns`.
    """

    about: Mapping[str, Any]
    columns: TradeColumns
    asked_ms: int
    groups: list[tuple[Key, tuple[Key, ...], Plain]]

    def restore(self, recall: Recall) -> None:
        """Load it into a recall of the same levels and half-life."""
        recall.restore(self.columns, self.asked_ms, self.groups)


def write(path: Path, about: Mapping[str, Any], state: RecallState) -> None:
    """Write a new file that only its owner can read; raise OSError if it exists or on failure."""
    rows = state.journal_rows()
    numbers = {key: number for number, (key, _, _) in enumerate(state.groups)}
    heading = {
        "about": about,
        "byte_order": sys.byteorder,
        "n_rows": len(rows),
        "asked_ms": state.asked_ms,
        "groups": [
            [*key, [numbers[other] for other in inside], *(f"{term:x}" for term in sums)]
            for (key, inside, _), sums in zip(state.groups, state.journal_sums(), strict=True)
        ],
    }
    text = json.dumps(heading).encode()
    checksum = blake2b(digest_size=_CHECKSUM_BYTES)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        data_key = KEYRING.data_key(path)
        sealed = None if data_key is None else SealedWriter(file, data_key)
        write = file.write if sealed is None else sealed.write

        def put(part: bytes) -> None:
            checksum.update(part)
            write(part)

        put(_LEAD.pack(_MAGIC, VERSION, len(text)))
        put(text)
        put(checksum.digest())
        for page in state.pages(rows):
            for column in page:
                put(column)
        write(checksum.digest())
        if sealed is not None:
            sealed.finish()


def read(path: Path, about: Mapping[str, Any], n_levels: int) -> Snapshot:
    """Read a file.

    Parameters
    ----------
    path
        Of the file.
    about
        Items that the writer's `about` must have.
    n_levels
        Number of levels of the recall.

    Raises
    ------
    SnapshotError
        It has another version or another `about`, or is damaged.
    OSError
        It can not be read.
    """
    try:
        with path.open("rb") as file:
            n_bytes = os.fstat(file.fileno()).st_size
            return _read(reading(file, path), n_bytes, about, n_levels)
    except SealedError as error:
        raise SnapshotError(str(error)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise SnapshotError(f"its heading is not one of ours ({error!r})") from error


def _read(file: Readable, n_bytes: int, about: Mapping[str, Any], n_levels: int) -> Snapshot:
    checksum = blake2b(digest_size=_CHECKSUM_BYTES)
    heading = _heading(file, checksum, n_bytes)
    written = heading["about"]
    for name, value in about.items():
        if written[name] != value:
            raise SnapshotError(f"its {name} is {written[name]!r}, not {value!r}")
    if heading["byte_order"] != sys.byteorder:
        raise SnapshotError(f"it was written on a {heading['byte_order']}-endian machine")
    columns = TradeColumns(n_levels)
    left = heading["n_rows"]
    while left > 0:
        n_rows = min(left, PAGE_ROWS)
        columns.extend(_take(file, checksum, n_rows * columns.row_bytes))
        left -= n_rows
    _check(file, checksum)
    if file.read(1):
        raise SnapshotError("it has more data than its heading says")
    return Snapshot(
        about=written,
        columns=columns,
        asked_ms=heading["asked_ms"],
        groups=_groups(heading["groups"]),
    )


def _heading(file: Readable, checksum: blake2b, most: int) -> dict[str, Any]:
    magic, version, n_bytes = _LEAD.unpack(_take(file, checksum, _LEAD.size))
    if magic != _MAGIC:
        raise SnapshotError("it is no snapshot of recall")
    if version != VERSION:
        raise SnapshotError(f"its format is {version}, this version reads {VERSION}")
    if n_bytes > most:
        raise SnapshotError("it is shorter than it says")
    text = _take(file, checksum, n_bytes)
    _check(file, checksum)
    heading: dict[str, Any] = json.loads(text)
    return heading


def _take(file: Readable, checksum: blake2b, n_bytes: int) -> bytes:
    part = file.read(n_bytes)
    if len(part) != n_bytes:
        raise SnapshotError("it ends too early")
    checksum.update(part)
    return part


def _check(file: Readable, checksum: blake2b) -> None:
    expected = checksum.digest()
    if _take(file, checksum, _CHECKSUM_BYTES) != expected:
        raise SnapshotError("its checksum does not fit")


def _groups(plain: list[list[Any]]) -> list[tuple[Key, tuple[Key, ...], Plain]]:
    keys: list[Key] = [(level, value) for level, value, *_ in plain]
    return [
        (
            key,
            tuple(keys[number] for number in inside),
            _plain(sums),
        )
        for key, (_, _, inside, *sums) in zip(keys, plain, strict=True)
    ]


def _plain(sums: list[str]) -> Plain:
    weight, weighted, squares, won, squared, cubed = (int(each, 16) for each in sums)
    return weight, weighted, squares, won, squared, cubed
