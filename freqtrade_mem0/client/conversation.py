"""Messages of a conversation as one text to remember."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from freqtrade_mem0.errors import RecordError

Messages: TypeAlias = Sequence[Mapping[str, Any]] | Mapping[str, Any] | str
"""A list of messages, one message, or a text."""


def conversation(messages: Messages) -> str:
    r"""Return messages as a text: one alone as it is, several in lines that begin with the role.

    >>> conversation([{"role": "user", "content": "Buy?"}, {"role": "assistant", "content": "No."}])
    'user: Buy?\nassistant: No.'

    Raises
    ------
    RecordError
        There is no message, or one has no role or no text.
    """
    if isinstance(messages, str):
        return messages
    each = [messages] if isinstance(messages, Mapping) else list(messages)
    if not each:
        raise RecordError("messages must hold at least one message, got none.")
    said = [_said(message) for message in each]
    return said[0][1] if len(said) == 1 else "\n".join(f"{role}: {text}" for role, text in said)


def numbers_in(text: str) -> dict[str, Any]:
    """Return the JSON object at the end of a text; {} where there is none.

    >>> numbers_in('Backtest results for Trend: {"profit": 12.5, "by": {"long": 9}}')
    {'profit': 12.5, 'by': {'long': 9}}
    """
    start = text.find("{")
    try:
        found = json.loads(text[start:], parse_constant=lambda _: None) if start >= 0 else {}
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _said(message: Any) -> tuple[str, str]:
    """Return the role and the text of a message."""
    if isinstance(message, str):
        return "user", message
    role = message.get("role", "user") if isinstance(message, Mapping) else None
    content = message.get("content") if isinstance(message, Mapping) else None
    if isinstance(content, list):  # parts, of which texts are remembered
        parts = [part.get("text") for part in content if isinstance(part, Mapping)]
        content = "\n".join(part for part in parts if isinstance(part, str)) or None
    if not isinstance(role, str) or not isinstance(content, str) or not content.strip():
        raise RecordError(
            f"A message must have a 'role' and a 'content' with text, got {message!r}."
        )
    return role, content
