"""Commands by their name, as agents send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.words import mission
from freqtrade_mem0.words.visible import brief

_NAMED = {
    "propose_parameters": ("changes", "reason", "strategy", "before", "evidence"),
    "parameters": ("strategy",),
}
"""Commands whose parameters are arguments of the method with the command's name."""

COMMANDS = ("analyze_market", "analyze_signal", "log_decision", "propose_rule", *_NAMED)


def read_command(command: object, params: object) -> tuple[str, tuple[Any, ...], dict[str, Any]]:
    """Return the method of `AgentMemory` that a command means, and its arguments.

    Raises
    ------
    RecordError
        There is no such command, or a parameter of it is unknown.
    """
    name, given = str(command).strip().lower(), {} if params is None else params
    if name not in COMMANDS:
        raise RecordError(
            f"There is no command {brief(command)}; there are {', '.join(COMMANDS)}. Memory places "
            f"no orders.{mission.did_you_mean(name, COMMANDS)}"
        )
    if name in _NAMED:
        known = _NAMED[name]
        wrong = [each for each in given if each not in known] if isinstance(given, Mapping) else []
        if wrong or not isinstance(given, Mapping):
            what = brief(wrong[0] if wrong else given)
            raise RecordError(f"{name} takes {', '.join(known)}, and not {what}.")
        if name == "propose_parameters":
            return name, (given.get("changes"), given.get("reason") or ""), _others(given)
        return name, (), dict(given)
    is_pair = isinstance(given, Mapping) and given.keys() <= {"decision", "result"}
    if name == "log_decision" and is_pair and "decision" in given:  # type: ignore[operator]
        return name, (given["decision"], given.get("result")), {}  # type: ignore[index, attr-defined]
    return name, (given,), {}


def _others(given: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in given.items() if key not in {"changes", "reason"}}
