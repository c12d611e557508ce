"""How risk events damp a stake or a leverage, and how that wears off."""

from __future__ import annotations

import math
from bisect import bisect_left, insort
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.records.decision import Reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.config.risk_settings import RiskSettings
    from freqtrade_mem0.records.kinds.risk import RiskEvent

_ORDER = attrgetter("known_at", "id")
_NEGLIGIBLE = 0.001
"""Share of a stake below which an event has worn off."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Damping:
    r"""How much events damp: exponential decay from a severity by type.

    An event of severity :math:`s` and age :math:`a` leaves :math:`1 - s \, 2^{-a/h}` of a stake;
    the factors of all active events are multiplied. An event is active from strictly after its
    `known_at` until it takes less than a thousandth of a stake. An event with a pair damps entries
    of that pair, one without a pair damps all entries.

    Parameters
    ----------
    severity
        By event type, in [0, 1); a type that is missing does not damp.
    half_life_days
        Half-life :math:`h` in market days, > 0.
    min_multiplier
        Lower bound of a stake's multiplier and a leverage's factor, in (0, 1].
    leverage
        Whether leverage is damped, too.

    What this does not show
    -----------------------
    That smaller stakes after losses earn more. In trials on real candles they did not.
    """

    severity: Mapping[str, float] = field(default_factory=dict)
    half_life_days: float = 7.0
    min_multiplier: float = 0.25
    leverage: bool = False

    @classmethod
    def from_settings(cls, settings: RiskSettings, min_multiplier: float) -> Damping:
        """Build it from the `"risk"` block; where damping is off, nothing damps."""
        damping = settings.damping
        severity = damping.severity.model_dump() if damping.enabled else {}
        return cls(
            severity={name: value for name, value in severity.items() if value > 0.0},
            half_life_days=damping.half_life_days,
            min_multiplier=min_multiplier,
            leverage=settings.leverage and damping.enabled,
        )

    def remaining(self, event: RiskEvent, moment: datetime) -> float:
        """Return the share of a stake that an event still takes, in [0, 1); 0.0 if not active."""
        if event.known_at >= moment:
            return 0.0
        age_days = (moment - event.known_at) / _DAY
        share = self.severity.get(event.event_type, 0.0) * 2.0 ** (-age_days / self.half_life_days)
        return share if share >= _NEGLIGIBLE else 0.0

    @property
    def is_open_for(self) -> timedelta:
        """Market time for which an event is open, or damps, whichever is longer."""
        return max(self.lasts_at_most, self.half_life_days * _DAY)

    @property
    def lasts_at_most(self) -> timedelta:
        """Market time after which the severest event has worn off; zero where nothing damps."""
        worst = max(self.severity.values(), default=0.0)
        if worst < _NEGLIGIBLE:
            return timedelta(0)
        return self.half_life_days * math.log2(worst / _NEGLIGIBLE) * _DAY

    def response(self, event_type: str, pair: str) -> str:
        """Return in words what is done about an event; `pair` is "" for all pairs."""
        severity = self.severity.get(event_type, 0.0)
        if severity < _NEGLIGIBLE:
            return "noted; stakes are not damped by it"
        what = "stakes and leverage" if self.leverage else "stakes"
        return (
            f"{what} of {pair or 'all pairs'} are damped by {severity:.0%}, half of which wears off"
            f" in {self.half_life_days:g} days"
        )


NO_DAMPING = Damping()


class Damped(NamedTuple):
    """An event that damps a stake.

    Parameters
    ----------
    event
        The event.
    share
        Of the stake, that the event still takes.
    effect
        What it changed in the multiplier.
    """

    event: RiskEvent
    share: float
    effect: float

    def reason(self) -> Reason:
        """Return it in words."""
        event = self.event
        text = (
            f"{event.event_type.replace('_', ' ')} on {event.known_at:%Y-%m-%d %H:%M} UTC: "
            f"{event.description}; it still damps by {self.share:.1%}"
        )
        return Reason(name="risk", value=event.event_type, text=text, effect=self.effect)


class ActiveEvents:
    """The newest events of a run: which are open, and how far they damp its entries.

    Parameters
    ----------
    damping
        How much they damp.
    """

    def __init__(self, damping: Damping) -> None:
        self._damping, self._lasts = damping, damping.lasts_at_most
        self._by_id: dict[str, RiskEvent] = {}
        self._by_time: list[RiskEvent] = []

    def add(self, event: RiskEvent) -> None:
        """Add an event, which counts from its `known_at` on; a correction replaces it."""
        self.remove(event.id)
        self._by_id[event.id] = event
        insort(self._by_time, event, key=_ORDER)

    def remove(self, event_id: str) -> None:
        """Remove an event, if it is there."""
        event = self._by_id.pop(event_id, None)
        if event is not None:
            del self._by_time[bisect_left(self._by_time, _ORDER(event), key=_ORDER)]

    def forget_before(self, moment: datetime) -> None:
        """Remove events that became known before an aware UTC market time."""
        if not self._by_time or self._by_time[0].known_at >= moment:
            return
        n_old = bisect_left(self._by_time, (moment, ""), key=_ORDER)
        for event in self._by_time[:n_old]:
            del self._by_id[event.id]
        del self._by_time[:n_old]

    def __len__(self) -> int:
        return len(self._by_id)

    def clear(self) -> None:
        """Remove all events."""
        self._by_id, self._by_time = {}, []

    def factor(self, moment: datetime, pair: str) -> float:
        """Return the factor on an entry's leverage, in [`min_multiplier`, 1]."""
        left = math.prod(1.0 - share for _, share in self._shares(moment, pair))
        return max(left, self._damping.min_multiplier)

    def damp(
        self, multiplier: float, moment: datetime, pair: str
    ) -> tuple[float, Sequence[Damped]]:
        """Return a damped multiplier, and the active events, oldest first.

        Their effects add up to the damped multiplier minus the given one.

        Parameters
        ----------
        multiplier
            Of the policy, > 0.
        moment
            Aware UTC market time of the decision.
        pair
            Of the entry.
        """
        shares = self._shares(moment, pair)
        if not shares:
            return multiplier, ()
        found = []
        lowest = min(multiplier, self._damping.min_multiplier)
        unbounded, damped = multiplier, multiplier
        for event, share in shares:
            unbounded *= 1.0 - share
            before, damped = damped, max(unbounded, lowest)
            found.append(Damped(event, share, damped - before))
        return damped, found

    def open_types(self, moment: datetime, pair: str) -> set[str]:
        """Return the types of the events that are open for entries of a pair.

        An event is open from strictly after its `known_at` for one half-life.
        """
        since = moment - self._damping.half_life_days * _DAY
        return {event.event_type for event in self._since(since, moment, pair)}

    def _shares(self, moment: datetime, pair: str) -> list[tuple[RiskEvent, float]]:
        if not self._by_time:
            return []
        shares = []
        for event in self._since(moment - self._lasts, moment, pair):
            share = self._damping.remaining(event, moment)
            if share > 0.0:
                shares.append((event, share))
        return shares

    def _since(self, since: datetime, moment: datetime, pair: str) -> list[RiskEvent]:
        """Return the events of a pair, or of all pairs, known before a moment; oldest first."""
        found = []
        for event in reversed(self._by_time):
            known_at = event.known_at
            if known_at < since:
                break
            if known_at < moment and event.pair in ("", pair):
                found.append(event)
        found.reverse()
        return found
