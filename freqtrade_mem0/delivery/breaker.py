"""When to ask a service again that failed: exponential back-off with jitter, and a circuit breaker.

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
    """Whether a service is asked."""

    CLOSED = "closed"
    """It answers: it gets whole batches."""
    WAITING = "waiting"
    """It failed lately: asked again after a pause, with whole batches."""
    OPEN = "open"
    """It failed often: asked again after a pause, with a single record."""


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
        """Whether and how the service is asked next."""
        if self.failures == 0:
            return BreakerState.CLOSED
        is_open = self.failures >= self.failures_to_open
        return BreakerState.OPEN if is_open else BreakerState.WAITING

    def failed(self, retry_after_s: float | None = None) -> float:
        """Count a failure; return the pause before the next attempt, in seconds.

        Half of the pause is fixed and half is random, so that it is never next to nothing.

        Parameters
        ----------
        retry_after_s
            What the service asked for. It is respected up to `max_s`.
        """
        doublings = min(self.failures, _FARTHEST_DOUBLING)
        self.failures += 1
        pause_s: float = min(self.base_s * 2.0**doublings, self.max_s)
        jittered_s = pause_s * (0.5 + 0.5 * self.random())
        return max(jittered_s, min(retry_after_s or 0.0, self.max_s))

    def succeeded(self) -> bool:
        """Count a success; return whether this ends a trouble."""
        was_in_trouble = self.failures > 0
        self.failures = 0
        return was_in_trouble
