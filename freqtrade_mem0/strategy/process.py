"""Everything of memory that lives as long as the process: running runs, open memories, the exit.

Freqtrade may run several strategies in one process, and calls no strategy after it has stored the
results of a backtest. So one object keeps what outlives a run, and completes memory at the exit.
"""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from freqtrade_mem0.config.load import folder
from freqtrade_mem0.delivery.child import Deliverer
from freqtrade_mem0.errors import ConfigError, Mem0Error
from freqtrade_mem0.host import freqtrade as host
from freqtrade_mem0.host.run_kind import RunKind
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall.priors import Prior, load_prior
from freqtrade_mem0.run.backtest import BacktestRuntime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.run.description import RunDescription
    from freqtrade_mem0.run.runtime import Runtime

logger = logging.getLogger(__name__)

_POLL_S = 0.5


class Process:
    """Owns what outlives a run; there is one object, `PROCESS`."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        """Backtest results of this process are newer than this."""
        self._running: set[Runtime] = set()
        self._stores: dict[Path, MemoryFolder] = {}
        """Open memories, by folder."""
        self._to_finish: dict[Path, RunDescription] = {}
        """Backtests whose memory is completed when the process ends, by folder."""
        self._deliverers: dict[Path, Deliverer] = {}
        """Child processes that deliver to Mem0, by folder."""
        self._recorded: set[tuple[str, str]] = set()
        """Backtests that were recorded to their end, as `(strategy, run id)`."""
        self._priors: dict[tuple[Path, str, str, str], Prior] = {}
        """By folder, owner, strategy and fingerprint."""
        self._registered_pid: int | None = None

    def start(self, run: RunDescription, send: Callable[[str], None]) -> Runtime:
        """Build the runtime of a run; `stop` or the end of the process closes it.

        An earlier backtest of this process that is still open has ended; its last trades are
        recorded before Freqtrade drops them. `send` takes texts for a bot's owner.

        Raises
        ------
        Mem0Error
            The memory's folder or file can not be used.
        """
        for earlier in list(self._running):
            if isinstance(earlier, BacktestRuntime):
                _shielded(earlier.end_backtest)
        runtime = self._runtime(run, send)
        if run.kind.writes:
            self._running.add(runtime)
            self._register()
        if run.kind is not RunKind.BACKTEST:
            return runtime
        if host.runs_in_webserver():
            # The web server goes on, so memory is completed when this backtest is done.
            name = "freqtrade-mem0-backtest"
            threading.Thread(target=self._end_when_idle, name=name, daemon=True).start()
        else:
            _shielded(partial(self._deliver_in_child, run))
        return runtime

    def loop_ended(self, runtime: BacktestRuntime) -> None:
        """Begin to write what a backtest recorded, while Freqtrade computes its statistics."""
        if not host.runs_in_webserver():  # which has threads, and goes on
            _shielded(runtime.loop_ended)

    def stop(self, runtime: Runtime) -> None:
        """Close a runtime. Errors are logged, because Freqtrade is shutting down."""
        self._running.discard(runtime)
        _shielded(runtime.close)
        if runtime.run.kind.is_bot:
            # A bot gets a new memory object after a reload: a hanging Mem0 may still hold this one.
            self._stores.pop(runtime.store.folder, None)
        if runtime.run.kind is RunKind.BACKTEST and runtime.is_recorded:
            self._recorded.add((runtime.run.origin.strategy, runtime.run.origin.run_id))

    def remember_results(self, run: RunDescription) -> None:
        """At the exit, import backtest results that memory lacks, and deliver everything to Mem0.

        A result from Freqtrade's cache, for example, does not start the strategy.
        """
        self._to_finish[self._store(run).folder] = run
        self._register()

    def prior(self, run: RunDescription) -> Prior:
        """Return the prior of a run; it is read once, not in every epoch."""
        prior = self._priors.get(_prior_key(run))
        if prior is None:
            prior = self.read_prior(run)
            if not run.kind.is_bot:
                self.keep_prior(run, prior)
        return prior

    def read_prior(self, run: RunDescription) -> Prior:
        """Read the prior of a strategy; raise `JournalError` where the journal can not be read."""
        store = self._store(run)
        if not store.journal.path.exists():
            return Prior()
        discount = run.settings.sizing.prior_discount
        try:
            return load_prior(store.journal, run.origin.user_id, run.origin.strategy, discount)
        finally:
            store.close()

    def keep_prior(self, run: RunDescription, prior: Prior) -> None:
        """Keep a prior for the runs with the same fingerprint."""
        self._priors[_prior_key(run)] = prior

    def _runtime(self, run: RunDescription, send: Callable[[str], None]) -> Runtime:
        prior, store = self.prior(run), self._store(run)
        if not run.kind.is_bot:
            return _backtest_type(run)(run, prior, store, _now)
        from freqtrade_mem0.run.bot.runtime import BotRuntime

        return BotRuntime(run, prior, store, _now, send)

    def _store(self, run: RunDescription) -> MemoryFolder:
        """Return the memory of a run; runs with the same folder and settings share it."""
        place = folder(run.settings, run.user_data_dir)
        store = self._stores.get(place)
        if store is None or not _is_same_memory(store.settings, run.settings):
            store = self._stores[place] = MemoryFolder(run.settings, run.user_data_dir)
        return store

    def _end(self) -> None:
        if os.getpid() != self._registered_pid:
            return  # this is a fork of the process that opened them
        for runtime in list(self._running):
            self.stop(runtime)
        for run in list(self._to_finish.values()):
            _shielded(partial(self._finish, run))

    def _end_when_idle(self) -> None:
        while host.webserver_is_busy():
            time.sleep(_POLL_S)
        for runtime in list(self._running):
            if not runtime.run.kind.is_bot:
                self.stop(runtime)
        for run in list(self._to_finish.values()):
            _shielded(partial(self._finish, run))

    def _finish(self, run: RunDescription) -> None:
        from freqtrade_mem0.importers.catch_up import catch_up

        store = self._store(run)
        try:
            results = run.user_data_dir / "backtest_results"
            catch_up(store, results, fresh_since=self._began, recorded=self._recorded)
            waits = store.delivers and store.outbox.state().pending > 0
            waits = waits and run.settings.delivery.flush_timeout_s > 0  # else the next process
        except ConfigError:
            return  # Freqtrade has shown this error when it stopped
        finally:
            store.close()
        deliverer = self._deliverers.pop(store.folder, None)
        if deliverer is None and waits:
            deliverer = Deliverer(run.settings, run.user_data_dir)
        if deliverer is not None:
            deliverer.finish()

    def _deliver_in_child(self, run: RunDescription) -> None:
        """Deliver in a child process during the backtest, so that little is left for its end."""
        store = self._store(run)
        wanted = store.delivers and run.settings.delivery.flush_timeout_s > 0
        if wanted and store.folder not in self._deliverers:
            deliverer = Deliverer(run.settings, run.user_data_dir)
            deliverer.lower_priority()
            self._deliverers[store.folder] = deliverer

    def _register(self) -> None:
        if self._registered_pid != os.getpid():
            self._registered_pid = os.getpid()
            atexit.register(self._end)


PROCESS = Process()
"""The only instance."""


def _is_same_memory(one: Settings, other: Settings) -> bool:
    """Return whether settings are equal except for the fingerprint."""
    return one is other or one.model_copy(update={"knowledge": other.knowledge}) == other


def _prior_key(run: RunDescription) -> tuple[Path, str, str, str]:
    settings, origin = run.settings, run.origin
    place = folder(settings, run.user_data_dir)
    return place, origin.user_id, origin.strategy, settings.knowledge or ""


def _shielded(action: Callable[[], None]) -> None:
    """Call a function and log what it raises, which would hide Freqtrade's own messages."""
    try:
        action()
    except Mem0Error as error:
        logger.warning("%s", error)
    except Exception:
        logger.exception("Memory could not be closed cleanly.")


def _now() -> datetime:
    return datetime.now(UTC)


def _backtest_type(run: RunDescription) -> type[BacktestRuntime]:
    if not run.follows_default_alone:
        return BacktestRuntime
    if not run.kind.writes:
        from freqtrade_mem0.run.epoch import EpochRuntime

        return EpochRuntime
    from freqtrade_mem0.run.noted import NotedRuntime

    return NotedRuntime
