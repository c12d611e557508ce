"""Import files: read each, keep what the journal does not know, report the rest."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import JournalError, RecordError
from freqtrade_mem0.importers.files import ImportFileError, find_files, kind_of
from freqtrade_mem0.importers.keeper import Keeper, Standing, Tally
from freqtrade_mem0.importers.report import FileKind, FileReport, ImportReport, Skipped
from freqtrade_mem0.importers.results import read_results
from freqtrade_mem0.importers.to_records import (
    backtest_record,
    origin_of,
    trade_ids,
    trade_records,
    with_risk_events,
)
from freqtrade_mem0.records.base import Mode

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from freqtrade_mem0.importers.results import Result
    from freqtrade_mem0.memory_folder import MemoryFolder

    Progress = Callable[[int, int, Path], None]
    """Told before each file: how many are done, how many there are, and which one is next."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportOptions:
    """How files are taken.

    Parameters
    ----------
    strategy
        Only runs and trades of this strategy; None for all. Trades of a database that name none
        count as this one's.
    mode
        Of the trades in databases: dry-run or live. None to take it from file and orders.
    bot_id
        The bot whose databases are imported: run id of their trades.
    as_prior
        Promote every imported backtest to a prior of its strategy.
    recorded
        Runs, as `(strategy, run id)`, that this very process recorded to their end. Where their
        trades are those of the file, what the file says of each is not read again.
    """

    strategy: str | None = None
    mode: Mode | None = None
    bot_id: str = "freqtrade"
    as_prior: bool = False
    recorded: Collection[tuple[str, str]] = ()


def import_files(
    store: MemoryFolder,
    paths: Iterable[Path],
    options: ImportOptions | None = None,
    progress: Progress | None = None,
) -> ImportReport:
    """Import files and folders into a memory. Doing it again adds nothing.

    Parameters
    ----------
    store
        The memory. Delivery to Mem0 is left to the caller.
    paths
        Files, and folders to search.
    options
        How they are taken.
    progress
        Told before each file.

    Raises
    ------
    JournalError
        The journal can not be used. What was imported until then stays.
    """
    files = find_files(paths, without=store.folder)
    importer = Importer(store, options or ImportOptions())
    reports = []
    for done, path in enumerate(files):
        if progress is not None:
            progress(done, len(files), path)
        reports.append(importer.take(path))
    return ImportReport(files=tuple(reports))


