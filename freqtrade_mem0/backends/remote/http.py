"""HTTP with a bound in time, every failure of which is a `RemoteError`.

Both `mem0.MemoryClient` (which takes an `httpx.Client`) and the self-hosted server are used through
it.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from concurrent.futures import Future
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, TypeVar

import httpx
import stamina

from freqtrade_mem0.errors import BackendError

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")

READ_ATTEMPTS = 3
CALL_TIMEOUTS = 3  # a call as a whole may take this many times `timeout_s`
_WRITE_ATTEMPTS = 2
_WRITE_RETRY_MAX_S = 2.0  # after a longer pause the delivery sends the write again
_MAX_EXCHANGES = 16  # at once, those included that nobody waits for any more
_THREAD_NAME = "freqtrade-mem0-http"

_PERMANENT = frozenset({400, 409, 413, 422})
_NO_RETRY = _PERMANENT | {401, 403, 404, 405, 501}
_NOT_STORED = _NO_RETRY | {429}  # answers after which the server has surely stored nothing
_NO_ACCESS = frozenset({401, 403})
_NOT_FOUND = 404
_NO_ROUTE = frozenset({404, 405})
_TOO_LARGE = 413
_BUSY = frozenset({429, 503})


class RemoteError(BackendError):
    """A server did not do what it was asked.

    Parameters
    ----------
    message
        What happened, where, and what happens next.
    status
        HTTP status of the answer; None without a readable answer.
    retry_after_s
        Pause that the server asked for.
    """

    def __init__(
        self, message: str, *, status: int | None = None, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message, permanent=status in _PERMANENT, retry_after_s=retry_after_s)
        self.status = status

    @property
    def is_missing(self) -> bool:
        """Whether the server says that the thing does not exist."""
        return self.status == _NOT_FOUND

    @property
    def left_no_trace(self) -> bool:
        """Whether the server has surely not stored what was sent."""
        return self.status in _NOT_STORED

    def about(self, memory_id: str) -> RemoteError:
        """Return the same error with the id of the memory that was sent."""
        return RemoteError(
            f"Memory {memory_id}: {self}", status=self.status, retry_after_s=self.retry_after_s
        )


class Wire(httpx.Client):
    """An `httpx.Client` whose answers are complete, in time, and JSON; else it raises RemoteError.

    httpx bounds each read, so a server that sends byte by byte could hold the caller for ever. So
    each exchange runs in a thread of its own, which is left behind when the time is up.

    Parameters
    ----------
    where
        Name of the server, for people.
    key, key_source
        The secret (kept out of all messages) and where it came from; "" without a key.
    timeout_s
        Bound of one exchange, in seconds: from looking up the server's name to the last byte.
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
                "quote from a text processor?). Correct it; memories stay in the journal until "
                "then."
            )
        super().__init__(timeout=timeout_s, headers=headers, params=params)
        self.where = where
        self.timeout_s = timeout_s
        self._key = key
        self._key_source = key_source
        self._free_exchanges = threading.BoundedSemaphore(_MAX_EXCHANGES)

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        """Send one request and return its answer.

        Raises
        ------
        RemoteError
            There is no answer, it refuses the request, or it is not JSON.
        """
        asked = f"{request.method} {request.url.path}"
        try:
            response = self._exchanged(request, options)
        except (httpx.RequestError, TimeoutError) as error:
            raise RemoteError(
                f"{self.where} gave no answer to {asked}: {self._hidden(error)}. Memories stay in "
                "the journal and are delivered when it answers."
            ) from None  # the httpx error refers to the request, whose header holds the key
        if not response.is_success:
            raise self._refused(asked, response)
        if not response.content:
            return httpx.Response(200, json={}, request=request)
        try:
            json.loads(response.content)
        except ValueError:
            raise RemoteError(
                f"{self.where} answered {asked} with something that is not JSON (a proxy's or a "
                'login page?). Check "mem0.host".'
            ) from None
        return response

    def patiently(self, ask: Callable[[], T]) -> T:
        """Return what a reading `ask` gives, asking again where that may help."""
        return Patience(self.timeout_s).reading(ask)

    def _exchanged(self, request: httpx.Request, options: dict[str, Any]) -> httpx.Response:
        deadline_s = time.monotonic() + self.timeout_s
        too_late = TimeoutError(f"no complete answer within {self.timeout_s:g} s")

        def refuse_if_late(event: str, _details: object) -> None:
            # A request that nobody waits for any more must not be sent later.
            if event.endswith("send_request_headers.started") and time.monotonic() > deadline_s:
                raise too_late

        def exchange() -> None:
            try:
                answer.set_result(super(Wire, self).send(request, **options))
            except BaseException as error:  # noqa: BLE001 - raised in the thread that waits
                answer.set_exception(error)
            finally:
                self._free_exchanges.release()

        if not self._free_exchanges.acquire(timeout=self.timeout_s):
            raise TimeoutError(f"{_MAX_EXCHANGES} earlier requests are still under way")
        request.extensions["trace"] = refuse_if_late
        answer: Future[httpx.Response] = Future()
        threading.Thread(target=exchange, name=_THREAD_NAME, daemon=True).start()
        try:
            return answer.result(self.timeout_s)
        except TimeoutError:
            raise too_late from None

    def _refused(self, asked: str, response: httpx.Response) -> RemoteError:
        status = response.status_code
        reason = self._reason(response)
        if status in _NO_ACCESS:
            rule = (
                f"the key from {self._key_source} is wrong or may not do this"
                if self._key
                else "it wants a key: set MEM0_API_KEY"
            )
            text = f"{rule}. Memories stay in the journal and are delivered once the key is right."
        elif status == _TOO_LARGE:
            text = "the memory is too large for it, or the account's quota is used up."
        elif status in _NO_ROUTE:
            text = 'it does not know this address; check that "mem0.host" is the right server.'
        elif response.is_redirect:
            text = 'it redirects to another address; set "mem0.host" to that address.'
        elif status in _PERMANENT:
            text = "it would refuse the same again."
        else:
            text = "it is asked again later; memories stay in the journal."
        return RemoteError(
            f"{self.where} answered {asked} with {status}{reason}: {text}",
            status=status,
            retry_after_s=retry_after_s(response.headers.get("Retry-After")),
        )

    def _reason(self, response: httpx.Response) -> str:
        try:
            answer = json.loads(response.content)
        except ValueError:
            return ""
        detail = answer.get("detail", answer) if isinstance(answer, dict) else answer
        text = detail if isinstance(detail, str) else json.dumps(detail)
        return f" ({self._hidden(text)[:200]})"

    def _hidden(self, message: object) -> str:
        text = str(message).rstrip(".") or type(message).__name__
        return text.replace(self._key, "***") if self._key else text


