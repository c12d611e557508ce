"""Renders pages: one frame around all of them, the same values in each, security headers."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from operator import attrgetter
from pathlib import Path
from typing import Annotated, Any

from fastapi import Depends, Request
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import Response
from zstandard import ZstdCompressor

from freqtrade_mem0 import __version__
from freqtrade_mem0.config.discovery import modules_in
from freqtrade_mem0.service.caller import Caller, Reader
from freqtrade_mem0.service.keys import Role
from freqtrade_mem0.service.shell.assets import ECHARTS, accepts, all_assets
from freqtrade_mem0.service.shell.figures import FILTERS, shown

THEME_COOKIE = "fm0_theme"
PART_HEADER = "X-Part"
"""A script of ours asks for a page's content alone, without the frame."""

_THEMES = ("dark", "light")
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # With "no-referrer", a browser would not say where a form comes from, and `Guard` asks that.
    "Referrer-Policy": "same-origin",
    "Vary": f"Accept-Encoding, Cookie, {PART_HEADER}",
}
_WORTH_COMPRESSING_BYTES = 1_000
_GZIP_LEVEL = 5


class Shell:
    """What all pages share; made once with the application.

    Parameters
    ----------
    package
        The package of the pages, with the folders `templates` and `assets`.
    stream
        Address of the stream of news, or "".
    """

    def __init__(self, package: str, stream: str = "") -> None:
        (folder,) = map(Path, import_module(package).__path__)
        self.assets = all_assets(folder / "assets")
        pages = [getattr(each, "PAGE", None) for each in modules_in(package).values()]
        self._frame = {
            "pages": sorted(filter(None, pages), key=attrgetter("order")),
            "version": __version__,
            "stream": stream,
            "echarts": self.assets[ECHARTS].address if ECHARTS in self.assets else "",
        }
        self._templates = Environment(
            loader=FileSystemLoader(folder / "templates"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=shown,
        )
        self._templates.filters |= FILTERS
        self._templates.globals |= {"asset": self._address, "zip": zip}

    def answer(
        self, request: Request, template: str, values: dict[str, Any], status: int = 200
    ) -> Response:
        """Return a page."""
        theme = request.cookies.get(THEME_COOKIE, "")
        is_part = PART_HEADER in request.headers
        text = self._templates.get_template(template).render(
            self._frame
            | {
                "frame": "part.html" if is_part else "frame.html",
                "theme": theme if theme in _THEMES else "",
                "path": request.url.path,
                "query": request.url.query,
                "asked": dict(request.query_params),
                "now": datetime.now(UTC),
                "who": None,
                "is_admin": False,
            }
            | values
        )
        body, headers = text.encode(), dict(_HEADERS)
        accepted = accepts(request.headers.get("accept-encoding", ""))
        if accepted and len(body) > _WORTH_COMPRESSING_BYTES:
            is_zstd = accepted == "zstd"
            body = ZstdCompressor().compress(body) if is_zstd else gzip.compress(body, _GZIP_LEVEL)
            headers["Content-Encoding"] = accepted
        return Response(body, status, headers, media_type="text/html")

    def _address(self, name: str) -> str:
        return self.assets[name].address


def shell_of(request: Request) -> Shell:
    """Return the shell of the application that answers a request."""
    shell: Shell = request.app.state.shell
    return shell


@dataclass(frozen=True, slots=True)
class Visit:
    """A request for a page by somebody who may read, and the memory in reach."""

    request: Request
    caller: Caller

    @property
    def is_admin(self) -> bool:
        """Whether actions of admins are offered."""
        return self.caller.identity.role >= Role.ADMIN

    def page(self, template: str, values: dict[str, Any], status: int = 200) -> Response:
        """Return a page made from a template."""
        own = {"who": self.caller.identity, "is_admin": self.is_admin}
        return shell_of(self.request).answer(self.request, template, own | values, status)


async def _visit(request: Request, caller: Reader) -> Visit:
    return Visit(request, caller)


Visitor = Annotated[Visit, Depends(_visit)]
"""For routes of pages: who may read, with the memory in reach of its key or cookie."""
