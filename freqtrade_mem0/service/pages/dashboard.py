"""The start: is everything all right now, and where each question is answered."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from freqtrade_mem0.service.shell.page import Page
from freqtrade_mem0.service.shell.shell import Visitor

PAGE = Page(path="/dashboard", title="Now", order=10, about="Is everything all right now?")

router = APIRouter(include_in_schema=False)


@router.get(PAGE.path)
def dashboard(visit: Visitor) -> Response:
    """Show the state of everything at a glance."""
    return visit.page("dashboard.html", {})
