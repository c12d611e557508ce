"""The port of a sizing policy."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol

from freqtrade_mem0.insight.performance import RecentPerformance

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from freqtrade_mem0.insight.shrinkage import Part
    from freqtrade_mem0.records.decision import Reason

_NOTHING: Mapping[str, float] = MappingProxyType({})


class Known(NamedTuple):
    """What a policy may use: moments of trades known strictly before the decision.

    Parameters
    ----------
    strategy
        All trades of the strategy.
    levels
        The subsets this entry belongs to, in the configured order, combined ones last.
    differences
        How much the groups of each level differ, see `insight.differences`; a level that is missing
        has told nothing yet.
    situation
        Market features of candles closed before the decision, see `situation.Candles.features`;
        empty where too few candles are there.
    form
        Gives the strategy's losing streak and drawdown. Worked out only if it is called, and only
        to be called while the policy decides.
    """

    strategy: Part
    levels: Sequence[Part]
    differences: Mapping[str, float] = _NOTHING
    situation: Mapping[str, float | str] = _NOTHING
    form: Callable[[], RecentPerformance] = RecentPerformance


class Wish:
    """What a policy asks for, before the limits of exchange and wallet.

    Parameters
    ----------
    multiplier
        > 0, inside the configured bounds.
    reasons
        Why, never empty; their effects add up to `multiplier - 1`. Or a function that gives them:
        it is called when somebody looks, maybe in another thread, which saves a trading callback
        from wording what nobody reads there.
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
        """Why, worked out now where that was put off."""
        if callable(self._reasons):
            self._reasons = self._reasons()
        return self._reasons

    @property
    def puts_off_reasons(self) -> bool:
        """Whether nobody has asked yet for reasons that are given by a function."""
        return callable(self._reasons)


class Policy(Protocol):
    """Maps what is known to a multiplier. Pure: no clock, no I/O, no state.

    What it raises, and a wish that breaks a rule of `Wish`, never reaches a trade: see `guard`.
    """

    @property
    def name(self) -> str:
        """As in `sizing.policy`."""

    def __call__(self, known: Known, /) -> Wish:
        """Return the multiplier for an entry about which `known` is known."""
