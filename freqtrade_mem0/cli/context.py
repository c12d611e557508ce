"""The config and the memory that the options of a command name.

Every command imports this module, also for `--help`, so heavy modules are imported in functions.
"""

from __future__ import annotations

import logging
import shlex
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping

    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.core_memory.outcomes import StoredCandles
    from freqtrade_mem0.journal.scope import Scope
    from freqtrade_mem0.memory_folder import MemoryFolder


class CliConfig(NamedTuple):
    """What commands need of a Freqtrade config."""

    settings: Settings
    has_block: bool
    """Whether there is a `"mem0"` block; `settings` are the defaults where there is none."""
    user_data_dir: Path
    bot_id: str
    strategy_folders: tuple[Path, ...]
    """Folders with strategies, in the order in which Freqtrade looks into them."""
    recursive_strategy_search: bool
    channels: Mapping[str, str]
    """Freqtrade's channels that are on, each with why it takes no alert ("" where it does)."""
    freqtrade: Mapping[str, Any]
    """The whole config."""

    def memory(self) -> MemoryFolder:
        """Return the memory, also where it does not exist yet."""
        from freqtrade_mem0.memory_folder import MemoryFolder

        return MemoryFolder(self.settings, self.user_data_dir)


def read_config(arguments: argparse.Namespace) -> CliConfig:
    """Return the config that the options name, with the overrides in the environment.

    Raises
    ------
    ConfigError
        A file is missing or is no valid config.
    """
    from freqtrade_mem0.config.load import BLOCK, bot_id, load_settings
    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.host.config_files import default_files, read_config_files
    from freqtrade_mem0.run.bot.alerts.wording import channels

    logging.getLogger("freqtrade").setLevel(logging.WARNING)
    config = read_config_files(arguments.config or default_files(arguments.userdir))
    has_block = config.get(BLOCK) is not None
    config.setdefault(BLOCK, {})
    settings = load_settings(config) or Settings()
    if (path := getattr(arguments, "memory_path", None)) is not None:
        settings = settings.model_copy(update={"path": path})
    user_data_dir = arguments.userdir or Path(config.get("user_data_dir") or "user_data")
    named = getattr(arguments, "strategy_path", None), config.get("strategy_path")
    return CliConfig(
        settings=settings,
        has_block=has_block,
        user_data_dir=user_data_dir,
        bot_id=bot_id(settings, config),
        strategy_folders=(*(Path(path) for path in named if path), user_data_dir / "strategies"),
        recursive_strategy_search=bool(
            getattr(arguments, "recursive_strategy_search", False)
            or config.get("recursive_strategy_search")
        ),
        channels=channels(config),
        freqtrade=config,
    )


def config_named(arguments: argparse.Namespace) -> str:
    """Return the options that name the config, for a command that is printed; "" without any."""
    named = "".join(f" -c {shlex.quote(each)}" for each in arguments.config or [])
    if arguments.userdir is not None:
        named += f" --userdir {shlex.quote(str(arguments.userdir))}"
    return named


def offer_key(arguments: argparse.Namespace, backup: Path) -> None:
    """Give the key of the config to whoever opens a backup, if the backup is encrypted."""
    from freqtrade_mem0.archive.container import is_encrypted
    from freqtrade_mem0.encryption.keyring import KEYRING

    if backup.is_file() and is_encrypted(backup):
        secret = read_config(arguments).settings.encryption.secret()
        if secret is not None:
            KEYRING.offer(secret)


@contextmanager
def opened_memory(arguments: argparse.Namespace) -> Iterator[MemoryFolder]:
    """Open the memory that the options name, and close it afterwards.

    Raises
    ------
    ConfigError
        There is no such config, it is wrong, or there is no memory in its folder yet.
    """
    memory = read_config(arguments).memory()
    if not memory.journal.path.exists():
        raise ConfigError(
            f"There is no memory in {memory.folder} yet. Run a backtest or a bot with Mem0Mixin, "
            "or name another memory with --config or --userdir."
        )
    try:
        yield memory
    finally:
        memory.close()


def stored_candles(arguments: argparse.Namespace) -> StoredCandles:
    """Return where Freqtrade has stored candles, as the config says that the options name."""
    from freqtrade_mem0.core_memory.outcomes import StoredCandles

    config = read_config(arguments)
    return StoredCandles(config.freqtrade, config.user_data_dir)


def since_of(arguments: argparse.Namespace) -> datetime | None:
    """Return the moment that `--since` names, aware UTC; None without it."""
    since: Callable[[datetime], datetime] | None = arguments.since
    return None if since is None else since(datetime.now(UTC))


def scope_of(arguments: argparse.Namespace, memory: MemoryFolder) -> Scope:
    """Return the part of the memory that the scope options select."""
    from freqtrade_mem0.views.scope import find_scope

    return find_scope(
        memory,
        strategy=arguments.strategy,
        mode=arguments.mode,
        run_id=arguments.run_id,
        pair=arguments.pair,
    )
