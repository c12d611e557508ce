"""What memory does at a stake of a backtest, a hyperopt or an analysis with the default policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from freqtrade_mem0.records.base import utc_ms
from freqtrade_mem0.strategy.hooks import EXTRA_SITUATION, Hooks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from freqtrade_mem0.run.epoch import EpochRuntime
    from freqtrade_mem0.run.noted import NotedRuntime
    from freqtrade_mem0.situation import Situation


class EpochHooks(Hooks):
    """Scales stakes; needs no other callback."""

    markets_are_fixed = True
    _n_runs = 0
    _has_extra = False

    def _scale(self, proposal: Any, call: Mapping[str, Any]) -> Any:
        runtime = cast("EpochRuntime", self._runtime_of())
        session = runtime.session
        session.learn_closed()
        if session.n_runs != self._n_runs:
            self._n_runs = session.n_runs
            self._market.forget_signals()
            self._markets.forget()
            self._has_extra = hasattr(self._strategy, EXTRA_SITUATION)
        now_ms = utc_ms(call["current_time"])
        signals = self._market.signals(call["pair"])
        situation: Situation | Callable[[], Situation] | None = None
        movement: tuple[object, object] | None
        if self._levels_checked and not self._has_extra:
            movement = signals.movement(now_ms)
        else:
            _, situation, movement = self._look(runtime, call, now_ms)
            if movement is None:
                situation = situation() if callable(situation) else situation
                movement = situation.get("volatility"), situation.get("momentum")
        ask = call, now_ms, float(proposal), movement, self._markets.smallest_stake(call)
        said = session.stake(ask, self._free_slots)
        session.note(ask, said, situation, signals)
        return said[0]


class NotedHooks(EpochHooks):
    """Scales stakes, and notes what a backtest records after its loop."""

    def confirm_trade_entry(self, own: Callable[[], Any], call: Mapping[str, Any]) -> Any:
        """Note an entry that the strategy confirms or refuses. On failure: it is not recorded."""
        answer = own()
        try:
            runtime = cast("NotedRuntime", self._runtime_of())
            if answer:
                runtime.session.confirmed(call)
            else:
                runtime.entry_answered(call, "refused")
        except Exception as error:  # noqa: BLE001 - nothing of ours may reach Freqtrade
            self._log_failure("confirm_trade_entry", error, call)
        return answer
