"""Sends alerts through Freqtrade's own channels (Telegram, webhook, Discord), not too often."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Alerts:
    """Sends each kind of alert at most once in `interval_s` seconds, also over restarts.

    `clock` returns seconds since 1970 in UTC; `earlier` is what `to_json` gave an earlier process.
    """

    def __init__(
        self,
        send: Callable[[str], None],
        interval_s: float,
        clock: Callable[[], float],
        earlier: Mapping[str, Any] | None = None,
    ) -> None:
        self._send = send
        self._interval_s = interval_s
        self._clock = clock
        self._sent_s, self._lasting_before = _read(earlier or {})
        self._lasting: set[str] = set()
        self._lock = threading.Lock()
        self.n_sent = 0
        """Alerts of this process."""

    def event(self, kind: str, text: str) -> bool:
        """Send an alert on an event; return False where one of its kind was sent too recently."""
        now_s = self._clock()
        last_s = self._sent_s.get(kind)
        # A clock that was set back must not delay alerts.
        if last_s is not None and 0.0 <= now_s - last_s < self._interval_s:
            return False
        with self._lock:
            self._sent_s[kind] = now_s
        self._tell(text)
        return True

    def state(self, kind: str, text: str, over: str) -> None:
        """Send `text` on a lasting trouble, "" if there is none, and `over` when it has ended."""
        moment = datetime.fromtimestamp(self._clock(), UTC)
        if text:
            if self.event(kind, dated(text, moment)) or kind in self._lasting_before:
                with self._lock:
                    self._lasting_before.discard(kind)
                    self._lasting.add(kind)
        elif kind in self._lasting:
            with self._lock:
                self._lasting.discard(kind)
            self._tell(dated(over, moment))

    def to_json(self) -> dict[str, Any]:
        """Return for JSON what the bot's next process has to know; from any thread."""
        with self._lock:
            standing = sorted(self._lasting | self._lasting_before)
            return {"sent": dict(self._sent_s), "standing": standing}

    def _tell(self, text: str) -> None:
        self.n_sent += 1
        self._send(text)


def dated(text: str, moment: datetime) -> str:
    """Return a text with the time of its event, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {text}"


def _read(mark: Mapping[str, Any]) -> tuple[dict[str, float], set[str]]:
    """Return when each kind was sent, and which troubles lasted; ignore invalid values."""
    sent, standing = mark.get("sent"), mark.get("standing")
    return (
        {kind: s for kind, s in sent.items() if isinstance(s, int | float)}
        if isinstance(sent, dict)
        else {},
        {kind for kind in standing if isinstance(kind, str)}
        if isinstance(standing, list)
        else set(),
    )
