"""Alerts that wait for the bot's main loop: risk events, and stakes that were scaled far."""

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


class PendingAlerts:
    """Keeps alerts of all threads until the bot's main loop sends them; only it calls Freqtrade.

    Parameters
    ----------
    settings
        Which alerts the owner wants.
    since
        When the bot was started, aware UTC. Earlier risk events are not sent: they follow from
        trades that are recorded late, or for the first time.
    most
        The most alerts that wait; beyond that the oldest are dropped.
    """

    def __init__(self, settings: AlertSettings, since: datetime, most: int = 200) -> None:
        self._settings = settings
        self._since = since
        self._waiting: deque[tuple[str, str]] = deque(maxlen=most)
        self._n_held_back: dict[str, int] = {}

    def add_risk_event(self, event: RiskEvent) -> None:
        """Add the alert on a new risk event, with its market time and the response to it."""
        if event.known_at >= self._since:
            self.add_risk_event_of_any_age(event)

    def add_risk_event_of_any_age(self, event: RiskEvent) -> None:
        """Add the alert on a risk event that was found now, and may have begun before the start."""
        if self._settings.risk:
            text = dated(f"{event.sentence()}.", event.known_at)
            self.add(f"risk {event.event_type}", text)

    def add_answer(self, answer: Answer) -> None:
        """Add the alert on an answer that changed a stake far, or refused an entry."""
        threshold = self._settings.stake_change
        if threshold is None or not answer.applied:
            return
        change = answer.stake / answer.proposal.stake - 1.0
        if answer.is_vetoed or abs(change) > threshold:
            self.add("stake", f"{headline(answer.decision())}.")

    def add(self, kind: str, text: str) -> None:
        """Add an alert, from any thread; never blocks."""
        self._waiting.append((kind, text))

    def send(self, alerts: Alerts) -> None:
        """Send the last alert of each kind, with the number of others that it stands for."""
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
