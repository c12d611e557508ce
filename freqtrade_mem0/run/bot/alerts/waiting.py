"""What waits to be told to a bot's owner: risk events, stakes that were scaled far."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from freqtrade_mem0.decide.explain import headline
from freqtrade_mem0.run.bot.alerts.throttle import dated

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.config.alert_settings import AlertSettings
    from freqtrade_mem0.decide.decider import Answer
    from freqtrade_mem0.records.kinds.risk import RiskEvent
    from freqtrade_mem0.run.bot.alerts.throttle import Alerts


class Notices:
    """What is to be told, until the bot's main loop tells it: no other thread calls Freqtrade.

    Parameters
    ----------
    settings
        What the owner wants to hear of.
    since
        When the bot was started, aware UTC. Risk events of before are not told: they come from
        trades that are recorded belatedly, or for the first time, and the owner had their time.
    most
        How many wait at most; with more, the oldest are dropped.
    """

    def __init__(self, settings: AlertSettings, since: datetime, most: int = 200) -> None:
        self._settings = settings
        self._since = since
        self._waiting: deque[tuple[str, str]] = deque(maxlen=most)
        self._n_held_back: dict[str, int] = {}

    def of_risk(self, event: RiskEvent) -> None:
        """Let a new risk event wait to be told, with its market time and what is done about it."""
        if self._settings.risk and event.known_at >= self._since:
            text = dated(f"{event.sentence()}.", event.known_at)
            self.add(f"risk {event.event_type}", text)

    def of_answer(self, answer: Answer) -> None:
        """Let an answer wait to be told that changed a stake far, or refused an entry."""
        threshold = self._settings.stake_change
        if threshold is None or not answer.applied:
            return
        change = answer.stake / answer.proposal.stake - 1.0
        if answer.is_vetoed or abs(change) > threshold:
            self.add("stake", f"{headline(answer.decision())}.")

    def add(self, kind: str, text: str) -> None:
        """Let something wait to be told; never blocks, from any thread."""
        self._waiting.append((kind, text))

    def tell(self, alerts: Alerts) -> None:
        """Tell what waits; of each kind the last, with how many it stands for."""
        last: dict[str, str] = {}
        while self._waiting:
            kind, text = self._waiting.popleft()
            last[kind] = text
            self._n_held_back[kind] = self._n_held_back.get(kind, 0) + 1
        for kind, text in last.items():
            others = self._n_held_back[kind] - 1
            more = f" ({others} more of this kind since the last alert)" if others else ""
            if alerts.event(kind, text + more):
                del self._n_held_back[kind]
