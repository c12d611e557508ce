"""What is stored, how large, what waits, and who reads or changes it."""

from __future__ import annotations

import platform
import sqlite3
import time
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter
from starlette.responses import Response

from freqtrade_mem0 import __version__
from freqtrade_mem0.audit.log import AuditLog
from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.service.caller import Caller
from freqtrade_mem0.service.keys import Role
from freqtrade_mem0.service.shell.counting import counts_of
from freqtrade_mem0.service.shell.page import Page
from freqtrade_mem0.service.shell.shell import Visitor
from freqtrade_mem0.views.trust import set_aside
from freqtrade_mem0.views.values import iso
from freqtrade_mem0.views.webhooks import webhook_endpoints
from freqtrade_mem0.webhooks.endpoint import configured

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.service.state import Service

PAGE = Page(
    path="/system",
    title="System",
    order=80,
    about="What is stored, how large, what waits? Who read or changed what?",
)

router = APIRouter(include_in_schema=False)

_MOST = 50
_PACKAGES = ("freqtrade", "mem0ai", "fastapi", "numpy", "pandas")


@router.get(PAGE.path)
def system(visit: Visitor) -> Response:
    """Show queues, jobs, keys, files and versions; for a bound key what is in its reach."""
    caller = visit.caller
    values: dict[str, Any] = {
        "counts": counts_of(caller),
        "bound": caller.identity.bound,
        "whole": None,
    }
    if caller.identity.bound.is_free:
        values["whole"] = _whole(caller)
    return visit.page("system.html", values)


def _whole(caller: Caller) -> dict[str, Any]:
    """Return what concerns the whole memory."""
    service = caller.service
    memory = service.memory
    delivery = memory.outbox.state() if memory.journal.path.exists() else None
    letters = memory.outbox.dead_letters() if delivery is not None and delivery.dead else []
    now_ms = service.file.now_ms()
    is_admin = caller.identity.role >= Role.ADMIN
    return {
        "mode": memory.settings.mode,
        "delivers": memory.delivers,
        "delivery": delivery,
        "delivered_at": None if delivery is None else iso(delivery.delivered_at),
        "waiting_since": None if delivery is None else iso(delivery.waiting_since),
        "dead": letters[:_MOST],
        "set_aside": set_aside(memory)[:_MOST] if delivery is not None else [],
        "jobs": service.jobs.newest(_MOST),
        "webhooks": webhook_endpoints(
            memory.folder, memory.settings.user_id, configured(memory.settings.webhooks)
        ),
        "webhooks_on": memory.settings.webhooks.enabled,
        "audit": _audit(memory.folder) if is_admin else None,
        "keys": [key.facts(now_ms) for key in service.keys.all()] if is_admin else None,
        "files": _files(memory.folder),
        "folder": str(memory.folder) if is_admin else None,
        "uptime_s": time.time() - service.started_at,
        "versions": _versions(),
        "n_streams": service.pages.news.n_streams,
        "bots": _bots(service),
    }


def _audit(folder: Path) -> dict[str, Any]:
    """Return the newest uses of credentials, newest first, and the first row that was changed."""
    uses, broken = AuditLog(folder).uses()
    return {
        "n": len(uses),
        "broken": broken,
        "uses": [(iso(from_ms(use.at_ms)), use) for use in reversed(uses[-_MOST:])],
    }


def _bots(service: Service) -> list[tuple[str, str]]:
    """Return the bots that are asked, and why one does not answer."""
    return [(each.name, each.away) for each in service.pages.bots.states()]


def _files(folder: Path) -> list[tuple[str, int]]:
    """Return the files of the memory with their sizes, the largest first."""
    sizes = []
    with suppress(OSError):
        for path in folder.iterdir():
            with suppress(OSError):
                if path.is_file():
                    sizes.append((path.name, path.stat().st_size))
    return sorted(sizes, key=lambda each: -each[1])[:_MOST]


def _versions() -> dict[str, str]:
    found = {
        "freqtrade_mem0": __version__,
        "Python": platform.python_version(),
        "SQLite": sqlite3.sqlite_version,
    }
    for name in _PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
