"""Tokens for keys, and the link that lets a person in."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from freqtrade_mem0.service.caller import Known, cookie_name, service_of
from freqtrade_mem0.service.problems import documented
from freqtrade_mem0.service.shell.refusals import own_address, refusal
from freqtrade_mem0.service.tokens import LASTS_S

router = APIRouter(tags=["access"])


@router.post("/api/token", responses=documented(409))
def token(request: Request, who: Known) -> dict[str, Any]:
    """Return a token that stands for the key of this request for a quarter of an hour."""
    service = service_of(request)
    if not who.is_key:
        raise HTTPException(409, "Show the key itself; a token or a cookie makes no token.")
    issued = service.tokens.issue(who.id)
    return {"access_token": issued, "token_type": "bearer", "expires_in": LASTS_S}


@router.get("/login", response_class=RedirectResponse, status_code=303)
def login(request: Request, code: Annotated[str, Query(description="Of the link.")]) -> Any:
    """Let the person in who has the link that the service printed; it works once."""
    service = service_of(request)
    address = request.client.host if request.client else ""
    if service.failures.wait_s(address):
        raise HTTPException(429, "Too many attempts.", {"Retry-After": "60"})
    session = service.opened_by(code)
    if session is None:
        raise HTTPException(401, "This link was used already, or is of an earlier start.")
    return _signed_in(request, session, "/")


@router.post("/login", include_in_schema=False)
async def login_with_key(request: Request) -> Response:
    """Let the person in who types a key into the page to sign in."""
    service = service_of(request)
    sent = parse_qs((await request.body()).decode(errors="replace"))
    key, wanted = (sent.get(name, [""])[0] for name in ("key", "wanted"))
    session = service.opened_with(key.strip())
    if session is None:
        address = request.client.host if request.client else ""
        is_too_often = service.failures.wait_s(address)
        text = "Too many attempts; wait a minute." if is_too_often else "This key is not valid."
        return refusal(request, 401, text, wanted=wanted)
    return _signed_in(request, session, own_address(wanted))


@router.post("/logout", include_in_schema=False)
def logout(request: Request) -> Response:
    """End a person's session."""
    service_of(request).end_session(request.cookies.get(cookie_name(request), ""))
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(cookie_name(request), path="/")
    return answer


def _signed_in(request: Request, session: str, address: str) -> Response:
    answer = RedirectResponse(address, 303)
    answer.set_cookie(
        cookie_name(request),
        session,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/",
    )
    return answer
