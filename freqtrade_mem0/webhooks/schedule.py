"""When a message is tried again, and how long an endpoint that is down is left alone."""

from __future__ import annotations

_MINUTE, _HOUR = 60, 3_600

PAUSES_S = (
    *(0, 5, 5 * _MINUTE, 30 * _MINUTE),
    *(2 * _HOUR, 5 * _HOUR, 10 * _HOUR, 14 * _HOUR, 20 * _HOUR, 24 * _HOUR),
)
"""Before each attempt; all of them are a little more than three days, as Standard Webhooks asks."""

_JITTER = 0.1
_FIRST_REST_S, _LONGEST_REST_S = 5, 5 * _MINUTE


def pause_s(n_attempts: int, random: float) -> float | None:
    """Return the pause after so many failed attempts; None where there is none left.

    Parameters
    ----------
    n_attempts
        >= 1.
    random
        In [0, 1): it makes the pause up to a tenth longer, so that not all messages are due at
        once.

    >>> pause_s(1, 0.0), pause_s(2, 0.5), pause_s(len(PAUSES_S), 0.0)
    (5.0, 315.0, None)
    """
    if n_attempts >= len(PAUSES_S):
        return None
    return PAUSES_S[n_attempts] * (1.0 + _JITTER * random)


def rest_s(n_failures: int) -> float:
    """Return how long an endpoint is left alone after so many failures in a row (>= 1).

    Messages are due at their own times; of many that are, one is tried then.

    >>> [rest_s(n) for n in (1, 2, 4, 7, 100)]
    [5, 10, 40, 300, 300]
    """
    return min(_LONGEST_REST_S, _FIRST_REST_S << min(n_failures - 1, 10))
