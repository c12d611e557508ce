"""Reads learned rules from data, as people, agents and the config write them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freqtrade_mem0.decide.learned import ANY, RISK, LearnedRule
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.risk.events import EVENT_TYPES
from freqtrade_mem0.sizing.conditions import Condition, condition
from freqtrade_mem0.words.visible import brief

_TEXTS = frozenset({"pair", "side", "enter_tag", RISK})
_MOST_CONDITIONS = 20
_LARGEST_SCALE = 10.0
_LONGEST_NOTE = 1_000


def read_rule(given: Any, name: str) -> LearnedRule:
    """Return a rule from data.

    Parameters
    ----------
    given
        A mapping with `when`, a list of conditions or a mapping of features to values, and `scale`
        or `veto` or neither, and `note`.
    name
        Its id.

    Raises
    ------
    RecordError
        A key is missing or unknown, or its value breaks its rule.
    """
    if not isinstance(given, Mapping):
        raise RecordError(f"A rule must be a mapping of keys to values, got {brief(given)}.")
    unknown = given.keys() - {"when", "scale", "veto", "note"}
    if unknown:
        raise RecordError(
            f"A rule has no key {brief(min(map(str, unknown)))}; there are when, scale, veto "
            "and note."
        )
    scale, veto, note = given.get("scale"), given.get("veto", False), given.get("note") or ""
    is_number = isinstance(scale, int | float) and not isinstance(scale, bool)
    if scale is not None and not (is_number and 0.0 < scale <= _LARGEST_SCALE):
        raise RecordError(
            f"scale is the rule's factor on the stake, a number in (0, {_LARGEST_SCALE:g}], got "
            f"{brief(scale)}."
        )
    if not isinstance(veto, bool) or (veto and scale is not None):
        raise RecordError("veto is true or false, and a rule has either veto or scale, not both.")
    if not isinstance(note, str) or len(note) > _LONGEST_NOTE:
        raise RecordError(
            f"note must be a text of at most {_LONGEST_NOTE:,} characters, got {brief(note)}."
        )
    if scale is None and not veto and not note:
        raise RecordError("A rule needs scale, veto or a note; this one does nothing.")
    return LearnedRule(
        id=name,
        conditions=tuple(_condition(each) for each in _written(given.get("when"))),
        scale=None if scale is None else float(scale),
        veto=veto,
        note=note,
    )


def as_text(each: Condition) -> str:
    """Return a condition as it is written."""
    value = ", ".join(map(_shown, each.value)) if isinstance(each.value, tuple) else each.value
    return f"{each.feature} {each.operator} {_shown(value)}"


def _shown(value: float | str | tuple[float | str, ...]) -> str:
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _written(when: Any) -> list[str]:
    """Return conditions as texts; a mapping's values are compared by `==`, `in` or their sign."""
    if isinstance(when, Mapping):
        found = []
        for name, value in when.items():
            if isinstance(value, list | tuple):
                found.append(f"{name} in {', '.join(map(str, value))}")
            elif isinstance(value, str) and value.lstrip()[:1] in set("<>=!"):
                found.append(f"{name} {value}")
            else:
                found.append(f"{name} == {value}")
        when = found
    is_list = isinstance(when, list | tuple) and all(isinstance(each, str) for each in when)
    if not is_list or not 1 <= len(when) <= _MOST_CONDITIONS:
        raise RecordError(
            f"when must be a list of 1 to {_MOST_CONDITIONS} conditions such as 'rsi < 30', got "
            f"{brief(when)}."
        )
    return list(when)


def _condition(text: str) -> Condition:
    try:
        found = condition(text, _TEXTS)
    except ValueError as error:
        raise RecordError(f"{error}.") from error
    if found.feature == RISK:
        values = found.value if isinstance(found.value, tuple) else (found.value,)
        wrong = [each for each in values if each not in {*EVENT_TYPES, ANY}]
        if wrong or found.operator not in {"==", "!=", "in"}:
            raise RecordError(
                f"{brief(text)}: risk is compared by ==, != or in, with any or one of "
                f"{', '.join(EVENT_TYPES)}."
            )
    return found
