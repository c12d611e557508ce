"""The stake that a strategy proposes for an entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import InitVar, dataclass, field
from datetime import datetime

from freqtrade_mem0.records.base import to_ms


# Not frozen: a frozen dataclass takes three times as long to make, and each entry makes one.
@dataclass(slots=True, kw_only=True)
class Proposal:
    """A stake that the strategy proposes. Treat it as immutable.

    Parameters
    ----------
    pair, side, enter_tag
        The entry; the tag is "" where there is none.
    moment
        Aware market time.
    stake
        In stake currency, > 0.
    min_stake, max_stake
        The smallest stake that can be placed and sold again, and what exchange and wallet allow, in
        stake currency; no minimum is None.
    situation
        Market features of the candles closed before `moment`, or a function that returns them;
        `features` has them.
    times_usual_range
        The candles' range over its usual range, where it has jumped; see `situation`.
    free_slots
        Returns how many trades may still be opened, this one included; None where it is unknown.
    volatility_and_momentum
        Those of the situation, where it is a function; None for one that is unknown.
    at_ms
        `moment` in epoch milliseconds, if it is known already.
    """

    pair: str
    side: str
    enter_tag: str
    moment: datetime
    stake: float
    min_stake: float | None
    max_stake: float
    situation: Mapping[str, float | str] | Callable[[], Mapping[str, float | str]]
    times_usual_range: float | None = None
    free_slots: Callable[[float], float] | None = None
    volatility_and_momentum: tuple[float | None, float | None] | None = None
    at_ms: InitVar[int | None] = None
    moment_ms: int = field(init=False)

    def __post_init__(self, at_ms: int | None) -> None:
        self.moment_ms = to_ms(self.moment) if at_ms is None else at_ms

    @property
    def features(self) -> Mapping[str, float | str]:
        """The situation; built at the first access where a function was given."""
        if callable(self.situation):
            self.situation = self.situation()
        return self.situation

    def movement(self) -> tuple[object, object]:
        """Return the situation's volatility and momentum, without building it for them."""
        if self.volatility_and_momentum is not None:
            return self.volatility_and_momentum
        features = self.features
        return features.get("volatility"), features.get("momentum")
