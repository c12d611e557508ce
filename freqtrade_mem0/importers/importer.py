"""Import files: read each, keep what the journal does not know, report the rest."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import JournalError, RecordError
from freqtrade_mem0.importers.files import find_files, kind_of
from freqtrade_mem0.importers.keeper import Keeper, Standing
from freqtrade_mem0.importers.report import FileKind, FileReport, ImportFileError, ImportReport
from freqtrade_mem0.importers.results import read_results
from freqtrade_mem0.importers.to_records import (
    backtest_record,
    order_counts,
    origin_of,
    trade_ids,
    trade_records,
    with_risk_events,
)
from freqtrade_mem0.journal.runs import note_made
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.words.numbers import counted
from freqtrade_mem0.words.visible import brief

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freqtrade_mem0.importers.results import Result
    from freqtrade_mem0.memory_folder import MemoryFolder

    Progress = Callable[[int, int, Path], None]
    """Called before each file: how many are done, how many there are, which one is next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How files are imported.

    Parameters
    ----------
    strategy
        Only runs and trades of this strategy; None for all. It also names the strategy of trades
        in databases from before Freqtrade stored one.
    mode
        Mode of the trades in databases: dry-run or live. None derives it from file and orders.
    bot_id
        The bot whose databases are imported: run id of their trades.
    as_prior
        Promote every imported backtest to a prior of its strategy.
    prior_for
        The strategy that reads the priors instead, such as a copy with memory; "" for its own.
    recorded
        Runs, as `(strategy, run id)`, that this process recorded to their end. If the journal has
        exactly the trades of the file, they are not read again.
    has_memory
        Tells of a result file and a strategy in it whether to take its run.
    """

    strategy: str | None = None
    mode: Mode | None = None
    bot_id: str = "freqtrade"
    as_prior: bool = False
    prior_for: str = ""
    has_memory: Callable[[Path, str], bool] = lambda _path, _strategy: True
    recorded: Collection[tuple[str, str]] = ()


def import_files(
    store: MemoryFolder,
    paths: Iterable[Path],
    options: ImportOptions | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import files and folders into a memory. A second import of the same files adds nothing.

    Parameters
    ----------
    store
        The memory. Delivery to Mem0 is left to the caller.
    paths
        Files, and folders to search.
    options
        How they are imported.
    progress
        Called before each file.

    Raises
    ------
    JournalError
        The journal can not be used. What was imported before stays.
    """
    importer = Importer(store, options or ImportOptions())
    return importer.take_all(find_files(paths, without=store.folder), progress)


