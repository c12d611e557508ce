"""Resolves config and strategy into the description of a run, once, before it starts."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0 import __version__, wrapped
from freqtrade_mem0.config.load import BLOCK, bot_id, load_settings
from freqtrade_mem0.config.policies import fingerprint
from freqtrade_mem0.config.stores import LOSES_DATA, loses_data
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.host import freqtrade as host
from freqtrade_mem0.host.run_kind import RunKind, run_kind
from freqtrade_mem0.records.base import Origin
from freqtrade_mem0.run.description import RunDescription
from freqtrade_mem0.situation import indicators_of

if TYPE_CHECKING:
    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.strategy.process import Process

logger = logging.getLogger(__name__)


def resolve(strategy: Any, process: Process) -> RunDescription | None:
    """Check the config and return the description of the run; None in runs without memory.

    Freqtrade reuses the result of a backtest where config and strategy file are unchanged. Stakes
    also depend on this package, on the prior, and on the original of a strategy that `wrap` made.
    So a fingerprint of these is written into the config.

    The run id of a backtest is "" until `started` sets it: Freqtrade computes it after it has made
    the strategies.

    Parameters
    ----------
    strategy
        A Freqtrade strategy.
    process
        Reads and keeps the prior.

    Raises
    ------
    ConfigError
        The block is missing or wrong.
    JournalError
        The journal can not be read.
    """
    config = strategy.config
    kind = run_kind(config)
    if kind is None:
        return None
    settings = load_settings(config)
    if settings is None:
        if kind is RunKind.ANALYSIS:
            return None
        raise ConfigError(
            f"The strategy {type(strategy).__name__} uses Mem0Mixin, but the config has no "
            f'"{BLOCK}" block. Add "{BLOCK}": {{"enabled": true}} to remember, or "{BLOCK}": '
            '{"enabled": false} to run the strategy without memory.'
        )
    if settings.enabled:
        indicators_of(settings.situation.indicators)
    run = RunDescription(
        settings=settings,
        kind=kind,
        origin=Origin(
            user_id=settings.user_id,
            strategy=type(strategy).__name__,
            mode=kind.mode,
            run_id="" if kind is RunKind.BACKTEST else bot_id(settings, config),
        ),
        user_data_dir=Path(config["user_data_dir"]),
        database_lasts=kind.is_bot and host.database_lasts(config),
        timeframe_s=host.timeframe_seconds(strategy.timeframe) if kind.is_bot else 0,
        unfilled_s=host.unfilled_timeouts(config) if kind.is_bot else (None, None),
    )
    if not kind.is_bot:
        run = _marked(strategy, run, process)
    return run if settings.enabled else None


_FOR_LEVELS = ("brake_after", "pseudo_trades", "levels")
"""Keys of `sizing` that only policies which read levels use."""


def started(strategy: Any, run: RunDescription) -> RunDescription:
    """Return the description with the run id, which a backtest has when it starts."""
    if run.kind is not RunKind.BACKTEST:
        return run
    return replace(run, origin=replace(run.origin, run_id=host.backtest_run_id(strategy)))


def warn_of_unused(settings: Settings) -> None:
    """Log which keys of the config have no effect in this version."""
    if loses_data(settings):
        logger.warning("%s.", LOSES_DATA)
    sizing = settings.sizing
    if sizing.policy == "bayes":
        logger.info(
            'Stakes follow the policy "bayes", as the config says. It is no longer the default: '
            'out of sample it gained nothing. The default is "split", see docs/concepts/sizing.md.'
        )
    idle = [key for key in _FOR_LEVELS if key in sizing.model_fields_set]
    if idle and sizing.policies in (("split", "response"), ("response",)):
        logger.warning(
            '"%s.sizing": %s %s no effect on stakes with the policy "%s". Write '
            '"policy": "bayes" to have the default of earlier versions.',
            BLOCK,
            ", ".join(f'"{key}"' for key in idle),
            "has" if len(idle) == 1 else "have",
            sizing.policy,
        )


def _marked(strategy: Any, run: RunDescription, process: Process) -> RunDescription:
    """Write the fingerprint of what stakes depend on into the config."""
    original = wrapped.mark(strategy)
    if not run.settings.enabled:
        if original:
            strategy.config[BLOCK]["knowledge"] = original
        return run
    prior = process.read_prior(run)
    policies = " ".join(map(fingerprint, run.settings.sizing.policies))
    depends_on = f"freqtrade_mem0 {__version__} {prior.fingerprint} {policies} {original}"
    knowledge = strategy.config[BLOCK]["knowledge"] = " ".join(depends_on.split())
    settings = run.settings.model_copy(update={"knowledge": knowledge})
    run = replace(run, settings=settings, has_prior=bool(prior.trades))
    process.keep_prior(run, prior)
    return run
