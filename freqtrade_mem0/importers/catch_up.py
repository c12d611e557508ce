"""Import backtests that ended unseen: in the webserver, or in a process that was killed.

It also finds results that Freqtrade serves from its own cache after the memory was deleted.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.importers.importer import Importer, ImportOptions
from freqtrade_mem0.importers.report import ImportReport
from freqtrade_mem0.importers.results import read_config, read_metadata, read_strategy
from freqtrade_mem0.importers.values import is_number
from freqtrade_mem0.journal.forgotten import forgotten_until
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import Mode, Origin, record_id, to_ms
from freqtrade_mem0.records.kinds.backtest import BacktestRecord

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from freqtrade_mem0.importers.importer import Progress
    from freqtrade_mem0.memory_folder import MemoryFolder

_META = ".meta.json"
_DEFAULT_FOLDER = "mem0"
_PACKAGE = "freqtrade_mem0"


def catch_up(
    store: MemoryFolder,
    results_folder: Path,
    *,
    fresh_since: datetime | None = None,
    recorded: Collection[tuple[str, str]] = (),
    progress: Progress | None = None,
) -> ImportReport:
    """Import the results that belong to this memory and are not in it; quick if there are none.

    A result belongs to this memory if the config stored in it has memory switched on, with the same
    owner and the same folder, and if the strategy has memory: its file in the archive names this
    package, or the ledger knows the strategy. Of several results of a run the last one counts. A
    file that is being written is left for the next time.

    Parameters
    ----------
    store
        The memory. Delivery to Mem0 is left to the caller.
    results_folder
        Freqtrade's `backtest_results`.
    fresh_since
        Aware UTC wall time. Results of runs that began then or later are always opened: the same
        run on the same days can end differently on candles that were downloaded again, or with
        another Freqtrade.
    recorded
        Runs that this process recorded to their end; see `ImportOptions`.
    progress
        Called before each file that is opened.

    Raises
    ------
    Mem0Error
        The journal can not be used. Nothing else is raised.
    """
    if not store.settings.categories.strategy_performance:
        return ImportReport()
    wanted = [
        path
        for path in _unknown_results(store, results_folder, fresh_since)
        if _belongs_to(store, path, results_folder)
    ]
    options = ImportOptions(recorded=recorded, has_memory=partial(_has_memory, store))
    return Importer(store, options).take_all(wanted, progress)


def _unknown_results(store: MemoryFolder, folder: Path, fresh_since: datetime | None) -> list[Path]:
    """Return the archives that hold the last result of an unknown run, newest first."""
    fresh_s = None if fresh_since is None else int(fresh_since.timestamp())
    seen: set[tuple[str, str]] = set()
    unknown = []
    for about in _metadata_files(folder):
        archive = about.with_name(f"{about.name.removesuffix(_META)}.zip")
        for strategy, metadata in read_metadata(about).items():
            run_id = metadata.get("run_id") if isinstance(metadata, dict) else None
            if not isinstance(run_id, str) or (strategy, run_id) in seen:
                continue
            seen.add((strategy, run_id))
            began_s = metadata.get("backtest_start_time")
            is_fresh = fresh_s is not None and is_number(began_s) and began_s >= fresh_s
            if archive in unknown:
                continue
            if is_fresh or not _is_known(store, strategy, run_id, metadata):
                unknown.append(archive)
    return unknown


def _metadata_files(folder: Path) -> list[Path]:
    try:
        # Freqtrade's file names end with the time of the run.
        return sorted(folder.glob(f"*{_META}"), reverse=True)
    except OSError:
        return []


def _is_known(store: MemoryFolder, strategy: str, run_id: str, metadata: Mapping[str, Any]) -> bool:
    """Tell whether the journal has a run, on the same days as far as the metadata says."""
    user_id = store.settings.user_id
    origin = Origin(user_id=user_id, strategy=strategy, mode=Mode.BACKTEST, run_id=run_id)
    until, began_s = (
        forgotten_until(store.journal.connection, origin),
        metadata.get("backtest_start_time"),
    )
    if until is not None and is_number(began_s) and began_s <= until.timestamp():
        return True  # it was forgotten on purpose
    identity = record_id("backtest", user_id, strategy, run_id)
    record = store.journal.record_of(BacktestRecord, identity)
    if record is None:
        return False
    stored = {"backtest_start_ts": record.start_date, "backtest_end_ts": record.end_date}
    return all(
        metadata.get(name) in (None, to_ms(moment) // 1_000) for name, moment in stored.items()
    )


def _has_memory(store: MemoryFolder, archive: Path, strategy: str) -> bool:
    """Tell whether a strategy ran with memory, as far as its file and the ledger say.

    The config says nothing of it: it may be shared with strategies that never had the mixin.
    """
    source = read_strategy(archive, strategy)
    if source is None or _PACKAGE in source:
        return True
    scope = Scope(user_id=store.settings.user_id, strategy=strategy)
    return any(True for _ in store.journal.ledger(scope, only_opened=False, limit=1))


def _belongs_to(store: MemoryFolder, archive: Path, results_folder: Path) -> bool:
    try:
        config = read_config(archive)
        settings = None if config is None else load_settings(config)
    except Exception:  # noqa: BLE001 - half an archive or an old config can raise anything
        return False
    if config is None or settings is None or not settings.enabled:
        return False
    if settings.user_id != store.settings.user_id:
        return False
    if settings.path is None and store.settings.path is None and "user_data_dir" not in config:
        return True  # both in the user folder of the results
    user_data_dir = Path(str(config.get("user_data_dir") or results_folder.parent))
    folder = settings.path if settings.path is not None else user_data_dir / _DEFAULT_FOLDER
    return folder.resolve() == store.folder.resolve()
