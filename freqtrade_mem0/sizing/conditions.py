"""Conditions on the situation of an entry, as people write them: `ADX(14) < 20`."""

from __future__ import annotations

import math
import operator
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_FORM = re.compile(r"\s*([^<>=!]+?)\s*(<=|>=|==|!=|<|>)\s*([^<>=!]+?)\s*")
_OPERATORS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


@dataclass(frozen=True, slots=True)
class Condition:
    """A comparison of one feature with a number or a text; see `condition`."""

    feature: str
    operator: str
    value: float | str

    def holds(self, situation: Mapping[str, float | str]) -> bool:
        """Return whether it holds; False where the feature is missing or of the other type."""
        found = situation.get(self.feature)
        return type(found) is type(self.value) and _OPERATORS[self.operator](found, self.value)


def condition(text: str) -> Condition:
    """Return the condition that a text states; raise ValueError where it states none.

    >>> condition("ADX(14) < 20").holds({"ADX(14)": 17.5})
    True
    """
    form = _FORM.fullmatch(text)
    if form is None:
        raise ValueError(
            f"{text!r} is no condition. Write a feature, one of {', '.join(_OPERATORS)} and a "
            'value, as in "ADX(14) < 20" or "weekday == Sun"'
        )
    feature, sign, written = form.groups()
    value: float | str
    try:
        value = float(written)
    except ValueError:
        value = written
    if value != value or value in (math.inf, -math.inf):  # noqa: PLR0124 - NaN is not equal to itself
        raise ValueError(f"{text!r} compares with {written}. Write a finite number or a text")
    if isinstance(value, str) and sign not in ("==", "!="):
        raise ValueError(f"{text!r} compares a text by {sign}. Use == or !=, or write a number")
    return Condition(feature, sign, value)
