"""The form of exports: JSON lines, plain or packed, and Parquet.

JSON lines begin with a header, `{"freqtrade_mem0_export": 1, ...}`, and end with a line that counts
the records, so that a cut is noticed. Each line between is a record: `kind`, `record` (its JSON),
`hash` (of what it says), and `signature` where the owner has a key. Parquet has these as columns.
"""

from __future__ import annotations

import gzip
import io
import json
import zlib
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any, NamedTuple, cast

from freqtrade_mem0.importers.report import ImportFileError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

VERSION = 1
HEADER = "freqtrade_mem0_export"
END = "n_items"
DECISION = "decision"
"""The kind of a line of the ledger."""

PACKED = {".gz": b"\x1f\x8b", ".zst": b"\x28\xb5\x2f\xfd"}
"""How packed files end, and begin."""

PARQUET = b"PAR1"

_LONGEST_LINE = 8_000_000
"""A record of ours has at most some million characters."""

_BATCH = 1_000


class Item(NamedTuple):
    """A record or decision as an export has it: any value may be wrong."""

    place: str
    kind: object
    body: str
    hash: object
    signature: object


def is_export(head: bytes, path: Path) -> bool:
    """Return whether a file, which begins with `head`, is an export."""
    if head.startswith(PARQUET):
        return _parquet_version(path) is not None
    if any(head.startswith(magic) for magic in PACKED.values()):
        try:
            with opened(path) as file:
                head = file.read(len(HEADER) + 8)
        except (ImportFileError, OSError, EOFError):
            return False
    return head.lstrip().startswith(f'{{"{HEADER}"'.encode())


def read_items(path: Path) -> Iterator[Item]:
    """Yield what an export holds, one after another, in bounded memory.

    Raises
    ------
    ImportFileError
        It can not be read, a newer version wrote it, or it was cut.
    """
    with path.open("rb") as file:
        is_parquet = file.read(4) == PARQUET
    yield from _parquet_items(path) if is_parquet else _json_items(path)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for reading, unpacked; turn its errors into `ImportFileError`."""
    import zstandard

    try:
        with path.open("rb") as raw:
            head = raw.peek(4)[:4]
            if head.startswith(PACKED[".gz"]):
                with gzip.open(raw) as unpacked:
                    yield cast("IO[bytes]", unpacked)
            elif head.startswith(PACKED[".zst"]):
                reader = zstandard.ZstdDecompressor().stream_reader(raw, read_across_frames=True)
                with io.BufferedReader(cast("Any", reader)) as buffered:
                    yield buffered
            else:
                yield raw
    except (gzip.BadGzipFile, zlib.error, zstandard.ZstdError, EOFError) as error:
        raise ImportFileError(f"is packed and damaged: {error}") from error
    except OSError as error:
        raise ImportFileError(f"can not be read: {error.strerror or error}") from error


def _json_items(path: Path) -> Iterator[Item]:
    n, end = 0, None
    with opened(path) as file:
        _check_version(_parsed(file.readline(_LONGEST_LINE)).get(HEADER))
        for number, line in enumerate(_lines(file), start=2):
            found = _parsed(line)
            if END in found:
                end = found[END]
                continue
            n += 1
            record = found.get("record")
            yield Item(
                f"line {number}",
                found.get("kind"),
                json.dumps(record) if isinstance(record, dict) else "",
                found.get("hash"),
                found.get("signature"),
            )
    if end != n:
        raise ImportFileError(
            f"is not whole: {n} lines with records were read, and its last line "
            f"{'is missing' if end is None else f'says {end}'}"
        )


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    """Yield lines; of one that is too long only the beginning, which is no JSON."""
    while line := file.readline(_LONGEST_LINE):
        yield line
        while not line.endswith(b"\n") and len(line) == _LONGEST_LINE:
            line = file.readline(_LONGEST_LINE)


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _parquet_version(path: Path) -> object:
    from pyarrow import ArrowException
    from pyarrow.parquet import read_metadata

    try:
        return (read_metadata(path).metadata or {}).get(HEADER.encode())
    except (ArrowException, OSError, ValueError):
        return None


def _parquet_items(path: Path) -> Iterator[Item]:
    from pyarrow import ArrowException
    from pyarrow.parquet import ParquetFile

    version = _parquet_version(path)
    _check_version(int(version) if isinstance(version, bytes) and version.isdigit() else None)
    columns = ["kind", "record", "hash", "signature"]
    n = 0
    try:
        with ParquetFile(path) as file:
            for batch in file.iter_batches(_BATCH, columns=columns):
                for row in batch.to_pylist():
                    n += 1
                    body = row.get("record")
                    yield Item(
                        f"row {n}",
                        row.get("kind"),
                        body if isinstance(body, str) else "",
                        row.get("hash"),
                        row.get("signature"),
                    )
    except (ArrowException, OSError, ValueError) as error:
        raise ImportFileError(f"is damaged after {n} rows: {error}") from error


def _check_version(version: object) -> None:
    if not isinstance(version, int) or version > VERSION:
        raise ImportFileError(
            f"is an export of format {version}; this version of freqtrade_mem0 reads up to "
            f"{VERSION}. Upgrade freqtrade_mem0"
        )