class Importer:
    """Takes one file after another into a memory.

    Parameters
    ----------
    store
        The memory.
    options
        How files are taken.
    """

    def __init__(self, store: MemoryFolder, options: ImportOptions) -> None:
        self._store = store
        self._keeper = Keeper(store)
        self._options = options
        self._now = datetime.now(UTC)

    def take(self, path: Path) -> FileReport:
        """Import one file; what is wrong with it stands in the report.

        Raises
        ------
        JournalError
            The journal can not be used.
        """
        kind = FileKind.UNKNOWN
        tally = Tally()
        try:
            kind = kind_of(path)
            if kind is FileKind.BACKTEST:
                self._take_backtests(path, tally)
            elif kind is FileKind.HYPEROPT:
                self._take_epochs(path, tally)
            elif kind is FileKind.DATABASE:
                self._take_database(path, tally)
            else:
                why = "is no file of Freqtrade's that can be imported (or it is encrypted)"
                tally.skipped.append(Skipped(what="the file", why=why))
        except JournalError:
            raise
        except (ImportFileError, RecordError) as error:
            tally.skipped.append(Skipped(what="the file", why=str(error)))
        except Exception as error:  # noqa: BLE001 - one strange file must not stop the others
            why = f"has a form that is not known: {type(error).__name__}: {error}"
            tally.skipped.append(Skipped(what="the file", why=why))
        return tally.report(path, kind)

    def _take_result(self, result: Result, provenance: str, tally: Tally) -> None:
        """Import the backtest of one strategy; the whole comes last, when its trades are there."""
        user_id = self._store.settings.user_id
        try:
            whole = backtest_record(result, user_id, self._now)
        except RecordError as error:
            tally.skipped.append(Skipped(what=result.strategy, why=f"{error}."))
            return
        if len(result.trades) < whole.n_trades:
            missing = f"{result.strategy}: {whole.n_trades - len(result.trades)} trades"
            tally.skipped.append(Skipped(what=missing, why="they are not in the file"))
        standing = self._keeper.standing(whole, result.ran_at)
        if standing is Standing.OTHER:
            why = (
                "another result of this run is remembered, and this one is not known to be later; "
                "the candles must have changed in between"
            )
            tally.skipped.append(Skipped(what=result.strategy, why=why))
            return
        if standing is Standing.SAME and self._is_recorded(result):
            self._keeper.keep([whole], tally)
            return
        trades, skipped = trade_records(result, user_id, self._now)
        tally.skipped += skipped
        records = [*with_risk_events(trades), whole]
        self._keeper.keep(records, tally, corrects=standing is Standing.LATER)
        if not skipped:
            self._keeper.retract_others(whole.origin, {trade.id for trade in trades}, self._now)
        if self._options.as_prior:
            self._promote(result, provenance, tally)

    def _is_recorded(self, result: Result) -> bool:
        """Tell whether a run's trades are remembered as they were captured, all and no others."""
        if (result.strategy, result.run_id) not in self._options.recorded:
            return False
        user_id = self._store.settings.user_id
        ids = trade_ids(result, user_id)
        return ids is not None and self._keeper.has_exactly(origin_of(result, user_id), ids)

    def _take_backtests(self, path: Path, tally: Tally) -> None:
        results = read_results(path)
        for result in self._chosen(results, tally):
            self._take_result(result, path.name, tally)

    def _chosen(self, results: Sequence[Result], tally: Tally) -> Iterable[Result]:
        for result in results:
            if self._is_wanted(result.strategy):
                yield result
            else:
                tally.skipped.append(Skipped(what=result.strategy, why="another strategy"))

    def _take_epochs(self, path: Path, tally: Tally) -> None:
        # These two are read by a command alone; the end of every backtest loads this module.
        from freqtrade_mem0.importers.hyperopt import read_epochs

        epochs = read_epochs(path, self._store.settings.user_id, self._now)
        wanted = [record for record in epochs.records if self._is_wanted(record.origin.strategy)]
        tally.skipped += epochs.skipped
        _note_others(len(epochs.records) - len(wanted), "epochs", tally)
        self._keeper.keep(wanted, tally)
        if self._options.as_prior:
            tally.notes.append("epochs have no trades here: they can be no prior")

    def _take_database(self, path: Path, tally: Tally) -> None:
        from freqtrade_mem0.importers.database import read_database

        found = read_database(
            path,
            user_id=self._store.settings.user_id,
            bot_id=self._options.bot_id,
            strategy=self._options.strategy,
            mode=self._options.mode,
            recorded_at=self._now,
        )
        wanted = [trade for trade in found.trades if self._is_wanted(trade.origin.strategy)]
        tally.notes.append(found.note)
        tally.skipped += found.skipped
        _note_others(len(found.trades) - len(wanted), "trades", tally)
        # Risk events need all trades in their order, whatever is wanted of them.
        self._keeper.keep(
            [
                record
                for record in with_risk_events(found.trades)
                if self._is_wanted(record.origin.strategy)
            ],
            tally,
        )
        if self._options.as_prior:
            tally.notes.append("bots read their own trades anyway: no prior is made of them")

    def _is_wanted(self, strategy: str) -> bool:
        return self._options.strategy in (None, strategy)

    def _promote(self, result: Result, provenance: str, tally: Tally) -> None:
        from freqtrade_mem0.recall.priors import promote

        user_id = self._store.settings.user_id
        try:
            promote(
                self._store.journal,
                user_id=user_id,
                source=origin_of(result, user_id),
                strategy=result.strategy,
                provenance=provenance,
                now=self._now,
            )
        except RecordError as error:
            tally.skipped.append(Skipped(what=f"prior of {result.strategy}", why=str(error)))
        else:
            tally.n_priors += 1


def _note_others(count: int, what: str, tally: Tally) -> None:
    if count:
        tally.skipped.append(Skipped(what=f"{count} {what}", why="of other strategies"))
