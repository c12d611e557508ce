"""Changes of parameters that an agent proposes. It can not approve them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.core_memory.parameters import current_parameters, lives
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.base import record_id
from freqtrade_mem0.records.codec import validated
from freqtrade_mem0.records.kinds.parameter_update import ParameterUpdate, UpdateState
from freqtrade_mem0.words.visible import brief

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from freqtrade_mem0.client.mem0_client import Mem0Client

_MOST = 100
"""Parameters in one update."""


def propose(
    client: Mem0Client,
    agent_id: str,
    changes: Mapping[str, Any],
    reason: str,
    now: datetime,
    *,
    strategy: str | None = None,
    before: Mapping[str, Any] | None = None,
    evidence: Sequence[str] = (),
) -> str:
    """Keep a proposed change; return its id. See `AgentMemory.propose_parameters`."""
    origin = replace(client.manual_origin(strategy), run_id=agent_id)
    after = _checked(changes, "changes")
    if not after:
        raise RecordError("A proposal must change at least one parameter.")
    if before is None:
        known = current_parameters(client.folder, client.user_id, origin.strategy)
        before = {name: known[name] for name in after if name in known}
    values = {
        "origin": origin,
        "known_at": now,
        "recorded_at": now,
        "before": _checked(before, "before"),
        "after": after,
        "reason": reason,
        "evidence": tuple(evidence),
    }
    for life in lives(client.folder, client.user_id, origin.strategy):
        earlier = life.update
        is_same = (earlier.origin, earlier.before, earlier.after) == (
            origin,
            values["before"],
            after,
        )
        if is_same and (life.state is UpdateState.PROPOSED or _same_day(earlier, now)):
            return earlier.id
    identity = json.dumps([values["before"], after], sort_keys=True)
    day = now.date().isoformat()
    name = record_id("parameter_update", client.user_id, origin.strategy, agent_id, identity, day)
    update = validated(ParameterUpdate, {"id": name, **values})
    client.append(update)
    return update.id


def _same_day(earlier: ParameterUpdate, now: datetime) -> bool:
    return earlier.known_at.date() == now.date()


def _checked(values: object, what: str) -> dict[str, Any]:
    """Return values by name; raise `RecordError` for anything that is no plain value."""
    if not isinstance(values, Mapping) or len(values) > _MOST:
        raise RecordError(
            f"{what} must be a mapping of at most {_MOST} parameters to values, got "
            f"{brief(values)}."
        )
    for name, value in values.items():
        if not isinstance(name, str) or not name.strip():
            raise RecordError(f"The name of a parameter must be a text, got {brief(name)}.")
        if not isinstance(value, str | bool | int | float):
            raise RecordError(
                f"The value of {brief(name)} must be a number, a text or a truth value, got "
                f"{brief(value)}."
            )
    return dict(values)
