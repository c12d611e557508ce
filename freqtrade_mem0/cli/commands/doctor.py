"""`doctor`: is everything as it must be, and if not, what to do."""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from importlib.metadata import version
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import memory_options, output_options, read_config
from freqtrade_mem0.cli.output import console, print_json
from freqtrade_mem0.config.credentials import find_credentials
from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.sizing.registry import policy_for

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from freqtrade_mem0.cli.context import Commands
    from freqtrade_mem0.config.settings import Settings

OK, WARNING, FAILED = "ok", "warning", "failed"

_PACKAGES = ("freqtrade", "mem0ai", "pandas", "numpy", "TA-Lib")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check found.

    Parameters
    ----------
    check
        What was looked at.
    state
        "ok", "warning" (works, but look at it) or "failed".
    text
        What was seen, and what to do about it.
    """

    check: str
    state: str
    text: str


def add_commands(commands: Commands) -> None:
    """Add `doctor`."""
    parser = commands.add_parser(
        "doctor",
        help="check installation, config, journal and Mem0",
        description="Check installation, config, journal and Mem0. Exit code 1 if a check fails.",
    )
    memory_options(parser)
    output_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run all checks and print what they found."""
    findings = list(examine(arguments))
    failed = any(finding.state == FAILED for finding in findings)
    if arguments.json:
        print_json({"healthy": not failed, "findings": [asdict(finding) for finding in findings]})
    else:
        out = console()
        for finding in findings:
            out.print(f"{finding.state:>8}  {finding.check}: {finding.text}", markup=False)
        out.print("Something needs your attention." if failed else "Memory is in order.")
    return 1 if failed else 0


def examine(arguments: argparse.Namespace) -> Iterator[Finding]:
    """Yield the finding of each check; a check that breaks is a finding, too."""
    yield _attempt("installation", _installation)
    try:
        named = read_config(arguments)
    except Mem0Error as error:
        yield Finding(check="config", state=FAILED, text=str(error))
        return
    if named.has_block:
        yield _attempt("config", lambda: (OK, _config_text(named.settings)))
    else:
        text = 'there is no "mem0" block: a strategy with Mem0Mixin does not start with it'
        yield Finding(check="config", state=FAILED if arguments.config else WARNING, text=text)
    yield _attempt("credentials", lambda: _credentials(named.settings))
    store = MemoryFolder(named.settings, named.user_data_dir)
    try:
        if not _can_be_made(store.folder):
            text = f"{store.folder} can not be made or written to; set 'mem0.path'"
            yield Finding(check="journal", state=FAILED, text=text)
            return
        if not store.journal.path.exists():
            yield Finding(
                check="journal",
                state=WARNING,
                text=f"there is none in {store.folder} yet; a backtest or bot with Mem0Mixin "
                "makes it",
            )
            return
        yield _attempt("journal", lambda: _journal(store))
        yield _attempt("Mem0", lambda: _mem0(store))
        yield _attempt("delivery", lambda: _delivery(store))
    finally:
        store.close()


def _can_be_made(folder: Path) -> bool:
    existing = next(part for part in (folder, *folder.absolute().parents) if part.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _attempt(check: str, look: Callable[[], tuple[str, str]]) -> Finding:
    try:
        state, text = look()
    except Mem0Error as error:
        state, text = FAILED, str(error)
    return Finding(check=check, state=state, text=text)


def _installation() -> tuple[str, str]:
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    text = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}"
    with sqlite3.connect(":memory:") as sqlite:
        options = {row[0] for row in sqlite.execute("PRAGMA compile_options")}
    if "ENABLE_FTS5" not in options:
        return WARNING, f"{text}; this SQLite has no FTS5, so search goes by meaning alone"
    return OK, f"{text} ({sys.executable})"


def _config_text(settings: Settings) -> str:
    sizing = settings.sizing
    policy_for(sizing)  # one of another distribution may not load
    return (
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
        return OK, f"a key was found ({credentials.source}); the server gets it"
    return (
        WARNING,
        f"a key was found ({credentials.source}); mode {settings.mode!r} does not use it",
    )


def _journal(store: MemoryFolder) -> tuple[str, str]:
    word = store.journal.check()
    if word != "ok":
        text = "stop what uses it and run 'freqtrade-mem0 salvage'"
        return FAILED, f"{store.journal.path} is damaged: {word}; {text}"
    mode = store.journal.path.stat().st_mode & 0o777
    if mode & 0o077:
        return WARNING, f"{store.journal.path} can be read by others (mode {mode:o}); chmod 600 it"
    if not os.access(store.journal.path, os.W_OK):
        return FAILED, f"{store.journal.path} can not be written to by this user"
    total = sum(store.journal.counts().values())
    return OK, f"{store.journal.path}, {total} records, intact"


def _mem0(store: MemoryFolder) -> tuple[str, str]:
    if not store.delivers:
        return OK, "not used (mode 'local')"
    total = store.backend.count(filters={"user_id": store.settings.user_id}).get((), 0)
    return OK, f"{store.backend.name}, {total} memories of {store.settings.user_id}"


def _delivery(store: MemoryFolder) -> tuple[str, str]:
    if not store.delivers:
        return OK, "not used (mode 'local')"
    facts = store.outbox.state()
    text = f"{facts.pending} wait, {facts.dead} refused"
    if facts.waiting_since is not None:
        waited = max(datetime.now(UTC) - facts.waiting_since, timedelta(0))
        text += f", the oldest for {timedelta(seconds=round(waited.total_seconds()))}"
    if facts.failures:
        is_open = facts.failures >= store.settings.delivery.breaker_failures
        text += f", {facts.failures} attempts failed in a row"
        text += " (only single records are tried until one is taken)" if is_open else ""
    if facts.dead or facts.last_error:
        return WARNING, f"{text}; last error: {facts.last_error}"
    return OK, text
