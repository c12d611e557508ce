"""Makes the application: every route module, behind the guard."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from fastapi import FastAPI
from fastapi.routing import APIRoute

from freqtrade_mem0 import __version__
from freqtrade_mem0.config.discovery import modules_in
from freqtrade_mem0.service.caller import NEEDS, SECURITY
from freqtrade_mem0.service.guard import LOOPBACK_NAMES, Guard
from freqtrade_mem0.service.measured import Measured
from freqtrade_mem0.service.problems import Problem, answer_problems, documented
from freqtrade_mem0.service.routes import stream
from freqtrade_mem0.service.shell.refusals import for_people
from freqtrade_mem0.service.shell.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from fastapi import APIRouter
    from starlette.routing import BaseRoute

    from freqtrade_mem0.service.state import Service

ROUTES = "freqtrade_mem0.service.routes"
PAGES = "freqtrade_mem0.service.pages"

_ABOUT = """\
Long-term memory of Freqtrade bots. Send a key in the header `X-API-Key`, or as `Authorization:
Bearer`; `freqtrade-mem0 keys add` makes one. What is written here is labelled as said, and is never
evidence for a stake. Errors are problem details (RFC 9457).
"""


def build_app(
    service: Service,
    *,
    hosts: Collection[str] = LOOPBACK_NAMES,
    takes_addresses: bool = False,
) -> FastAPI:
    """Return the application of a service, which is started and stopped apart from it.

    Parameters
    ----------
    service
        What answers.
    hosts, takes_addresses
        As in `Guard`.
    """
    app = routes()
    app.state.service = service
    app.state.shell = Shell(PAGES, stream.ADDRESS)
    answer_problems(app, for_people)
    app.add_middleware(Measured, metrics=service.metrics)
    app.add_middleware(Guard, hosts=hosts, takes_addresses=takes_addresses)
    return app


def routes() -> FastAPI:
    """Return an application with all routes and their description, and nothing that answers."""
    app = FastAPI(
        title="freqtrade_mem0",
        version=__version__,
        description=_ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        responses=documented(400, 401, 403, 422, 429, 503),
    )
    modules = [*modules_in(ROUTES).values(), *modules_in(PAGES).values()]
    routers = [cast("APIRouter", cast("Any", each).router) for each in modules]
    for router in routers:
        app.include_router(router)
    _complete(app, [route for router in routers for route in router.routes])
    return app


def _complete(app: FastAPI, routes: Sequence[BaseRoute]) -> None:
    """Complete OpenAPI: the schema of a problem, and which key a route needs (`x-key`) and how."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            schema = made()
            components = schema.setdefault("components", {})
            components["securitySchemes"] = SECURITY
            parts = components.setdefault("schemas", {})
            parts["Problem"] = Problem.model_json_schema()
            for route in routes:
                if isinstance(route, APIRoute) and route.include_in_schema:
                    needed = _needed(route)
                    ways: list[Any] = [] if needed == "none" else [{way: []} for way in SECURITY]
                    for method in route.methods or ():
                        described = schema["paths"][route.path][method.lower()]
                        described |= {"x-key": needed, "security": ways}
            for unused in ("HTTPValidationError", "ValidationError"):
                parts.pop(unused, None)
        return cast("dict[str, Any]", app.openapi_schema)

    app.openapi = openapi  # type: ignore[method-assign]


def _needed(route: APIRoute) -> str:
    calls = [each.call for each in route.dependant.dependencies]
    return next((text for call, text in NEEDS.items() if call in calls), "none")
