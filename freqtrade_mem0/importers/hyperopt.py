"""Read hyperopt results (`*.fthypt`): epochs that were the best so far become records."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.importers.report import ImportFileError, Skipped
from freqtrade_mem0.importers.to_records import record_of_statistics
from freqtrade_mem0.importers.values import is_number
from freqtrade_mem0.records.base import Mode, Origin

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime
    from pathlib import Path

    from freqtrade_mem0.records.kinds.backtest import BacktestRecord

_FILE_NAME = re.compile(r"^strategy_(?P<strategy>.+)_\d{4}-\d{2}-\d{2}_\d{2}-\d{2}-\d{2}$")


def read_epochs(
    path: Path, user_id: str, recorded_at: datetime
) -> tuple[list[BacktestRecord], list[Skipped]]:
    """Return the epochs that were the best so far, in order, and what was skipped.

    Their trades are not imported: they were fitted to the data they are measured on, so they say
    little about the strategy. The file's name, which ends with the time of the run, is part of the
    records' ids. The file may be very large and is read line by line.

    Raises `ImportFileError` where it can not be read, or is no hyperopt result.
    """
    records: list[BacktestRecord] = []
    skipped: list[Skipped] = []
    n_best = n_others = n_lines = 0
    for line_number, line in _lines(path):
        n_lines += 1
        epoch = _parsed(line)
        if epoch is None:
            why = "the line is no complete JSON (was hyperopt stopped while it wrote?)"
            skipped.append(Skipped(f"line {line_number}", why))
        elif "is_best" not in epoch:
            skipped.append(Skipped(f"line {line_number}", "it is no epoch of Freqtrade's"))
        elif not epoch["is_best"]:
            n_others += 1
        else:
            n_best += 1
            try:
                records.append(_record(epoch, line_number, path, user_id, recorded_at))
            except RecordError as error:
                what = f"epoch on line {line_number}"
                skipped.append(Skipped(what, f"{error}.", is_bad=True))
    if n_best + n_others == 0:
        raise ImportFileError("is no hyperopt result of Freqtrade's, or one from before 2021")
    if n_others:
        why = "not the best so far when they were tried"
        skipped.insert(0, Skipped(f"{n_others} of {n_lines} epochs", why))
    return records, skipped


def _record(
    epoch: Mapping[str, Any], line_number: int, path: Path, user_id: str, recorded_at: datetime
) -> BacktestRecord:
    metrics = epoch.get("results_metrics")
    if not isinstance(metrics, dict):
        raise RecordError("it has no metrics")
    named = _FILE_NAME.match(path.stem)
    strategy = metrics.get("strategy_name") or (named and named["strategy"])
    if not isinstance(strategy, str):
        raise RecordError("neither it nor the file's name tells the strategy")
    number = epoch.get("current_epoch", line_number)
    # Mem0 takes no blanks in ids.
    run_id = f"{'_'.join(path.stem.split())}:{number}"
    loss = {"loss": epoch["loss"]} if is_number(epoch.get("loss")) else {}
    parameters = epoch.get("params_details") or epoch.get("params_dict") or {}
    return record_of_statistics(
        {**metrics, **loss},
        Origin(user_id=user_id, strategy=strategy, mode=Mode.BACKTEST, run_id=run_id),
        recorded_at,
        parameters=json.dumps(parameters, sort_keys=True),
    )


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    try:
        with path.open("rb") as file:
            for line_number, line in enumerate(file, start=1):
                if line.strip():
                    yield line_number, line
    except OSError as error:
        raise ImportFileError(f"can not be read: {error.strerror or error}") from error


def _parsed(line: bytes) -> dict[str, Any] | None:
    try:
        epoch = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return epoch if isinstance(epoch, dict) else None
