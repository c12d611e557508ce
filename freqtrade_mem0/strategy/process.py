"""When memory starts and ends: one runtime per run, and what is left for the process's end."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from freqtrade_mem0.delivery.child import Deliverer
from freqtrade_mem0.errors import ConfigError, Mem0Error
from freqtrade_mem0.host import freqtrade as host
from freqtrade_mem0.host.run_kind import RunKind
from freqtrade_mem0.importers.catch_up import catch_up
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall.priors import Prior, load_prior
from freqtrade_mem0.run.runtime import BacktestRuntime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.host.run_kind import Run
    from freqtrade_mem0.run.runtime import Runtime

logger = logging.getLogger(__name__)

_POLL_S = 0.5

_running: set[Runtime] = set()
_memories: dict[Path, tuple[Settings, Path]] = {}
"""Memories that backtests of this process write to, with user data folder; by their own folder."""
_deliverers: dict[Path, Deliverer] = {}
"""Processes that deliver beside this one, by the folder of their memory."""
_recorded: set[tuple[str, str]] = set()
"""Backtests of this process that are in the journal to their end, as `(strategy, run id)`."""
_priors: dict[tuple[Path, str, str, str], Prior] = {}
_registered_pid: int | None = None
_began = datetime.now(UTC)
"""When this process began to use memory: its own results are newer than this."""


def start(settings: Settings, run: Run, send: Callable[[str], None]) -> Runtime:
    """Build the runtime of a run; `stop` or the end of the process closes it.

    What is to be told to the owner goes to `send`.

    A backtest that is still open in this process has ended by now: its last trades are recorded
    before Freqtrade drops them.

    Raises
    ------
    Mem0Error
        The memory's folder or file can not be used.
    """
    for earlier in list(_running):
        if isinstance(earlier, BacktestRuntime):
            _shielded(earlier.end_backtest)
    prior = prior_of(settings, run.user_data_dir, run.strategy)
    runtime = _built(settings, run, prior, send)
    if run.kind.writes:
        _running.add(runtime)
        _register()
    if run.kind is not RunKind.BACKTEST:
        return runtime
    if host.runs_in_webserver():
        # Its process lives on; nobody wants to wait for its end to see what was remembered.
        name = "freqtrade-mem0-backtest"
        threading.Thread(target=_end_when_idle, name=name, daemon=True).start()
    else:
        _shielded(partial(_deliver_beside, settings, run.user_data_dir))
    return runtime


def _built(settings: Settings, run: Run, prior: Prior, send: Callable[[str], None]) -> Runtime:
    if not run.kind.is_bot:
        return BacktestRuntime(settings, run, prior, _now)
    from freqtrade_mem0.run.bot.runtime import BotRuntime

    return BotRuntime(settings, run, prior, _now, send)


def stop(runtime: Runtime) -> None:
    """Close a runtime; again is harmless. Nothing is raised: Freqtrade is shutting down."""
    _running.discard(runtime)
    _shielded(runtime.close)
    if runtime.run.kind is RunKind.BACKTEST and runtime.is_recorded:
        _recorded.add((runtime.run.strategy, runtime.run.run_id))


def remember_results(settings: Settings, user_data_dir: Path) -> None:
    """When this process ends, remember its whole backtests, and deliver everything to Mem0.

    Nothing calls a strategy after Freqtrade has stored a result, and a result served from
    Freqtrade's cache does not even start the strategy.
    """
    _memories[MemoryFolder(settings, user_data_dir).folder] = (settings, user_data_dir)
    _register()


def prior_of(settings: Settings, user_data_dir: Path, strategy: str) -> Prior:
    """Return what a strategy knows from the start, without making a memory where there is none.

    Raises
    ------
    Mem0Error
        The journal can not be read.
    """
    store = MemoryFolder(settings, user_data_dir)
    if not store.journal.path.exists():
        return Prior()
    # A hyperopt worker builds a runtime for every epoch; the prior is frozen meanwhile.
    key = (store.journal.path, settings.user_id, strategy, settings.knowledge or "")
    if key in _priors:
        return _priors[key]
    try:
        discount = settings.sizing.prior_discount
        prior = load_prior(store.journal, settings.user_id, strategy, discount)
    finally:
        store.close()
    if settings.knowledge is not None:
        _priors[key] = prior
    return prior


def _end_of_process() -> None:
    if os.getpid() != _registered_pid:
        return  # a fork of the process that opened them
    for runtime in list(_running):
        stop(runtime)
    for settings, user_data_dir in list(_memories.values()):
        _shielded(partial(_finish, settings, user_data_dir))


def _end_when_idle() -> None:
    while host.webserver_is_busy():
        time.sleep(_POLL_S)
    for runtime in list(_running):
        if not runtime.run.kind.is_bot:
            stop(runtime)
    for settings, user_data_dir in list(_memories.values()):
        _shielded(partial(_finish, settings, user_data_dir))


def _finish(settings: Settings, user_data_dir: Path) -> None:
    store = MemoryFolder(settings, user_data_dir)
    try:
        results = user_data_dir / "backtest_results"
        catch_up(store, results, fresh_since=_began, recorded=_recorded)
        waits = store.delivers and store.outbox.state().pending > 0
        waits = waits and settings.delivery.flush_timeout_s > 0  # else the next process does it
    except ConfigError:
        return  # this sentence is what Freqtrade stopped with
    finally:
        store.close()
    deliverer = _deliverers.pop(store.folder, None)
    if deliverer is None and waits:
        deliverer = Deliverer(settings, user_data_dir)
    if deliverer is not None:
        deliverer.finish()


def _deliver_beside(settings: Settings, user_data_dir: Path) -> None:
    """Deliver in another process while the backtest runs, so that little is left for its end."""
    store = MemoryFolder(settings, user_data_dir)
    wanted = store.delivers and settings.delivery.flush_timeout_s > 0
    if wanted and store.folder not in _deliverers:
        deliverer = Deliverer(settings, user_data_dir)
        deliverer.lower_priority()
        _deliverers[store.folder] = deliverer


def _register() -> None:
    global _registered_pid  # noqa: PLW0603 - one exit handler per process
    if _registered_pid != os.getpid():
        _registered_pid = os.getpid()
        atexit.register(_end_of_process)


def _shielded(action: Callable[[], None]) -> None:
    """Run something where an exception would only hide what Freqtrade has to say."""
    try:
        action()
    except Mem0Error as error:
        logger.warning("%s", error)
    except Exception:
        logger.exception("Memory could not be closed cleanly.")


def _now() -> datetime:
    return datetime.now(UTC)
