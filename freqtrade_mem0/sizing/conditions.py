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
_LISTED = re.compile(r"\s*([^<>=!]+?)\s+(in)\s+([^<>=!]+?)\s*")
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
    """A comparison of one feature with a number, a text or, for `in`, several; see `condition`."""

    feature: str
    operator: str
    value: float | str | tuple[float | str, ...]

    def holds(self, situation: Mapping[str, float | str]) -> bool:
        """Return whether it holds; False where the feature is missing or of the other type."""
        found = situation.get(self.feature)
        if self.operator == "in":
            return found in self.value  # type: ignore[operator]
        return type(found) is type(self.value) and _OPERATORS[self.operator](found, self.value)


def condition(text: str, texts: frozenset[str] = frozenset()) -> Condition:
    """Return the condition that a text states; raise ValueError where it states none.

    Values of the features in `texts` are never read as numbers.

    >>> condition("ADX(14) < 20").holds({"ADX(14)": 17.5})
    True
    >>> condition("weekday in Sat, Sun").holds({"weekday": "Sun"})
    True
    """
    form = _FORM.fullmatch(text) or _LISTED.fullmatch(text)
    if form is None:
        raise ValueError(
            f"{text!r} is no condition. Write a feature, one of {', '.join(_OPERATORS)} and a "
            'value, as in "ADX(14) < 20" or "weekday == Sun", or several values, as in "weekday '
            'in Sat, Sun"'
        )
    feature, sign, written = form.groups()
    if sign == "in":
        parts = [part.strip() for part in written.split(",")]
        if "" in parts:
            raise ValueError(f"{text!r} has an empty value. Write values with commas between them")
        return Condition(
            feature, sign, tuple(_value(text, part, is_text=feature in texts) for part in parts)
        )
    value = _value(text, written, is_text=feature in texts)
    if isinstance(value, str) and sign not in {"==", "!="}:
        raise ValueError(f"{text!r} compares a text by {sign}. Use == or !=, or write a number")
    return Condition(feature, sign, value)


def _value(text: str, written: str, *, is_text: bool) -> float | str:
    if is_text:
        return written
    try:
        value = float(written)
    except ValueError:
        return written
    if not math.isfinite(value):
        raise ValueError(f"{text!r} compares with {written}. Write a finite number or a text")
    return value
