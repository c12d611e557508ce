"""Read a bot's trade database. Freqtrade opens a copy, because it migrates what it opens.

Its connection to a database belongs to the whole process, so a child process reads the copy
(`database_reader.py`).
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.importers.report import ImportFileError, Skipped
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.codec import decode_as
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.sqlite_files.opening import make_folder

if TYPE_CHECKING:
    from datetime import datetime

_READER = "freqtrade_mem0.importers.database_reader"

TIMEOUT_S = 900.0
"""Longest that Freqtrade may take to migrate and read a database; 10,000s of trades take 60 s."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BotTrades:
    """The closed trades of a database, in the order in which they were closed."""

    trades: list[TradeRecord]
    skipped: list[Skipped]
    mode: Mode | None
    """None where it holds trades of both modes."""
    note: str
    """How the mode was found."""


def read_database(
    path: Path,
    *,
    work_folder: Path,
    user_id: str,
    bot_id: str,
    strategy: str | None,
    mode: Mode | None,
    recorded_at: datetime,
) -> BotTrades:
    """Return the closed trades of a bot, as the bot itself would have recorded them.

    The database is not changed, and its bot may be running; it is copied into a temporary folder in
    `work_folder`. `bot_id` becomes the run id of the
    records, `strategy` is that of trades that name none (databases of 2019), and a `mode` of None
    is derived from the file's name, or else of each trade from its orders: both modes can share a
    database.

    Raises `ImportFileError` where it is no trade database, is damaged, or is too old for Freqtrade.
    """
    with _temporary_folder(work_folder) as folder:
        copy = Path(folder) / "trades.sqlite"
        _copy(path, copy)
        mode, why = _mode(copy, path, mode)
        job = {
            "path": str(copy),
            "user_id": user_id,
            "bot_id": bot_id,
            "strategy": strategy,
            "mode": None if mode is None else str(mode),
            "recorded_at": recorded_at.isoformat(),
        }
        lines = _read_in_child(job)
    trades: list[TradeRecord] = []
    skipped: list[Skipped] = []
    for line in lines:
        if "skipped" in line:
            skipped.append(Skipped(line["skipped"], line["why"], line.get("is_bad", False)))
        else:
            trades.append(decode_as(TradeRecord, line["trade"]))
    kind = "dry_run and live" if mode is None else str(mode)
    note = f"taken as {kind} trades of bot {bot_id}: {why}"
    return BotTrades(trades=trades, skipped=skipped, mode=mode, note=note)


def _temporary_folder(work_folder: Path) -> TemporaryDirectory[str]:
    try:
        make_folder(work_folder)
        return TemporaryDirectory(dir=work_folder, prefix=".import-")
    except OSError as error:
        raise ImportFileError(f"can not be copied into {work_folder}: {error.strerror}") from error


def _copy(path: Path, target: Path) -> None:
    """Copy one state of a database without changing its files."""
    log, index = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    try:
        if log.exists() and not index.exists():
            # SQLite would create the index beside the user's file.
            shutil.copyfile(path, target)
            shutil.copyfile(log, target.with_name(target.name + "-wal"))
            return
        # Without a log no process has it open; `immutable` keeps SQLite from creating one.
        access = "mode=ro" if log.exists() else "immutable=1"
        with (
            closing(sqlite3.connect(f"{path.resolve().as_uri()}?{access}", uri=True)) as source,
            closing(sqlite3.connect(target)) as copy,
        ):
            source.backup(copy)
    except (OSError, sqlite3.Error) as error:
        raise ImportFileError(f"can not be copied: {error}") from error


def _mode(copy: Path, path: Path, chosen: Mode | None) -> tuple[Mode | None, str]:
    try:
        with closing(sqlite3.connect(copy)) as sqlite:
            tables = {
                name for (name,) in sqlite.execute("SELECT name FROM sqlite_master").fetchall()
            }
            if "trades" not in tables:
                raise ImportFileError("is an SQLite file, but no trade database of Freqtrade's")
            if "orders" not in tables:
                raise ImportFileError(
                    "is a trade database from before 2020, which this Freqtrade does not read; "
                    "Freqtrade 2022.3 can bring it up to date"
                )
            n_dry_run, n_orders = sqlite.execute(
                "SELECT coalesce(sum(order_id LIKE 'dry\\_run%' ESCAPE '\\'), 0), count(*)"
                " FROM orders"
            ).fetchone()
    except sqlite3.Error as error:
        raise ImportFileError(f"is a damaged database: {error}") from error
    if chosen is not None:
        return chosen, "as the option --mode says"
    if "dryrun" in path.name.lower().replace("-", "").replace("_", ""):
        return Mode.DRY_RUN, "the file's name says dryrun"
    if 0 < n_dry_run < n_orders:
        return None, "each as its orders say; --mode takes all as one"
    if n_dry_run:
        return Mode.DRY_RUN, "its orders are dry-run orders"
    return Mode.LIVE, "neither the file's name nor its orders say dry-run; --mode tells otherwise"


def _read_in_child(job: dict[str, Any]) -> list[dict[str, Any]]:
    try:
        done = subprocess.run(  # noqa: S603 - our own module, in the same interpreter
            [sys.executable, "-m", _READER],
            input=json.dumps(job).encode(),
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise ImportFileError(f"took Freqtrade more than {TIMEOUT_S:.0f} s to read") from None
    if done.returncode != 0:
        *_, last = done.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"]
        raise ImportFileError(f"can not be read by Freqtrade: {last}")
    try:
        lines: list[dict[str, Any]] = [json.loads(line) for line in done.stdout.splitlines()]
    except ValueError as error:
        raise RecordError(f"The reader of trade databases printed no JSON: {error}") from error
    return lines
