"""A bound for a whole exchange: httpx bounds each of its steps, and a server may drip bytes."""

from __future__ import annotations

import time
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import httpcore

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from ssl import SSLContext

_DEADLINE: ContextVar[float | None] = ContextVar("freqtrade_mem0_deadline", default=None)


@contextmanager
def deadline(timeout_s: float) -> Iterator[None]:
    """Let everything that a connection does in this block end in `timeout_s` seconds."""
    token = _DEADLINE.set(time.monotonic() + timeout_s)
    try:
        yield
    finally:
        _DEADLINE.reset(token)


def is_under_way() -> bool:
    """Tell whether this thread is in an exchange of ours."""
    return _DEADLINE.get() is not None


def _left(timeout: float | None, error: type[Exception]) -> float | None:
    deadline_s = _DEADLINE.get()
    if deadline_s is None:
        return timeout
    left_s = deadline_s - time.monotonic()
    if left_s <= 0:
        raise error("the time for the whole exchange is up")
    return left_s if timeout is None else min(timeout, left_s)


class _DeadlineStream(httpcore.NetworkStream):
    """A connection each of whose steps ends with the time of the whole exchange."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left_s = _left(timeout, httpcore.ConnectTimeout)
        return _DeadlineStream(self._stream.start_tls(ssl_context, server_hostname, left_s))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class DeadlineNetwork(httpcore.NetworkBackend):
    """Opens connections that keep to the time of the whole exchange."""

    def __init__(self, network: httpcore.NetworkBackend) -> None:
        self._network = network

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a connection as the network underneath does."""
        left_s = _left(timeout, httpcore.ConnectTimeout)
        stream = self._network.connect_tcp(host, port, left_s, local_address, socket_options)
        return _DeadlineStream(stream)
