"""A backup is one zip file, which any tool can open: the manifest first, then the SQLite files.

The last 64 bytes are the SHA-256 of all bytes before them, so that every change, cut or addition is
noticed before anything in the file is used. To zip they are the end of the archive's comment.
"""

from __future__ import annotations

import hashlib
import os
import zlib
from typing import TYPE_CHECKING, BinaryIO
from zipfile import ZIP_DEFLATED, BadZipFile, ZipFile, ZipInfo

from freqtrade_mem0.archive.manifest import PackedFile, from_json, to_json
from freqtrade_mem0.encryption import envelope as envelopes
from freqtrade_mem0.encryption.keyring import KEYRING
from freqtrade_mem0.encryption.sealed import is_sealed, sealed_for, unseal
from freqtrade_mem0.errors import ArchiveError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from freqtrade_mem0.archive.manifest import Manifest

    Progress = Callable[[int], None]
    """Is told how many more bytes are done."""

MANIFEST = "freqtrade-mem0-backup.json"

JOURNAL, STORE, HISTORY = NAMES = ("journal.sqlite", "memories.sqlite", "history.db")
"""The files of a memory that a backup has, in the order in which they are copied."""

ENVELOPE = envelopes.FILE_NAME
"""The file beside them in the backup of an encrypted memory, which then is encrypted, too."""

_COMMENT = b"backup of freqtrade_mem0, sha256 "
_DIGITS = 64
_CHUNK = 1 << 20
_FAST = 1
_MOST_OF_MANIFEST = 1 << 20


def hash_of(path: Path) -> PackedFile:
    """Return size and hash of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return PackedFile(bytes=file.tell(), sha256=digest.hexdigest())


def pack(target: Path, manifest: Manifest, files: Mapping[str, Path], progress: Progress) -> None:
    """Write a new backup, for its owner alone, and wait until the disk has it."""
    descriptor = os.open(target, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w+b") as file:
        with ZipFile(file, "w", ZIP_DEFLATED, compresslevel=_FAST) as archive:
            archive.comment = _COMMENT + b"0" * _DIGITS
            text = to_json(manifest)
            if ENVELOPE in files:
                text = sealed_for(files[ENVELOPE], text)
            archive.writestr(_entry(MANIFEST), text, ZIP_DEFLATED)
            for name, path in files.items():
                with path.open("rb") as source, archive.open(_entry(name), "w") as packed:
                    while chunk := source.read(_CHUNK):
                        packed.write(chunk)
                        progress(len(chunk))
        digest = _digest_before_the_end(file)
        file.seek(-_DIGITS, os.SEEK_END)
        file.write(digest)
        file.flush()
        os.fsync(descriptor)


def open_backup(path: Path) -> tuple[Manifest, Callable[[str, Path, Progress], None]]:
    """Check a backup's bytes; return its manifest, and a function that unpacks one of its files.

    The function takes the file's name, a path where no file is yet, and the progress.

    Raises
    ------
    ArchiveError
        The file is no backup, is damaged, cut off, or of a newer version.
    """
    try:
        with path.open("rb") as file:
            _refuse_changed(file, path)
            with ZipFile(file) as archive:
                manifest = from_json(_manifest_in(archive, path), path.name)
                _refuse_other_files(archive, manifest, path)
    except OSError as error:
        raise ArchiveError(f"{path} can not be read: {error.strerror or error}.") from error
    except (BadZipFile, KeyError, zlib.error, EOFError, NotImplementedError, ValueError) as error:
        raise _damaged(path, str(error)) from error
    return manifest, lambda name, target, progress: _unpack(path, manifest, name, target, progress)


def is_encrypted(path: Path) -> bool:
    """Return whether a file is the backup of an encrypted memory; raise `OSError`."""
    try:
        with ZipFile(path) as archive:
            return ENVELOPE in archive.namelist()
    except (BadZipFile, ValueError):
        return False


def is_backup(head: bytes) -> bool:
    """Return whether a file begins as a backup does; the rest may be missing."""
    return head.startswith(b"PK\x03\x04") and head[30:].startswith(MANIFEST.encode())


def _manifest_in(archive: ZipFile, path: Path) -> bytes:
    with archive.open(MANIFEST) as entry:
        text = entry.read(_MOST_OF_MANIFEST)
    if not is_sealed(text):
        return text
    with archive.open(ENVELOPE) as entry:
        envelope = envelopes.from_json(entry.read(_MOST_OF_MANIFEST), f"{ENVELOPE} in {path}")
    return unseal(text, KEYRING.open(envelope, path))


def _unpack(path: Path, manifest: Manifest, name: str, target: Path, progress: Progress) -> None:
    """Write one file of a backup, for its owner alone; raise `ArchiveError` where it is damaged."""
    expected = manifest.files[name]
    digest, left = hashlib.sha256(), expected.bytes
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file, ZipFile(path) as archive:
            with archive.open(name) as packed:
                # Never more than the manifest says: a small file can hold endless zeros.
                while chunk := packed.read(min(_CHUNK, left + 1)):
                    left -= len(chunk)
                    if left < 0:
                        break
                    digest.update(chunk)
                    file.write(chunk)
                    progress(len(chunk))
            file.flush()
            os.fsync(descriptor)
    except (BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise _damaged(path, str(error)) from error
    if left or digest.hexdigest() != expected.sha256:
        raise _damaged(path, f"{name} is not what the manifest says")


def _entry(name: str) -> ZipInfo:
    entry = ZipInfo(name)
    entry.compress_type = ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


def _refuse_changed(file: BinaryIO, path: Path) -> None:
    if not is_backup(file.read(128)):
        raise ArchiveError(f"{path} is no backup that 'freqtrade-mem0 backup' made.")
    size = file.seek(0, os.SEEK_END)
    file.seek(max(size - _DIGITS - len(_COMMENT), 0))
    end = file.read()
    if not end.startswith(_COMMENT):
        raise _damaged(path, "its end is missing, or something was added")
    if end[-_DIGITS:] != _digest_before_the_end(file):
        raise _damaged(path, "its bytes are not those that were written")
    file.seek(0)


def _digest_before_the_end(file: BinaryIO) -> bytes:
    left = file.seek(0, os.SEEK_END) - _DIGITS
    file.seek(0)
    digest = hashlib.sha256()
    while left > 0 and (chunk := file.read(min(_CHUNK, left))):
        digest.update(chunk)
        left -= len(chunk)
    return digest.hexdigest().encode()


def _refuse_other_files(archive: ZipFile, manifest: Manifest, path: Path) -> None:
    """Refuse names with a path in them, links, and files that no memory has."""
    found = archive.namelist()
    if JOURNAL not in manifest.files or not set(manifest.files) <= {*NAMES, ENVELOPE}:
        raise ArchiveError(
            f"{path} is no backup that 'freqtrade-mem0 backup' made: its manifest names "
            f"{sorted(manifest.files)}, and a memory has {', '.join(NAMES)}."
        )
    if sorted(found) != sorted([MANIFEST, *manifest.files]):
        raise ArchiveError(
            f"{path} is no backup that 'freqtrade-mem0 backup' made: it holds files that its "
            "manifest does not name, or lacks one."
        )


def _damaged(path: Path, why: str) -> ArchiveError:
    return ArchiveError(f"{path} is damaged and is not used: {why}.")
