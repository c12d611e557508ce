"""Puts memory around the callbacks of a strategy object.

The callbacks are wrapped on the object, not on its class. So the wrapper is always outermost, and
the strategy's own callback, with whatever it overrides and calls by `super()`, runs inside it
unchanged and once, in any order of bases.

Only Freqtrade's calls are changed. Where a strategy calls one of its own callbacks, as many call
`self.custom_stake_amount(...)` from `adjust_trade_position`, it gets what it would get without
memory, and nothing is recorded.

`functools.wraps` keeps the name `IStrategy.order_filled` where a strategy does not override that
callback. Freqtrade deep-copies the trade only for overridden callbacks, so here it makes no copy;
we only read the trade.
"""

from __future__ import annotations

import sys
from functools import partial, wraps
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.host.caller import FreqtradesCalls
from freqtrade_mem0.situation import indicators_of
from freqtrade_mem0.strategy.hooks import Hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freqtrade_mem0.run.description import RunDescription
    from freqtrade_mem0.run.runtime import Runtime

HOOKED_IN_EPOCHS = ("custom_stake_amount",)
"""Wrapped in every run; alone where memory says stakes and nothing else."""
HOOKED = (*HOOKED_IN_EPOCHS, "confirm_trade_entry")
"""A backtest's closed trades are read from Freqtrade's own list."""
HOOKED_IN_BOTS = (
    *HOOKED,
    "confirm_trade_exit",
    "order_filled",
    "bot_loop_start",
    "analyze_pair",
)
HOOKED_FOR_LEVERAGE = ("leverage",)
HOOKED_FOR_CHARTS = ("plot_annotations",)


def install(
    strategy: Any,
    run: RunDescription,
    runtime_of: Callable[[], Runtime],
    *,
    timeframe_s: int,
) -> None:
    """Wrap the callbacks of a strategy object, whose runtime is built at the first call."""
    indicators = indicators_of(run.settings.situation.indicators)
    hooks_type: type[Hooks] = Hooks
    hooked: tuple[str, ...] = HOOKED
    if run.kind.is_bot:
        from freqtrade_mem0.strategy.bot_hooks import BotHooks as hooks_type  # noqa: N813

        hooked = HOOKED_IN_BOTS
    elif run.says_stakes_only:
        from freqtrade_mem0.strategy.epoch_hooks import EpochHooks as hooks_type  # noqa: N813

        hooked = HOOKED_IN_EPOCHS
    elif run.follows_default_alone:
        from freqtrade_mem0.strategy.epoch_hooks import NotedHooks as hooks_type  # noqa: N813
    hooks = hooks_type(strategy, runtime_of, timeframe_s, indicators)
    if run.settings.risk.leverage:
        hooked += HOOKED_FOR_LEVERAGE
    if run.kind.is_bot and run.settings.frequi.annotations:
        hooked += HOOKED_FOR_CHARTS
    for name in hooked:
        setattr(strategy, name, _wrapped(strategy, name, getattr(hooks, name)))


def uninstall(state: dict[str, Any]) -> None:
    """Take the wrappers out of a strategy's `__dict__`; they can not be pickled."""
    for name in (*HOOKED_IN_BOTS, *HOOKED_FOR_LEVERAGE, *HOOKED_FOR_CHARTS):
        state.pop(name, None)


def _wrapped(
    strategy: Any, name: str, hook: Callable[[partial[Any], Mapping[str, Any]], Any]
) -> Callable[..., Any]:
    """Return a callback with a hook around it; the hook gets the own callback and the arguments."""
    own: Callable[..., Any] = getattr(type(strategy), name).__get__(strategy)
    calls = FreqtradesCalls(strategy, name)

    @wraps(own)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        calling = sys._getframe(1)  # noqa: SLF001 - inspect.stack takes milliseconds
        if calling.f_globals is not calls.known and not calls.include(calling):
            return own(*args, **kwargs)
        return hook(partial(own, *args, **kwargs), kwargs)

    return wrapper
