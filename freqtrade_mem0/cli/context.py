"""What most sub-commands share: the options that name a memory, and the memory they open."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.load import BLOCK, bot_id, load_settings
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import ConfigError, RecordError
from freqtrade_mem0.journal.journal import Scope
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.base import Mode

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

Commands = Any
"""What `ArgumentParser.add_subparsers` returns."""

_DEFAULT_CONFIGS = ("user_data/config.json", "config.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What the options of a command name.

    Parameters
    ----------
    settings
        The `"mem0"` block.
    user_data_dir
        Freqtrade's user data folder.
    bot_id
        The name under which a bot with this config remembers.
    has_block
        Whether there is a `"mem0"` block at all, or these are the defaults.
    strategy_path
        Another folder with strategies, beside `<user_data>/strategies`; None where there is none.
    recursive_strategy_search
        Whether Freqtrade looks for strategies in sub-folders, too.
    """

    settings: Settings
    user_data_dir: Path
    bot_id: str
    has_block: bool
    strategy_path: Path | None = None
    recursive_strategy_search: bool = False


def memory_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which memory is meant."""
    group = parser.add_argument_group("which memory")
    group.add_argument(
        "-c",
        "--config",
        action="append",
        metavar="PATH",
        help="Freqtrade's config file; several are merged. Default: user_data/config.json or "
        "config.json, whichever exists.",
    )
    group.add_argument(
        "--userdir",
        "--user-data-dir",
        metavar="PATH",
        type=Path,
        help="Freqtrade's user data folder. Default: as in the config, else user_data.",
    )


def scope_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that narrow what is listed."""
    group = parser.add_argument_group("which part of it")
    group.add_argument("-s", "--strategy", metavar="NAME", help="Only of this strategy.")
    group.add_argument(
        "--mode",
        choices=[str(mode) for mode in Mode],
        help="Only of this mode.",
    )
    group.add_argument(
        "--run-id",
        metavar="ID",
        help="Only of this backtest run or bot; the beginning of its id is enough.",
    )
    group.add_argument("-p", "--pair", metavar="PAIR", help="Only in this pair.")


def output_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say how facts are printed."""
    parser.add_argument("--json", action="store_true", help="Print JSON instead of tables.")


def scope_of(arguments: argparse.Namespace, store: MemoryFolder, kind: str | None = None) -> Scope:
    """Return the scope that the options name; a run id may be given by its beginning.

    Raises
    ------
    RecordError
        No run begins like that, or several do.
    """
    run_id: str | None = arguments.run_id
    if run_id is not None:
        found = store.journal.run_ids(run_id)
        if run_id not in found and len(found) != 1:
            raise RecordError(
                f"{len(found)} runs begin with {run_id!r}; exactly one must. {', '.join(found[:5])}"
            )
        run_id = run_id if run_id in found else found[0]
    return Scope(
        user_id=store.settings.user_id,
        strategy=arguments.strategy,
        modes=None if arguments.mode is None else [Mode(arguments.mode)],
        run_id=run_id,
        pair=None if arguments.pair is None else arguments.pair.upper(),
        kind=kind,
    )


def described(scope: Scope) -> str:
    """Return a scope in words."""
    named = [
        f"{name} {value}"
        for name, value in (
            ("strategy", scope.strategy),
            ("mode", scope.modes and next(iter(scope.modes))),
            ("run", scope.run_id),
            ("pair", scope.pair),
        )
        if value is not None
    ]
    return ", ".join(named) or "any strategy"


@contextmanager
def opened_store(arguments: argparse.Namespace) -> Iterator[MemoryFolder]:
    """Open the memory that the options name, and close it in the end.

    Raises
    ------
    ConfigError
        There is no such config, it is wrong, or there is no memory in its folder yet.
    """
    named = read_config(arguments)
    store = MemoryFolder(named.settings, named.user_data_dir)
    if not store.journal.path.exists():
        raise ConfigError(
            f"There is no memory in {store.folder} yet. Run a backtest or a bot with Mem0Mixin, or "
            "name another memory with --config or --userdir."
        )
    try:
        yield store
    finally:
        store.close()


def read_config(arguments: argparse.Namespace) -> Named:
    """Return what the options name, as Freqtrade would read it.

    Environment variables `FREQTRADE__MEM0__...` override the files, as in Freqtrade.

    Raises
    ------
    ConfigError
        A file is missing or no valid config.
    """
    from freqtrade.configuration.environment_vars import environment_vars_to_dict
    from freqtrade.configuration.load_config import load_from_files
    from freqtrade.exceptions import FreqtradeException
    from freqtrade.misc import deep_merge_dicts

    logging.getLogger("freqtrade").setLevel(logging.WARNING)
    files = arguments.config or _default_configs(arguments.userdir)
    try:
        config: dict[str, Any] = load_from_files(files) if files else {}
    except FreqtradeException as error:
        raise ConfigError(str(error)) from error
    config = deep_merge_dicts(environment_vars_to_dict(), config)
    has_block = config.get(BLOCK) is not None
    config.setdefault(BLOCK, {})
    settings = load_settings(config) or Settings()
    return Named(
        settings=settings,
        user_data_dir=arguments.userdir or Path(config.get("user_data_dir") or "user_data"),
        bot_id=bot_id(settings, config),
        has_block=has_block,
        strategy_path=Path(config["strategy_path"]) if config.get("strategy_path") else None,
        recursive_strategy_search=bool(config.get("recursive_strategy_search")),
    )


def _default_configs(userdir: Path | None) -> list[str]:
    places = [str(userdir / "config.json")] if userdir is not None else list(_DEFAULT_CONFIGS)
    return [place for place in places if Path(place).is_file()][:1]
