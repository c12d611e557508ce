"""The background thread of delivery and of sync: step by step, with pauses while Mem0 fails."""

from __future__ import annotations

import logging
import random
import threading
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

from freqtrade_mem0.delivery.breaker import Breaker, BreakerState
from freqtrade_mem0.errors import BackendError, JournalError

if TYPE_CHECKING:
    from freqtrade_mem0.config.settings import DeliverySettings

logger = logging.getLogger(__name__)


class Mem0Worker(ABC):
    """Repeats a step in a thread; pauses as its breaker says where a step fails.

    Parameters
    ----------
    name
        Of the thread.
    settings
        The `"delivery"` block: pauses, and when the breaker opens.
    """

    consequence: str
    """What a failure means, for the log."""
    recovery: str = ""
    """What the first success after failures means, for the log."""

    def __init__(self, name: str, settings: DeliverySettings) -> None:
        self._breaker = Breaker(
            base_s=settings.retry_s,
            max_s=settings.max_retry_s,
            failures_to_open=settings.breaker_failures,
            random=random.random,
        )
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self.trouble = ""
        """The last step's error; "" while all is well."""

    @property
    def alarm(self) -> str:
        """The error of which the bot's owner should be told: the breaker is open; "" otherwise."""
        return self.trouble if self._breaker.state is BreakerState.OPEN else ""

    def start(self) -> None:
        """Begin to work in the background."""
        self._thread.start()

    def wake(self) -> None:
        """End the pause between two steps. Never blocks."""
        self._wake.set()

    def stop(self, timeout_s: float) -> bool:
        """Stop after the present step, waiting at most `timeout_s`.

        Returns
        -------
        bool
            False when the step still waits for Mem0. It writes nothing more once Mem0 answers, and
            its backend must not be closed meanwhile.
        """
        self._stop.set()
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    @abstractmethod
    def _step(self) -> float:
        """Do the next piece of work; return the pause after it, in seconds."""

    def _failed(self, error: Exception) -> float:
        """Count a failed step; return the pause after it, in seconds."""
        return self._breaker.failed(
            error.retry_after_s if isinstance(error, BackendError) else None
        )

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                pause_s = self._step()
            except Exception as error:
                if not self.trouble:
                    known = isinstance(error, BackendError | JournalError)
                    logger.warning(
                        "%s %s", error, self.consequence, exc_info=None if known else error
                    )
                self.trouble = str(error)
                self._stop.wait(self._failed(error))
                continue
            self.trouble = ""
            if self._breaker.succeeded() and self.recovery:
                logger.info(self.recovery)
            self._wake.wait(pause_s)
