"""What a bot tells its owner through Freqtrade's own channels (Telegram, webhook, Discord)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Alerts:
    """Sends an alert once, and the same kind again only after a while.

    Parameters
    ----------
    send
        Hands a text to Freqtrade's channels; never blocks.
    interval_s
        Shortest time between two alerts of one kind, in seconds.
    clock
        Monotonic seconds.
    """

    def __init__(
        self, send: Callable[[str], None], interval_s: float, clock: Callable[[], float]
    ) -> None:
        self._send = send
        self._interval_s = interval_s
        self._clock = clock
        self._sent_s: dict[str, float] = {}
        self._standing: set[str] = set()

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
        if last_s is not None and now_s - last_s < self._interval_s:
            return False
        self._sent_s[kind] = now_s
        self._send(text)
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
        if text:
            if self.event(kind, text):
                self._standing.add(kind)
        elif kind in self._standing:
            self._standing.discard(kind)
            self._send(over)
