"""What a sizing policy is: it maps what is known about an entry to a stake multiplier."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol, runtime_checkable

from freqtrade_mem0.insight.performance import RecentPerformance
from freqtrade_mem0.insight.response import NEUTRAL, Response

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freqtrade_mem0.insight.shrinkage import EntryGroup, Moments
    from freqtrade_mem0.insight.standing import Standing
    from freqtrade_mem0.records.decision import Reason

NO_DIFFERENCES: Mapping[str, float] = MappingProxyType({})
_NO_SITUATION: Mapping[str, float | str] = MappingProxyType({})


class Known(NamedTuple):
    """What a policy may use: statistics of trades known strictly before the decision.

    Parameters
    ----------
    strategy
        All trades of the strategy.
    levels
        The groups this entry belongs to, in the configured order, combined levels last.
    differences
        How much the groups of each level differ, see `insight.shrinkage.differences`; a level
        without an estimate is missing.
    situation
        Market features of candles closed before the decision, see `situation.Candles.features`;
        empty with too few candles.
    response
        How the strategy's trades answer to the volatility at this entry.
    account
        What the experts of `split` have earned, at the start of the UTC day; None where they are
        not followed.
    n_foreign
        How many of the strategy's trades, in `strategy.moments.n`, other machines recorded.
    form
        Returns the strategy's losing streak and drawdown. Computed only when called; to be called
        only while the policy decides.
    """

    strategy: EntryGroup
    levels: Sequence[EntryGroup]
    differences: Mapping[str, float] = NO_DIFFERENCES
    situation: Mapping[str, float | str] = _NO_SITUATION
    form: Callable[[], RecentPerformance] = RecentPerformance
    response: Response = NEUTRAL
    account: Standing | None = None
    n_foreign: float = 0.0


class Wish:
    """What a policy asks for, before the limits of exchange and wallet.

    Parameters
    ----------
    multiplier
        Stake multiplier, > 0, inside the configured bounds.
    reasons
        Never empty; their effects add up to `multiplier - 1`. Or a function that returns them,
        called later, maybe in another thread: a trading callback then need not word reasons that
        it does not read.
    expected_ratio
        The profit ratio it expects of the trade; None where it has no such forecast.
    """

    __slots__ = ("_reasons", "expected_ratio", "multiplier")

    def __init__(
        self,
        *,
        multiplier: float,
        reasons: Sequence[Reason] | Callable[[], Sequence[Reason]],
        expected_ratio: float | None = None,
    ) -> None:
        self.multiplier = multiplier
        self._reasons = reasons
        self.expected_ratio = expected_ratio

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Wish):
            return NotImplemented
        mine = (self.multiplier, self.expected_ratio, tuple(self.reasons))
        return mine == (other.multiplier, other.expected_ratio, tuple(other.reasons))

    __hash__ = None  # type: ignore[assignment]

    @property
    def reasons(self) -> Sequence[Reason]:
        """The reasons; computed at the first access where a function was given."""
        if callable(self._reasons):
            self._reasons = self._reasons()
        return self._reasons

    @property
    def puts_off_reasons(self) -> bool:
        """Whether the reasons have not been computed yet."""
        return callable(self._reasons)


@runtime_checkable
class Forecasting(Protocol):
    """A policy whose forecast adds up shrunk deviations; see `insight.shrinkage.shifts`."""

    def forecast_share(self, whole: Moments, /) -> float:
        """Return which share of them is in the forecast, from the moments of all trades."""


class Policy(Protocol):
    """Maps what is known to a multiplier. Pure: no clock, no I/O, no state.

    Neither an exception nor a wish that breaks a rule of `Wish` reaches a trade: see `guard`.
    A policy that reads neither `levels` nor `differences` may have an attribute `reads_levels` that
    is False; they are then left out, which saves most of the time of a decision.
    """

    @property
    def name(self) -> str:
        """As in `sizing.policy`."""

    def __call__(self, known: Known, /) -> Wish:
        """Return the multiplier for an entry."""
