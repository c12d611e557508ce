"""Posts a message to a configured address, and to no other.

The name is resolved once; every address it has is checked, and the connection is made to a checked
one, so that no later answer of a name server leads elsewhere. Redirects are not followed, proxies
of the environment are not used, and nothing of the answer but its status is kept.
"""

from __future__ import annotations

import socket
import ssl
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpcore

from freqtrade_mem0.webhooks.address import why_refused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Resolve = Callable[[str, int], list[str]]

_MOST_READ = 16_384
"""Bytes of an answer's body that are read, and dropped, so that the connection ends politely."""

_READ_S = 1.0
_LONGEST_RETRY_S = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of a post.

    Parameters
    ----------
    status
        Of the answer; None where there was none.
    error
        A sentence; "" where the message was taken.
    retry_after_s
        How long the receiver asked to be left alone; None where it did not say.
    """

    status: int | None
    error: str
    retry_after_s: float | None = None

    @property
    def is_gone(self) -> bool:
        """Whether the receiver asked for no further events."""
        return self.status == HTTPStatus.GONE

    @property
    def is_down(self) -> bool:
        """Whether other messages would fail now as well: no answer, too many, or its own error."""
        return (
            self.status is None
            or self.status == HTTPStatus.TOO_MANY_REQUESTS
            or self.status >= HTTPStatus.INTERNAL_SERVER_ERROR
        )


def resolved(host: str, port: int) -> list[str]:
    """Return the addresses of a host, as the system knows them."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(each[4][0]) for each in found))


def post(
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    timeout_s: float,
    resolve: Resolve = resolved,
) -> Outcome:
    """Post a body; never raises for what a receiver or the network does.

    Parameters
    ----------
    url
        A checked address of the config.
    headers, body
        What is sent.
    timeout_s
        For everything up to the answer's headers.
    resolve
        Returns the addresses of a host and port; raises `OSError` where it has none.
    """
    network = _CheckedNetwork(resolve, time.monotonic() + timeout_s)
    # httpcore leaves out the brackets of an IPv6 address.
    named = [("Host", urlsplit(url).netloc), *headers.items()]
    try:
        with (
            httpcore.ConnectionPool(
                ssl_context=_tls() if url.startswith("https:") else None, network_backend=network
            ) as pool,
            pool.stream("POST", url, headers=named, content=body) as answer,
        ):
            found = _outcome(answer.status, answer.headers)
            network.deadline_s = min(network.deadline_s, time.monotonic() + _READ_S)
            with suppress(httpcore.TimeoutException, httpcore.NetworkError, httpcore.ProtocolError):
                _drop(answer.iter_stream())
            return found
    except httpcore.TimeoutException:
        return Outcome(status=None, error=f"It did not answer within {timeout_s:g} s.")
    except (httpcore.NetworkError, httpcore.ProtocolError, ssl.SSLError, OSError) as error:
        return Outcome(status=None, error=f"{_words(error)}.")


def _drop(chunks: Iterable[bytes]) -> None:
    n_read = 0
    for chunk in chunks:
        n_read += len(chunk)
        if n_read > _MOST_READ:
            return


def _outcome(status: int, headers: Iterable[tuple[bytes, bytes]]) -> Outcome:
    if HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        return Outcome(status=status, error="")
    error = f"It answered {status}{_phrase(status)}."
    if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
        error = f"It answered {status}{_phrase(status)}; redirects are not followed."
    return Outcome(status=status, error=error, retry_after_s=_retry_after_s(headers))


def _phrase(status: int) -> str:
    try:
        return f" ({HTTPStatus(status).phrase})"
    except ValueError:
        return ""


def _retry_after_s(headers: Iterable[tuple[bytes, bytes]]) -> float | None:
    """Return the wait in a Retry-After header, in seconds or as a date; at most a day."""
    for name, value in headers:
        if name.lower() != b"retry-after":
            continue
        text = value.decode("ascii", "replace").strip()
        with suppress(ValueError, OverflowError):
            if text.isdecimal():
                return min(float(text), _LONGEST_RETRY_S)
            wait = parsedate_to_datetime(text) - datetime.now(UTC)
            return min(max(wait.total_seconds(), 0.0), _LONGEST_RETRY_S)
    return None


def _words(error: Exception) -> str:
    text = str(error) or type(error).__name__
    return text.rstrip(".")


@cache
def _tls() -> ssl.SSLContext:
    """Return what checks certificates: the system's roots, and those of certifi."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


class _CheckedNetwork(httpcore.NetworkBackend):
    """Connects to addresses that were checked; everything ends at a deadline."""

    def __init__(self, resolve: Resolve, deadline_s: float) -> None:
        self._resolve = resolve
        self._plain = httpcore.SyncBackend()
        self.deadline_s = deadline_s

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ARG002 - the deadline is for all of it
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first checked address that answers."""
        try:
            found = self._resolve(host, port)
        except OSError as error:
            raise httpcore.ConnectError(f"The name {host} can not be resolved") from error
        refused = {each: why for each in found if (why := why_refused(each))}
        allowed = [each for each in found if each not in refused]
        if not allowed:
            named = "; ".join(f"{each}: {why}" for each, why in refused.items())
            raise httpcore.ConnectError(f"Nothing is sent to {host} ({named or 'no address'})")
        for each in allowed[:-1]:
            with suppress(httpcore.ConnectError):
                return self._connected(each, port, local_address, socket_options)
        return self._connected(allowed[-1], port, local_address, socket_options)

    def left_s(self, error: type[httpcore.TimeoutException]) -> float:
        """Return the seconds until the deadline; raise once it has passed."""
        left_s = self.deadline_s - time.monotonic()
        if left_s <= 0.0:
            raise error
        return left_s

    def _connected(
        self, address: str, port: int, local: str | None, options: Iterable[Any] | None
    ) -> httpcore.NetworkStream:
        stream = self._plain.connect_tcp(
            address, port, self.left_s(httpcore.ConnectTimeout), local, options
        )
        return _UntilDeadline(stream, self)


class _UntilDeadline(httpcore.NetworkStream):
    """A connection whose every step ends at the deadline, however slowly the other side sends."""

    def __init__(self, stream: httpcore.NetworkStream, network: _CheckedNetwork) -> None:
        self._stream = stream
        self._network = network

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002
        """Read what is there, or the next that comes."""
        return self._stream.read(max_bytes, self._network.left_s(httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002
        """Write all of it."""
        self._stream.write(buffer, self._network.left_s(httpcore.WriteTimeout))

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        """Begin TLS; the certificate must be for the host's name."""
        left_s = self._network.left_s(httpcore.ConnectTimeout)
        return _UntilDeadline(
            self._stream.start_tls(ssl_context, server_hostname, left_s), self._network
        )

    def get_extra_info(self, info: str) -> Any:
        """Return what is known of the connection."""
        return self._stream.get_extra_info(info)
