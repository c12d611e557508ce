"""Import old backtests, hyperopt results, trade databases and exports of memories.

Freqtrade stored the first three as backtest results (zip or JSON), hyperopt results (fthypt) and
trade databases (sqlite); 'export' wrote the last. The files are not changed. Importing again adds
nothing. Exit code 1 when nothing could be imported.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import read_config
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_error, print_json, print_table
from freqtrade_mem0.cli.progress import deliver, progress_bar
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.importers.importer import ImportOptions
    from freqtrade_mem0.importers.report import FileReport, ImportReport
    from freqtrade_mem0.memory_folder import MemoryFolder

NAME = "import"

_SHOWN_SKIPS = 10
"""Per file; the others are counted, and `--json` shows all of them."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `import`."""
    parser.add_argument(
        "paths",
        nargs="+",
        type=Path,
        metavar="PATH",
        help="A file, or a folder to search, for example user_data/backtest_results.",
    )
    parser.add_argument(
        "-s",
        "--strategy",
        metavar="NAME",
        help="Only this strategy. Trades in a database without strategy names count as its trades.",
    )
    parser.add_argument(
        "--mode",
        choices=[str(Mode.DRY_RUN), str(Mode.LIVE)],
        help="Mode of the trades in databases. Default: dry_run where the file's name or its "
        "orders say so, else live.",
    )
    parser.add_argument(
        "--bot-id",
        metavar="ID",
        help="The bot whose databases these are. Default: mem0.bot_id in the config, else "
        "bot_name, else freqtrade.",
    )
    parser.add_argument(
        "--as-prior",
        action="store_true",
        help="Also promote these backtests to priors of their strategies.",
    )
    parser.add_argument(
        "--for",
        dest="prior_for",
        default="",
        metavar="STRATEGY",
        help="With --as-prior: the strategy that reads them, such as the copy that 'wrap' made. "
        "Default: the strategy of each backtest.",
    )
    parser.add_argument(
        "--no-wait",
        action="store_true",
        help="Leave the delivery to Mem0 to the next bot, backtest or 'freqtrade-mem0 deliver'.",
    )
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Import, then deliver to Mem0, with a progress bar on a terminal."""
    from freqtrade_mem0.importers.importer import ImportOptions

    if arguments.prior_for and not arguments.as_prior:
        raise ConfigError("--for names the strategy that reads priors: add --as-prior.")
    config = read_config(arguments)
    options = ImportOptions(
        strategy=arguments.strategy,
        mode=None if arguments.mode is None else Mode(arguments.mode),
        bot_id=arguments.bot_id or config.bot_id,
        as_prior=arguments.as_prior,
        prior_for=arguments.prior_for,
    )
    memory = config.memory()
    try:
        report = _import(memory, arguments.paths, options, waits=not arguments.no_wait)
        pending = memory.outbox.state().pending if memory.delivers else 0
    finally:
        memory.close()
    if arguments.json:
        print_json(_facts(report, pending))
    else:
        _print(report, pending)
    return 0 if report.n_found or report.n_priors else 1


def _import(
    memory: MemoryFolder, paths: list[Path], options: ImportOptions, *, waits: bool
) -> ImportReport:
    from freqtrade_mem0.importers.importer import import_files

    with progress_bar() as progress:
        task = progress.add_task("Reading", total=None)

        def on_file(done: int, total: int, path: Path) -> None:
            progress.update(task, completed=done, total=total, description=path.name)

        report = import_files(memory, paths, options, on_file)
        progress.remove_task(task)
        if waits:
            deliver(memory, progress, memory.settings.delivery.flush_timeout_s)
    return report


def _facts(report: ImportReport, pending: int) -> dict[str, Any]:
    return {
        "found": report.n_found,
        "new": report.n_new,
        "known": report.n_known,
        "priors": report.n_priors,
        "pending": pending,
        "files": [
            {
                "path": str(file.path),
                "kind": str(file.kind),
                "found": file.n_found,
                "new": file.n_new,
                "known": file.n_known,
                "priors": file.n_priors,
                "notes": list(file.notes),
                "skipped": [{"what": skip.what, "why": skip.why} for skip in file.skipped],
            }
            for file in report.files
        ],
    }


def _print(report: ImportReport, pending: int) -> None:
    if not report.files:
        print_error("Nothing to import: none of these is a file that Freqtrade wrote.")
        return
    rest = f"; {pending} wait for Mem0 and are delivered later" if pending else ""
    print_table(
        f"{counted(report.n_new, 'new record')}, {report.n_known:,} known{rest}",
        ["file", "what", "Records", "New", "Known", "Priors", "remarks"],
        [
            [
                file.path.name,
                str(file.kind),
                str(file.n_found),
                str(file.n_new),
                str(file.n_known),
                str(file.n_priors),
                _remarks(file),
            ]
            for file in report.files
        ],
    )


def _remarks(file: FileReport) -> list[str]:
    skips = [f"skipped: {skip.what}: {skip.why}" for skip in file.skipped]
    more = len(skips) - _SHOWN_SKIPS
    rest = [f"... and {more} more, see --json"] if more > 0 else []
    return [*file.notes, *skips[:_SHOWN_SKIPS], *rest]
