"""The default policy: bet more where the shrunk edge is clear, less where the shrunk loss is."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from freqtrade_mem0.insight import Part, estimate, interval
from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.sizing.policy import Known, Wish

if TYPE_CHECKING:
    from freqtrade_mem0.config.settings import SizingSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Bayes:
    """Hierarchical shrinkage, then a bounded, monotone map from evidence to multiplier.

    With `z` the expected profit ratio in units of its standard error (see `insight.estimate`):
    `1 + (max - 1) * tanh(z)` for `z > 0` and `1 + (1 - min) * tanh(z)` for `z < 0`. So the
    multiplier is 1 without evidence, reaches its bounds only in the limit, and moves no faster than
    the evidence.

    Parameters
    ----------
    pseudo_trades
        Trades a level needs to be believed halfway, > 0.
    min_multiplier, max_multiplier
        Bounds, 0 < min <= 1 <= max.
    """

    pseudo_trades: float
    min_multiplier: float
    max_multiplier: float
    name: str = "bayes"

    @classmethod
    def from_settings(cls, settings: SizingSettings) -> Bayes:
        """Build the policy from the `"sizing"` block."""
        return cls(
            pseudo_trades=settings.pseudo_trades,
            min_multiplier=settings.min_multiplier,
            max_multiplier=settings.max_multiplier,
        )

    def __call__(self, known: Known) -> Wish:
        """Return the multiplier for an entry about which `known` is known."""
        result = estimate(known.strategy, known.levels, self.pseudo_trades)
        if result.standard_error <= 0.0:
            n = known.strategy.moments.n
            found = "no closed trade made or lost anything" if n else "no closed trades are known"
            text = f"{found} yet: the stake stays as proposed"
            reason = Reason(name="no_evidence", text=text, n_effective=n)
            return Wish(multiplier=1.0, reasons=(reason,))
        reasons, shift, multiplier = [], 0.0, 1.0
        for part in result.parts:
            # Each part's effect is what it moves on top of the parts before it, so they add up.
            shift += part.shift
            moved = self._multiplier(shift / result.standard_error)
            reasons.append(_reason(part, moved - multiplier))
            multiplier = moved
        return Wish(multiplier=multiplier, reasons=tuple(reasons))

    def _multiplier(self, z: float) -> float:
        reach = self.max_multiplier - 1.0 if z > 0.0 else 1.0 - self.min_multiplier
        # 1 - (1 - 0.1) is a little less than 0.1 in floating point; bounds are bounds.
        return max(self.min_multiplier, 1.0 + reach * math.tanh(z))


def _reason(part: Part, effect: float) -> Reason:
    moments = part.moments
    low, high = interval(moments)
    spread = f" (95 % interval {low:+.2%} to {high:+.2%})" if math.isfinite(low) else ""
    who = f"{part.name} {part.value}".strip()
    trades = f"{moments.n:.1f} trade{'' if moments.n == 1.0 else 's'}"
    text = (
        f"{who}: {trades}, mean {moments.mean:+.2%}{spread}"
        if moments.n > 0.0
        else f"{who}: no trades known yet"
    )
    return Reason(
        name=part.name,
        value=part.value,
        text=text,
        n_effective=moments.n,
        mean_ratio=moments.mean,
        effect=effect,
    )
