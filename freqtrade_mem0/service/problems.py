"""Errors as problem details (RFC 9457), with the sentences of the library."""

from __future__ import annotations

import json
import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from freqtrade_mem0.errors import (
    BackendError,
    ConfigError,
    JournalError,
    Mem0Error,
    RecordError,
    ScopeError,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from fastapi import FastAPI, Request
    from starlette.responses import Response

    Handler = Callable[[Request, Exception], Response]

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
PROBLEM = {"$ref": "#/components/schemas/Problem"}
"""Its schema in OpenAPI."""

_STATUS: Mapping[type[Mem0Error], int] = {
    ScopeError: 403,
    ConfigError: 409,
    RecordError: 422,
    JournalError: 503,
}


class Problem(BaseModel):
    """What went wrong, and what to do about it."""

    type: str = Field("about:blank", description="Always about:blank: the status says the kind.")
    title: str = Field(description="The status in words.")
    status: int = Field(description="The HTTP status.")
    detail: str = Field(description="What was wrong, the rule, and what to do.")
    errors: list[dict[str, Any]] | None = Field(
        None, description="Which values of the request were wrong."
    )


def problem(
    status: int,
    detail: str,
    headers: Mapping[str, str] | None = None,
    errors: list[dict[str, Any]] | None = None,
) -> JSONResponse:
    """Return an error as an answer."""
    content: dict[str, Any] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
    }
    if errors is not None:
        content["errors"] = errors
    return JSONResponse(content, status, headers, media_type=MEDIA_TYPE)


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Return what OpenAPI says about these errors."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": PROBLEM}},
        }
        for status in statuses
    }


def answer_problems(app: FastAPI, as_page: Callable[[Request, int, str], Response | None]) -> None:
    """Let an application answer errors as problems.

    `as_page` returns the same for a person, and None for a program.
    """

    def answered(handler: Handler) -> Handler:
        def answer(request: Request, error: Exception) -> Response:
            made = handler(request, error)
            page = as_page(request, made.status_code, json.loads(bytes(made.body))["detail"])
            if page is None:
                return made
            own = {"retry-after", "www-authenticate"}
            page.headers.update({k: v for k, v in made.headers.items() if k in own})
            return page

        return answer

    app.add_exception_handler(Mem0Error, answered(_mem0_error))
    app.add_exception_handler(RequestValidationError, answered(_wrong_request))
    app.add_exception_handler(HTTPException, answered(_http_error))
    app.add_exception_handler(UnicodeError, answered(_no_text))
    app.add_exception_handler(RecursionError, answered(_too_deep))
    app.add_exception_handler(Exception, answered(_unexpected))


def _mem0_error(request: Request, error: Exception) -> JSONResponse:
    # Where the files are is for who runs the service.
    folder = str(request.app.state.service.memory.folder)
    detail = str(error).replace(folder, "the memory's folder")
    status = next((code for kind, code in _STATUS.items() if isinstance(error, kind)), 503)
    wait_s = 30.0
    if isinstance(error, BackendError):
        status = 422 if error.permanent else 503
        wait_s = max(1.0, error.retry_after_s or wait_s)
    if status != 503:  # noqa: PLR2004
        return problem(status, detail)
    logger.warning("%s", error)
    return problem(status, detail, {"Retry-After": f"{wait_s:.0f}"})


def _wrong_request(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it alone
    wrong = [
        {"where": ".".join(map(str, each["loc"])), "message": each["msg"]}
        for each in error.errors()
    ]
    detail = "; ".join(f"{each['where']}: {each['message']}" for each in wrong[:3])
    return problem(422, f"{detail}.", errors=jsonable_encoder(wrong))


def _http_error(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it alone
    return problem(error.status_code, str(error.detail), error.headers)


def _no_text(_: Request, __: Exception) -> JSONResponse:
    return problem(422, "A text in the request is no valid Unicode (half of a surrogate pair).")


def _too_deep(_: Request, __: Exception) -> JSONResponse:
    return problem(422, "The values of the request are nested too deeply.")


def _unexpected(request: Request, error: Exception) -> JSONResponse:
    logger.error("%s %s failed.", request.method, request.url.path, exc_info=error)
    return problem(500, "This failed unexpectedly; the service's log says why. Nothing is lost.")
