"""What trading agents decided and proposed, and what the owner makes of it."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from freqtrade_mem0.core_memory.live_files import LiveFiles
from freqtrade_mem0.core_memory.log import agent_log
from freqtrade_mem0.core_memory.parameters import parameter_updates, take_step
from freqtrade_mem0.core_memory.rules import find_rule, rules, take_rule_step
from freqtrade_mem0.records.kinds.parameter_update import UpdateState
from freqtrade_mem0.records.kinds.rule import RuleState
from freqtrade_mem0.service.caller import Admin, Caller
from freqtrade_mem0.service.shell.page import Page
from freqtrade_mem0.service.shell.shell import Visitor

if TYPE_CHECKING:
    from freqtrade_mem0.views.values import Facts

PAGE = Page(
    path="/agent", title="Agents", order=70, about="What did agents decide, and what waits for me?"
)

router = APIRouter(include_in_schema=False)

_MOST = 100
_CHANGES = {"approve": "approved", "reject": "rejected", "apply": "applied", "revert": "reverted"}
_RULES = {"approve": "approved", "reject": "rejected", "retire": "retired"}


@router.get(PAGE.path)
def agent(visit: Visitor, only: str = "") -> Response:
    """Show decisions with their outcomes, rules and parameter changes, those that wait first."""
    caller = visit.caller
    log = _within(caller, _log(caller))[::-1]
    values = {
        "log": [row for row in log if only in {"", row["state"]}][:_MOST],
        "n_log": len(log),
        "states": sorted({row["state"] for row in log}),
        "only": only,
        "rules": [_with_steps(row, _RULES, _RULE_STEPS) for row in _rules(caller)],
        "updates": [_with_steps(row, _CHANGES, _CHANGE_STEPS) for row in _updates(caller)],
    }
    return visit.page("agent.html", values)


async def _form(request: Request) -> dict[str, str]:
    sent = parse_qs((await request.body()).decode(errors="replace"))
    return {name: values[0].strip() for name, values in sent.items()}


@router.post(PAGE.path + "/{proposal}/{step}")
def take(
    caller: Admin, proposal: str, step: str, form: Annotated[dict[str, str], Depends(_form)]
) -> Response:
    """Take a step with a rule or a parameter change, as the owner."""
    reason, now = form.get("reason", "")[:500], datetime.now(UTC)
    folder = caller.memory.folder
    is_rule = any(row["id"] == proposal for row in _rules(caller))
    if is_rule and step in _RULES:
        life = find_rule(folder, proposal)
        if life is None:
            raise HTTPException(404, "There is no such rule any more.")
        take_rule_step(folder, life, RuleState(_RULES[step]), now, reason)
    elif step in _CHANGES and any(row["id"] == proposal for row in _updates(caller)):
        take_step(folder, proposal, UpdateState(_CHANGES[step]), now, reason)
        with suppress(OSError):  # who writes next tries it again, and says why not
            LiveFiles(folder, caller.memory.user_id).update()
    else:
        raise HTTPException(404, "There is no such proposal in reach of this key, or no such step.")
    return RedirectResponse(f"{PAGE.path}#{'rules' if is_rule else 'updates'}", 303)


_RULE_STEPS = {
    "proposed": ("reject",),
    "tried": ("approve", "reject"),
    "approved": ("retire",),
    "active": ("retire",),
}
_CHANGE_STEPS = {
    "proposed": ("approve", "reject"),
    "approved": ("apply", "revert"),
    "applied": ("revert",),
}


def _with_steps(row: Facts, names: dict[str, str], allowed: dict[str, tuple[str, ...]]) -> Facts:
    """Return a proposal with the steps that the page offers for it."""
    return row | {"offered": [each for each in allowed.get(row["state"], ()) if each in names]}


def _log(caller: Caller) -> list[Facts]:
    memory = caller.memory
    rows = agent_log(memory.folder, memory.user_id, agent=memory.bound.bot_id)
    if memory.bound.strategy is None:
        return rows
    # What was learned may be about decisions of other strategies.
    return [row | {"lesson": None} for row in rows]


def _rules(caller: Caller) -> list[Facts]:
    memory = caller.memory
    found = _within(caller, rules(memory.folder, memory.user_id))
    return sorted(found, key=lambda row: (row["state"] in {"rejected", "retired"}, row["id"]))


def _updates(caller: Caller) -> list[Facts]:
    memory = caller.memory
    found = _within(caller, parameter_updates(memory.folder, memory.user_id))
    found.reverse()
    return sorted(found, key=lambda row: row["state"] not in {"proposed", "approved"})


def _within(caller: Caller, rows: list[Facts]) -> list[Facts]:
    """Return the rows in reach of the key."""
    bound = caller.memory.bound
    return [
        row
        for row in rows
        if bound.strategy in {None, row["strategy"]} and bound.bot_id in {None, row["agent"]}
    ]
