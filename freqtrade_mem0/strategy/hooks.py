"""What memory does at the callbacks of a strategy; `strategy.callbacks` puts it around them.

Nothing here blocks: a bot's records are written by a thread, a backtest's in batches. Nothing here
raises: an exception of ours is logged once, and Freqtrade gets what it would get without memory.
"""

from __future__ import annotations

import logging
from functools import partial
from numbers import Real
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.decide.proposal import Proposal
from freqtrade_mem0.host.market import Markets, free_slots
from freqtrade_mem0.records.base import as_utc, utc_ms
from freqtrade_mem0.situation import clean
from freqtrade_mem0.strategy.market import Market, Seen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freqtrade_mem0.run.runtime import Runtime
    from freqtrade_mem0.situation import Indicator, Situation
    from freqtrade_mem0.situation.signals import Movement

logger = logging.getLogger(__name__)

EXTRA_SITUATION = "mem0_situation"
"""Name of a method a strategy may define to add features of its own to a situation."""


class Hooks:
    """What every run with memory does at a callback."""

    markets_are_fixed = False
    """Whether the exchange's descriptions of markets stay as they are in a run."""

    def __init__(
        self,
        strategy: Any,
        runtime_of: Callable[[], Runtime],
        timeframe_s: int,
        indicators: Sequence[Indicator],
    ) -> None:
        self._strategy = strategy
        self._market = Market(strategy, timeframe_s, indicators)
        self._runtime_of = runtime_of
        self._logged: set[tuple[str, str]] = set()
        self._levels_checked = False
        self._markets = Markets(strategy, are_fixed=self.markets_are_fixed)
        self._free_slots = partial(free_slots, strategy)

    def custom_stake_amount(self, own: Callable[[], Any], call: Mapping[str, Any]) -> Any:
        """Scale the stake that the strategy proposes. On failure: the proposal."""
        try:
            proposal = own()
        except Exception:
            self._forget_answer(call)
            raise
        try:
            # NumPy's numbers are real numbers, too. That is looked up where it is no float.
            is_number = type(proposal) is float or isinstance(proposal, Real)
            if is_number and float(proposal) > 0.0:
                return self._scale(proposal, call)
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach Freqtrade
            self._log_failure("custom_stake_amount", error, call)
        self._forget_answer(call)
        return proposal  # the strategy does not want this entry, or memory failed

    def _forget_answer(self, call: Mapping[str, Any]) -> None:
        """Forget what was answered to an earlier proposal for the same pair and side."""
        try:
            self._runtime_of().session.forget_answer(call["pair"], call["side"])
        except Exception as error:  # noqa: BLE001 - as above
            self._log_failure("custom_stake_amount", error, call)

    def confirm_trade_entry(self, own: Callable[[], Any], call: Mapping[str, Any]) -> Any:
        """Record the decision of an entry the strategy confirms, or veto it where configured.

        An entry that the strategy refuses stays refused. On failure: the strategy's answer.
        """
        answer = own()
        try:
            runtime = self._runtime_of()
            if not answer:
                runtime.entry_answered(call, "refused")
            elif runtime.entry_confirmed(call["pair"], call["side"]):
                runtime.entry_answered(call, None)
            else:
                runtime.entry_answered(call, "vetoed")
                return False
        except Exception as error:  # noqa: BLE001 - as above
            self._log_failure("confirm_trade_entry", error, call)
        return answer

    def leverage(self, own: Callable[[], Any], call: Mapping[str, Any]) -> Any:
        """Damp the strategy's leverage, never below 1. On failure: the strategy's leverage."""
        wanted = own()
        try:
            if not isinstance(wanted, Real) or not float(wanted) > 1.0:
                return wanted
            factor = self._runtime_of().session.leverage_factor(
                call["pair"], as_utc(call["current_time"])
            )
            return wanted if factor == 1.0 else max(1.0, float(wanted) * factor)
        except Exception as error:  # noqa: BLE001 - as above
            self._log_failure("leverage", error, call)
            return wanted

    def _scale(self, proposal: Any, call: Mapping[str, Any]) -> Any:
        runtime, moment = self._runtime_of(), call["current_time"]
        now_ms = utc_ms(moment)
        seen, situation, movement = self._look(runtime, call, now_ms)
        answer = runtime.session.answer(
            Proposal(
                pair=call["pair"],
                side=call["side"],
                enter_tag=str(call.get("entry_tag") or ""),
                moment=moment if moment.tzinfo is not None else as_utc(moment),
                stake=float(proposal),
                min_stake=self._markets.smallest_stake(call),
                max_stake=call["max_stake"],
                situation=situation,
                times_usual_range=seen.times_usual_range,
                free_slots=self._free_slots,
                volatility_and_momentum=movement,
                at_ms=now_ms,
            )
        )
        return answer.stake if answer.applied else proposal

    def _look(
        self, runtime: Runtime, call: Mapping[str, Any], now_ms: int
    ) -> tuple[Seen, Situation | Callable[[], Situation], Movement | None]:
        """Return the market at an entry, its situation, and the movement where it is sure."""
        seen = self._market.at(call["pair"], now_ms)
        situation: Situation | Callable[[], Situation] = seen.build
        movement: Movement | None = seen.movement
        extra = getattr(self._strategy, EXTRA_SITUATION, None)
        if extra is not None:
            # It may name a feature as one of ours.
            situation, movement = seen.build() | self._added(extra, seen.n_closed, call), None
        if not self._levels_checked:
            self._warn_of_unknown_levels(runtime, situation() if callable(situation) else situation)
        return seen, situation, movement

    def _warn_of_unknown_levels(
        self, runtime: Runtime, situation: Mapping[str, float | str]
    ) -> None:
        """Log once which levels name no feature of a situation; most likely a typing mistake."""
        if "regime" not in situation:
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

    def _added(
        self, extra: Callable[..., Any], n_closed: int, call: Mapping[str, Any]
    ) -> Situation:
        """Return the features that the strategy itself adds to an entry's situation."""
        pair: str = call["pair"]
        try:
            return clean(
                extra(
                    pair=pair,
                    candles=self._market.candles_of(pair).with_indicators(n_closed),
                    current_time=as_utc(call["current_time"]),
                    side=call["side"],
                    enter_tag=str(call.get("entry_tag") or ""),
                )
            )
        except Exception as error:  # noqa: BLE001 - the author's mistake must not stop sizing
            self._log_failure(EXTRA_SITUATION, error, call)
            return {}

    def _log_failure(self, where: str, error: Exception, call: Mapping[str, Any]) -> None:
        """Log an exception, unless one of its type has been logged for the same callback."""
        kind = (where, type(error).__name__)
        if kind in self._logged:
            return
        self._logged.add(kind)
        trade = call.get("trade")
        what = f"{call.get('pair', '')} {f'trade {trade.id}' if trade is not None else ''}".strip()
        logger.error(
            "Memory failed in %s%s; Freqtrade goes on as without memory. Further failures of this"
            " kind are not logged.",
            where,
            f" for {what}" if what else "",
            exc_info=error,
        )
