"""Pure: risk events of candles, and of locks by Freqtrade's protections."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from freqtrade_mem0.records.base import Origin, record_id, to_ms
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.risk.events import Respond, noted

_MARK_OF_PROTECTIONS = "locking "
"""In the reason of every lock by a protection of Freqtrade's that reacts to losses."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Lock:
    """A lock on entries, as Freqtrade keeps it.

    Parameters
    ----------
    pair
        "*" for all.
    side
        "long", "short" or "*".
    reason
        Whoever made it says why.
    since, until
        Aware UTC market times.
    """

    pair: str
    side: str
    reason: str
    since: datetime
    until: datetime

    @property
    def is_by_protection(self) -> bool:
        """Whether a protection made it because of losses.

        Freqtrade's StoplossGuard, LowProfitPairs and MaxDrawdown say so. Its CooldownPeriod locks
        after any trade, its "Auto lock" and locks by hand or by a strategy are no protections.
        """
        return _MARK_OF_PROTECTIONS in self.reason


def lock_event(
    lock: Lock, origin: Origin, recorded_at: datetime, respond: Respond = noted
) -> RiskEvent:
    """Return the event that a protection's lock is.

    Parameters
    ----------
    lock
        By a protection.
    origin
        The run.
    recorded_at
        Aware UTC wall time.
    respond
        Words the response.
    """
    pair = "" if lock.pair == "*" else lock.pair
    where = (pair or "all pairs") + ("" if lock.side == "*" else f" ({lock.side})")
    text = f"a protection locked {where} until {lock.until:%Y-%m-%d %H:%M} UTC: {lock.reason}"
    return _event(
        "protection_lock",
        text,
        pair,
        known_at=lock.since,
        origin=origin,
        recorded_at=recorded_at,
        respond=respond,
        identity=(lock.side, to_ms(lock.since), to_ms(lock.until)),
    )


def volatility_event(
    pair: str,
    times_usual: float,
    moment: datetime,
    *,
    origin: Origin,
    recorded_at: datetime,
    respond: Respond = noted,
) -> RiskEvent:
    """Return the event that a pair moves far more than it lately did; one per pair and UTC day.

    Parameters
    ----------
    pair
        Whose candles.
    times_usual
        True range over its median in the window, > 2.
    moment
        Aware UTC market time of the decision at which it was seen.
    origin, recorded_at, respond
        As in `lock_event`.

    What this does not show
    -----------------------
    A change while nothing is entered: it is looked for at decisions alone.
    """
    text = f"{pair} ranges {times_usual:.1f} times as far as is usual in its last candles"
    return _event(
        "volatility_regime_change",
        text,
        pair,
        known_at=moment,
        origin=origin,
        recorded_at=recorded_at,
        respond=respond,
        identity=(f"{moment:%Y-%m-%d}",),
    )


def _event(
    event_type: str,
    text: str,
    pair: str,
    *,
    known_at: datetime,
    origin: Origin,
    recorded_at: datetime,
    respond: Respond,
    identity: tuple[str | int, ...],
) -> RiskEvent:
    run = (origin.user_id, origin.strategy, origin.mode, origin.run_id)
    return RiskEvent(
        id=record_id("risk_event", event_type, *run, pair, *identity),
        origin=origin,
        known_at=known_at,
        recorded_at=recorded_at,
        event_type=event_type,
        description=text,
        pair=pair,
        response=respond(event_type, pair),
    )
