"""Measures how long each route takes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from freqtrade_mem0.service.metrics import Metrics


class Measured:
    """ASGI middleware that counts answers by the name of their route.

    Parameters
    ----------
    app
        What is measured.
    metrics
        What counts.
    """

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and count the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s, status = time.perf_counter(), 500

        async def send_and_see(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, send_and_see)
        finally:
            route = scope.get("route")
            name = getattr(route, "name", "none")
            self._metrics.answered(name, status, time.perf_counter() - began_s)
