"""One exchange over HTTP, bounded in time, with every way it can fail made one kind of error.

Used under `mem0.MemoryClient` (which takes an `httpx.Client`) and for the self-hosted server alike.
"""

from __future__ import annotations

import json
import logging
import random
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

import httpx

from freqtrade_mem0.backends.remote.deadline import DeadlineNetwork, deadline, is_under_way
from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

READ_ATTEMPTS = 3
CALL_TIMEOUTS = 3  # a call as a whole may take this many times `timeout_s`
_FIRST_PAUSE_S = 0.1
_SMALL_RETRY_S = 2.0  # a write waits for this once; longer pauses are the delivery's

_PERMANENT = frozenset({400, 409, 413, 422})
_NO_RETRY = _PERMANENT | {401, 403, 404, 405, 501}
_UNTOUCHED = _NO_RETRY | {429}  # with these the server surely stored nothing
_NO_ACCESS = frozenset({401, 403})
_NOT_FOUND = 404
_NOT_THERE = frozenset({404, 405})
_TOO_LARGE = 413
_BUSY = frozenset({429, 503})


class RemoteError(BackendError):
    """A server did not do what it was asked.

    Parameters
    ----------
    message
        What happened, where, and what happens next.
    status
        HTTP status of the answer; None where none came, or none that can be read.
    retry_after_s
        How long the server asked to be left alone.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, permanent=status in _PERMANENT, retry_after_s=retry_after_s)
        self.status = status

    @property
    def is_missing(self) -> bool:
        """Whether the server says that there is no such thing."""
        return self.status == _NOT_FOUND

    @property
    def left_no_trace(self) -> bool:
        """Whether what was sent is surely not stored."""
        return self.status in _UNTOUCHED

    def about(self, memory_id: str) -> RemoteError:
        """Return the same error, naming the memory that was sent."""
        return RemoteError(
            f"Memory {memory_id}: {self}", status=self.status, retry_after_s=self.retry_after_s
        )


class Wire(httpx.Client):
    """An `httpx.Client` whose every answer is complete, in time and JSON, or a `RemoteError`.

    Parameters
    ----------
    where
        Name of the server, for people.
    key, key_source
        The secret (kept out of all messages) and where it came from; "" without a key.
    timeout_s
        Bound of one exchange from the connection to the last byte of the answer, in seconds. The
        look-up of the server's name is not bounded by it: the operating system bounds that.
    headers, params
        Sent with every request.
    """

    def __init__(
        self,
        *,
        where: str,
        key: str,
        key_source: str,
        timeout_s: float,
        headers: dict[str, str] | None = None,
        params: dict[str, str] | None = None,
    ) -> None:
        if not (key.isascii() and key.isprintable()):
            raise BackendError(
                f"The key from {key_source} holds characters that no key has (a line break, or a "
                "quote from a text processor?). Memories stay in the journal until it is mended."
            )
        super().__init__(timeout=timeout_s, headers=headers, params=params)
        self.where = where
        self.timeout_s = timeout_s
        self._key = key
        self._key_source = key_source
        # httpx bounds each read, so that a server that drips bytes could hold us for ever; its
        # connection pool takes a network layer with a deadline, but httpx has no argument for it.
        for transport in (self._transport, *self._mounts.values()):
            pool: Any = getattr(transport, "_pool", None)
            if hasattr(pool, "_network_backend"):
                pool._network_backend = DeadlineNetwork(pool._network_backend)  # noqa: SLF001

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send one request and return its answer.

        Raises
        ------
        RemoteError
            No answer, one that says no, or one that is no JSON.
        """
        asked = f"{request.method} {request.url.path}"
        try:
            with deadline(self.timeout_s):
                response = super().send(request, **options)
        except httpx.RequestError as error:
            raise RemoteError(
                f"{self.where} gave no answer to {asked}: {self._hidden(error)}. Memories stay in "
                "the journal and are delivered when it answers."
            ) from None  # its request holds the key in a header
        if not response.is_success:
            raise self._refused(asked, response)
        if not response.content:
            return httpx.Response(200, json={}, request=request)
        try:
            json.loads(response.content)
        except ValueError:
            raise RemoteError(
                f"{self.where} answered {asked} with something that is no JSON (a proxy's or a "
                'login page?). Check "mem0.host".'
            ) from None
        return response

    def patiently(self, ask: Callable[[], T]) -> T:
        """Return what a reading `ask` gives, asking again where that may help."""
        return Patience(self.timeout_s).reading(ask)

    def _refused(self, asked: str, response: httpx.Response) -> RemoteError:
        status = response.status_code
        said = self._detail(response)
        if status in _NO_ACCESS:
            rule = (
                f"the key from {self._key_source} is wrong or may not do this"
                if self._key
                else "it wants a key: set MEM0_API_KEY"
            )
            text = f"{rule}. Memories stay in the journal and are delivered once the key is right."
        elif status == _TOO_LARGE:
            text = "the memory is too large for it, or the account's quota is used up."
        elif status in _NOT_THERE:
            text = 'it has no such thing; check that "mem0.host" is the server that is meant.'
        elif response.is_redirect:
            text = 'it sends us elsewhere; set "mem0.host" to where the server really is.'
        elif status in _PERMANENT:
            text = "it would refuse the same again."
        else:
            text = "it is asked again later; memories stay in the journal."
        return RemoteError(
            f"{self.where} answered {asked} with {status}{said}: {text}",
            status=status,
            retry_after_s=retry_after_s(response.headers.get("Retry-After")),
        )

    def _detail(self, response: httpx.Response) -> str:
        try:
            answer = json.loads(response.content)
        except ValueError:
            return ""
        detail = answer.get("detail", answer) if isinstance(answer, dict) else answer
        text = detail if isinstance(detail, str) else json.dumps(detail)
        return f" ({self._hidden(text)[:200]})"

    def _hidden(self, said: object) -> str:
        text = str(said).rstrip(".") or type(said).__name__
        return text.replace(self._key, "***") if self._key else text


