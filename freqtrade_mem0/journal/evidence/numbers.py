"""Features of a situation in four bytes: decimal numbers with few digits, exact to the last bit."""

from __future__ import annotations

import math

EXPONENT_BITS = 5
ZERO = 1 << 26
_MOST_PLACES = 22
"""Powers of ten up to this one are exact."""
TENS = tuple(10.0**places for places in range(1 << EXPONENT_BITS))


def short(value: float) -> int | None:
    """Return a number in 32 bits, from which `long` makes the same number; None if there is none.

    >>> short(0.0123457) is None, long(short(0.0123457)), short(math.pi)
    (False, 0.0123457, None)
    """
    head, _, power = repr(value).partition("e")
    whole, _, places = head.partition(".")
    if places == "0":
        places = ""
    n_places = len(places) - int(power) if power else len(places)
    digits = int(whole + places)
    if not 0 <= n_places <= _MOST_PLACES or not -ZERO < digits < ZERO:
        return None
    if digits == 0 and math.copysign(1.0, value) < 0.0:
        return None
    return (digits + ZERO) << EXPONENT_BITS | n_places


def long(stored: int) -> float:
    """Return the number that `short` stored."""
    # Both parts are exact, and a division rounds as reading the decimal number does.
    return ((stored >> EXPONENT_BITS) - ZERO) / TENS[stored & 31]
