"""Attaches memory to a strategy object when it starts or is unpickled; detaches it at its end."""

from __future__ import annotations

import logging
from functools import partial
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import ConfigError, JournalError
from freqtrade_mem0.host import freqtrade as host
from freqtrade_mem0.host.run_kind import RunKind
from freqtrade_mem0.run.backtest import BacktestRuntime
from freqtrade_mem0.strategy import callbacks
from freqtrade_mem0.strategy.process import PROCESS
from freqtrade_mem0.strategy.resolve import resolve, started, warn_of_unused

if TYPE_CHECKING:
    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.run.description import RunDescription
    from freqtrade_mem0.run.runtime import Runtime

logger = logging.getLogger(__name__)

_RUN = "_mem0_run"
_RUNTIME = "_mem0_runtime"
_STARTED = "_mem0_started"


def prepare(strategy: Any) -> None:
    """Check the config and resolve the run's description; see `resolve`.

    Raises
    ------
    Mem0Error
        The block is missing or wrong, or the journal can not be read.
    """
    run = resolve(strategy, PROCESS)
    setattr(strategy, _RUN, run)
    if run is not None and run.kind is RunKind.BACKTEST:
        PROCESS.remember_results(run)


def start(strategy: Any) -> None:
    """Open memory and wrap the callbacks of a prepared strategy, in runs with memory.

    Raises
    ------
    Mem0Error
        The memory's folder can not be used.
    """
    stop(strategy)
    run: RunDescription | None = getattr(strategy, _RUN, None)
    if run is None:
        return
    run = started(strategy, run)
    setattr(strategy, _RUN, run)
    warn_of_unused(run.settings)
    if run.kind.is_bot:
        _warn_of_silence(strategy, run.settings)
    try:
        running = _new_runtime(strategy)
    except JournalError as error:
        if not run.kind.is_bot:
            raise  # a backtest without its memory would mislead
        # A damaged file must not keep a bot from managing its open positions.
        logger.error(  # noqa: TRY400 - a traceback would add nothing
            "%s Trading goes on with the proposed stakes. This bot runs without memory until it is "
            "started again.",
            error,
        )
        return
    except ConfigError:
        raise
    except Exception:
        if not run.kind.is_bot:
            raise
        logger.exception("This bot runs without memory until it is started again.")
        return
    setattr(strategy, _STARTED, True)
    _install(strategy, run)
    if isinstance(running, BacktestRuntime) and run.kind.writes:
        host.after_loop(strategy, partial(PROCESS.loop_ended, running))
    if run.kind.writes:
        logger.info("%s", running.summary())


def attach(strategy: Any) -> None:
    """Attach memory to any strategy object, with or without the mixin; raises as `prepare`."""
    prepare(strategy)
    start(strategy)


def stop(strategy: Any) -> None:
    """Close memory and unwrap the callbacks. Calling it again is harmless."""
    running = strategy.__dict__.pop(_RUNTIME, None)
    if running is not None:
        PROCESS.stop(running)
    callbacks.uninstall(strategy.__dict__)


def state_without_memory(strategy: Any) -> dict[str, Any]:
    """Return a strategy's state for pickling: all but its runtime, which holds locks and files."""
    state = dict(strategy.__dict__)
    state.pop(_RUNTIME, None)
    callbacks.uninstall(state)
    return state


def resume(strategy: Any) -> None:
    """Wrap the callbacks of an unpickled strategy; its runtime is built when it is first needed."""
    if strategy.__dict__.get(_STARTED):
        _install(strategy, getattr(strategy, _RUN))


def _install(strategy: Any, run: RunDescription) -> None:
    callbacks.install(
        strategy,
        run,
        partial(_runtime_of, strategy),
        timeframe_s=host.timeframe_seconds(strategy.timeframe),
    )


def _runtime_of(strategy: Any) -> Runtime:
    running: Runtime | None = strategy.__dict__.get(_RUNTIME)
    return _new_runtime(strategy) if running is None else running


def _new_runtime(strategy: Any) -> Runtime:
    run: RunDescription | None = getattr(strategy, _RUN, None)
    if run is None:
        raise ConfigError("Memory is not used in this run.")
    runtime = PROCESS.start(run, partial(_send, strategy))
    setattr(strategy, _RUNTIME, runtime)
    return runtime


def _send(strategy: Any, text: str) -> None:
    """Send a text through Freqtrade's channels; Freqtrade's own loop sends it."""
    from freqtrade_mem0.run.bot.alerts.wording import channels, worded

    taken_by = [name for name, lack in channels(strategy.config).items() if not lack]
    strategy.dp.send_msg(worded(f"Memory: {text}", taken_by), always_send=True)


def _warn_of_silence(strategy: Any, settings: Settings) -> None:
    """Log once, at a bot's start, which channels of Freqtrade take no alert."""
    if settings.alerts.wants_any:
        from freqtrade_mem0.run.bot.alerts.wording import channels

        for name, lack in channels(strategy.config).items():
            if lack:
                logger.warning("Alerts of memory do not reach %s: %s in the config.", name, lack)
