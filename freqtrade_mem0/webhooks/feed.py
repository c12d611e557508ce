"""Turns what is new in the journal into messages for an endpoint."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.journal.identity import identity_of, last_row
from freqtrade_mem0.journal.news import Place, end_of, news
from freqtrade_mem0.journal.outbox import Outbox
from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.webhooks.event import KINDS, of_decision, of_job, of_record, of_trouble
from freqtrade_mem0.webhooks.queue import MOST_WAITING
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.journal.journal import Journal
    from freqtrade_mem0.journal.news import News
    from freqtrade_mem0.webhooks.endpoint import Endpoint
    from freqtrade_mem0.webhooks.event import Event
    from freqtrade_mem0.webhooks.queue import Queue, Reader

NEWS_MS = 7 * 86_400_000
"""What became known longer ago is history, such as an imported database, and is not sent."""

_AT_ONCE = 500
_LOOK_S = 15.0
_AWAY, _REFUSED = "mem0", "refused"
_OVER = {
    _AWAY: "Mem0 can be reached again; the waiting records are being delivered.",
    _REFUSED: "Mem0 has accepted all records that it refused.",
}


class Feed:
    """Reads the journal for the endpoints of one owner.

    Parameters
    ----------
    journal
        Where bots note what happens.
    settings
        The `"mem0"` block.
    jobs
        Returns the newest jobs of the service, as its queue lists them.
    now_ms
        Returns the time in epoch milliseconds.
    """

    def __init__(
        self,
        journal: Journal,
        settings: Settings,
        jobs: Callable[[], Sequence[Mapping[str, Any]]],
        now_ms: Callable[[], int],
    ) -> None:
        self._journal = journal
        self._outbox = Outbox(journal)
        self._settings = settings
        self._jobs = jobs
        self._now_ms = now_ms
        self._look_at_s = 0.0
        self._present: dict[str, str] = {}

    def fill(self, endpoint: Endpoint, queue: Queue) -> None:
        """Queue what is new for an endpoint. A new endpoint begins at the end of the journal."""
        reader = queue.reader()
        if reader is None:
            end = end_of(self._journal)
            queue.begin(self._mark(end), end)
            reader = queue.reader()
        if reader is None or reader.is_gone:
            return  # what comes meanwhile stays in the journal
        self._add_states(endpoint, queue, reader)
        place, n_waiting = reader.place, reader.n_waiting
        if reader.journal != self._mark(place):
            # It was restored or replaced: everything is read again, and what was sent is known.
            place = Place(0, 0)
        elif place == end_of(self._journal):
            return
        while n_waiting < MOST_WAITING:
            found = news(
                self._journal,
                self._settings.user_id,
                KINDS,
                after=place,
                since_ms=self._now_ms() - NEWS_MS,
                most=_AT_ONCE,
            )
            events = [each for each in self._events(found) if endpoint.wants(each.type)]
            place = found.place
            queue.add(events, self._mark(place), place)
            n_waiting += len(events)
            if found.is_all:
                return

    def _events(self, found: News) -> Iterator[Event]:
        threshold = self._settings.webhooks.stake_change
        made = [of_decision(each, threshold) for each in found.decisions]
        made += [of_record(each) for each in found.records]
        return (each for each in made if each is not None)

    def _add_states(self, endpoint: Endpoint, queue: Queue, reader: Reader) -> None:
        """Queue jobs that have ended, and troubles of memory that have begun or are over."""
        ended = [event for job in self._jobs() if (event := of_job(job)) is not None]
        since = from_ms(max(reader.made_ms, self._now_ms() - NEWS_MS))
        events = [event for event in reversed(ended) if event.at >= since]
        present, known, now_ms = self._troubles(), reader.troubles, self._now_ms()
        now = from_ms(now_ms)
        for name, text in present.items():
            if name not in known:
                events.append(of_trouble(name, text, now, now, is_over=False))
        for name, began_ms in known.items():
            if name not in present:
                began = from_ms(began_ms)
                events.append(of_trouble(name, _OVER[name], began, now, is_over=True))
        wanted = [event for event in events if endpoint.wants(event.type)]
        troubles = {name: known.get(name, now_ms) for name in present}
        if wanted or troubles != known:
            queue.add(wanted, reader.journal, reader.place, troubles)

    def _troubles(self) -> Mapping[str, str]:
        """Return the troubles that delivery noted in the journal, now and then looked at."""
        if self._settings.mode == "local" or time.monotonic() < self._look_at_s:
            return self._present
        self._look_at_s = time.monotonic() + _LOOK_S
        state, found = self._outbox.state(), {}
        if state.failures >= self._settings.delivery.breaker_failures:
            waiting = counted(state.pending, "record")
            found[_AWAY] = f"Mem0 can not be reached; {waiting} wait in the journal."
        if state.dead:
            found[_REFUSED] = (
                f"Mem0 refuses {counted(state.dead, 'record')}; 'freqtrade-mem0 dead-letters' "
                "lists them."
            )
        self._present = found
        return found

    def _mark(self, place: Place) -> str:
        """Return a text that another journal, or this one restored, does not have at a place."""
        return f"{identity_of(self._journal)} {last_row(self._journal, place.records)}"
