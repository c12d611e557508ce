"""Memory over the Model Context Protocol (streamable HTTP), with the keys of all other routes."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, Response
from starlette.concurrency import run_in_threadpool

from freqtrade_mem0.mcp_server.server import Calls, answer_http
from freqtrade_mem0.service.caller import Reader
from freqtrade_mem0.service.keys import Role
from freqtrade_mem0.service.problems import MEDIA_TYPE, PROBLEM, documented

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.types import Receive, Scope, Send

router = APIRouter(tags=["agents"])

_EXAMPLE = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
_BODY = {
    "required": True,
    "content": {"application/json": {"schema": {"type": "object", "examples": [_EXAMPLE]}}},
}
_ERRORS: dict[int | str, dict[str, Any]] = {
    status: {
        "description": text,
        "content": {MEDIA_TYPE: {"schema": PROBLEM}, "application/json": {}, "text/plain": {}},
    }
    for status, text in {
        400: "No message of JSON-RPC.",
        404: "There is no such method.",
        406: "The header Accept does not name application/json.",
    }.items()
}


class _Answer(Response):
    """Lets the SDK answer."""

    def __init__(self, answer: Callable[[Scope, Receive, Send], Awaitable[None]]) -> None:
        self._answer = answer
        self.background = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._answer(scope, receive, send)


@router.post(
    "/mcp",
    openapi_extra={"requestBody": _BODY},
    response_class=Response,
    responses={
        200: {"description": "The answer.", "content": {"application/json": {"schema": {}}}},
        202: {"description": "A notification was taken.", "content": {"application/json": {}}},
        **_ERRORS,
        **documented(409),
    },
)
async def mcp(caller: Reader, agent_id: str | None = None) -> Any:
    """Answer a message of the Model Context Protocol: the tools of 'freqtrade-mem0 mcp'.

    A reader has those that ask, a writer also those that keep a decision or a note.
    """
    service = caller.service
    memory = await run_in_threadpool(service.agent, caller.memory, agent_id)
    may_write = caller.identity.role >= Role.WRITER
    return _Answer(partial(answer_http, Calls(memory, service.tool_calls, may_write=may_write)))
