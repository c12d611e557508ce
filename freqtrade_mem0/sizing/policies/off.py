"""The policy `off` leaves every stake as proposed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.sizing.policy import Known, Wish

if TYPE_CHECKING:
    from freqtrade_mem0.config.sizing import SizingSettings


@dataclass(frozen=True, slots=True)
class Off:
    """Returns multiplier 1.0."""

    name: str = "off"

    def __call__(self, known: Known) -> Wish:
        """Return 1.0."""
        reason = Reason(
            name="off",
            text="sizing.policy is off: the stake stays as proposed",
            n_effective=known.strategy.moments.n_effective,
            mean_ratio=known.strategy.moments.mean,
        )
        return Wish(multiplier=1.0, reasons=(reason,))


def from_settings(_sizing: SizingSettings) -> Off:
    """Build the policy."""
    return Off()
