"""Tokens for keys, and the link that lets a person in."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException, Query, Request
from fastapi.responses import RedirectResponse

from freqtrade_mem0.service.caller import Known, cookie_name, service_of
from freqtrade_mem0.service.problems import documented
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
    answer = RedirectResponse("/", 303)
    answer.set_cookie(
        cookie_name(request),
        session,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
        path="/",
    )
    return answer
