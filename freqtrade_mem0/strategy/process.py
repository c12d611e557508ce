"""What memory does once per process: it owns the runs, the opened memories and the way out.

Freqtrade may run several strategies in one process, and nothing calls a strategy after Freqtrade
has stored the results of a backtest. So what must outlive a run is kept here, in one object.
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
from freqtrade_mem0.importers.catch_up import catch_up
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
    """Memory's part of this process; there is one, `PROCESS`."""

    def __init__(self) -> None:
        self._began = datetime.now(UTC)
        """Results of this process are newer than this."""
        self._running: set[Runtime] = set()
        self._stores: dict[Path, MemoryFolder] = {}
        """Opened memories, by their folder."""
        self._to_finish: dict[Path, RunDescription] = {}
        """Backtests whose memory is completed when the process ends; by its folder."""
        self._deliverers: dict[Path, Deliverer] = {}
        """Processes that deliver beside this one, by the folder of their memory."""
        self._recorded: set[tuple[str, str]] = set()
        """Backtests that are in the journal to their end, as `(strategy, run id)`."""
        self._priors: dict[tuple[Path, str, str, str], Prior] = {}
        """By folder, owner, strategy and fingerprint: frozen for the runs of one config."""
        self._registered_pid: int | None = None

    def start(self, run: RunDescription, send: Callable[[str], None]) -> Runtime:
        """Build the runtime of a run; `stop` or the end of the process closes it.

        A backtest that is still open in this process has ended by now: its last trades are
        recorded before Freqtrade drops them.

        Parameters
        ----------
        run
            The run.
        send
            Takes texts for the owner.

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
            # Its process lives on; nobody wants to wait for its end to see what was remembered.
            name = "freqtrade-mem0-backtest"
            threading.Thread(target=self._end_when_idle, name=name, daemon=True).start()
        else:
            _shielded(partial(self._deliver_beside, run))
        return runtime

    def stop(self, runtime: Runtime) -> None:
        """Close a runtime; again is harmless. Nothing is raised: Freqtrade is shutting down."""
        self._running.discard(runtime)
        _shielded(runtime.close)
        if runtime.run.kind.is_bot:
            # After a reload the bot gets another one: a Mem0 that hangs may still hold this.
            self._stores.pop(runtime.store.folder, None)
        if runtime.run.kind is RunKind.BACKTEST and runtime.is_recorded:
            self._recorded.add((runtime.run.origin.strategy, runtime.run.origin.run_id))

    def remember_results(self, run: RunDescription) -> None:
        """When this process ends, remember its whole backtests, and deliver everything to Mem0.

        A result served from Freqtrade's cache does not even start the strategy.
        """
        self._to_finish[self._store(run).folder] = run
        self._register()

    def prior(self, run: RunDescription) -> Prior:
        """Return the trades that a strategy knows from the start.

        A hyperopt worker asks for every epoch; a prior is read once for a fingerprint.

        Raises
        ------
        JournalError
            The journal can not be read.
        """
        prior = self._priors.get(_prior_key(run))
        if prior is None:
            prior = self.read_prior(run)
            if not run.kind.is_bot:
                self.keep_prior(run, prior)
        return prior

    def read_prior(self, run: RunDescription) -> Prior:
        """Read the prior of a strategy, without making a memory where there is none.

        Raises
        ------
        JournalError
            The journal can not be read.
        """
        store = self._store(run)
        if not store.journal.path.exists():
            return Prior()
        discount = run.settings.sizing.prior_discount
        try:
            return load_prior(store.journal, run.origin.user_id, run.origin.strategy, discount)
        finally:
            store.close()

    def keep_prior(self, run: RunDescription, prior: Prior) -> None:
        """Keep a prior for the runs that have the same fingerprint."""
        self._priors[_prior_key(run)] = prior

    def _runtime(self, run: RunDescription, send: Callable[[str], None]) -> Runtime:
        prior, store = self.prior(run), self._store(run)
        if not run.kind.is_bot:
            return BacktestRuntime(run, prior, store, _now)
        from freqtrade_mem0.run.bot.runtime import BotRuntime

        return BotRuntime(run, prior, store, _now, send)

    def _store(self, run: RunDescription) -> MemoryFolder:
        """Return the memory of a run, the same one for all runs with its settings."""
        place = folder(run.settings, run.user_data_dir)
        store = self._stores.get(place)
        if store is None or not _is_same_memory(store.settings, run.settings):
            store = self._stores[place] = MemoryFolder(run.settings, run.user_data_dir)
        return store

    def _end(self) -> None:
        if os.getpid() != self._registered_pid:
            return  # a fork of the process that opened them
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
        store = self._store(run)
        try:
            results = run.user_data_dir / "backtest_results"
            catch_up(store, results, fresh_since=self._began, recorded=self._recorded)
            waits = store.delivers and store.outbox.state().pending > 0
            waits = waits and run.settings.delivery.flush_timeout_s > 0  # else the next process
        except ConfigError:
            return  # Freqtrade has shown this sentence when it stopped
        finally:
            store.close()
        deliverer = self._deliverers.pop(store.folder, None)
        if deliverer is None and waits:
            deliverer = Deliverer(run.settings, run.user_data_dir)
        if deliverer is not None:
            deliverer.finish()

    def _deliver_beside(self, run: RunDescription) -> None:
        """Deliver in another process while the backtest runs, so that little is left for later."""
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
"""The one owner of what outlives a run."""


def _is_same_memory(one: Settings, other: Settings) -> bool:
    """Return whether settings differ in nothing but the fingerprint of a run."""
    return one is other or one.model_copy(update={"knowledge": other.knowledge}) == other


def _prior_key(run: RunDescription) -> tuple[Path, str, str, str]:
    settings, origin = run.settings, run.origin
    place = folder(settings, run.user_data_dir)
    return place, origin.user_id, origin.strategy, settings.knowledge or ""


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
