"""Runs a function in a fork of this process and returns its result."""

from __future__ import annotations

import logging
import multiprocessing
import sys
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from freqtrade_mem0.errors import Mem0Error

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

logger = logging.getLogger(__name__)

T = TypeVar("T")

IS_SAFE = sys.platform.startswith("linux")
"""On other systems (macOS), system libraries do not survive a fork."""


class ChildError(Mem0Error):
    """Work in a forked process failed; the message says why."""


class Child(Generic[T]):
    """A forked process that runs one function; `start` makes it."""

    def __init__(self, process: Any, receiver: Connection) -> None:
        self._process = process
        self._receiver = receiver
        self._answer: tuple[bool, Any] | None = None

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until the function has returned or failed; return whether it has."""
        if self._answer is not None:
            return True
        if not self._receiver.poll(timeout_s):
            return False
        try:
            self._answer = self._receiver.recv()
        except EOFError:
            self._process.join()
            reason = (
                f"Its process ended with exit code {self._process.exitcode} before it was done. "
                "-9 means that the system ran out of memory (RAM): use --jobs 1, fewer pairs or a "
                "shorter --timerange."
            )
            self._answer = (False, reason)
        self._process.join()
        return True

    def result(self) -> T:
        """Return the function's result, waiting for it.

        Raises
        ------
        ChildError
            The function failed, or the process was killed.
        """
        self.wait()
        done, answer = self._answer or (False, "")
        if not done:
            raise ChildError(str(answer))
        return cast("T", answer)


def start(work: Callable[[], T]) -> Child[T]:
    """Run a function in a fork of this process. Its result must be picklable."""
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)

    def answer() -> None:
        try:
            sender.send((True, work()))
        except Mem0Error as error:
            sender.send((False, str(error)))
        except Exception as error:
            logger.exception("Work in a forked process failed.")
            sender.send((False, f"{type(error).__name__}: {error}"))

    process = context.Process(target=answer)
    process.start()
    sender.close()
    return Child(process, receiver)
