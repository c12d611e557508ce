"""Opens the backend of `mem0.mode`; each mode is a module in `modes`."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.credentials import Credentials
from freqtrade_mem0.config.modes import PACKAGE
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.records.memory import Memory

if TYPE_CHECKING:
    from freqtrade_mem0.backends.port import MemoryBackend


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a mode makes its backend from; see `open_backend`."""

    settings: Settings
    folder: Path
    memories: Callable[[], Iterable[Memory]] = tuple
    credentials: Credentials | None = None


def open_backend(
    settings: Settings,
    folder: Path,
    memories: Callable[[], Iterable[Memory]],
    credentials: Credentials | None = None,
) -> MemoryBackend:
    """Return the backend of `mem0.mode`. Nothing is opened or asked before its first use.

    Parameters
    ----------
    settings
        The `"mem0"` block.
    folder
        The memory's folder.
    memories
        Gives what the journal holds, for mode `local`.
    credentials
        Key of a server or of the platform; None looks where `find_credentials` says.

    Raises
    ------
    ConfigError
        An `env:NAME` that is not set, or a wrong address.
    """
    wanted = Wanted(settings=settings, folder=folder, memories=memories, credentials=credentials)
    backend: MemoryBackend = _mode(settings).open_backend(wanted)
    return backend


def prepare(settings: Settings, folder: Path) -> None:
    """Load what the first use of the backend would load, which takes seconds; open nothing.

    Raises
    ------
    BackendError, ConfigError
        As `open_backend` and the backends themselves.
    """
    load = getattr(_mode(settings), "prepare", None)
    if load is not None:
        load(Wanted(settings=settings, folder=folder))


def _mode(settings: Settings) -> Any:
    return import_module(f"{PACKAGE}.{settings.mode}")
