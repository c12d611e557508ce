"""Who calls, and what it may do: the dependencies that every route but three has."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Depends, HTTPException, Query, Request
from starlette.requests import HTTPConnection

from freqtrade_mem0.client.scoped import WHOLE_MEMORY, ScopedClient
from freqtrade_mem0.errors import ScopeError
from freqtrade_mem0.service.keys import Role
from freqtrade_mem0.service.state import WEBHOOK, Identity, Service

SECURITY: Mapping[str, Mapping[str, Any]] = {
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "bearer": {"type": "http", "scheme": "bearer"},
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "fm0_session_8080",
        "description": "Of a person who opened the link; it ends with the service's port.",
    },
}
"""How a caller shows who it is, for OpenAPI."""

_SAFE = ("GET", "HEAD")
_BEARER = "bearer "
_HOW = (
    "Send the header 'X-API-Key: fm0_...' (or 'Authorization: Bearer fm0_...'). 'freqtrade-mem0 "
    "keys add --role reader' makes a key."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, and the memory that it reaches."""

    service: Service
    identity: Identity
    user_id: str | None

    @property
    def memory(self) -> ScopedClient:
        """The memory in reach: of the user in the address, else the key's, else the owner."""
        return self.memory_of(None)

    def memory_of(self, user_id: str | None) -> ScopedClient:
        """Return the memory in reach of a user named in the body; None is as `memory`."""
        return self.service.memory_of(self.identity.bound, user_id or self.user_id)


def service_of(request: Request) -> Service:
    """Return the service that answers a request."""
    service: Service = request.app.state.service
    return service


def cookie_name(connection: HTTPConnection) -> str:
    """Return the name of a person's cookie: browsers send cookies to all ports of a host."""
    _, port = connection.scope.get("server") or ("", None)
    return f"fm0_session_{port}"


async def identity(request: Request) -> Identity:
    """Return who asks; 401 where nobody is known, 429 where it asks too often."""
    return identified(request)


def identified(request: HTTPConnection) -> Identity:
    """As `identity`; a request that is looked at twice is counted once."""
    known: Identity | None = getattr(request.state, "identity", None)
    if known is None:
        request.state.identity = known = _identified(request)
    return known


def _identified(request: HTTPConnection) -> Identity:
    service: Service = request.app.state.service
    address, headers = request.client.host if request.client else "", request.headers
    given = headers.get("x-api-key") or _bearer(headers.get("authorization", ""))
    found = service.identified(given) if given else None
    if given is None and (cookie := request.cookies.get(cookie_name(request))):
        found = service.person(cookie)
        is_said = "origin" in headers or "sec-fetch-site" in headers
        if request.scope["method"] not in _SAFE and not is_said:
            found = None  # a browser says where a request comes from, and `Guard` has looked at it
    if found is None and given is None:
        found = service.anybody()
    if found is None:
        _limit(service.failures.wait_s(address))
        why = "This key or token is not valid (any more)." if given else "This needs a key."
        raise HTTPException(401, f"{why} {_HOW}", {"WWW-Authenticate": "Bearer"})
    _limit(service.requests.wait_s((found.id, address)))
    return found


def _bearer(header: str) -> str | None:
    return header[len(_BEARER) :].strip() if header[: len(_BEARER)].lower() == _BEARER else None


def _limit(wait_s: int) -> None:
    if wait_s:
        text = f"Too many requests; ask again in {wait_s} s."
        raise HTTPException(429, text, {"Retry-After": str(wait_s)})


def _check(who: Identity, least: Role) -> None:
    if who.role < least:
        raise HTTPException(
            403,
            f"This needs a key of the role {least.name.lower()}, and this one is a "
            f"{who.role.name.lower()}.",
        )


_UserId = Annotated[
    str | None, Query(description="Whose memory; by default that of the key, else of the config.")
]


def _at_least(least: Role) -> Callable[..., Awaitable[Caller]]:
    async def caller(request: Request, user_id: _UserId = None) -> Caller:
        who = identified(request)
        _check(who, least)
        return Caller(service_of(request), who, user_id)

    return caller


@dataclass(frozen=True, slots=True)
class _Hook:
    """A report of another system; `message_id` is that of a signed webhook."""

    caller: Caller
    message_id: str | None = None

    def once(self) -> AbstractContextManager[bool]:
        """Give whether it is new: a signed webhook is taken once."""
        return self.caller.service.incoming.once(self.message_id)


async def _hook(request: Request, user_id: _UserId = None) -> _Hook:
    service = service_of(request)
    if not service.incoming.shows(request.headers):
        who = identified(request)
        _check(who, Role.WRITER)
        return _Hook(Caller(service, who, user_id))
    address = request.client.host if request.client else ""
    try:
        message_id = service.incoming.verified(request.headers, await request.body())
    except ScopeError as error:
        _limit(service.failures.wait_s(address))
        raise HTTPException(401, str(error), {"WWW-Authenticate": "Bearer"}) from error
    _limit(service.requests.wait_s((WEBHOOK.id, address)))
    # The address is not signed, so it chooses no user.
    return _Hook(Caller(service, WEBHOOK, None), message_id)


async def _admin(request: Request) -> Caller:
    who = identified(request)
    _check(who, Role.ADMIN)
    return Caller(service_of(request), who, None)


async def _operator(request: Request) -> Service:
    who = identified(request)
    _check(who, Role.ADMIN)
    return _of_all(service_of(request), who)


async def _observer(request: Request) -> Service:
    return _of_all(service_of(request), identified(request))


def _of_all(service: Service, who: Identity) -> Service:
    if not who.bound.is_free:
        raise ScopeError(WHOLE_MEMORY)
    return service


_reader, _writer = _at_least(Role.READER), _at_least(Role.WRITER)

NEEDS: Mapping[object, str] = {
    _reader: "reader",
    _writer: "writer",
    _hook: "writer, or a signature or secret (docs/how-to/webhooks.md)",
    _admin: "admin",
    _operator: "admin, not bound",
    _observer: "reader, not bound",
    identity: "any key",
}
"""Which key a route needs, by its dependency, in words."""

Reader = Annotated[Caller, Depends(_reader)]
Writer = Annotated[Caller, Depends(_writer)]
Hook = Annotated[_Hook, Depends(_hook)]
"""For reports of other systems, which show a key or are verified as webhooks."""
Admin = Annotated[Caller, Depends(_admin)]
"""For routes whose address names the user."""
Operator = Annotated[Service, Depends(_operator)]
"""The whole service, for an admin's key that is not bound to anything."""
Observer = Annotated[Service, Depends(_observer)]
"""The same for reading facts about the whole memory, for any key that is not bound."""
Known = Annotated[Identity, Depends(identity)]
