"""Puts memory around a strategy's callbacks, without asking the strategy for anything.

The callbacks are wrapped on the strategy *object*, not on its class. So the outermost callback is
always ours and the strategy's own, with whatever it overrides and calls by `super()`, runs inside
it unchanged: in any order of bases, over several levels of inheritance, called once.

`functools.wraps` also keeps the name `IStrategy.order_filled` where a strategy does not override
it. Freqtrade deep-copies the trade for overridden callbacks only, so here it does not; our part
only reads it.

What a trading callback of a bot has to write it hands over to a thread; a backtest, which nobody
trades by, appends in batches. Comparing databases is a thread's work, too. Nothing of ours ever
raises: what fails is logged once, and Freqtrade gets what it would have got without us.
"""

from __future__ import annotations

import logging
from functools import partial, wraps
from numbers import Real
from typing import TYPE_CHECKING, Any, cast

from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.host import freqtrade as host
from freqtrade_mem0.host.market import free_slots, smallest_stake
from freqtrade_mem0.records.base import as_utc, to_ms
from freqtrade_mem0.situation import WINDOW, Candles, calendar, clean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from freqtrade_mem0.run.bot.runtime import BotRuntime
    from freqtrade_mem0.run.description import RunDescription
    from freqtrade_mem0.run.runtime import Runtime

logger = logging.getLogger(__name__)

HOOKED = ("custom_stake_amount", "confirm_trade_entry")
HOOKED_IN_BOTS = (*HOOKED, "order_filled", "bot_loop_start")
"""A backtest's trades are read from Freqtrade's own list once they are closed."""
HOOKED_FOR_LEVERAGE = ("leverage",)

EXTRA_SITUATION = "mem0_situation"
"""Name of a method a strategy may define to add features of its own to a situation."""


def install(
    strategy: Any,
    run: RunDescription,
    runtime_of: Callable[[], Runtime],
    *,
    timeframe_s: int,
) -> None:
    """Wrap the callbacks of a strategy object.

    Parameters
    ----------
    strategy
        A Freqtrade strategy.
    run
        Its run.
    runtime_of
        Returns the runtime that works for it.
    timeframe_s
        Length of its candles, in seconds.
    """
    hooks = (_BotHooks if run.kind.is_bot else _Hooks)(strategy, runtime_of, timeframe_s)
    hooked = HOOKED_IN_BOTS if run.kind.is_bot else HOOKED
    for name in (*hooked, *HOOKED_FOR_LEVERAGE) if run.settings.risk.leverage else hooked:
        setattr(strategy, name, getattr(hooks, name)(_own(strategy, name)))


def uninstall(state: dict[str, Any]) -> None:
    """Take the wrappers out of a strategy's `__dict__`; they can not be pickled."""
    for name in (*HOOKED_IN_BOTS, *HOOKED_FOR_LEVERAGE):
        state.pop(name, None)


def _own(strategy: Any, name: str) -> Callable[..., Any]:
    method: Callable[..., Any] = getattr(type(strategy), name).__get__(strategy)
    return method


