"""Session memory of one owner: values by key, each with a time to live."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import BackendError, RecordError
from freqtrade_mem0.records.limits import MAX_NAME
from freqtrade_mem0.words.visible import brief

if TYPE_CHECKING:
    from freqtrade_mem0.session_memory.store import SessionStore

_MOST_CHARACTERS = 1_000_000
LONGEST_S = 366 * 86_400.0


class Session:
    """What one owner keeps for a while; nothing of it is long-term memory, or evidence.

    Parameters
    ----------
    store
        Where it is kept.
    owner
        Whose.
    ttl_s
        How long values are kept unless a call says otherwise, in seconds.
    refresh_on_read
        Whether `get` begins the time anew unless a call says otherwise.

    Examples
    --------
    >>> from freqtrade_mem0.session_memory.in_process import InProcessStore
    >>> session = Session(InProcessStore(), "ann", ttl_s=60.0)
    >>> session.put("plan", {"pair": "ETH/USDT", "steps": [1, 2]})
    >>> session.get("plan")["pair"], session.get("mood"), session.delete("plan")
    ('ETH/USDT', None, True)
    """

    def __init__(
        self, store: SessionStore, owner: str, *, ttl_s: float, refresh_on_read: bool = False
    ) -> None:
        self.store = store
        self._owner = owner
        self._ttl_s = checked_ttl(ttl_s)
        self._refresh_on_read = refresh_on_read

    def put(self, key: str, value: Any, *, ttl_s: float | None = None) -> None:
        """Keep a value that JSON has, for `ttl_s` seconds; it replaces the one under this key.

        Raises
        ------
        RecordError
            The key, the value or the time breaks its rule.
        BackendError
            The store does not answer.
        """
        try:
            text = json.dumps(value, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            raise RecordError(
                f"The value of {brief(key)} can not be kept as JSON: {error}"
            ) from error
        if len(text) > _MOST_CHARACTERS:
            raise RecordError(
                f"The value of {brief(key)} has {len(text):,} characters; at most "
                f"{_MOST_CHARACTERS:,} are kept in a session."
            )
        ttl = self._ttl_s if ttl_s is None else checked_ttl(ttl_s)
        self.store.put(self._owner, _checked_key(key), text, ttl)

    def get(self, key: str, *, refresh: bool | None = None, ttl_s: float | None = None) -> Any:
        """Return a value, or None; with `refresh` its time of `ttl_s` seconds begins anew."""
        anew = self._refresh_on_read if refresh is None else refresh
        ttl = self._ttl_s if ttl_s is None else checked_ttl(ttl_s)
        text = self.store.get(self._owner, _checked_key(key), ttl_s=ttl if anew else None)
        return None if text is None else _value(key, text)

    def items(self) -> dict[str, Any]:
        """Return all values by key, sorted."""
        found = self.store.items(self._owner)
        return {key: _value(key, text) for key, text in found.items()}

    def delete(self, key: str) -> bool:
        """Delete a value; return whether it was there."""
        return self.store.delete(self._owner, _checked_key(key))

    def clear(self) -> int:
        """Delete all values; return how many there were."""
        return self.store.clear(self._owner)


def checked_ttl(ttl_s: object) -> float:
    """Return a time to live; raise `RecordError` where it is none."""
    is_number = isinstance(ttl_s, int | float) and not isinstance(ttl_s, bool)
    if not is_number or not 0.0 < ttl_s <= LONGEST_S:  # type: ignore[operator]
        raise RecordError(
            f"A time to live must be a number of seconds in (0, {LONGEST_S:.0f}], got "
            f"{brief(ttl_s)}."
        )
    return float(ttl_s)  # type: ignore[arg-type]


def _checked_key(key: object) -> str:
    if not isinstance(key, str) or not 0 < len(key) <= MAX_NAME:
        raise RecordError(
            f"A key of a session must be a text of 1 to {MAX_NAME:,} characters, got {brief(key)}."
        )
    return key


def _value(key: str, text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise BackendError(
            f"The value of {brief(key)} in session memory is no JSON: something else wrote it. "
            "Delete it, or use another prefix."
        ) from error
