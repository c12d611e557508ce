"""Where memory's account stands at the start of a day: what policies read of it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Share(NamedTuple):
    """One expert's part of the account.

    Parameters
    ----------
    weight
        How far it is followed, in [0, 1].
    wealth
        What its share has become, > 0; 1.0 at the start.
    mean_multiplier
        Of its multipliers so far.
    """

    weight: float
    wealth: float = 1.0
    mean_multiplier: float = 1.0


class Standing(NamedTuple):
    """Memory's account at the start of a UTC day.

    Parameters
    ----------
    shares
        By expert.
    earned
        Sum of w * x so far: what memory has earned, or lost where negative, against the same mean
        stake, in usual daily results.
    floor
        `earned` is never below this; negative.
    earned_ratio
        The same as a ratio of one stake, without the bound of a day.
    n_trades
        Number of trades that it has learned from, those of priors counted at their discount.
    since_ms
        Start of the day since which the experts' capital has been above what they began with;
        None where it is not.
    usual_result
        The usual daily result, as a ratio of one stake; 0.0 where it is not known yet.
    room
        How far a stake may be moved away from its mean one, see `insight.stakes`.
    """

    shares: Mapping[str, Share]
    earned: float = 0.0
    floor: float = 0.0
    earned_ratio: float = 0.0
    n_trades: float = 0.0
    since_ms: int | None = None
    usual_result: float = 0.0
    room: float = 0.0

    def held_back(self, multipliers: Sequence[float], room: float) -> tuple[float, float]:
        """Return which part of its weights memory keeps at an entry, so that it stays in a room.

        Parameters
        ----------
        multipliers
            What each expert says of an entry, in the order of `shares`.
        room
            How far the stake may be moved away from its mean one.

        Returns
        -------
        tuple
            A factor on all weights, in [0, 1], and how far the stake is from the mean one.
        """
        wanted = 0.0
        for (weight, _, mean), multiplier in zip(self.shares.values(), multipliers, strict=True):
            wanted += weight * (multiplier / mean - 1.0)
        factor = 1.0 if -room <= wanted <= room else room / abs(wanted)
        return factor, factor * wanted

    @property
    def weight(self) -> float:
        """How far memory is followed altogether, in [0, 1]."""
        return math.fsum(share.weight for share in self.shares.values())
