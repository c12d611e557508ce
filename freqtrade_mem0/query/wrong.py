"""What is wrong in a query, and where: the message shows the query with a caret below it."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    from collections.abc import Iterator

_BEFORE, _AFTER = 50, 30
"""How many characters of a long query are shown beside the caret."""


class WrongQueryError(Exception):
    """A rule that the query breaks at a position; `pointing` turns it into a `RecordError`."""

    def __init__(self, at: int, rule: str) -> None:
        super().__init__(rule)
        self.at = at


@contextmanager
def pointing(query: str) -> Iterator[None]:
    """Turn a `WrongQueryError` into a `RecordError` that shows where the query is wrong."""
    try:
        yield
    except WrongQueryError as wrong:
        at = wrong.at
        before = visible(" ".join(query[max(0, at - _BEFORE) : at].splitlines()))
        after = visible(" ".join(query[at : at + _AFTER].splitlines()))
        width = sum(2 if east_asian_width(each) in "WF" else 1 for each in before)
        raise RecordError(
            f"The query can not be used, see column {at + 1}: {wrong}\n"
            f"    {before}{after}\n    {' ' * width}^"
        ) from None
