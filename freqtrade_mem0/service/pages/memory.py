"""What is remembered: searched by the query language, by facets, and pattern by pattern."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import Category
from freqtrade_mem0.records.kinds import record_types
from freqtrade_mem0.records.kinds.pattern import Pattern
from freqtrade_mem0.service.asking import ask_to_forget, job_of
from freqtrade_mem0.service.caller import Admin, Caller, Writer
from freqtrade_mem0.service.jobs import queue as jobs
from freqtrade_mem0.service.live.found import (
    Found,
    has_words,
    newest,
    newest_records,
    record_of,
    searched,
)
from freqtrade_mem0.service.shell.counting import counts_of
from freqtrade_mem0.service.shell.page import Page
from freqtrade_mem0.service.shell.shell import Visit, Visitor
from freqtrade_mem0.views.values import iso, origin_facts

PAGE = Page(path="/memory", title="Memory", order=50, about="What has it learned, and how sure?")

router = APIRouter(include_in_schema=False)

_N_SHOWN = 30
_N_PATTERNS = 20
_EXAMPLES = (
    "pair:BTC/USDT AND profit:<-2",
    "kind:risk_event AND event_type:drawdown",
    "never hold over the weekend",
    'strategy:MyStrategy AND at_regime:"calm uptrend"',
)


@router.get(PAGE.path)
def memory(visit: Visitor, q: str = "", kind: str = "", category: str = "") -> Response:
    """Show what matches a query best, or what is newest."""
    caller = visit.caller
    values: dict[str, Any] = {
        "q": q,
        "kind": kind,
        "category": category,
        "kinds": sorted(record_types()),
        "categories": list(map(str, Category)),
        "examples": _EXAMPLES,
        "counts": counts_of(caller),
        "tiers": _tiers(visit),
        "patterns": _patterns(caller),
        "wrong": "",
        "found": Found([], 0, is_whole=True),
    }
    try:
        values["found"] = _found(caller, q.strip(), kind, category)
    except RecordError as error:
        values["wrong"] = str(error)
    return visit.page("memory.html", values, 422 if values["wrong"] else 200)


@router.get(PAGE.path + "/{record_id}")
def one(visit: Visitor, record_id: str) -> Response:
    """Show one memory with all that is known of it."""
    found = record_of(visit.caller.memory, record_id)
    if found is None:
        raise HTTPException(404, f"There is no memory {record_id!r} in reach of this key.")
    return visit.page("memory_one.html", {"record": found})


@router.post(PAGE.path + "/{record_id}/delete")
def delete(caller: Writer, record_id: str) -> Response:
    """Delete one memory."""
    if not caller.memory.delete(record_id):
        raise HTTPException(404, f"There is no memory {record_id!r} in reach of this key.")
    return RedirectResponse(PAGE.path, 303)


FORGET = "/forget"


async def _form(request: Request) -> dict[str, str]:
    sent = parse_qs((await request.body()).decode(errors="replace"))
    return {name: values[0].strip() for name, values in sent.items()}


Form = Annotated[dict[str, str], Depends(_form)]


async def _visit_of_admin(request: Request, caller: Admin) -> Visit:
    return Visit(request, caller)


@router.get(FORGET)
def forget_page(
    visit: Annotated[Visit, Depends(_visit_of_admin)], strategy: str = "", run_id: str = ""
) -> Response:
    """Show what forgetting would delete, before anything is deleted."""
    return visit.page("forget.html", _plan(visit.caller, strategy, run_id))


@router.post(FORGET)
def forget(visit: Annotated[Visit, Depends(_visit_of_admin)], form: Form) -> Response:
    """Begin to forget what was named and written out once more."""
    strategy, run_id = form.get("strategy", ""), form.get("run_id", "")
    memory = visit.caller.memory
    wanted = run_id or strategy or memory.user_id
    if form.get("sure") != wanted:
        values = _plan(visit.caller, strategy, run_id)
        values["wrong"] = f"Nothing was deleted: write {wanted} into the field to confirm."
        return visit.page("forget.html", values, 422)
    job = ask_to_forget(visit.caller, memory, strategy or None, run_id or None)
    return RedirectResponse(f"{FORGET}/{job['id']}", 303)


@router.get(FORGET + "/{job_id}")
def forgetting(visit: Annotated[Visit, Depends(_visit_of_admin)], job_id: str) -> Response:
    """Show how far a forgetting is, and its receipt once it has ended."""
    job = job_of(visit.caller, job_id)
    if job is None or job["name"] != jobs.FORGET:
        raise HTTPException(404, f"No forgetting {job_id!r} was asked for by this key.")
    return visit.page("forgotten.html", {"job": job, "receipt": job["result"]})


def _plan(caller: Caller, strategy: str, run_id: str) -> dict[str, Any]:
    memory = caller.memory
    asked = memory.scope(strategy=strategy or None, run_id=run_id or None)
    return {
        "strategy": asked.strategy or "",
        "run_id": asked.run_id or "",
        "wanted": asked.run_id or asked.strategy or memory.user_id,
        "plan": memory.planned(strategy=asked.strategy, run_id=asked.run_id),
        "wrong": "",
    }


def _found(caller: Caller, query: str, kind: str, category: str) -> Found:
    memory = caller.memory
    if kind and kind not in record_types():
        raise RecordError(f"There is no kind {kind!r}.")
    if has_words(query):
        filters = {"kind": kind} if kind else None
        return searched(memory, query, filters, category or None, _N_SHOWN)
    return newest(memory, memory.scope(kind=kind or None), query, category, _N_SHOWN)


def _patterns(caller: Caller) -> list[dict[str, Any]]:
    journal, reach = caller.memory.folder.journal, caller.memory.reach
    records = newest_records(journal, replace(reach, kind=Pattern.kind), _N_PATTERNS)
    found = sorted(
        (each for each in records if isinstance(each, Pattern)),
        key=lambda each: (not each.is_active, -each.log_evidence),
    )
    return [
        origin_facts(each.origin)
        | {
            "id": each.id,
            "text": each.sentence(),
            "conditions": dict(each.conditions),
            "is_active": each.is_active,
            "is_better": each.is_better,
            "n": each.occurrence_count,
            "win_rate": each.success_rate,
            "mean": each.avg_profit,
            "confidence": each.confidence,
            "before": each.effect_before,
            "since": each.effect_since,
            "tried": each.cells_tried,
            "discovered_at": iso(each.discovered_at),
            "withdrawn_at": iso(each.withdrawn_at),
            "query": " AND ".join(_condition(*pair) for pair in each.conditions.items()),
        }
        for each in found
    ]


def _condition(name: str, value: object) -> str:
    """Return a condition of a pattern in the query language."""
    plain = name in {"pair", "side", "enter_tag", "exit_reason"}
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'{name if plain else f"at_{name}"}:"{text}"'


def _tiers(visit: Visit) -> dict[str, int]:
    """Return how many memories are in each tier, counted now and then; {} for a part of them."""
    if not visit.caller.identity.bound.is_free:
        return {}
    tiers: dict[str, int] = {}
    for (tier, _), n in visit.caller.service.metrics.memories.items():
        tiers[tier] = tiers.get(tier, 0) + n
    return tiers
