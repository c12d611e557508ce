"""Finds a few numbers in the JSON of trades and decisions, in a tenth of the time of reading it."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

_PAID = re.compile(r'"max_stake_amount":([^,]+),.*?"profit_abs":([^,]+),')
_STAKES = re.compile(
    r'"proposed_stake":([^,]+),"multiplier":[^,]+,"stake":([^,]+),"applied":(true|false)'
)
"""Values in the JSON of records and decisions. Quotes inside of texts are escaped there, so that no
text can look like this."""

PAID_KEY, STAKES_KEY = '"max_stake_amount":', '"proposed_stake":'
_LONGEST = 300
"""Characters in which the values stand that begin with such a key."""


class Decided(NamedTuple):
    """What was proposed, memory's stake, and whether the trade got it (1.0) or not (0.0)."""

    proposed: float
    stake: float
    applied: float


class Paid(NamedTuple):
    """The largest stake in a trade, and its profit, in stake currency."""

    max_stake: float
    profit: float


def paid_in(text: str) -> Paid | None:
    """Return the amounts in a trade's JSON, or in its part; None where there are none."""
    numbers = _numbers(_PAID.search(text))
    return Paid(*numbers) if numbers else None


def decided_in(text: str) -> Decided | None:
    """Return the stakes in a decision's JSON, or in its part; None where there are none."""
    match = _STAKES.search(text)
    numbers = _numbers(match)
    if match is None or not numbers or not min(numbers) > 0.0:
        return None
    proposed, stake = numbers
    return Decided(proposed, stake, float(match[3] == "true"))


def part_from(body: str, key: str) -> str:
    """Return SQL for the part of a body from a key on; a whole one takes long to hand over."""
    return f"substr({body}, instr({body}, '{key}'), {_LONGEST})"


def _numbers(match: re.Match[str] | None) -> list[float]:
    """Return the finite numbers of a match's first two groups; [] where one is none."""
    if match is None:
        return []
    try:
        found = [float(each) for each in match.groups()[:2]]
    except ValueError:
        return []
    return found if all(map(math.isfinite, found)) else []
