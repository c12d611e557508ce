"""Checks of installation, settings, journal and Mem0, each with what to do about a problem."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

from freqtrade_mem0.config.credentials import find_credentials
from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.sizing.registry import policy_for
from freqtrade_mem0.views.trust import outside

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from freqtrade_mem0.config.settings import Settings
    from freqtrade_mem0.memory_folder import MemoryFolder

OK, WARNING, FAILED = "ok", "warning", "failed"

_PACKAGES = ("freqtrade", "mem0ai", "pandas", "numpy", "TA-Lib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of a check."""

    check: str
    state: str
    """"ok", "warning" (it works, but needs attention) or "failed"."""
    text: str
    """What was found, and what to do about it."""


def examine(memory: MemoryFolder) -> Iterator[Finding]:
    """Yield the finding of each check; a check that raises one of our errors has failed."""
    settings, journal = memory.settings, memory.journal
    yield examine_installation()
    yield _attempt("config", lambda: _config(settings))
    yield _attempt("credentials", lambda: _credentials(settings))
    if not _is_writable(memory.folder):
        text = f"{memory.folder} can not be created or written to; set 'mem0.path'"
        yield Finding(check="journal", state=FAILED, text=text)
    elif not journal.path.exists():
        text = f"there is none in {memory.folder} yet; a backtest or bot with Mem0Mixin creates it"
        yield Finding(check="journal", state=WARNING, text=text)
    else:
        yield _attempt("journal", lambda: _journal(memory))
        yield _attempt("records from outside", lambda: _outside(memory))
        yield _attempt("Mem0", lambda: _mem0(memory))
        yield _attempt("delivery", lambda: _delivery(memory))


def examine_installation() -> Finding:
    """Return the versions of what memory needs."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    text = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}"
    with sqlite3.connect(":memory:") as sqlite:
        options = {row[0] for row in sqlite.execute("PRAGMA compile_options")}
    if "ENABLE_FTS5" in options:
        return Finding(check="installation", state=OK, text=f"{text} ({sys.executable})")
    text = f"{text}; this SQLite has no FTS5, so a search compares meanings, not words"
    return Finding(check="installation", state=WARNING, text=text)


def _attempt(check: str, look: Callable[[], tuple[str, str]]) -> Finding:
    try:
        state, text = look()
    except Mem0Error as error:
        state, text = FAILED, str(error)
    return Finding(check=check, state=state, text=text)


def _is_writable(folder: Path) -> bool:
    existing = next(part for part in (folder, *folder.absolute().parents) if part.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _config(settings: Settings) -> tuple[str, str]:
    sizing = settings.sizing
    policy_for(sizing)  # raises where the policy of another distribution does not load
    return OK, (
        f"mode {settings.mode}, user {settings.user_id}, "
        f"{'enabled' if settings.enabled else 'switched off'}, policy {sizing.policy} "
        f"(x{sizing.min_multiplier:g} to x{sizing.max_multiplier:g}), "
        f"live stakes {'scaled' if sizing.live and not sizing.shadow else 'in shadow'}"
    )


def _credentials(settings: Settings) -> tuple[str, str]:
    credentials = find_credentials()
    if settings.mode == "platform":
        if credentials is None:
            return FAILED, (
                "mode 'platform' needs a key: set M0_API_KEY, or write it into .env.mem0. Until "
                "then memories stay in the journal"
            )
        return OK, f"a key was found ({credentials.source})"
    if credentials is None:
        return OK, "no key was found; none is needed"
    if settings.mode == "server":
        return OK, f"a key was found ({credentials.source}); it is sent to the server"
    return (
        WARNING,
        f"a key was found ({credentials.source}); mode {settings.mode!r} does not use it",
    )


def _journal(memory: MemoryFolder) -> tuple[str, str]:
    path = memory.journal.path
    integrity = memory.journal.check()
    if integrity != "ok":
        text = "stop what uses it and run 'freqtrade-mem0 salvage'"
        return FAILED, f"{path} is damaged: {integrity}; {text}"
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        return WARNING, f"{path} can be read by others (mode {mode:o}); chmod 600 it"
    if not os.access(path, os.W_OK):
        return FAILED, f"{path} can not be written to by this user"
    return OK, f"{path}, {sum(memory.journal.counts().values())} records, intact"


def _outside(memory: MemoryFolder) -> tuple[str, str]:
    is_fine, text = outside(memory)
    return (OK if is_fine else WARNING), text


def _mem0(memory: MemoryFolder) -> tuple[str, str]:
    if not memory.delivers:
        return OK, "not used (mode 'local')"
    owner = memory.settings.user_id
    total = memory.backend.count(filters={"user_id": owner}).get((), 0)
    return OK, f"{memory.backend.name}, {total} memories of {owner}"


def _delivery(memory: MemoryFolder) -> tuple[str, str]:
    if not memory.delivers:
        return OK, "not used (mode 'local')"
    state = memory.outbox.state()
    text = f"{state.pending} wait, {state.dead} refused"
    if state.waiting_since is not None:
        waited = max(datetime.now(UTC) - state.waiting_since, timedelta(0))
        text += f", the oldest for {timedelta(seconds=round(waited.total_seconds()))}"
    if state.failures:
        text += f", {state.failures} attempts failed in a row"
        if state.failures >= memory.settings.delivery.breaker_failures:
            text += " (single records are tried until one is accepted)"
    if state.dead or state.last_error:
        return WARNING, f"{text}; last error: {state.last_error}"
    return OK, text
