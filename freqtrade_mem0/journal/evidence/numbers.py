"""Features of a situation in four bytes: decimal numbers with few digits, exact to the last bit."""

from __future__ import annotations

import math

_EXPONENT_BITS = 5
_ZERO = 1 << 26
_MOST_PLACES = 22
"""Powers of ten up to this one are exact."""
_TENS = tuple(10.0**places for places in range(1 << _EXPONENT_BITS))


def short(value: float) -> int | None:
    """Return a number in 32 bits, from which `long` makes the same number; None if there is none.

    >>> short(0.0123457) is None, long(short(0.0123457)), short(math.pi)
    (False, 0.0123457, None)
    """
    head, _, power = repr(value).partition("e")
    whole, _, places = head.partition(".")
    if places == "0":
        places = ""
    n_places = len(places) - int(power or 0)
    digits = int(whole + places)
    if not 0 <= n_places <= _MOST_PLACES or not -_ZERO < digits < _ZERO:
        return None
    if digits == 0 and math.copysign(1.0, value) < 0.0:
        return None
    return (digits + _ZERO) << _EXPONENT_BITS | n_places


def long(stored: int) -> float:
    """Return the number that `short` stored."""
    # Both parts are exact, and a division rounds as reading the decimal number does.
    return ((stored >> _EXPONENT_BITS) - _ZERO) / _TENS[stored & 31]
