"""When to ask a failing service again: exponential back-off with jitter and a circuit breaker.

References
----------
Brooker, M. (2015). Exponential Backoff And Jitter. AWS Architecture Blog ("equal jitter": bots that
lost one server together do not come back to it together).
Nygard, M. T. (2018). Release It!, 2nd ed., ch. 5 (circuit breaker: closed, open, half-open).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

_FARTHEST_DOUBLING = 62


class BreakerState(StrEnum):
    """Whether and how a service is asked next."""

    CLOSED = "closed"
    """At once, with a whole batch."""
    WAITING = "waiting"
    """After a pause, with a whole batch: it has failed."""
    OPEN = "open"
    """After a pause, with a single record: it has failed often in a row."""


@dataclass(slots=True, kw_only=True)
class Breaker:
    """Counts failures in a row and says how long to leave a service alone.

    Parameters
    ----------
    base_s, max_s
        First and longest pause before jitter, in seconds, > 0.
    failures_to_open
        Failures in a row after which only a probe is sent, >= 1.
    random
        Gives uniform numbers in [0, 1).

    Examples
    --------
    >>> breaker = Breaker(base_s=5, max_s=300, failures_to_open=2, random=lambda: 0.5)
    >>> [breaker.failed(), breaker.failed(), breaker.failed(retry_after_s=60.0)]
    [3.75, 7.5, 60.0]
    >>> breaker.state
    <BreakerState.OPEN: 'open'>
    """

    base_s: float
    max_s: float
    failures_to_open: int
    random: Callable[[], float]
    failures: int = 0

    @property
    def state(self) -> BreakerState:
        """How the service is asked next."""
        if self.failures == 0:
            return BreakerState.CLOSED
        is_open = self.failures >= self.failures_to_open
        return BreakerState.OPEN if is_open else BreakerState.WAITING

    def failed(self, retry_after_s: float | None = None) -> float:
        """Count a failure; return the pause before the next attempt, in seconds.

        Half of the pause is fixed and half is random. `retry_after_s` is the least pause, up to
        `max_s`.
        """
        doublings = min(self.failures, _FARTHEST_DOUBLING)
        self.failures += 1
        pause_s: float = min(self.base_s * 2.0**doublings, self.max_s)
        jittered_s = pause_s * (0.5 + 0.5 * self.random())
        return max(jittered_s, min(retry_after_s or 0.0, self.max_s))

    def succeeded(self) -> bool:
        """Count a success; return whether it is the first after a failure."""
        has_failed = self.failures > 0
        self.failures = 0
        return has_failed
