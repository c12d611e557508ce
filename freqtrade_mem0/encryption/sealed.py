"""Files of an encrypted memory that are no SQLite files, written once and read from the start.

========== ================== ======================================================================
bytes      what               as
========== ================== ======================================================================
8          `M0SEALED`
32         random             from which, with the data key, the key of this file is made
n + 16     parts of 1 MiB     each encrypted by AES-256-GCM; its nonce is its number and whether it
                              is the last one, so that none can be lost, added or moved
========== ================== ======================================================================
"""

from __future__ import annotations

import os
from base64 import b64decode, b64encode
from hashlib import blake2b
from io import BytesIO
from typing import IO, TYPE_CHECKING, Protocol

from freqtrade_mem0.encryption.keyring import KEYRING

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_MAGIC = b"M0SEALED"
_RANDOM_BYTES = 32
_PART = 1 << 20
_TAG = 16


class SealedError(ValueError):
    """A file is not sealed by the key of its folder, or was changed, or is cut off."""


class Readable(Protocol):
    """What is read from its start to its end."""

    def read(self, n: int = -1, /) -> bytes:
        """Return the next bytes, at most `n`."""


class Writable(Protocol):
    """What is written from its start to its end."""

    def write(self, data: bytes, /) -> object:
        """Write bytes."""


class SealedWriter:
    """Encrypts what is written to it; `finish` writes the last part."""

    def __init__(self, file: Writable, data_key: bytes) -> None:
        self._file = file
        self._left = bytearray()
        self._number = 0
        random = os.urandom(_RANDOM_BYTES)
        self._aes = _aes(data_key, random)
        file.write(_MAGIC + random)

    def write(self, data: bytes) -> None:
        """Encrypt bytes."""
        self._left += data
        while len(self._left) > _PART:
            self._put(bytes(self._left[:_PART]), is_last=False)
            del self._left[:_PART]

    def finish(self) -> None:
        """Write what is left; nothing may be written afterwards."""
        self._put(bytes(self._left), is_last=True)

    def _put(self, part: bytes, *, is_last: bool) -> None:
        self._file.write(self._aes.encrypt(_nonce(self._number, is_last=is_last), part, None))
        self._number += 1


class SealedReader:
    """Decrypts a sealed file part by part.

    Raises
    ------
    SealedError
        Here or in `read`: the file is not what was written.
    """

    def __init__(self, file: Readable, data_key: bytes) -> None:
        head = file.read(len(_MAGIC) + _RANDOM_BYTES)
        if not head.startswith(_MAGIC):
            raise SealedError("it is not encrypted")
        self._file = file
        self._aes = _aes(data_key, head[len(_MAGIC) :])
        self._number = 0
        self._part, self._at = b"", 0
        self._next = file.read(_PART + _TAG)
        if not self._next:
            raise SealedError("it is cut off")

    def read(self, n: int = -1) -> bytes:
        """Return the next bytes, at most `n`."""
        parts, wanted = [], n
        while True:
            piece = self._part[self._at :] if n < 0 else self._part[self._at : self._at + wanted]
            parts.append(piece)
            self._at += len(piece)
            wanted -= len(piece)
            if wanted == 0 or not self._next:
                return b"".join(parts)
            self._part, self._at = self._decrypted(), 0

    def _decrypted(self) -> bytes:
        from cryptography.exceptions import InvalidTag

        this, self._next = self._next, self._file.read(_PART + _TAG)
        nonce = _nonce(self._number, is_last=not self._next)
        self._number += 1
        try:
            return self._aes.decrypt(nonce, this, None)
        except InvalidTag as error:
            raise SealedError("it was changed or cut off, or another key encrypted it") from error


def seal(data: bytes, data_key: bytes) -> bytes:
    """Return data as the content of a sealed file."""
    file = BytesIO()
    writer = SealedWriter(file, data_key)
    writer.write(data)
    writer.finish()
    return file.getvalue()


def unseal(content: bytes, data_key: bytes) -> bytes:
    """Return the data in a sealed file's content; raise `SealedError` where it is not whole."""
    return SealedReader(BytesIO(content), data_key).read()


def is_sealed(content: bytes) -> bool:
    """Return whether content begins as a sealed file does."""
    return content.startswith(_MAGIC)


def reading(file: IO[bytes], path: Path) -> Readable:
    """Return what reads a file of a memory's folder, which is sealed where the folder is."""
    data_key = KEYRING.data_key(path)
    return file if data_key is None else SealedReader(file, data_key)


def read_bytes(path: Path) -> bytes:
    """Return what a file of a memory's folder holds; raise `OSError` or `SealedError`."""
    with path.open("rb") as file:
        return reading(file, path).read()


def sealed_for(path: Path, data: bytes) -> bytes:
    """Return data as it is to be written to a file of a memory's folder."""
    data_key = KEYRING.data_key(path)
    return data if data_key is None else seal(data, data_key)


def to_line(path: Path, text: str) -> str:
    """Return a line to append to a file of a memory's folder; without a line's end."""
    return line_of(text, KEYRING.data_key(path))


def from_line(path: Path, line: str) -> str:
    """Return the text of a line that `to_line` made; raise `ValueError` where it is none."""
    return text_of(line, KEYRING.data_key(path))


def line_of(text: str, data_key: bytes | None) -> str:
    """Return a text as one line, encrypted where there is a key."""
    return text if data_key is None else b64encode(seal(text.encode(), data_key)).decode()


def text_of(line: str, data_key: bytes | None) -> str:
    """Return the text of a line that `line_of` made; raise `ValueError` where it is none."""
    return line if data_key is None else unseal(b64decode(line), data_key).decode()


def _nonce(number: int, *, is_last: bool) -> bytes:
    return number.to_bytes(11) + bytes([is_last])


def _aes(data_key: bytes, random: bytes) -> AESGCM:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    return AESGCM(blake2b(random, key=data_key, digest_size=32, person=b"m0 sealed file").digest())
