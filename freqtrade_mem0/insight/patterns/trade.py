"""What the search for patterns reads of a closed trade."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


class PatternTrade(NamedTuple):
    """A closed trade.

    Parameters
    ----------
    id
        Of its record.
    known_ms, open_ms, close_ms
        When it became known, was opened and was closed; milliseconds since 1970 in UTC.
    ratio
        Profit ratio after fees.
    pair, side, enter_tag, exit_reason
        "" where there is none.
    situation
        Features of the market at the entry.
    """

    id: str
    known_ms: int
    open_ms: int
    close_ms: int
    ratio: float
    pair: str
    side: str
    enter_tag: str
    exit_reason: str
    situation: Mapping[str, float | str]
