"""The policy `response`: stakes follow the volatility at entry, as this kind of strategy wants it.

The sign is not assumed: see `insight.response`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from freqtrade_mem0.records.decision import Reason
from freqtrade_mem0.sizing.policy import Known, Wish
from freqtrade_mem0.sizing.wording import group_reason

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from freqtrade_mem0.config.sizing import SizingSettings
    from freqtrade_mem0.insight.response import Response


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowResponse:
    """Returns the response's multiplier inside the bounds.

    Parameters
    ----------
    min_multiplier, max_multiplier
        Bounds, 0 < min <= 1 <= max.
    """

    reads_levels: ClassVar[bool] = False

    min_multiplier: float
    max_multiplier: float
    name: str = "response"

    def __call__(self, known: Known) -> Wish:
        """Return the multiplier for an entry."""
        multiplier = self.multiplier(known.response)

        def reasons() -> list[Reason]:
            text = in_words(known.response, multiplier)
            moved = Reason(name=self.name, text=text, effect=multiplier - 1.0)
            return [group_reason(known.strategy, 0.0), moved]

        return Wish(multiplier=multiplier, reasons=reasons)

    def multiplier(self, response: Response) -> float:
        """Return the response's multiplier inside the bounds."""
        return max(self.min_multiplier, min(response.multiplier, self.max_multiplier))

    def multipliers(self, responses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the multipliers of many responses inside the bounds, shape (n_entries,)."""
        return responses.clip(self.min_multiplier, self.max_multiplier)


def in_words(response: Response, multiplier: float) -> str:
    """Return a sentence on what the volatility says, and why.

    >>> from freqtrade_mem0.insight.response import Response
    >>> in_words(Response(1.31, 0.3, 0.9, -0.8, False, 120.0), 1.31).partition("; ")[0]
    'response to volatility x1.31: 35% more volatile than at its usual entry'
    >>> in_words(Response(n=12.0), 1.0)
    "response to volatility: this entry's volatility is not known"
    """
    if response.n <= 0.0:
        return "response to volatility: no earlier entries are known yet"
    if response.excess == response.slope == 0.0:
        return "response to volatility: this entry's volatility is not known"
    apart = math.expm1(response.excess)
    more = "more" if apart >= 0.0 else "less"
    kind = _kind(response)
    gain = "gain more" if response.slope >= 0.0 else "gain less"
    return (
        f"response to volatility x{multiplier:.2f}: {abs(apart):.0%} {more} volatile than at its "
        f"usual entry; {kind} {gain} in volatile markets"
    )


def _kind(response: Response) -> str:
    """Return the kind of strategy in words."""
    with_move = "with" if response.momentum >= 0.0 else "against"
    sides = " on both sides" if response.both_sides else ""
    return f"strategies that enter {with_move} the move{sides}"


def from_settings(sizing: SizingSettings) -> FollowResponse:
    """Build the policy."""
    return FollowResponse(
        min_multiplier=sizing.min_multiplier, max_multiplier=sizing.max_multiplier
    )
