"""Errors as pages for people in a browser, and the page where they sign in."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING

from freqtrade_mem0.service.shell.shell import shell_of

if TYPE_CHECKING:
    from fastapi import Request
    from starlette.responses import Response

SIGN_IN = "/login"


def for_people(request: Request, status: int, detail: str) -> Response | None:
    """Return an error as a page where a browser asks for something to show, else None."""
    is_shown = request.headers.get("accept", "").startswith("text/html")
    return refusal(request, status, detail) if is_shown and request.method == "GET" else None


def refusal(request: Request, status: int, detail: str, wanted: str | None = None) -> Response:
    """Return an error as a page; for somebody unknown it is the page to sign in.

    `wanted` is where to go on after an attempt to sign in, by default what was asked for.
    """
    has_tried = wanted is not None
    if wanted is None:
        wanted = own_address(request.url.path, request.url.query)
    is_unknown = status == HTTPStatus.UNAUTHORIZED
    values = {
        "status": status,
        "title": HTTPStatus(status).phrase,
        # Without an attempt it tells programs which header to send.
        "detail": detail if has_tried or not is_unknown else "",
        # A strict cookie does not come with a link from elsewhere, but with a request of our page.
        "asks_again": is_unknown and request.headers.get("sec-fetch-site") == "cross-site",
        "wanted": own_address(wanted),
    }
    template = "sign_in.html" if is_unknown else "refusal.html"
    return shell_of(request).answer(request, template, values, status)


def own_address(path: str, query: str = "") -> str:
    """Return an address on this service to go on to; "/" for anything else.

    >>> own_address("/trades", "pair=a"), own_address("//evil.example"), own_address("/login")
    ('/trades?pair=a', '/', '/')
    """
    is_own = path.startswith("/") and not path.startswith(("//", "/\\", SIGN_IN))
    if not is_own or not f"{path}{query}".isprintable():
        return "/"
    return f"{path}?{query}" if query else path
