"""What memory does at a stake of a hyperopt or an analysis, where nobody will ask why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from freqtrade_mem0.records.base import utc_ms
from freqtrade_mem0.strategy.hooks import EXTRA_SITUATION, Hooks

if TYPE_CHECKING:
    from collections.abc import Mapping

    from freqtrade_mem0.run.epoch import EpochRuntime


class EpochHooks(Hooks):
    """Scales stakes; needs no other callback."""

    def _scale(self, proposal: Any, call: Mapping[str, Any]) -> Any:
        runtime = cast("EpochRuntime", self._runtime_of())
        now_ms = utc_ms(call["current_time"])
        pair = call["pair"]
        movement: tuple[object, object] | None
        if self._levels_checked and not hasattr(self._strategy, EXTRA_SITUATION):
            movement = self._market.movement(pair, now_ms)
        else:
            _, situation, movement = self._look(runtime, call, now_ms)
            if movement is None:
                features = situation() if callable(situation) else situation
                movement = features.get("volatility"), features.get("momentum")
        return runtime.session.stake(
            (pair, call["side"], now_ms),
            float(proposal),
            movement,
            (self._markets.smallest_stake(call), call["max_stake"]),
            self._free_slots,
        )
