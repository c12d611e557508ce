"""What a day may cost: calls and tokens, counted in the journal before each call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.errors import RecordError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from freqtrade_mem0.memory_folder import MemoryFolder

_BYTES_PER_TOKEN = 3


class Budget:
    """The budget of one owner; several processes share it.

    A call that failed, or whose answer was discarded, has been paid for.
    """

    def __init__(self, memory: MemoryFolder, now: datetime) -> None:
        self._settings = memory.settings.reflection
        self._marks = memory.marks
        self._name = f"reflection {memory.settings.user_id}"
        self._day = now.date().isoformat()

    def spend(self, messages: Sequence[dict[str, str]]) -> int:
        """Count a call before it is made; return its tokens, the longest answer included.

        Raises
        ------
        RecordError
            The day has no room for it; nothing is counted.
        """
        own = self._settings
        n_bytes = sum(len(each["content"].encode(errors="replace")) for each in messages)
        tokens = -(-n_bytes // _BYTES_PER_TOKEN) + own.max_tokens

        def counted(mark: dict[str, Any]) -> dict[str, Any]:
            today = self._today(mark)
            if today["calls"] >= own.calls_per_day:
                raise RecordError(
                    f'"mem0.reflection.calls_per_day" is {own.calls_per_day}, and today '
                    f"{today['calls']} were made. Try tomorrow, or raise it."
                )
            if today["tokens"] + tokens > own.tokens_per_day:
                raise RecordError(
                    f'"mem0.reflection.tokens_per_day" is {own.tokens_per_day:,}; today '
                    f"{today['tokens']:,} were used, and this call needs up to {tokens:,}. Try "
                    "tomorrow, or raise it."
                )
            return today | {"calls": today["calls"] + 1, "tokens": today["tokens"] + tokens}

        self._marks.change(self._name, counted)
        return tokens

    def discard(self, reason: str) -> None:
        """Count an answer that was discarded."""

        def counted(mark: dict[str, Any]) -> dict[str, Any]:
            today = self._today(mark)
            discarded = {**today["discarded"], reason: today["discarded"].get(reason, 0) + 1}
            return today | {"discarded": discarded}

        self._marks.change(self._name, counted)

    def today(self) -> dict[str, Any]:
        """Return `day`, `calls`, `tokens`, and `discarded` by reason."""
        return self._today(self._marks.get(self._name))

    def _today(self, mark: dict[str, Any]) -> dict[str, Any]:
        empty = {"day": self._day, "calls": 0, "tokens": 0, "discarded": {}}
        return {**empty, **mark} if mark.get("day") == self._day else empty
