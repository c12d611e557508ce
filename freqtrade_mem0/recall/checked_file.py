"""Files of numbers beside the journal that make a start faster: a heading, bytes, checksums.

====== ======================== ====================================================================
bytes  what                     as
====== ======================== ====================================================================
8      `M0RECALL`
4      version                  unsigned, little-endian, like the length
8      length of the heading
n      heading                  JSON with `about` and `byte_order`
32     checksum                 BLAKE2b of everything before it
n      parts                    as the kind of file says
32     checksum                 BLAKE2b of everything before it
====== ======================== ====================================================================
"""

from __future__ import annotations

import json
import os
import secrets
import struct
import sys
from contextlib import contextmanager, suppress
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.encryption.keyring import KEYRING
from freqtrade_mem0.encryption.sealed import SealedError, SealedWriter, reading
from freqtrade_mem0.errors import Mem0Error

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from freqtrade_mem0.encryption.sealed import Readable

_MAGIC = b"M0RECALL"
_LEAD = struct.Struct("<8sIQ")
_CHECKSUM_BYTES = 32


class SnapshotError(Mem0Error):
    """A snapshot can not be used. No action is needed: the journal is read instead."""


def _write(path: Path, version: int, heading: Mapping[str, Any], parts: Iterable[bytes]) -> None:
    text = json.dumps({**heading, "byte_order": sys.byteorder}).encode()
    checksum = blake2b(digest_size=_CHECKSUM_BYTES)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        data_key = KEYRING.data_key(path)
        sealed = None if data_key is None else SealedWriter(file, data_key)
        write = file.write if sealed is None else sealed.write

        def put(part: bytes) -> None:
            checksum.update(part)
            write(part)

        put(_LEAD.pack(_MAGIC, version, len(text)))
        put(text)
        put(checksum.digest())
        for part in parts:
            put(part)
        write(checksum.digest())
        if sealed is not None:
            sealed.finish()


def replace(path: Path, version: int, heading: Mapping[str, Any], parts: Iterable[bytes]) -> None:
    """Put a file that only its owner can read in the place of an earlier one.

    It raises OSError where that fails, and leaves the earlier one. A kill leaves a `.tmp` file,
    which `snapshot` deletes later. There is no fsync: what a power cut leaves of the file fails its
    checksum.
    """
    unfinished = path.with_name(f"{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        _write(unfinished, version, heading, parts)
        unfinished.replace(path)
    except BaseException:
        with suppress(OSError):
            unfinished.unlink()
        raise


class CheckedFile:
    """A file that is open; `heading` is what its writer gave."""

    def __init__(
        self, file: Readable, n_bytes: int, version: int, about: Mapping[str, Any]
    ) -> None:
        self._file = file
        self._checksum = blake2b(digest_size=_CHECKSUM_BYTES)
        magic, written, length = _LEAD.unpack(self.take(_LEAD.size))
        if magic != _MAGIC:
            raise SnapshotError("it is no snapshot of recall")
        if written != version:
            raise SnapshotError(f"its format is {written}, this version reads {version}")
        if length > n_bytes:
            raise SnapshotError("it is shorter than it says")
        text = self.take(length)
        self._check()
        self.heading: dict[str, Any] = json.loads(text)
        for name, value in about.items():
            if self.heading["about"][name] != value:
                raise SnapshotError(f"its {name} is {self.heading['about'][name]!r}, not {value!r}")
        if self.heading["byte_order"] != sys.byteorder:
            raise SnapshotError(f"it was written on a {self.heading['byte_order']}-endian machine")

    def take(self, n_bytes: int) -> bytes:
        """Return the next bytes of the parts."""
        part = self._file.read(n_bytes)
        if len(part) != n_bytes:
            raise SnapshotError("it ends too early")
        self._checksum.update(part)
        return part

    def finish(self) -> None:
        """Compare the checksum, once all parts were taken."""
        self._check()
        if self._file.read(1):
            raise SnapshotError("it has more data than its heading says")

    def _check(self) -> None:
        expected = self._checksum.digest()
        if self.take(_CHECKSUM_BYTES) != expected:
            raise SnapshotError("its checksum does not fit")


@contextmanager
def opened(path: Path, version: int, about: Mapping[str, Any]) -> Iterator[CheckedFile]:
    """Open a file whose writer gave these items of `about`.

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
            yield CheckedFile(reading(file, path), n_bytes, version, about)
    except SealedError as error:
        raise SnapshotError(str(error)) from error
    except (KeyError, TypeError, ValueError) as error:
        raise SnapshotError(f"its heading is not one of ours ({error!r})") from error
