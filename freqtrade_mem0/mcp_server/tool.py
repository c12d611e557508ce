"""What a tool is: its name, its arguments and answer as JSON schemas, and what it runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.mcp_server.encoding import size_of
from freqtrade_mem0.words import mission
from freqtrade_mem0.words.visible import brief

if TYPE_CHECKING:
    from freqtrade_mem0.agents import AgentMemory

Schema = dict[str, Any]
Run: TypeAlias = "Callable[[AgentMemory, Mapping[str, Any]], dict[str, Any]]"

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
WHOLE: Schema = {"type": "integer"}
SWITCH: Schema = {"type": "boolean"}
OBJECT: Schema = {"type": "object"}
LIST: Schema = {"type": "array", "items": OBJECT}
TEXTS: Schema = {"type": "array", "items": TEXT}
RUN: dict[str, Schema] = {"is_known": SWITCH, "strategy": TEXT, "mode": TEXT}
LIMIT: Schema = {**WHOLE, "minimum": 1, "maximum": 50}
SKIP: Schema = {**WHOLE, "minimum": 0, "maximum": 1_000_000, "default": 0}

_MOST_BYTES = 100_000
"""Of the arguments of one call as JSON."""

_TYPES = {
    "string": "a text",
    "number": "a number",
    "integer": "a whole number",
    "boolean": "true or false",
    "object": "an object",
    "array": "a list",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool that a client may call.

    Parameters
    ----------
    name, description
        As the client shows them to its model.
    arguments, answer
        JSON schemas by name.
    run
        Answers a call; its arguments were checked.
    required
        Arguments that must be given.
    pages
        The list of the answer whose next items the argument `skip` returns; "" for none.
    more
        How to ask for other items that an answer has no room for.
    writes
        Whether it keeps something.
    is_open
        Whether it takes other arguments, too.
    """

    name: str
    description: str
    arguments: Mapping[str, Schema]
    answer: Mapping[str, Schema]
    run: Run
    required: tuple[str, ...] = ()
    pages: str = ""
    more: str = ""
    writes: bool = False
    is_open: bool = False

    @property
    def input_schema(self) -> Schema:
        """The JSON schema of the arguments."""
        schema: Schema = {"type": "object", "properties": dict(self.arguments)}
        if self.required:
            schema["required"] = list(self.required)
        return schema if self.is_open else schema | {"additionalProperties": False}

    @property
    def output_schema(self) -> Schema:
        """The JSON schema of the answer."""
        return {"type": "object", "properties": dict(self.answer)}

    def checked(self, given: Mapping[str, Any] | None) -> dict[str, Any]:
        """Return the arguments of a call without those that are null.

        Raises
        ------
        RecordError
            One is missing or unknown, breaks its rule, or they are too large.
        """
        told = {name: value for name, value in (given or {}).items() if value is not None}
        for name in self.required:
            if name not in told:
                raise RecordError(f"{self.name} needs the argument {name}.")
        for name, value in told.items():
            if name in self.arguments:
                self._check(name, value)
            elif not self.is_open:
                hint = mission.did_you_mean(name, tuple(self.arguments))
                raise RecordError(
                    f"{self.name} takes {', '.join(self.arguments)}, and not {brief(name)}.{hint}"
                )
        if size_of(told) > _MOST_BYTES:
            raise RecordError(
                f"The arguments of {self.name} have {size_of(told):,} bytes; at most "
                f"{_MOST_BYTES:,} are taken. Leave out what they were computed from."
            )
        return told

    def _check(self, name: str, value: Any) -> None:
        rule = _broken_rule(self.arguments[name], value)
        if rule:
            hint = self.arguments[name].get("description", "")
            raise RecordError(
                f"{self.name}: {name} must be {rule}, got {brief(value)}.{hint and f' {hint}.'}"
            )


def _broken_rule(schema: Schema, value: Any) -> str:
    """Return the rule of a schema that a value breaks; "" where it breaks none."""
    kind = schema["type"]
    types = {"string": str, "boolean": bool, "object": Mapping, "array": list}
    if kind in ("number", "integer"):
        is_right = isinstance(value, int | float if kind == "number" else int)
        is_right = is_right and not isinstance(value, bool)
    else:
        is_right = isinstance(value, types[kind])
    least, most = schema.get("minimum"), schema.get("maximum")
    if not is_right:
        return _TYPES[kind]
    if "enum" in schema and value not in schema["enum"]:
        return f"one of {', '.join(schema['enum'])}"
    if (least is not None and not value >= least) or (most is not None and not value <= most):
        return f"{_TYPES[kind]} from {least:g} to {most:g}"
    if kind == "string" and not value.strip():
        return "a text that is not blank"
    if "maxLength" in schema and len(value) > schema["maxLength"]:
        return f"a text of at most {schema['maxLength']:,} characters"
    return ""
