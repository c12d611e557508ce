"""The port of session memory: texts by owner and key, each with a time to live."""

from __future__ import annotations

from typing import Protocol

TIMEOUT_S = 0.05
"""Longest wait for another process or a server."""


class SessionStore(Protocol):
    """Keeps texts for a time. Safe to share between threads; what has ended is never returned.

    Every method raises `BackendError` where the store does not answer within `TIMEOUT_S`; nothing
    is then stored or changed, as far as this process can tell.
    """

    def put(self, owner: str, key: str, text: str, ttl_s: float) -> None:
        """Keep a text for `ttl_s` seconds; text and time are set in one atomic step."""

    def get(self, owner: str, key: str, *, ttl_s: float | None = None) -> str | None:
        """Return a text, or None; with `ttl_s` its time begins anew in the same atomic step."""

    def items(self, owner: str) -> dict[str, str]:
        """Return all texts of an owner by key, sorted; their times do not change."""

    def delete(self, owner: str, key: str) -> bool:
        """Delete a text; return whether it was there."""

    def clear(self, owner: str) -> int:
        """Delete all texts of an owner; return how many there were."""

    def purge(self) -> int:
        """Delete what has ended, where the store does not do so by itself; return how many."""

    def close(self) -> None:
        """Release files and connections. Closing twice is harmless."""
