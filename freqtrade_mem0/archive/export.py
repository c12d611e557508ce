"""Writes records of the journal to a file that other tools read, and `import` takes back.

Records are read a page at a time, whatever form their bodies have in the journal, so memory is
bounded.
"""

from __future__ import annotations

import gzip
import json
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol, cast

from freqtrade_mem0 import __version__
from freqtrade_mem0.archive.whole_file import whole_file
from freqtrade_mem0.backends.filters import matches, parse_filters
from freqtrade_mem0.backends.payload import as_filterable
from freqtrade_mem0.errors import ArchiveError
from freqtrade_mem0.importers.export_format import DECISION, END, HEADER, PACKED, VERSION
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.query.compile import read_query
from freqtrade_mem0.records.codec import SCHEMA_VERSION, encode, hash_of
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.mapping import to_memory
from freqtrade_mem0.records.signing import SIGNATURE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime
    from pathlib import Path

    from freqtrade_mem0.backends.port import Filters
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record

_ROWS_OF_A_GROUP = 10_000

_OF_A_TRADE = (
    *("pair", "side", "enter_tag", "exit_reason", "open_date", "close_date", "open_rate"),
    *("close_rate", "stake_amount", "leverage", "profit_ratio", "profit_abs"),
)
"""Fields of trades that are columns of their own in Parquet."""

