"""The values of a situation as records keep them: finite floats and short strings."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

Situation = dict[str, float | str]


def clean(extra: Mapping[str, object]) -> Situation:
    """Return an author's own features as records keep them; other values are left out.

    >>> clean({"btc_trend": np.float64(0.123456789), "news": True, "none": None})
    {'btc_trend': 0.123457, 'news': 'True'}
    """
    features: Situation = {}
    for name, value in extra.items():
        if isinstance(value, bool | np.bool_ | str):
            features[name] = str(value)
        elif isinstance(value, int | float | np.number) and math.isfinite(value):
            features[name] = float(f"{value:.6g}")
    return features


def all_to_six_digits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return numbers rounded to six significant digits, which hides the rounding errors of sums.

    Each is `float(f"{value:.6g}")`, except that a value half-way may be rounded to either side. NaN
    and infinities stay.

    >>> all_to_six_digits(np.array([0.123456789, -98765432.1, 0.0])).tolist()
    [0.123457, -98765400.0, 0.0]
    """
    with np.errstate(all="ignore"):
        size = np.abs(values)
        digits = np.log10(np.where((size > 0.0) & (size < math.inf), size, 1.0))
        shift = (_DIGITS - 1) - np.floor(digits).astype(np.intp)
        # Powers of ten are exact up to 1e22: multiplied before the point, divided behind it.
        up = _TENS.take(shift, mode="clip")
        down = _TENS.take(-shift, mode="clip")
        rounded: NDArray[np.float64] = np.rint(values * up / down) / up * down
    return rounded


_DIGITS = 6
_TENS = np.array([float(f"1e{power}") for power in range(301)])
