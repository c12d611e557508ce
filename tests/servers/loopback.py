"""A real HTTP server on 127.0.0.1 in a thread, which can be told to go wrong."""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, unquote, urlsplit

if TYPE_CHECKING:
    from ssl import SSLContext
    from types import TracebackType

_DRIP_S = 0.01
_HANG_S = 60.0


@dataclass(frozen=True)
class Asked:
    """One request as it arrived."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: Any
    raw: bytes = b""


@dataclass(frozen=True)
class Answer:
    """One answer; a body that is no text is sent as JSON."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass
class Fault:
    """What goes wrong with requests whose "METHOD path" begins with `asked`.

    Parameters
    ----------
    kind
        "answer" (gives `answer` instead), "drop" (closes the connection unheard), "drop-answer"
        (does what it is asked and closes the connection), "hang", "hang-answer" (does it, then
        hangs), "drip" (sends a body byte by byte), "drip-headers".
    times
        How many requests it meets; None for all.
    skip
        How many requests go well before.
    """

    kind: str
    asked: str = ""
    answer: Answer = field(default_factory=Answer)
    times: int | None = None
    skip: int = 0


class Loopback:
    """The server; derive from it and implement `answer`. Use it in a `with` block.

    Parameters
    ----------
    tls
        What it proves its name with; None serves plain HTTP.
    """

    def __init__(self, tls: SSLContext | None = None) -> None:
        self.asked: list[Asked] = []
        self.faults: list[Fault] = []
        self._lock = threading.RLock()
        self._closing = threading.Event()
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._scheme = "http" if tls is None else "https"
        if tls is not None:
            self._http.socket = tls.wrap_socket(self._http.socket, server_side=True)
        self._thread = threading.Thread(
            target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True
        )

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self._scheme}://127.0.0.1:{self._http.server_address[1]}"

    def answer(self, asked: Asked) -> Answer:
        """Do what a request asks."""
        raise NotImplementedError

    def fails(self, kind: str, asked: str = "", **options: Any) -> None:
        """Let requests go wrong from now on, in this way alone; see `Fault`."""
        self.faults = [Fault(kind, asked, **options)]

    def works(self) -> None:
        """Let everything go well again."""
        self.faults = []

    def count(self, asked: str) -> int:
        """Return how many requests began with "METHOD path"."""
        return sum(f"{each.method} {each.path}".startswith(asked) for each in self.asked)

    def __enter__(self) -> Any:
        """Begin to listen."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Stop, hanging requests included."""
        self._closing.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    def _serve(self, handler: BaseHTTPRequestHandler, asked: Asked) -> None:
        with self._lock:
            self.asked.append(asked)
            fault = self._fault_for(asked)
        kind = "" if fault is None else fault.kind
        if kind == "answer" and fault is not None:
            _send(handler, fault.answer)
            return
        if not kind or kind.endswith("-answer"):
            with self._lock:
                answer = self.answer(asked)
            if not kind:
                _send(handler, answer)
                return
        handler.close_connection = True
        if kind.startswith("hang"):
            self._closing.wait(_HANG_S)
        elif kind.startswith("drip"):
            start = b"X-Drip: " if kind == "drip-headers" else b"Content-Length: 1000000\r\n\r\n"
            handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + start)
            while not self._closing.wait(_DRIP_S):
                handler.wfile.write(b" ")

    def _fault_for(self, asked: Asked) -> Fault | None:
        for fault in self.faults:
            if not f"{asked.method} {asked.path}".startswith(fault.asked) or fault.times == 0:
                continue
            if fault.skip > 0:
                fault.skip -= 1
                continue
            if fault.times is not None:
                fault.times -= 1
            return fault
        return None


def _send(handler: BaseHTTPRequestHandler, answer: Answer) -> None:
    is_text = isinstance(answer.body, str)
    text = answer.body if is_text else json.dumps(answer.body)
    content = b"" if answer.status == 204 else text.encode()
    handler.send_response(answer.status)
    handler.send_header("Content-Type", "text/html" if is_text else "application/json")
    handler.send_header("Content-Length", str(len(content)))
    for name, value in answer.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)


def _handler(server: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _any(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            asked = Asked(
                self.command,
                unquote(parts.path),
                dict(parse_qsl(parts.query)),
                {name.lower(): value for name, value in self.headers.items()},
                json.loads(content) if content else None,
                content,
            )
            with suppress(OSError):  # the client gave up
                server._serve(self, asked)

        do_GET = do_POST = do_PUT = do_DELETE = _any  # noqa: N815 - names of the standard library

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - (same)
            pass

    return Handler
