"""Encrypts the files of a memory's folder in place, and back.

Each SQLite file is copied and compared before anything is changed; other processes are kept out
meanwhile. Then the copies take the places of the files, one after the other. A kill at any instant
leaves each file whole, encrypted or plain, and the envelope with the key. The same command then
does the rest.
"""

from __future__ import annotations

import sqlite3
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.archive.workplace import sync_folder, workplace
from freqtrade_mem0.encryption import envelope as envelopes
from freqtrade_mem0.encryption.envelope import FILE_NAME, Secret
from freqtrade_mem0.encryption.keyring import KEYRING, data_files, is_filled
from freqtrade_mem0.encryption.sealed import is_sealed, line_of, text_of
from freqtrade_mem0.errors import ArchiveError
from freqtrade_mem0.journal.in_use import is_in_use
from freqtrade_mem0.sqlite_files.convert import export, opened
from freqtrade_mem0.sqlite_files.opening import give_to_owner, is_plain

if TYPE_CHECKING:
    from collections.abc import Callable

_LINES = "compare-trials.jsonl"
_ENDINGS = (".lock", "-shm", "-wal", "-journal")
_MEM0 = ("mem0",)
"""Folders of Mem0's own settings, without memories."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Converted:
    """What was done.

    Parameters
    ----------
    folder
        The memory's folder.
    files
        Names of files that were encrypted, or made plain.
    plain
        Files in the folder that are plain.
    """

    folder: Path
    files: tuple[str, ...]
    plain: tuple[str, ...]


def encrypt(
    folder: Path, secret: Secret, tell: Callable[[str], object] = lambda _: None
) -> Converted:
    """Encrypt a memory, or the rest of one.

    Parameters
    ----------
    folder
        The memory's folder. Nothing of this process may have a file in it open.
    secret
        The owner's key.
    tell
        Is told the name of each file that is copied.

    Raises
    ------
    ConfigError
        It is encrypted by another key.
    ArchiveError
        A process uses the memory, a copy is not the same, or the disk is full. The memory is as it
        was, or partly encrypted and whole.
    """
    envelope = envelopes.read(folder / FILE_NAME)
    if envelope is None:
        data_key = envelopes.new_data_key()
        envelope = envelopes.wrap(data_key, secret)
    else:
        KEYRING.unlock(folder, secret)
        data_key = KEYRING.open(envelope, folder)
    return _convert(
        folder, None, data_key, tell, before=lambda: envelopes.write(folder / FILE_NAME, envelope)
    )


def decrypt(folder: Path, tell: Callable[[str], object] = lambda _: None) -> Converted:
    """Make an encrypted memory plain, or the rest of one.

    The parameters and errors are those of `encrypt`; the folder must have been unlocked.
    """
    envelope = envelopes.read(folder / FILE_NAME)
    if envelope is None:
        return Converted(folder=folder, files=(), plain=plain_files(folder))
    return _convert(
        folder,
        KEYRING.open(envelope, folder),
        None,
        tell,
        after=partial(_put_key_away, folder),
    )


def _put_key_away(folder: Path) -> None:
    """Take the envelope away; what 'salvage' kept of a damaged file may still need it."""
    path = folder / FILE_NAME
    if any(is_filled(each) and not is_plain(each) for each in folder.glob("*.damaged-*")):
        path.replace(path.with_name(f"{FILE_NAME}.kept"))
    else:
        path.unlink()


def plain_files(folder: Path) -> tuple[str, ...]:
    """Return files in a memory's folder that hold text anybody can read."""
    found = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if not path.is_file() or name == FILE_NAME or name.endswith(_ENDINGS):
            continue
        if name.split("/")[0] in _MEM0 or not is_filled(path) or _is_encrypted(path, name):
            continue
        found.append(name)
    return tuple(found)


def _is_encrypted(path: Path, name: str) -> bool:
    with path.open("rb") as file:
        head = file.read(16)
    return (
        is_sealed(head)
        or name == _LINES
        or (name.endswith((".sqlite", ".db")) and not is_plain(path))
    )


def _convert(
    folder: Path,
    has: bytes | None,
    wanted: bytes | None,
    tell: Callable[[str], object],
    *,
    before: Callable[[], object] = lambda: None,
    after: Callable[[], object] = lambda: None,
) -> Converted:
    places = [folder, *sorted(folder.glob("before-restore-*"))]
    present = [path for place in places for path in data_files(place)]
    try:
        _refuse_in_use([path for path in present if is_in_use(path)])
        todo = [path for path in present if is_plain(path) == (has is None)]
        with workplace(folder, "encrypt") as work, ExitStack() as stack:
            fresh = {path: work / f"{number}.sqlite" for number, path in enumerate(todo)}
            for path in todo:
                tell(path.name)
                try:
                    sqlite = opened(path, has)
                except sqlite3.OperationalError as error:
                    if error.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                        raise
                    _refuse_in_use([path])
                    raise
                stack.callback(sqlite.close)
                export(sqlite, fresh[path], wanted)
            before()
            for path in todo:
                for ending in ("-wal", "-shm"):
                    path.with_name(path.name + ending).unlink(missing_ok=True)
                fresh[path].replace(path)
            for path in folder.glob("recall-*"):  # the next bot makes it anew
                path.unlink(missing_ok=True)
            _convert_lines(folder / _LINES, has, wanted)
            sync_folder(folder)
            after()
        sync_folder(folder)
        give_to_owner(folder)
    except (OSError, sqlite3.Error) as error:
        raise ArchiveError(
            f"The memory in {folder} was not converted as a whole: "
            f"{getattr(error, 'strerror', None) or error}. No memory was lost; mend what the "
            "message names and run the command again."
        ) from error
    return Converted(
        folder=folder,
        files=tuple(path.relative_to(folder).as_posix() for path in todo),
        plain=plain_files(folder),
    )


def _convert_lines(path: Path, has: bytes | None, wanted: bytes | None) -> None:
    """Convert the lines of a file; those that can not be read are left out, as its readers do."""
    if not path.exists():
        return
    lines = []
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        key = None if line.startswith("{") else has or wanted  # a killed command may have done it
        with suppress(ValueError):
            lines.append(line_of(text_of(line, key), wanted))
    fresh = path.with_name(f"{path.name}.tmp")
    fresh.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    fresh.replace(path)


def _refuse_in_use(paths: list[Path]) -> None:
    if paths:
        raise ArchiveError(
            f"{paths[0]} is in use. Stop the bots, the service and the commands that use this "
            "memory, and try again."
        )
