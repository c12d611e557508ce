"""The trades of a bot or run, filtered and paged by the server."""

from __future__ import annotations

from typing import Annotated, Any, Literal
from urllib.parse import urlencode

from fastapi import APIRouter, Query
from pydantic import BaseModel
from starlette.responses import Response

from freqtrade_mem0.service.shell.choosing import Chosen, choose, name_of
from freqtrade_mem0.service.shell.page import Page
from freqtrade_mem0.service.shell.shell import Visitor
from freqtrade_mem0.views.columns.listing import (
    CHANGES,
    OUTCOMES,
    WORDS,
    Key,
    Wanted,
    choices,
    listing,
)
from freqtrade_mem0.words.numbers import stake_currency

PAGE = Page(
    path="/trades",
    title="Trades",
    order=20,
    about="What is open, what was closed, and what did memory do to it?",
)

router = APIRouter(include_in_schema=False)

_ROWS = 50
_MOST_CHOICES = 300


class Asked(BaseModel):
    """What stands in the address of the list."""

    run: str = ""
    pair: str = ""
    side: str = ""
    enter_tag: str = ""
    exit_reason: str = ""
    outcome: Literal["", "won", "lost"] = ""
    change: Literal["", "raised", "cut", "as proposed"] = ""
    before: str = ""
    after: str = ""

    @property
    def wanted(self) -> Wanted:
        """The filters."""
        texts = {name: getattr(self, name) for name in WORDS}
        return Wanted(texts=texts, outcome=self.outcome, change=self.change)

    def query(self, **changes: str) -> str:
        """Return the query of an address with other values; the place in the list is left out."""
        named = self.model_dump(exclude={"before", "after"}) | changes
        return urlencode({name: value for name, value in named.items() if value})


@router.get(PAGE.path)
def trades(visit: Visitor, asked: Annotated[Asked, Query()]) -> Response:
    """Show a page of trades, the newest first."""
    chosen = choose(visit.caller, asked.run)
    values: dict[str, Any] = {"chosen": chosen, "run": chosen.run and name_of(chosen.run)}
    return visit.page("trades.html", values | {"asked_for": asked} | _listed(chosen, asked))


def _listed(chosen: Chosen, asked: Asked) -> dict[str, Any]:
    table = chosen.table
    if table is None or chosen.run is None:
        return {}
    words = chosen.book.words
    with chosen.book.lock:
        rows = chosen.rows(table)
        found = choices(table, rows, words, _MOST_CHOICES)
        page = listing(
            table,
            rows,
            words,
            asked.wanted,
            before=Key.read(asked.before) if asked.before else None,
            after=Key.read(asked.after) if asked.after else None,
            limit=_ROWS,
        )
    ids = chosen.book.ids([row.seq for row in page.rows])
    currencies = {stake_currency(row.pair) for row in page.rows}
    return {
        "page": page,
        "choices": found,
        "outcomes": OUTCOMES,
        "changes": CHANGES,
        "ids": ids,
        "currency": currencies.pop() if len(currencies) == 1 else "",
        "newer": asked.query(after=str(page.newer)) if page.newer else "",
        "older": asked.query(before=str(page.older)) if page.older else "",
    }