class _Hooks:
    def __init__(self, strategy: Any, runtime_of: Callable[[], Runtime], timeframe_s: int) -> None:
        self._strategy = strategy
        self._runtime_of = runtime_of
        self._timeframe_s = timeframe_s
        self._complained: set[tuple[str, str]] = set()
        self._levels_checked = False
        self._candles: dict[str, tuple[Any, Candles]] = {}
        self._free_slots = partial(free_slots, strategy)

    def custom_stake_amount(self, own: Callable[..., Any]) -> Callable[..., Any]:
        """Scale what the strategy proposes. On failure: the proposal."""

        @wraps(own)
        def scaled(*args: Any, **kwargs: Any) -> Any:
            try:
                self._runtime_of().session.forget_asked(kwargs["pair"], kwargs["side"])
            except Exception as error:  # noqa: BLE001 - nothing of ours may reach Freqtrade
                self._complain("custom_stake_amount", error, kwargs)
            proposal = own(*args, **kwargs)
            try:
                return self._scale(proposal, kwargs)
            except Exception as error:  # noqa: BLE001 - nothing of ours may reach Freqtrade
                self._complain("custom_stake_amount", error, kwargs)
                return proposal

        return scaled

    def confirm_trade_entry(self, own: Callable[..., Any]) -> Callable[..., Any]:
        """Keep the decision of an entry the strategy lets through, or veto it where configured.

        The strategy's own veto stands. On failure: its own answer.
        """

        @wraps(own)
        def confirmed(*args: Any, **kwargs: Any) -> Any:
            answer = own(*args, **kwargs)
            try:
                if answer and not self._runtime_of().entry_confirmed(
                    kwargs["pair"], kwargs["side"]
                ):
                    return False
            except Exception as error:  # noqa: BLE001 - as above
                self._complain("confirm_trade_entry", error, kwargs)
            return answer

        return confirmed

    def leverage(self, own: Callable[..., Any]) -> Callable[..., Any]:
        """Damp the leverage the strategy asks for, never below 1. On failure: as it asks."""

        @wraps(own)
        def damped(*args: Any, **kwargs: Any) -> Any:
            asked = own(*args, **kwargs)
            try:
                if not isinstance(asked, Real) or not float(asked) > 1.0:
                    return asked
                factor = self._runtime_of().session.leverage_factor(
                    kwargs["pair"], as_utc(kwargs["current_time"])
                )
                return asked if factor == 1.0 else max(1.0, float(asked) * factor)
            except Exception as error:  # noqa: BLE001 - as above
                self._complain("leverage", error, kwargs)
                return asked

        return damped

    def _scale(self, proposal: Any, call: Mapping[str, Any]) -> Any:
        # NumPy's numbers are real numbers, too.
        if not isinstance(proposal, Real) or not float(proposal) > 0.0:
            return proposal  # the strategy does not want this entry
        runtime, moment = self._runtime_of(), as_utc(call["current_time"])
        situation, times_usual_range = self._situation(call, moment)
        answer = runtime.session.answer(
            Proposal(
                pair=call["pair"],
                side=call["side"],
                enter_tag=str(call.get("entry_tag") or ""),
                moment=moment,
                stake=float(proposal),
                min_stake=smallest_stake(self._strategy, call),
                max_stake=call["max_stake"],
                situation=situation,
                times_usual_range=times_usual_range,
                free_slots=self._free_slots,
            )
        )
        self._warn_of_unknown_levels(runtime, situation)
        return answer.stake if answer.applied else proposal

    def _warn_of_unknown_levels(
        self, runtime: Runtime, situation: Mapping[str, float | str]
    ) -> None:
        """Say once that a level can never tell anything apart; a typing mistake, most likely."""
        if self._levels_checked or "regime" not in situation:
            return
        self._levels_checked = True
        known = {"pair", "side", "enter_tag", *situation}
        for level in runtime.run.settings.sizing.levels:
            if not known.issuperset(level.split("*")):
                logger.warning(
                    '"mem0.sizing.levels" names %r, which no situation of this strategy has. '
                    "There are: %s.",
                    level,
                    ", ".join(sorted(known)),
                )

    def _situation(
        self, call: Mapping[str, Any], moment: datetime
    ) -> tuple[dict[str, float | str], float | None]:
        """Return the situation of an entry, and how far its range has jumped, if it has."""
        pair: str = call["pair"]
        frame = host.analysed_candles(self._strategy, pair)
        candles = self._candles_of(pair, frame)
        moment_ms = to_ms(moment)
        n_closed = candles.n_closed(moment_ms, self._timeframe_s)
        situation = candles.features(n_closed)
        situation |= calendar(moment_ms)
        extra = getattr(self._strategy, EXTRA_SITUATION, None)
        if extra is not None:
            try:
                situation |= clean(
                    extra(
                        pair=pair,
                        candles=frame.iloc[max(0, n_closed - WINDOW) : n_closed],
                        current_time=moment,
                        side=call["side"],
                        enter_tag=str(call.get("entry_tag") or ""),
                    )
                )
            except Exception as error:  # noqa: BLE001 - the author's mistake must not stop sizing
                self._complain(EXTRA_SITUATION, error, call)
        return situation, candles.times_usual_range(n_closed)

    def _candles_of(self, pair: str, frame: Any) -> Candles:
        """Return a dataframe in columns; computed once for as long as it is the same one."""
        known = self._candles.get(pair)
        if known is None or known[0] is not frame:
            known = self._candles[pair] = (frame, Candles(frame))
        return known[1]

    def _complain(self, where: str, error: Exception, call: Mapping[str, Any]) -> None:
        kind = (where, type(error).__name__)
        if kind in self._complained:
            return
        self._complained.add(kind)
        trade = call.get("trade")
        what = f"{call.get('pair', '')} {f'trade {trade.id}' if trade is not None else ''}".strip()
        logger.error(
            "Memory failed in %s%s; Freqtrade goes on as without it. Further failures of this kind"
            " are not logged.",
            where,
            f" for {what}" if what else "",
            exc_info=error,
        )


class _BotHooks(_Hooks):
    @property
    def _bot(self) -> BotRuntime:
        return cast("BotRuntime", self._runtime_of())

    def order_filled(self, own: Callable[..., Any]) -> Callable[..., Any]:
        """Tie an entry to its decision, record a closed trade. On failure: reconciled later."""

        @wraps(own)
        def filled(*args: Any, **kwargs: Any) -> Any:
            try:
                self._filled(kwargs["trade"], kwargs["order"])
            except Exception as error:  # noqa: BLE001 - as above
                self._complain("order_filled", error, kwargs)
            return own(*args, **kwargs)

        return filled

    def bot_loop_start(self, own: Callable[..., Any]) -> Callable[..., Any]:
        """Watch risk, and have a thread reconcile now and then. On failure: tried again later."""

        @wraps(own)
        def looped(*args: Any, **kwargs: Any) -> Any:
            try:
                self._bot.tick(as_utc(kwargs["current_time"]))
            except Exception as error:  # noqa: BLE001 - as above
                self._complain("bot_loop_start", error, kwargs)
            return own(*args, **kwargs)

        return looped

    def _filled(self, trade: Any, order: Any) -> None:
        session = self._bot.session
        if order.ft_order_side == trade.entry_side:
            if order.safe_filled > 0:
                session.entry_filled(trade)
        elif not trade.is_open:
            session.trade_closed(trade)
