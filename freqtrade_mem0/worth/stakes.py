r"""What the stakes of a bot's closed trades were worth: memory's stakes against the proposed ones.

A trade with the profit ratio :math:`r` for which the strategy proposed the stake :math:`p` and
memory decided on :math:`s` is counted with the effect

.. math:: (s - p) \, f \, r

where :math:`f \le 1` is the share of the placed stake that was filled. In shadow mode this is what
memory would have changed. The ratio is after fees, funding and leverage, so these are in it. This
assumes that a smaller or larger stake would have been filled at the same prices, and that later
entries into a trade, which memory does not size, would have been the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from freqtrade_mem0.worth.daily import Daily, by_day
from freqtrade_mem0.worth.differences import daily_columns
from freqtrade_mem0.worth.finding import MIN_DAYS, MIN_TRADES, MIN_TRADING_DAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.journal.sized_trades import SizedTrade


@dataclass(frozen=True, slots=True, kw_only=True)
class Stakes:
    """Trades in the order of entry, as arrays of the shape (n_trades,).

    `base` is each profit with the proposed stake, `days` the number of the day of each close,
    counted from `first`, the day of the first entry.
    """

    first: date
    proposed: NDArray[np.float64]
    multipliers: NDArray[np.float64]
    base: NDArray[np.float64]
    days: NDArray[np.int64]

    @property
    def n_days(self) -> int:
        """Days up to the last close."""
        return int(self.days.max()) + 1

    @property
    def enough(self) -> int | None:
        """How many trades had closed when there were enough for a finding; None before that."""
        closed = np.sort(self.days)
        begins = np.flatnonzero(np.diff(closed, prepend=-1))
        late = np.flatnonzero(closed >= MIN_DAYS - 1)
        if len(closed) < MIN_TRADES or len(begins) < MIN_TRADING_DAYS or not len(late):
            return None
        return max(MIN_TRADES, int(begins[MIN_TRADING_DAYS - 1]) + 1, int(late[0]) + 1)

    @property
    def last(self) -> date:
        """The day of the last close."""
        return date.fromordinal(self.first.toordinal() + self.n_days - 1)

    @property
    def columns(self) -> NDArray[np.float64]:
        """The daily columns of proposed and decided stakes; the exposure is the stake."""
        runs = [
            Daily(
                first=self.first,
                returns=by_day(self.base * size, self.days, self.n_days),
                exposure=by_day(self.proposed * size, self.days, self.n_days),
            )
            for size in (np.ones_like(self.multipliers), self.multipliers)
        ]
        return daily_columns(*runs)

    def closed_first(self, n: int) -> Stakes:
        """Return the `n` trades that closed first."""
        chosen = np.sort(np.argsort(self.days, kind="stable")[:n])
        return Stakes(
            first=self.first,
            proposed=self.proposed[chosen],
            multipliers=self.multipliers[chosen],
            base=self.base[chosen],
            days=self.days[chosen],
        )


def stakes_of(trades: Sequence[SizedTrade]) -> Stakes | None:
    """Return those trades that memory decided about; None where there is none."""
    both = [(each.trade, each.sized) for each in trades if each.sized is not None]
    both.sort(key=lambda pair: (pair[0].open_date, pair[0].id))
    if not both:
        return None
    first = both[0][0].open_date.date()
    proposed = np.array([sized.proposed * sized.filled for _, sized in both])
    return Stakes(
        first=first,
        proposed=proposed,
        multipliers=np.array([sized.multiplier for _, sized in both]),
        base=proposed * [trade.profit_ratio for trade, _ in both],
        days=np.array([max(0, (trade.close_date.date() - first).days) for trade, _ in both]),
    )
