"""A service on a port of its own in this process, and Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.resources import files
from typing import TYPE_CHECKING, Any

import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from tests.support.served import Served, served
from tests.support.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import ConsoleMessage, Dialog, Error, Request

WIDE, PHONE = (1280, 860), (390, 844)
_AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
_RUN_AXE = """async () => {
  const found = await axe.run(document, {resultTypes: ["violations"]});
  return found.violations.map((each) => `${each.id}: ${each.nodes.map(
      (node) => `${node.target} ${node.failureSummary}`).join("; ")}`);
}"""
_TOO_WIDE = """() => document.documentElement.scrollWidth > innerWidth"""


@dataclass
class Look:
    """A page as Chromium shows it, and everything that went wrong there."""

    page: Page
    errors: list[str] = field(default_factory=list)
    from_elsewhere: list[str] = field(default_factory=list)

    @contextmanager
    def listening(self, own: str) -> Iterator[None]:
        """Note errors, dialogs, and requests to another address than `own`."""

        def said(message: ConsoleMessage) -> None:
            if message.type == "error":
                self.errors.append(message.text)

        def raised(error: Error) -> None:
            self.errors.append(str(error))

        def asked(dialog: Dialog) -> None:
            self.errors.append(dialog.message)
            dialog.dismiss()

        def sent(request: Request) -> None:
            if not request.url.startswith((own, "data:")):
                self.from_elsewhere.append(request.url)

        heard = {"console": said, "pageerror": raised, "dialog": asked, "request": sent}
        listen: Any = self.page.on  # is typed for each event alone
        leave: Any = self.page.remove_listener
        for event, note in heard.items():
            listen(event, note)
        try:
            yield
        finally:
            for event, note in heard.items():
                leave(event, note)

    def axe(self) -> list[str]:
        """Return what axe says against the page as it is now."""
        self.page.evaluate(_AXE)
        found: list[str] = self.page.evaluate(_RUN_AXE)
        return found

    def is_too_wide(self) -> bool:
        """Return whether the page has to be scrolled sideways."""
        return bool(self.page.evaluate(_TOO_WIDE))

    def drawn(self) -> None:
        """Wait until every chart is drawn."""
        self.page.wait_for_function(
            "() => [...document.querySelectorAll('.chart[data-option]')]"
            ".every((each) => each.dataset.drawn || !each.clientWidth)"
        )


@dataclass(frozen=True)
class Site:
    """A service with an address.

    Its profiles in the browser are made once, and emptied after each look: a new one costs more
    than most pages do.
    """

    served: Served
    url: str
    browser: Browser
    _pages: dict[bool, Page] = field(default_factory=dict)

    @contextmanager
    def look(
        self, path: str, size: tuple[int, int] = WIDE, scheme: str = "dark", *, scripts: bool = True
    ) -> Iterator[Look]:
        """Open a page in a profile that nothing is in."""
        page = self._page(scripts=scripts)
        page.set_viewport_size({"width": size[0], "height": size[1]})
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        look = Look(page)
        try:
            with look.listening(self.url):
                page.goto(f"{self.url}{path}", wait_until="load")
                look.drawn()
                yield look
        finally:
            self._empty(page)

    def _page(self, *, scripts: bool) -> Page:
        if scripts not in self._pages:
            profile = self.browser.new_context(java_script_enabled=scripts)
            self._pages[scripts] = profile.new_page()
        return self._pages[scripts]

    def _empty(self, page: Page) -> None:
        """Leave the page, close those that were opened beside it, and forget what they kept."""
        for other in page.context.pages:
            if other != page:
                other.close()
        page.evaluate("() => { localStorage.clear(); sessionStorage.clear(); }")
        page.context.clear_cookies()
        page.goto("about:blank")


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start Chromium of this system, without a window."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    assert path is not None, "The tests of the pages need Chromium: apt-get install chromium."
    options = ["--no-sandbox"] if os.geteuid() == 0 else []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=options)
        yield browser
        browser.close()


@contextmanager
def site(
    browser: Browser, folder: Path, fill: Callable[[Served], None], *, no_auth: bool = True
) -> Iterator[Site]:
    """Serve a memory that `fill` has filled."""
    with served(folder, no_auth=no_auth) as running:
        fill(running)
        server = uvicorn.Server(uvicorn.Config(running.app, port=0, log_level="error", ws="none"))
        thread = threading.Thread(target=server.run)
        thread.start()
        try:
            assert eventually(lambda: server.started)
            port = server.servers[0].sockets[0].getsockname()[1]
            yield Site(running, f"http://127.0.0.1:{port}", browser)
        finally:
            server.should_exit = True
            thread.join()
