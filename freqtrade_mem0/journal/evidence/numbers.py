"""Features of a situation in four bytes: decimal numbers with few digits, exact to the last bit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    BriefOf = Callable[[float], int | None]

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


class Shorts(dict[float, int | None]):
    """What `short` returns for each of many numbers, worked out together in a quarter of the time.

    Any other number can be asked for, too.

    >>> shorts = Shorts([0.0123457, math.pi])
    >>> shorts[0.0123457] == short(0.0123457), shorts[2.5] == short(2.5), shorts[math.pi]
    (True, True, None)
    """

    def __init__(self, values: Iterable[float]) -> None:
        import numpy as np  # here, as not all who read numbers write many

        numbers = np.unique(np.fromiter(values, np.float64))
        left = numbers[numbers != 0.0]  # a zero with a sign is equal to one without
        super().__init__(dict.fromkeys(left.tolist()))
        for places in range(_MOST_PLACES + 1):
            # The shortest decimal number is the one with the fewest places, as long as both of its
            # parts are exact.
            with np.errstate(all="ignore"):  # whatever a strategy has set
                digits = np.rint(left * TENS[places])
                is_brief = np.abs(digits) < ZERO
                left, digits = left[is_brief], digits[is_brief]
                is_same = digits / TENS[places] == left
            stored = (digits[is_same].astype(np.int64) + ZERO) << EXPONENT_BITS | places
            self.update(zip(left[is_same].tolist(), stored.tolist(), strict=True))
            left = left[~is_same]
            if not len(left):
                break

    def __missing__(self, value: float) -> int | None:
        return short(value)


def long(stored: int) -> float:
    """Return the number that `short` stored."""
    # Both parts are exact, and a division rounds as reading the decimal number does.
    return ((stored >> EXPONENT_BITS) - ZERO) / TENS[stored & 31]