class Patience:
    """How long one call of a backend may go on, and when it asks again.

    Parameters
    ----------
    timeout_s
        Bound of one exchange, in seconds. The call as a whole has `CALL_TIMEOUTS` times that since
        its last progress.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self.progressed()

    def progressed(self) -> None:
        """Start the time anew: the server does what it is asked."""
        self._deadline_s = time.monotonic() + CALL_TIMEOUTS * self._timeout_s

    def reading(self, ask: Callable[[], T]) -> T:
        """Return what `ask` gives, asking up to three times where that may help."""
        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                return ask()
            except RemoteError as error:
                most_s = min(_FIRST_PAUSE_S * 4**attempt, self._timeout_s)
                pause_s = random.uniform(0, most_s)  # noqa: S311 - only spreads load
                if error.retry_after_s is not None:
                    pause_s = error.retry_after_s
                if error.status in _NO_RETRY or attempt == READ_ATTEMPTS or not self.wait(pause_s):
                    raise
        raise AssertionError("the last attempt returns or raises")

    def writing(self, send: Callable[[], T]) -> T:
        """Return what `send` gives, sending again only where the server says when, and soon."""
        try:
            return send()
        except RemoteError as error:
            soon = error.retry_after_s is not None and error.retry_after_s <= _SMALL_RETRY_S
            if error.status not in _BUSY or not soon or not self.wait(error.retry_after_s or 0.0):
                raise
        return send()

    def wait(self, pause_s: float) -> bool:
        """Sleep, and return True, if the call's time allows it."""
        if time.monotonic() + pause_s > self._deadline_s:
            return False
        time.sleep(pause_s)
        return True


def retry_after_s(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for; None where it is missing or odd.

    Examples
    --------
    >>> retry_after_s("3"), retry_after_s("Thu, 01 Jan 1970 00:00:00 GMT"), retry_after_s("soon")
    (3.0, 0.0, None)
    """
    if header is None:
        return None
    if header.strip().isdecimal():
        return float(header)
    try:
        at = parsedate_to_datetime(header)
    except ValueError:
        return None
    at = at if at.tzinfo is not None else at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


class _QuietFilter(logging.Filter):
    """Keeps httpx from logging each of our requests; what others ask through it is still logged."""

    def filter(self, record: logging.LogRecord) -> bool:
        return record.levelno > logging.INFO or not is_under_way()


logging.getLogger("httpx").addFilter(_QuietFilter())
