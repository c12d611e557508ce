"""Discards an answer that cites, or counts, what the model was not given."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from freqtrade_mem0.agents.reflection.findings import Finding

_MOST_INSIGHTS = 5
_MOST_CHARACTERS = 1_000
_NUMBER = re.compile(r"\d(?:[\d.,]*\d)?")
_SMALL = "zero one two three four five six seven eight nine ten eleven twelve"
_WORDS = {name: float(n) for n, name in enumerate(_SMALL.split()) if n > 1} | {
    "dozen": 12.0,
    "twenty": 20.0,
    "thirty": 30.0,
    "forty": 40.0,
    "fifty": 50.0,
    "hundred": 100.0,
    "thousand": 1e3,
    "million": 1e6,
    **dict.fromkeys(("half", "halved"), 0.5),
    **dict.fromkeys(("twice", "double", "doubled"), 2.0),
    **dict.fromkeys(("triple", "tripled"), 3.0),
}
"""Numbers that are written in words; "one" is rarely meant as a number."""


@dataclass(frozen=True, slots=True)
class Insight:
    """A sentence of the model, and the ids of the findings it words."""

    text: str
    cites: tuple[str, ...]


class DiscardedError(ValueError):
    """The answer is discarded; its argument is the reason, in two words."""


def checked(answer: str, given: Sequence[Finding]) -> list[Insight]:
    """Return the insights of an answer.

    Raises
    ------
    DiscardedError
        It has another form, cites an id that was not given, or says a number that is in none of the
        findings it cites. Then none of it is kept.
    """
    found = [_insight(each) for each in _insights(answer)]
    texts: dict[str, list[str]] = {}
    for each in given:
        texts.setdefault(each.id, []).append(each.text)
    for insight in found:
        if not insight.cites or not all(each in texts for each in insight.cites):
            raise DiscardedError("unknown id")
        known = _numbers(text for each in insight.cites for text in texts[each])
        plain = insight.text
        for cited in insight.cites:
            plain = plain.replace(cited, " ")
        if not _numbers([plain]) <= known:
            raise DiscardedError("unknown number")
    return found


def _insights(answer: str) -> list[Any]:
    """Return the list in an answer, which a model may wrap in a block of code."""
    begin, end = answer.find("{"), answer.rfind("}")
    try:
        found = json.loads(answer[begin : end + 1])["insights"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise DiscardedError("no JSON") from error
    if not isinstance(found, list) or len(found) > _MOST_INSIGHTS:
        raise DiscardedError("wrong form")
    return found


def _insight(told: Any) -> Insight:
    text, cites = (told.get("text"), told.get("cites")) if isinstance(told, dict) else (None, None)
    is_right = isinstance(text, str) and 0 < len(text.strip()) <= _MOST_CHARACTERS
    if not is_right or not isinstance(cites, list) or not all(isinstance(c, str) for c in cites):
        raise DiscardedError("wrong form")
    return Insight(str(text).strip(), tuple(dict.fromkeys(cites)))


def _numbers(texts: Iterable[str]) -> set[float]:
    """Return the numbers in texts, without sign and unit.

    >>> sorted(_numbers(["a mean of -1.20% over 1,234 trades, twice"]))
    [1.2, 2.0, 1234.0]
    """
    found: set[float] = set()
    for text in texts:
        found |= {_value(each) for each in _NUMBER.findall(text)}
        words = re.findall(r"[a-z]+", text.lower())
        found |= {_WORDS[each] for each in words if each in _WORDS}
    return found


def _value(digits: str) -> float:
    plain = re.sub(r",(?=\d{3}(?!\d))", "", digits)
    try:
        return float(plain)
    except ValueError:  # a date with dots, a version
        return float(re.sub(r"\D", "", plain))
