"""What a bot tells its owner through Freqtrade's own channels (Telegram, webhook, Discord)."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


class Alerts:
    """Sends an alert once, and the same kind again only after a while, also over restarts.

    Parameters
    ----------
    send
        Hands a text to Freqtrade's channels; never blocks.
    interval_s
        Shortest time between two alerts of one kind, in seconds.
    clock
        Seconds since 1970 in UTC.
    earlier
        What `to_json` gave to an earlier process of this bot; empty where there was none.
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
        self._sent_s, self._told_before = _read(earlier or {})
        self._standing: set[str] = set()
        self._lock = threading.Lock()
        self.n_sent = 0
        """Alerts of this process."""

    def event(self, kind: str, text: str) -> bool:
        """Tell of something that happened; return whether it was sent or held back.

        Parameters
        ----------
        kind
            What is told at most once per interval.
        text
            One or two sentences.
        """
        now_s = self._clock()
        last_s = self._sent_s.get(kind)
        # A clock that was put back must not silence a bot for as long.
        if last_s is not None and 0.0 <= now_s - last_s < self._interval_s:
            return False
        with self._lock:
            self._sent_s[kind] = now_s
        self._tell(text)
        return True

    def state(self, kind: str, text: str, over: str) -> None:
        """Tell of a trouble that stands, once an interval, and of its end.

        Parameters
        ----------
        kind
            Which trouble.
        text
            What is wrong; "" when nothing is.
        over
            What to say when it is over.
        """
        moment = datetime.fromtimestamp(self._clock(), UTC)
        if text:
            if self.event(kind, dated(text, moment)) or kind in self._told_before:
                with self._lock:
                    self._told_before.discard(kind)
                    self._standing.add(kind)
        elif kind in self._standing:
            with self._lock:
                self._standing.discard(kind)
            self._tell(dated(over, moment))

    def to_json(self) -> dict[str, Any]:
        """Return for JSON what the bot's next process has to know; from any thread."""
        with self._lock:
            standing = sorted(self._standing | self._told_before)
            return {"sent": dict(self._sent_s), "standing": standing}

    def _tell(self, text: str) -> None:
        self.n_sent += 1
        self._send(text)


def dated(text: str, moment: datetime) -> str:
    """Return a text with the time of what it tells, in UTC."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC: {text}"


def _read(mark: Mapping[str, Any]) -> tuple[dict[str, float], set[str]]:
    """Return when each kind was told, and which troubles stood, leaving out what is neither."""
    sent, standing = mark.get("sent"), mark.get("standing")
    return (
        {kind: s for kind, s in sent.items() if isinstance(s, int | float)}
        if isinstance(sent, dict)
        else {},
        {kind for kind in standing if isinstance(kind, str)}
        if isinstance(standing, list)
        else set(),
    )
