"""Binds a runtime to a strategy object: at its start, after it was unpickled, until its end."""

from __future__ import annotations

import logging
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0 import __version__, wrapped
from freqtrade_mem0.config.load import BLOCK, bot_id, load_settings
from freqtrade_mem0.config.policies import fingerprint
from freqtrade_mem0.errors import ConfigError, JournalError
from freqtrade_mem0.host import freqtrade as host
from freqtrade_mem0.host.run_kind import Run, RunKind, run_kind
from freqtrade_mem0.strategy import callbacks, process

if TYPE_CHECKING:
    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.run.runtime import Runtime

logger = logging.getLogger(__name__)

_RUNTIME = "_mem0_runtime"
_STARTED = "_mem0_started"


def prepare(strategy: Any) -> None:
    """Check the config, and mark it with what this run's stakes depend on.

    Freqtrade serves a cached backtest where config and strategy file are unchanged. Its key knows
    nothing of this package, nor of the original of a strategy that `wrap` made, so the mark stands
    in the config.

    Raises
    ------
    ConfigError
        The block is missing or wrong.
    """
    kind = run_kind(strategy.config)
    if kind is None:
        return
    settings = load_settings(strategy.config)
    if settings is None:
        if kind is RunKind.ANALYSIS:
            return
        raise ConfigError(
            f"The strategy {type(strategy).__name__} uses Mem0Mixin, but the config has no "
            f'"{BLOCK}" block. Add "{BLOCK}": {{"enabled": true}} to remember, or "{BLOCK}": '
            '{"enabled": false} to run the strategy without memory.'
        )
    if not kind.is_bot:
        parts = (_knowledge(strategy, settings) if settings.enabled else "", wrapped.mark(strategy))
        if any(parts):
            strategy.config[BLOCK]["knowledge"] = " ".join(filter(None, parts))
    if settings.enabled and kind is RunKind.BACKTEST:
        process.remember_results(settings, _user_data_dir(strategy))


def _knowledge(strategy: Any, settings: Settings) -> str:
    prior = process.prior_of(settings, _user_data_dir(strategy), type(strategy).__name__)
    policy = fingerprint(settings.sizing.policy)
    return " ".join(f"freqtrade_mem0 {__version__} {prior.fingerprint} {policy}".split())


def start(strategy: Any) -> None:
    """Open memory and wrap the strategy's callbacks, in run modes in which memory takes part.

    Raises
    ------
    Mem0Error
        The config is wrong, or the memory's folder can not be used.
    """
    stop(strategy)
    kind = run_kind(strategy.config)
    settings = load_settings(strategy.config)
    if kind is None or settings is None or not settings.enabled:
        return
    if any(days is not None for _, days in settings.retention):
        logger.warning('"%s.retention" is not applied by this version: all is kept.', BLOCK)
    try:
        setattr(strategy, _RUNTIME, _new_runtime(strategy))
    except JournalError as error:
        if not kind.is_bot:
            raise  # a backtest without its memory would only mislead
        # Open positions must not be left alone because a file is damaged.
        logger.error(  # noqa: TRY400 - the sentence says it all
            "%s This bot runs without memory until it is started again.", error
        )
        return
    setattr(strategy, _STARTED, True)
    _install(strategy)
    if kind.writes:
        logger.info("%s", strategy.__dict__[_RUNTIME].summary())


def stop(strategy: Any) -> None:
    """Close memory. Stopping twice is harmless."""
    running = strategy.__dict__.pop(_RUNTIME, None)
    if running is not None:
        process.stop(running)
    callbacks.uninstall(strategy.__dict__)


def state_without_memory(strategy: Any) -> dict[str, Any]:
    """Return what of a strategy is pickled: all but memory, which holds locks and files."""
    state = dict(strategy.__dict__)
    state.pop(_RUNTIME, None)
    callbacks.uninstall(state)
    return state


def resume(strategy: Any) -> None:
    """Wrap the callbacks of an unpickled strategy again; its runtime is built when first needed."""
    if strategy.__dict__.get(_STARTED):
        _install(strategy)


def _install(strategy: Any) -> None:
    kind = run_kind(strategy.config)
    settings = load_settings(strategy.config)
    callbacks.install(
        strategy,
        lambda: _runtime_of(strategy),
        timeframe_s=host.timeframe_seconds(strategy.timeframe),
        is_bot=kind is not None and kind.is_bot,
        damps_leverage=settings is not None and settings.risk.leverage,
    )


def _runtime_of(strategy: Any) -> Runtime:
    running: Runtime | None = strategy.__dict__.get(_RUNTIME)
    if running is None:
        running = _new_runtime(strategy)
        setattr(strategy, _RUNTIME, running)
    return running


def _new_runtime(strategy: Any) -> Runtime:
    kind = run_kind(strategy.config)
    settings = load_settings(strategy.config)
    if kind is None or settings is None:
        raise ConfigError("Memory was asked for in a run mode in which it takes no part.")
    run_id = (
        host.backtest_run_id(strategy)
        if kind is RunKind.BACKTEST
        else bot_id(settings, strategy.config)
    )
    return process.start(
        settings,
        Run(
            kind=kind,
            strategy=type(strategy).__name__,
            run_id=run_id,
            user_data_dir=_user_data_dir(strategy),
            database=host.database_identity(strategy.config) if kind.is_bot else "",
        ),
        send=partial(_send, strategy),
    )


def _send(strategy: Any, text: str) -> None:
    """Hand a text to Freqtrade, which sends it on from its own loop."""
    strategy.dp.send_msg(f"Memory: {text}", always_send=True)


def _user_data_dir(strategy: Any) -> Path:
    return Path(strategy.config["user_data_dir"])
