"""The start: is everything all right now, and the ten questions with their short answers."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from freqtrade_mem0.decide import explain
from freqtrade_mem0.records.kinds.pattern import Pattern
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.service.live.found import newest_records
from freqtrade_mem0.service.shell.choosing import Chosen, choose
from freqtrade_mem0.service.shell.counting import counts_of
from freqtrade_mem0.service.shell.figures import money, ratio
from freqtrade_mem0.service.shell.glance import BOTS, Card, Position, cards, positions, troubles
from freqtrade_mem0.service.shell.page import Page
from freqtrade_mem0.service.shell.shell import Visit, Visitor
from freqtrade_mem0.views.columns.cells import MIN_TRADES, axis, cells
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    from freqtrade_mem0.views.columns.table import Table

PAGE = Page(path="/dashboard", title="Now", order=10, about="Is everything all right now?")

router = APIRouter(include_in_schema=False)

_NEWEST_ROWS = 20_000
_MOST_PATTERNS = 100


class Question(NamedTuple):
    """One of the ten questions, its answer in a sentence, and where all of it is."""

    text: str
    answer: str
    link: str


@router.get(PAGE.path)
def dashboard(visit: Visitor) -> Response:
    """Show the state of everything at a glance."""
    caller = visit.caller
    chosen = choose(caller, "")
    said = caller.service.pages.bots_for(caller.identity.bound, caller.memory.user_id)
    found = cards(chosen, said) if chosen.table is not None else []
    values: dict[str, Any] = {"chosen": chosen, "cards": found, "bots": said}
    if chosen.table is None or not (chosen.runs or said):
        return visit.page("dashboard.html", values | {"troubles": troubles(caller, said)})
    opened = positions(caller, chosen, found)
    has_bots = bool(said) or any(run.mode in BOTS for run in chosen.runs)
    wrong = troubles(caller, said, has_bots=has_bots)
    delivery = caller.service.memory.outbox.state() if caller.service.memory.delivers else None
    values |= {
        "troubles": wrong,
        "positions": opened,
        "delivered_at": delivery and delivery.delivered_at,
        "questions": _questions(visit, chosen, found, opened),
    }
    return visit.page("dashboard.html", values)


def _questions(
    visit: Visit, chosen: Chosen, found: list[Card], opened: list[Position]
) -> list[Question]:
    counts, known = counts_of(visit.caller), _patterns(visit)
    stored = "is being counted" if counts is None else counted(counts["total"], "record")
    return [
        Question("What is open, and what did memory do to it?", _open(opened), "#open"),
        Question("Why was this stake changed?", *_changed(visit, chosen)),
        Question("Has memory helped so far, and is that beyond chance?", _helped(found), "/worth"),
        Question("Where do I lose?", _loses(chosen), "/situations"),
        Question("What changed lately?", _lately(visit), "/risk"),
        Question("What has it learned, and how sure is it?", _learned(known), "/memory#patterns"),
        Question("Is its confidence calibrated?", _calibrated(known), "/memory#patterns"),
        Question("What is stored, how large, and what waits?", f"Stored: {stored}.", "/system"),
        Question(
            "Who read or changed what?",
            "Keys and when they were used, jobs, and what agents changed.",
            "/system#keys-title",
        ),
    ]


def _open(opened: list[Position]) -> str:
    if not opened:
        return "Nothing is open, as far as memory and the bots say."
    sized = [each for each in opened if each.multiplier is not None]
    changed = sum(abs((each.multiplier or 0.0) - 1.0) >= 0.005 for each in sized)  # noqa: PLR2004
    return f"{counted(len(opened), 'trade')} open; memory changed the stake of {changed}."


def _changed(visit: Visit, chosen: Chosen) -> tuple[str, str]:
    """Return the newest decision that became a trade, in a sentence, and its address."""
    if chosen.run is None:
        return "No trade was decided about yet.", "/trades"
    journal = visit.caller.memory.folder.journal
    for line in journal.ledger(chosen.scope, limit=1):
        text = explain.headline(line.decision)
        return f"The newest: {text}.", f"/trades/{quote(line.decision.trade_id or '')}"
    return "No trade of the newest run was decided about.", "/trades"


def _helped(found: list[Card]) -> str:
    card = next((each for each in found if each.run is not None), None)
    if card is None:
        return "There is no closed trade yet."
    won = f"{money(card.profit, signed=True)} {card.currency}"
    change, name = money(card.effect, signed=True), card.run.strategy if card.run else ""
    text = (
        f"{won} with memory's stakes, {change} against the proposed ones"
        if card.applied
        else f"{won} with the proposed stakes; memory's would have changed that by {change}"
    )
    return f"{name}: {text}. The page Worth tells whether that is chance."


def _loses(chosen: Chosen) -> str:
    table = chosen.table
    if table is None or chosen.run is None:
        return "There is no closed trade yet."
    return chosen.kept("loses", partial(_worst, chosen, table))


def _worst(chosen: Chosen, table: Table) -> str:
    words, rows = chosen.book.words, chosen.rows(table)[-_NEWEST_ROWS:]
    down = axis(table, rows, "pair", words)
    across = axis(table, rows, "regime" if "regime" in table.words else "exit_reason", words)
    some = [each for each in cells(across, down, table["ratio"][rows]) if each.n >= MIN_TRADES]
    worst = min(some, key=lambda each: each.mean, default=None)
    if worst is None or worst.mean >= 0.0:
        return f"No pair and {across.name.replace('_', ' ')} with {MIN_TRADES} trades loses."
    where = f"{down.labels[worst.y]}, {across.labels[worst.x]}"
    return f"Most in {where}: {ratio(worst.mean)} per trade in {worst.n} trades."


def _lately(visit: Visit) -> str:
    memory = visit.caller.memory
    found = newest_records(memory.folder.journal, replace(memory.reach, kind=RiskEvent.kind), 1)
    if not found or not isinstance(found[0], RiskEvent):
        return "No risk event is remembered."
    return f"{found[0].known_at:%Y-%m-%d %H:%M} UTC: {found[0].description}."


def _patterns(visit: Visit) -> list[Pattern]:
    memory = visit.caller.memory
    scope = replace(memory.reach, kind=Pattern.kind)
    some = newest_records(memory.folder.journal, scope, _MOST_PATTERNS)
    return [each for each in some if isinstance(each, Pattern)]


def _calibrated(known: list[Pattern]) -> str:
    """Return how many patterns went on as before, against what their confidence said."""
    seen = [each for each in known if each.effect_since is not None]
    if not seen:
        return "No pattern has been followed after its discovery yet, so that can not be said."
    kept = sum(
        each.effect_since is not None and (each.effect_since.ratio > 0.0) == each.is_better
        for each in seen
    )
    said = sum(each.confidence for each in seen)
    return (
        f"Of {counted(len(seen), 'pattern')} followed since discovery, {kept} went on as before; "
        f"by their confidence it should be {said:.1f}."
    )


def _learned(known: list[Pattern]) -> str:
    active = [each for each in known if each.is_active]
    if not active:
        return "No pattern of a bot differs from chance yet."
    surest = max(active, key=lambda each: each.confidence)
    text = surest.sentence()
    return f"{counted(len(active), 'pattern')}; the surest: {text}"
