"""Find the files to import, and recognise what each of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.importers.export_format import is_export
from freqtrade_mem0.importers.report import FileKind, ImportFileError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_SQLITE_MAGIC = b"SQLite format 3\x00"
_ZIP_MAGIC = b"PK\x03\x04"
_BACKUP = b"freqtrade-mem0-backup.json"
"""The name of the first file in a backup."""

_EXPORTS = (b'{"freqtrade_mem0_export"', b"PAR1", b"\x1f\x8b", b"\x28\xb5\x2f\xfd")
"""How exports begin: JSON lines, Parquet, and what may be packed JSON lines."""

_SQLITE_SUFFIXES = (".sqlite", ".sqlite3", ".db")


def find_files(paths: Iterable[Path], *, without: Path) -> list[Path]:
    """Return the files that the paths name, and those of Freqtrade's in folders; each once.

    The newest come first (Freqtrade's file names end with the time of the run), because the last of
    several results of a run counts. A path that does not exist is returned, so that it is reported.
    `without` is a folder to leave out: that of the memory itself.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        for file in _inside(path, without.resolve()) if path.is_dir() else [path]:
            if not _is_companion(file):
                found.setdefault(file.resolve(), file)
    return sorted(found.values(), key=lambda file: (file.name, str(file)), reverse=True)


def kind_of(path: Path) -> FileKind:
    """Return what a file is, by its content: a name can be anything.

    Raises `ImportFileError` where it does not exist, can not be read, or is empty.
    """
    head = _head(path)
    if not head:
        raise ImportFileError("is empty")
    if head.startswith(_SQLITE_MAGIC):
        return FileKind.DATABASE
    if head.startswith(_ZIP_MAGIC):
        return FileKind.BACKUP if _BACKUP in head else FileKind.BACKTEST
    if any(map(head.lstrip().startswith, _EXPORTS)) and is_export(head, path):
        return FileKind.EXPORT
    if not head.lstrip().startswith((b"{", b"[")):
        return FileKind.UNKNOWN
    return FileKind.HYPEROPT if path.suffix == ".fthypt" else FileKind.BACKTEST


def is_archive(path: Path) -> bool:
    """Tell whether a file begins as a zip archive does; the rest may be missing."""
    return _head(path).startswith(_ZIP_MAGIC)


def metadata_file(path: Path) -> Path:
    """Return the path of a result file's metadata."""
    return path.with_name(f"{path.stem}.meta.json")


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(64)
    except OSError as error:
        raise ImportFileError(f"can not be read: {error.strerror or error}") from error


def _inside(folder: Path, without: Path) -> Iterator[Path]:
    for path in folder.rglob("*"):
        if path.name.startswith(".") or not path.is_file() or not _is_candidate(path):
            continue
        if not path.resolve().is_relative_to(without):
            yield path


def _is_candidate(path: Path) -> bool:
    if path.suffix == ".json":
        # User folders hold much other JSON: configs, candles, parameters of strategies.
        return path.name.startswith("backtest-result") or metadata_file(path).is_file()
    return path.suffix in (".zip", ".fthypt", *_SQLITE_SUFFIXES)


def _is_companion(path: Path) -> bool:
    """Tell whether a file is the metadata of a result that is there."""
    name = path.name.removesuffix(".meta.json")
    return name != path.name and any(
        path.with_name(name + suffix).is_file() for suffix in (".zip", ".json")
    )
