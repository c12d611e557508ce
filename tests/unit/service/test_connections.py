"""Who sends nothing, or too slowly, holds no place; simulated clock, no sockets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import uvicorn
from uvicorn.server import ServerState

from freqtrade_mem0.service import connections
from freqtrade_mem0.service.connections import HEADERS_S, Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    import pytest

REQUEST = b"GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n"


class Task:
    """A task that never ends."""

    def add_done_callback(self, _: object) -> None:
        """Take what is called at the end."""


class Clock:
    """An event loop whose time passes when it is told to."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self._calls: list[tuple[float, Callable[[], None]]] = []

    def time(self) -> float:
        """Return the time."""
        return self.now_s

    def call_later(self, delay_s: float, call: Callable[[], None]) -> Clock:
        """Note a call; `cancel` of what is returned is not needed by these tests."""
        self._calls.append((self.now_s + delay_s, call))
        return self

    def cancel(self) -> None:
        """Do nothing: what is called too late has to see that itself."""

    def create_task(self, work: Coroutine[Any, Any, None]) -> Task:
        """Begin to answer, and never end."""
        work.close()
        return Task()

    def pass_s(self, seconds: float) -> None:
        """Let time pass."""
        self.now_s += seconds
        due = [each for each in self._calls if each[0] <= self.now_s]
        self._calls = [each for each in self._calls if each[0] > self.now_s]
        for _, call in due:
            call()


class Transport:
    """What a connection writes to."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.is_closed = False

    def get_extra_info(self, name: str) -> object:
        """Return the address, and nothing else."""
        return (self.address, 1) if name == "peername" else None

    def close(self) -> None:
        """Close it."""
        self.is_closed = True

    def pause_reading(self) -> None:
        """Do nothing."""

    def is_closing(self) -> bool:
        """Return whether it is closed."""
        return self.is_closed


class Site:
    """Connections of one server."""

    def __init__(self) -> None:
        self.clock = Clock()
        self._config = uvicorn.Config(self._app, http=Connection, ws="none", lifespan="off")
        self._config.load()
        self._state = ServerState()

    def connect(self, address: str) -> tuple[Connection, Transport]:
        """Open a connection a second after the one before."""
        self.clock.pass_s(1.0)
        loop: Any = self.clock
        made, transport = Connection(self._config, self._state, {}, loop), Transport(address)
        made.connection_made(transport)
        return made, transport

    @staticmethod
    async def _app(scope: object, receive: object, send: object) -> None:
        del scope, receive, send


def test_headers_have_to_come_in_time() -> None:
    """Neither nothing nor a bit now and then holds a connection; a request that came whole does."""
    site = Site()
    (slow, drip), (_, silent), (quick, asked) = (site.connect("10.0.0.1") for _ in range(3))
    quick.data_received(REQUEST)
    slow.data_received(REQUEST[:30])
    site.clock.pass_s(HEADERS_S - 3.0)
    slow.data_received(REQUEST[30:35])
    assert [each.is_closed for each in (drip, silent, asked)] == [False] * 3
    site.clock.pass_s(3.0)
    assert [each.is_closed for each in (drip, silent, asked)] == [True, True, False]


def test_the_next_request_has_to_come_in_time_too() -> None:
    """A connection that was used once is no better than a new one."""
    site = Site()
    used, transport = site.connect("10.0.0.1")
    used.data_received(REQUEST)
    used.cycle.response_complete = True
    used.data_received(REQUEST[:9])
    site.clock.pass_s(HEADERS_S)
    assert transport.is_closed


def test_a_new_connection_takes_the_place_of_an_idle_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest of the address that has the most; never of one that is being answered."""
    monkeypatch.setattr(connections, "MOST_OPEN", 4)
    site = Site()
    busy, first = site.connect("10.0.0.1")
    busy.data_received(REQUEST)
    other = site.connect("10.0.0.2")[1]
    crowd = [site.connect("10.0.0.1")[1] for _ in range(2)]
    site.connect("10.0.0.3")
    assert [each.is_closed for each in (first, other, *crowd)] == [False, False, True, False]
