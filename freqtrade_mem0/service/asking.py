"""Asks for jobs, for routes and pages alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.service.jobs.queue import FORGET
from freqtrade_mem0.views.forgetting import refuse_running

if TYPE_CHECKING:
    from freqtrade_mem0.client.scoped import ScopedClient
    from freqtrade_mem0.service.caller import Caller
    from freqtrade_mem0.service.state import Service
    from freqtrade_mem0.views.values import Facts


def ask(service: Service, name: str, params: dict[str, Any], asked_by: str) -> Facts:
    """Queue a job, which begins as soon as no other runs; return it with its address."""
    asked = service.jobs.ask(name, params, asked_by)
    service.runner.wake()
    return asked | {"watch": f"/jobs/{asked['id']}"}


def ask_to_forget(
    caller: Caller, memory: ScopedClient, strategy: str | None, run_id: str | None
) -> Facts:
    """Queue the forgetting of a user, or of a part of what is theirs.

    `ScopeError`: it is out of reach. `ConfigError`: a bot of it runs.
    """
    scope = memory.forgettable(strategy, run_id)
    refuse_running(memory.folder, scope)
    named = {"user_id": scope.user_id, "strategy": scope.strategy, "run_id": scope.run_id}
    return ask(caller.service, FORGET, named, caller.identity.id)


def job_of(caller: Caller, job_id: str) -> Facts | None:
    """Return a job that a caller may see: a bound key sees its own; None where there is none."""
    found, who = caller.service.jobs.get(job_id), caller.identity
    return (
        found if found is not None and (who.bound.is_free or found["asked_by"] == who.id) else None
    )