_TIMES = ("open_date", "close_date", "known_at", "recorded_at")
_NUMBERS = ("open_rate", "close_rate", "stake_amount", "leverage", "profit_ratio", "profit_abs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is exported.

    Parameters
    ----------
    scope
        Whose records, and of which strategy, mode, run and pair.
    kinds
        Kinds of record; empty for all.
    where
        A query without free words that records must pass; None for all.
    ledger
        Whether the decisions of the scope follow the records.
    """

    scope: Scope
    kinds: tuple[str, ...] = ()
    where: str | None = None
    ledger: bool = False


class _Writer(Protocol):
    def write(self, kind: str, body: str, record: Record | None, signature: str | None) -> None:
        """Write a record, or a line of the ledger."""

    def finish(self) -> None:
        """Write the end."""


def export(
    store: MemoryFolder,
    target: Path | None,
    wanted: Wanted,
    now: datetime,
    *,
    form: str = "jsonl",
    progress: Callable[[int], None] = lambda _: None,
) -> dict[str, int]:
    """Export records; return how many of each kind.

    Parameters
    ----------
    store
        The memory.
    target
        The file, which is replaced once the new one is whole; None for standard output. JSON lines
        are packed if its name ends in `.gz` or `.zst`.
    wanted
        What is exported.
    now
        Aware UTC wall time.
    form
        "jsonl" or "parquet".
    progress
        Is told how many more records were looked at.

    Raises
    ------
    ArchiveError
        The file can not be written, or "parquet" has no file.
    RecordError
        The query is wrong.
    """
    if form == "parquet" and target is None:
        raise ArchiveError("Parquet needs a file: name one with -o FILE.")
    filters = None if wanted.where is None else read_query(wanted.where, takes_words=False).filters
    counts: dict[str, int] = {}
    with _unfinished(target) as file, ExitStack() as stack:
        writer: _Writer
        if form == "parquet":
            writer = _Parquet(file)
        else:
            packed = stack.enter_context(_packed(file, "" if target is None else target.suffix))
            writer = _JsonLines(packed, now)
        for record, signature in _records(store, wanted, filters, progress):
            writer.write(record.kind, encode(record), record, signature)
            counts[record.kind] = counts.get(record.kind, 0) + 1
        for decision in store.journal.decisions(wanted.scope) if wanted.ledger else ():
            writer.write(DECISION, encode(decision), None, None)
            counts[DECISION] = counts.get(DECISION, 0) + 1
        writer.finish()
    return counts


def _records(
    store: MemoryFolder,
    wanted: Wanted,
    filters: Filters | None,
    progress: Callable[[int], None],
) -> Iterator[tuple[Record, str | None]]:
    """Yield records with their signatures: those of this machine, if the owner has a key."""
    node = None if filters is None else parse_filters(filters)
    is_signing = store.settings.trust.key is not None
    adopted = store.journal.adopted(wanted.scope) if is_signing else set()
    for seq, record in store.journal.records(wanted.scope):
        progress(1)
        if wanted.kinds and record.kind not in wanted.kinds:
            continue
        if node is not None and not matches(
            node, as_filterable(to_memory(record, with_json=False))
        ):
            continue
        signature = None
        if is_signing and seq not in adopted:
            signature = str(store.memory_of(record).metadata[SIGNATURE])
        yield record, signature


class _JsonLines:
    """JSON lines: a header, a line for each item, and a line that counts them."""

    def __init__(self, file: IO[bytes], now: datetime) -> None:
        self._file = file
        self._n = 0
        about = {"schema_version": SCHEMA_VERSION, "made_by": __version__}
        self._line({HEADER: VERSION, **about, "exported_at": now.isoformat()})

    def write(self, kind: str, body: str, record: Record | None, signature: str | None) -> None:
        """Write a line."""
        self._n += 1
        rest = {} if record is None else {"hash": hash_of(body, record.added_later)}
        if signature is not None:
            rest["signature"] = signature
        more = f",{json.dumps(rest)[1:-1]}" if rest else ""
        # The body as it is: that is what hash and signature are about.
        self._file.write(f'{{"kind":{json.dumps(kind)},"record":{body}{more}}}\n'.encode())

    def finish(self) -> None:
        """Write the last line."""
        self._line({END: self._n})

    def _line(self, content: dict[str, Any]) -> None:
        self._file.write(f"{json.dumps(content)}\n".encode())


class _Parquet:
    """A table: what every record has, the usual fields of trades, and the whole record as JSON."""

    def __init__(self, file: IO[bytes]) -> None:
        import pyarrow as pa
        from pyarrow.parquet import ParquetWriter

        texts = ("kind", "id", "user_id", "strategy", "mode", "run_id", "category", "text")
        names = (*texts, "known_at", "recorded_at", *_OF_A_TRADE, "record", "hash", "signature")
        types = dict.fromkeys(names, pa.string())
        types |= dict.fromkeys(_TIMES, pa.timestamp("us", tz="UTC"))
        types |= dict.fromkeys(_NUMBERS, pa.float64())
        self._schema = pa.schema(types.items(), metadata={HEADER: str(VERSION)})
        self._to_batch = pa.RecordBatch.from_pylist
        self._writer = ParquetWriter(file, self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []

    def write(self, kind: str, body: str, record: Record | None, signature: str | None) -> None:
        """Write a row."""
        row: dict[str, Any] = {"kind": kind, "record": body, "signature": signature}
        if record is not None:
            origin = record.origin
            row |= {
                "id": record.id,
                "user_id": origin.user_id,
                "strategy": origin.strategy,
                "mode": str(origin.mode),
                "run_id": origin.run_id,
                "category": str(record.category),
                "text": record.sentence(),
                "known_at": record.known_at,
                "recorded_at": record.recorded_at,
                "hash": hash_of(body, record.added_later),
            }
        if isinstance(record, TradeRecord):
            row |= {name: getattr(record, name) for name in _OF_A_TRADE}
        self._rows.append(row)
        if len(self._rows) == _ROWS_OF_A_GROUP:
            self._write_group()

    def finish(self) -> None:
        """Write the rows that are left, and the end."""
        self._write_group()
        self._writer.close()

    def _write_group(self) -> None:
        self._writer.write_batch(self._to_batch(self._rows, schema=self._schema))
        self._rows.clear()


@contextmanager
def _unfinished(target: Path | None) -> Iterator[IO[bytes]]:
    """Give a file that gets its name once it is whole, or standard output."""
    if target is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    try:
        with whole_file(target, mode=0o600) as file:
            yield file
    except OSError as error:
        raise ArchiveError(
            f"{target} can not be written: {error.strerror or error}. Nothing was left behind."
        ) from error


@contextmanager
def _packed(file: IO[bytes], suffix: str) -> Iterator[IO[bytes]]:
    if suffix not in PACKED:
        yield file
    elif suffix == ".gz":
        with gzip.GzipFile(fileobj=file, mode="wb", mtime=0, filename="") as packed:
            yield cast("IO[bytes]", packed)
    else:
        import zstandard

        with zstandard.ZstdCompressor().stream_writer(file, closefd=False) as packing:
            yield cast("IO[bytes]", packing)
