"""Sends what is new to the endpoints: one pass of one process at a time.

Whoever runs does it: the service, every bot, and `freqtrade-mem0 webhooks send`. A lock on the
memory's folder keeps them apart; the system releases it when its holder is killed, and the next
one goes on. A message whose answer was lost is sent once more, with the same id.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0 import __version__
from freqtrade_mem0.audit.log import AuditLog
from freqtrade_mem0.errors import ConfigError, Mem0Error
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.sqlite_files.alone import alone
from freqtrade_mem0.sqlite_files.opening import make_folder
from freqtrade_mem0.webhooks.endpoint import endpoints
from freqtrade_mem0.webhooks.feed import Feed
from freqtrade_mem0.webhooks.file import WebhookFile
from freqtrade_mem0.webhooks.post import Outcome, post
from freqtrade_mem0.webhooks.queue import Queue
from freqtrade_mem0.webhooks.signature import ID, SIGNATURE, TIMESTAMP, signature

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.webhooks.endpoint import Endpoint

    Post = Callable[[str, Mapping[str, str], bytes, float], Outcome]

logger = logging.getLogger(__name__)

LOCK = "webhooks.lock"
_MOST_AT_ONCE = 500
_LONGEST_PASS_S = 20.0
_PRUNE_S = 3_600.0
_POLL_S = 2.0


class Passed(NamedTuple):
    """What a pass did: messages that were taken, and attempts that failed."""

    n_sent: int = 0
    n_failed: int = 0


class WebhookSender:
    """Sends the events of one owner.

    Parameters
    ----------
    folder
        The memory's folder.
    settings
        The `"mem0"` block.
    chosen
        Where events are sent.
    jobs
        Returns the newest jobs of the service.
    now
        Returns the time in epoch seconds.
    send
        Posts a body.
    """

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        chosen: Sequence[Endpoint],
        *,
        jobs: Callable[[], Sequence[Mapping[str, Any]]] = list,
        now: Callable[[], float] = time.time,
        send: Post = post,
    ) -> None:
        self._folder = folder
        self._journal = Journal(folder)  # its own connections: no bot waits for it
        self.file = WebhookFile(folder, now)
        self._feed = Feed(self._journal, settings, jobs, self.file.now_ms)
        self._send = send
        self._queues = [(each, Queue(self.file, settings.user_id, each.name)) for each in chosen]
        self._in_trouble: set[str] = set()
        self._prune_at_s = 0.0

    def run(self, go_on: Callable[[], bool] = lambda: True) -> Passed | None:
        """Queue what is new, and try what is due; return None where another process does it.

        Raises
        ------
        JournalError
            The journal or the file of webhooks can not be used; it is tried again later.
        """
        if not self._queues or not self._journal.path.exists():
            return Passed()
        make_folder(self._folder)
        with alone(self._folder / LOCK) as held:
            if held is None:
                return None
            for endpoint, queue in self._queues:
                self._feed.fill(endpoint, queue)
            done = _at_once(
                [
                    partial(self._send_due, endpoint, queue, go_on)
                    for endpoint, queue in self._queues
                    if queue.next() is not None
                ]
            )
            if time.monotonic() >= self._prune_at_s:
                self._prune_at_s = time.monotonic() + _PRUNE_S
                for _, queue in self._queues:
                    queue.prune()
        return Passed(sum(each.n_sent for each in done), sum(each.n_failed for each in done))

    def close(self) -> None:
        """Release files."""
        self._journal.close()
        self.file.close()

    def try_once(self, endpoint: Endpoint, message_id: str, body: bytes) -> Outcome:
        """Post a message, signed, and return what became of it."""
        try:
            keys = endpoint.keys()
        except ConfigError as error:
            return Outcome(status=None, error=str(error))
        now_s = self.file.now_ms() // 1_000
        headers = {
            "Content-Type": "application/json",
            "User-Agent": f"freqtrade-mem0/{__version__}",
            "Connection": "close",
            ID: message_id,
            TIMESTAMP: str(now_s),
        }
        if keys:
            headers[SIGNATURE] = signature(keys, message_id, now_s, body)
        return self._send(endpoint.url, headers, body, endpoint.settings.timeout_s)

    def _send_due(self, endpoint: Endpoint, queue: Queue, go_on: Callable[[], bool]) -> Passed:
        n_sent, n_failed, until_s = 0, 0, time.monotonic() + _LONGEST_PASS_S
        while go_on() and n_sent + n_failed < _MOST_AT_ONCE and time.monotonic() < until_s:
            message = queue.next()
            if message is None:
                break
            outcome = self.try_once(endpoint, message.id, message.body)
            if outcome.error:
                n_failed += 1
                queue.failed(message, outcome, random.random())  # noqa: S311 - no secret
            else:
                n_sent += 1
                queue.sent(message)
            self._tell(endpoint, outcome)
        secret = endpoint.settings.secret
        if secret is not None and n_sent + n_failed:
            name = f"mem0.webhooks.endpoints.{endpoint.name}.secret"
            AuditLog(self._folder).note(name, secret, "used")
        return Passed(n_sent, n_failed)

    def _tell(self, endpoint: Endpoint, outcome: Outcome) -> None:
        """Log the first failure of an endpoint, and its end."""
        if not outcome.error:
            if endpoint.name in self._in_trouble:
                self._in_trouble.discard(endpoint.name)
                logger.info("Webhooks reach %s again.", endpoint.name)
        elif endpoint.name not in self._in_trouble:
            self._in_trouble.add(endpoint.name)
            then = "Nothing is lost: events are sent again for three days."
            if outcome.is_gone:
                enable = f"freqtrade-mem0 webhooks enable {endpoint.name}"
                then = f"It asked for no more events; '{enable}' sends them again."
            logger.warning("A webhook to %s failed. %s %s", endpoint.name, outcome.error, then)


def _at_once(tasks: Sequence[Callable[[], Passed]]) -> list[Passed]:
    """Do all tasks; a slow endpoint holds up no other. No thread keeps the process from ending."""
    if len(tasks) < 2:  # noqa: PLR2004 - several
        return [task() for task in tasks]
    done: list[Passed] = []
    failed: list[Exception] = []

    def do(task: Callable[[], Passed]) -> None:
        try:
            done.append(task())
        except Exception as error:  # noqa: BLE001 - it is raised below
            failed.append(error)

    threads = [threading.Thread(target=do, args=(task,), daemon=True) for task in tasks]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failed:
        raise failed[0]
    return done


class WebhookWorker:
    """A thread that sends while a bot or the service runs."""

    def __init__(self, sender: WebhookSender) -> None:
        self._sender = sender
        self._stop = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name="freqtrade-mem0-webhooks", daemon=True
        )
        self._trouble = ""

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """Stop after the present message; what waits is sent by the next process."""
        self._stop.set()
        self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self._sender.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            pause_s = _POLL_S
            try:
                passed = self._sender.run(lambda: not self._stop.is_set())
            except Exception as error:
                if str(error) != self._trouble:
                    known = isinstance(error, Mem0Error | OSError)
                    logger.warning("Webhooks wait: %s", error, exc_info=None if known else error)
                self._trouble = str(error)
            else:
                self._trouble = ""
                if passed is not None and passed.n_sent:
                    pause_s = 0.0
            self._stop.wait(pause_s)


def worker_of(
    memory: MemoryFolder, jobs: Callable[[], Sequence[Mapping[str, Any]]] = list
) -> WebhookWorker | None:
    """Return what sends the events of a memory; None where the config asks for none.

    Raises
    ------
    ConfigError
        An address or a secret that the config names is not there, or wrong.
    """
    found = endpoints(memory.settings)
    if not found:
        return None
    return WebhookWorker(WebhookSender(memory.folder, memory.settings, found, jobs=jobs))
