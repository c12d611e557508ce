"""What every request has to pass before a route sees it: host, origin, size, time.

The check of the host name is what keeps a page of another site from reaching a service on loopback
by DNS rebinding; that of the origin keeps it from writing.
"""

from __future__ import annotations

import asyncio
from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders

from freqtrade_mem0.service.problems import problem

if TYPE_CHECKING:
    from collections.abc import Collection

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK_NAMES = ("localhost", "127.0.0.1", "::1")
MOST_BYTES = 1_000_000
BODY_TIMEOUT_S = 10.0

_SAFE = ("GET", "HEAD", "OPTIONS")
_OWN_SITE = ("same-origin", "none")
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Cache-Control": "no-store",
}


class Guard:
    """ASGI middleware.

    Parameters
    ----------
    app
        What it guards.
    hosts
        Names under which the service may be asked for, without ports.
    takes_addresses
        Whether any IP address is such a name: a name of another site never is one.
    body_timeout_s
        How long the whole body may take.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        hosts: Collection[str] = LOOPBACK_NAMES,
        takes_addresses: bool = False,
        body_timeout_s: float = BODY_TIMEOUT_S,
    ) -> None:
        self._app = app
        self._hosts = {host.lower() for host in hosts}
        self._takes_addresses = takes_addresses
        self._body_timeout_s = body_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refusal = self._refused(scope["method"], headers)
        body = b""
        if refusal is None:
            try:
                async with asyncio.timeout(self._body_timeout_s):
                    body = await _body(receive, headers)
            except TimeoutError:
                text = f"The request's body took longer than {self._body_timeout_s:g} s."
                refusal = (408, text)
            except _TooLargeError:
                refusal = (413, f"A request's body may have at most {MOST_BYTES:,} bytes.")
            except ConnectionError:
                return
        if refusal is not None:
            await problem(*refusal, {**_HEADERS, "Connection": "close"})(scope, receive, send)
            return
        await self._app(scope, _replayed(body, receive), _with_headers(send))

    def _refused(self, method: str, headers: Headers) -> tuple[int, str] | None:
        host = headers.get("host", "")
        name = _name(host)
        if name not in self._hosts and not (self._takes_addresses and _is_address(name)):
            return 421, (
                f"This service does not answer for the host {name!r}. Use one of "
                f"{', '.join(sorted(self._hosts))}, or add the name to 'mem0.service.allowed_hosts'"
                " in the config."
            )
        if "transfer-encoding" in headers and "content-length" in headers:
            return 400, (
                "A request has either Content-Length or Transfer-Encoding: with both, a proxy and "
                "this service could read two different requests in it."
            )
        if method in _SAFE:
            return None
        site, origin = headers.get("sec-fetch-site"), headers.get("origin")
        is_own = site in _OWN_SITE if site is not None else True
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            is_own = False
        if not is_own:
            return 403, "Pages of other sites may not write here."
        return None


class _TooLargeError(Exception):
    pass


async def _body(receive: Receive, headers: Headers) -> bytes:
    """Return the whole body; a route never waits for a slow client."""
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > MOST_BYTES:
        raise _TooLargeError
    chunks, n_bytes = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        chunk = message.get("body", b"")
        n_bytes += len(chunk)
        if n_bytes > MOST_BYTES:
            raise _TooLargeError
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def _replayed(body: bytes, receive: Receive) -> Receive:
    is_given = False

    async def replay() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers.setdefault(name, value)
        await send(message)

    return send_with_headers


def _name(host: str) -> str:
    """Return the name in a Host header, without port and brackets."""
    if any(sign in host for sign in "@/?#\\"):  # parts of a URL, of which a host has none
        return ""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