class Patience:
    """How long one call of a backend may go on, and when it asks again.

    Parameters
    ----------
    timeout_s
        Bound of one exchange, in seconds. The whole call may take `CALL_TIMEOUTS` times that since
        its last progress.
    """

    def __init__(self, timeout_s: float) -> None:
        self._timeout_s = timeout_s
        self.progressed()

    def progressed(self) -> None:
        """Restart the call's time: the server does what it is asked."""
        self._deadline_s = time.monotonic() + CALL_TIMEOUTS * self._timeout_s

    def reading(self, ask: Callable[[], T]) -> T:
        """Return what `ask` gives, asking up to `READ_ATTEMPTS` times where that may help."""

        @stamina.retry(
            on=self._pause_before_reading,
            attempts=READ_ATTEMPTS,
            timeout=None,
            wait_max=self._timeout_s,
            wait_jitter=0.3,
            wait_exp_base=4,
        )
        def read() -> T:
            return ask()

        return read()

    def writing(self, send: Callable[[], T]) -> T:
        """Return what `send` gives, sending again only where the server says when, and soon."""

        @stamina.retry(on=self._pause_before_writing, attempts=_WRITE_ATTEMPTS, timeout=None)
        def write() -> T:
            return send()

        return write()

    def wait(self, pause_s: float) -> bool:
        """Sleep, and return True, if the call's time allows it."""
        if not self._has_time_for(pause_s):
            return False
        time.sleep(pause_s)
        return True

    def _pause_before_reading(self, error: Exception) -> bool | float:
        if not isinstance(error, RemoteError) or error.status in _NO_RETRY:
            return False
        asked_s = error.retry_after_s
        if not self._has_time_for(asked_s or 0.0):
            return False
        return True if asked_s is None else asked_s

    def _pause_before_writing(self, error: Exception) -> bool | float:
        if not isinstance(error, RemoteError) or error.status not in _BUSY:
            return False
        asked_s = error.retry_after_s
        if asked_s is None or asked_s > _WRITE_RETRY_MAX_S or not self._has_time_for(asked_s):
            return False
        return asked_s

    def _has_time_for(self, pause_s: float) -> bool:
        return time.monotonic() + pause_s <= self._deadline_s


def retry_after_s(header: str | None) -> float | None:
    """Return the seconds that a Retry-After header asks for; None without a readable one.

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


def _is_of_others(record: logging.LogRecord) -> bool:
    """Drop what httpx and stamina log of each of our requests and retries."""
    if str(getattr(record, "stamina.callable", "")).startswith(f"{__name__}."):
        return False
    return record.levelno > logging.INFO or threading.current_thread().name != _THREAD_NAME


for _library in ("httpx", "stamina"):
    logging.getLogger(_library).addFilter(_is_of_others)
