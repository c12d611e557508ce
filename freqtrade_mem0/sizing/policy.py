"""The port of a sizing policy."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from freqtrade_mem0.form import Form
from freqtrade_mem0.insight import Part
from freqtrade_mem0.records.decision import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
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
    differences: Mapping[str, float] = field(default_factory=dict)
    situation: Mapping[str, float | str] = field(default_factory=dict)
    form: Callable[[], Form] = Form


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """What a policy asks for, before the limits of exchange and wallet.

    Parameters
    ----------
    multiplier
        > 0, inside the configured bounds.
    reasons
        Why, never empty; their effects add up to `multiplier - 1`.
    expected_ratio
        The profit ratio it expects of the trade; None where it has no such forecast.
    """

    multiplier: float
    reasons: tuple[Reason, ...]
    expected_ratio: float | None = None


class Policy(Protocol):
    """Maps what is known to a multiplier. Pure: no clock, no I/O, no state.

    What it raises, and a wish that breaks a rule of `Wish`, never reaches a trade: see `guard`.
    """

    @property
    def name(self) -> str:
        """As in `sizing.policy`."""

    def __call__(self, known: Known, /) -> Wish:
        """Return the multiplier for an entry about which `known` is known."""
