"""Styles and scripts of the pages; they say nothing about anybody's memory and need no key."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from freqtrade_mem0.service.shell.shell import shell_of

router = APIRouter(include_in_schema=False)


@router.get("/assets/{name}")
def asset(request: Request, name: str, v: str | None = None) -> Response:
    """Return a file of the pages."""
    found = shell_of(request).assets.get(name)
    if found is None:
        raise HTTPException(404, f"There is no asset {name!r}.")
    headers = request.headers
    return found.answer(headers.get("accept-encoding", ""), headers.get("if-none-match"), v)


@router.get("/favicon.ico")
def icon(request: Request) -> RedirectResponse:
    """Send browsers that look for it on to the icon."""
    return RedirectResponse(shell_of(request).assets["icon.svg"].address, 301)