class Importer:
    """Imports one file after another into a memory."""

    def __init__(self, store: MemoryFolder, options: ImportOptions) -> None:
        self._store = store
        self._user_id = store.settings.user_id
        self._keeper = Keeper(store)
        self._options = options
        self._now = datetime.now(UTC)

    def take_all(self, paths: Sequence[Path], progress: Progress | None) -> ImportReport:
        """Import these files; a file that can not be imported does not stop the others."""
        reports = []
        for done, path in enumerate(paths):
            if progress is not None:
                progress(done, len(paths), path)
            reports.append(self._take(path))
        return ImportReport(tuple(reports))

    def _take(self, path: Path) -> FileReport:
        report = FileReport(path)
        with _guarded("the file", report):
            report.kind = kind_of(path)
            if report.kind is FileKind.BACKTEST:
                self._take_backtests(report)
            elif report.kind is FileKind.HYPEROPT:
                self._take_epochs(report)
            elif report.kind is FileKind.DATABASE:
                self._take_database(report)
            elif report.kind is FileKind.EXPORT:
                self._take_export(report)
            elif report.kind is FileKind.BACKUP:
                report.skip("the file", "is a backup: 'freqtrade-mem0 restore' brings it back")
            else:
                report.skip(
                    "the file",
                    "is no file of Freqtrade's that can be imported (or it is encrypted)",
                )
        bad = {f"{path.name}: {each.what}": each.why for each in report.skipped if each.is_bad}
        self._store.journal.put_aside("import", bad)
        return report

    def _take_backtests(self, report: FileReport) -> None:
        for result in read_results(report.path):
            if not self._is_wanted(result.strategy):
                report.skip(result.strategy, "another strategy")
            elif not self._options.has_memory(report.path, result.strategy):
                report.skip(result.strategy, "it ran without memory; 'import' takes it")
            else:
                with _guarded(result.strategy, report):
                    self._take_result(result, report)

    def _take_result(self, result: Result, report: FileReport) -> None:
        """Import the backtest of one strategy; its record comes after those of its trades."""
        try:
            whole = backtest_record(result, self._user_id, self._now)
        except RecordError as error:
            report.skip(result.strategy, f"{error}.", is_bad=True)
            return
        if result.ran_at is not None:
            note_made(self._store.journal, whole.origin, result.ran_at)
        if len(result.trades) < whole.n_trades:
            n_missing = whole.n_trades - len(result.trades)
            what = f"{result.strategy}: {counted(n_missing, 'trade')}"
            report.skip(what, "not in the file")
        standing = self._keeper.standing(whole, result.ran_at)
        if standing is Standing.OTHER:
            why = (
                "another result of this run is remembered, and this one is not known to be later; "
                "the candles must have changed in between"
            )
            report.skip(result.strategy, why)
            return
        if standing is Standing.SAME and self._is_recorded(result):
            self._keeper.keep([*order_counts(whole), whole], report)
            return
        trades, skipped = trade_records(result, self._user_id, self._now)
        report.skipped += skipped
        records = [*with_risk_events(trades), *order_counts(whole), whole]
        self._keeper.keep(records, report, corrects=standing is Standing.LATER)
        if not skipped:
            self._keeper.retract_others(whole.origin, {trade.id for trade in trades}, self._now)
        if self._options.as_prior:
            self._promote(result, report)

    def _is_recorded(self, result: Result) -> bool:
        """Tell whether this process recorded the run, and the journal has exactly its trades."""
        if (result.strategy, result.run_id) not in self._options.recorded:
            return False
        ids = trade_ids(result, self._user_id)
        return ids is not None and self._keeper.has_exactly(origin_of(result, self._user_id), ids)

    def _take_epochs(self, report: FileReport) -> None:
        # The end of every backtest loads this module, and never needs these two.
        from freqtrade_mem0.importers.hyperopt import read_epochs

        epochs, skipped = read_epochs(report.path, self._user_id, self._now)
        wanted = [record for record in epochs if self._is_wanted(record.origin.strategy)]
        report.skipped += skipped
        _skip_others(len(epochs) - len(wanted), "epoch", report)
        self._keeper.keep(wanted, report)
        if self._options.as_prior:
            report.notes.append("epochs have no trades here: they can be no prior")

    def _take_database(self, report: FileReport) -> None:
        from freqtrade_mem0.importers.database import read_database

        found = read_database(
            report.path,
            work_folder=self._store.folder,
            user_id=self._user_id,
            bot_id=self._options.bot_id,
            strategy=self._options.strategy,
            mode=self._options.mode,
            recorded_at=self._now,
        )
        n_wanted = sum(self._is_wanted(trade.origin.strategy) for trade in found.trades)
        report.notes.append(found.note)
        report.skipped += found.skipped
        _skip_others(len(found.trades) - n_wanted, "trade", report)
        # Risk events follow from all trades in their order, also those of other strategies.
        self._keeper.keep(
            [
                record
                for record in with_risk_events(found.trades)
                if self._is_wanted(record.origin.strategy)
            ],
            report,
        )
        if self._options.as_prior:
            report.notes.append("bots read their own trades anyway: no prior is made of them")

    def _take_export(self, report: FileReport) -> None:
        from freqtrade_mem0.importers.exported import ExportTaker

        ExportTaker(self._store, self._options.strategy, self._now, report).take()

    def _is_wanted(self, strategy: str) -> bool:
        return self._options.strategy in (None, strategy)

    def _promote(self, result: Result, report: FileReport) -> None:
        from freqtrade_mem0.recall.priors import promote

        try:
            promote(
                self._store.journal,
                user_id=self._user_id,
                source=origin_of(result, self._user_id),
                strategy=self._options.prior_for or result.strategy,
                provenance=report.path.name,
                now=self._now,
            )
        except RecordError as error:
            report.skip(f"prior of {result.strategy}", str(error))
        else:
            report.n_priors += 1


def _skip_others(count: int, what: str, report: FileReport) -> None:
    if count:
        report.skip(counted(count, what), "of other strategies")


@contextmanager
def _guarded(what: str, report: FileReport) -> Iterator[None]:
    """Note why a file, or the run of a strategy in it, can not be imported."""
    try:
        yield
    except JournalError:
        raise
    except (ImportFileError, RecordError) as error:
        report.skip(what, str(error))
    except Exception as error:  # noqa: BLE001 - one strange file must not stop the others
        why = f"has a form that is not known: {type(error).__name__}: {brief(str(error))}"
        report.skip(what, why)
