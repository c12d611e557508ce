"""Checks of installation, settings, journal, Mem0 and alerts, each with what to do about a problem.

A check reads or tries what it speaks of; `not_checked` lists what no check can know.
"""

from __future__ import annotations

import os
import platform
import sqlite3
import sys
from contextlib import closing
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from freqtrade_mem0.backends.in_process.own_parts import how_it_searches
from freqtrade_mem0.config.credentials import find_credentials
from freqtrade_mem0.config.stores import LOSES_DATA, loses_data
from freqtrade_mem0.journal.verify import verify
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.situation import indicators_of
from freqtrade_mem0.sizing.registry import policy_for
from freqtrade_mem0.sqlite_files.connecting import in_memory
from freqtrade_mem0.views.glance import FAILED, OK, WARNING, Finding, at_a_glance, attempt
from freqtrade_mem0.views.probe import probe, refuse_foreign_history
from freqtrade_mem0.views.tamper import chain_facts
from freqtrade_mem0.views.triggers import triggers_of_bots
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from freqtrade_mem0.config.settings import Settings

    Progress = Callable[[int, int], None]

HISTORY_FILE = "history.db"
"""Mem0's own file in the memory's folder, in mode `embedded`."""

_N_NAMED = 5
_PACKAGES = ("freqtrade", "mem0ai", "pandas", "numpy", "TA-Lib")


def examine(
    memory: MemoryFolder,
    channels: Mapping[str, str],
    progress: Progress | None = None,
) -> Iterator[Finding]:
    """Yield the finding of each check; a check that raises one of our errors has failed.

    `channels` are those of `run.bot.alerts.wording.channels`. `progress` gets how many rows of the
    journal were checked, and how many there are.
    """
    settings, journal = memory.settings, memory.journal
    yield examine_installation()
    yield attempt("config", lambda: _config(settings))
    yield attempt("credentials", lambda: _credentials(settings))
    yield attempt("alerts", lambda: _alerts(settings, channels))
    if not _is_writable(memory.folder):
        text = f"{memory.folder} can not be created or written to; set 'mem0.path'"
        yield Finding(check="journal", state=FAILED, text=text)
    elif not journal.path.exists():
        text = f"there is none in {memory.folder} yet; a backtest or bot with Mem0Mixin creates it"
        yield Finding(check="journal", state=WARNING, text=text)
    else:
        yield attempt("journal", lambda: _journal(memory, progress))
        yield attempt("tamper evidence", lambda: _chain(memory))
        yield from at_a_glance(memory)
        yield attempt("triggers", lambda: (OK, triggers_of_bots(memory)))
    yield attempt("Mem0", lambda: _mem0(memory))


def not_checked(memory: MemoryFolder, *, with_alert: bool = False) -> list[str]:
    """Return what the checks say nothing about; `with_alert` says that a test alert was sent."""
    found = [] if with_alert else ["whether an alert arrives: --test-alert sends one"]
    found += [
        "strategies: 'freqtrade list-strategies' shows whether Freqtrade can load them",
        "Freqtrade's trade database: a bot compares it with the journal when it starts",
    ]
    if not memory.journal.path.exists():
        found.append("the journal: there is none yet")
    if not memory.delivers:
        found.append("Mem0: mode 'local' does not use it")
    elif memory.settings.llm is not None or memory.settings.reranker is not None:
        found.append("the language model and the reranker: records need neither")
    return found


def examine_installation() -> Finding:
    """Return the versions of what memory needs."""
    versions = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    text = f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {versions}"
    with closing(in_memory()) as sqlite:
        options = {row[0] for row in sqlite.execute("PRAGMA compile_options")}
    if "ENABLE_FTS5" in options:
        return Finding(check="installation", state=OK, text=f"{text} ({sys.executable})")
    text = f"{text}; this SQLite has no FTS5, so a search compares meanings, not words"
    return Finding(check="installation", state=WARNING, text=text)


def _is_writable(folder: Path) -> bool:
    existing = next(part for part in (folder, *folder.absolute().parents) if part.exists())
    return existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)


def _config(settings: Settings) -> tuple[str, str]:
    sizing = settings.sizing
    policy_for(sizing)  # raises where the policy of another distribution does not load
    indicators_of(settings.situation.indicators)  # raises where TA-Lib does not know one
    signs = settings.trust.secret() is not None  # raises where the key is not set
    if loses_data(settings):
        return FAILED, LOSES_DATA
    return OK, (
        f"mode {settings.mode}, user {settings.user_id}, "
        f"{'enabled' if settings.enabled else 'switched off'}, policy {sizing.policy} "
        f"(x{sizing.min_multiplier:g} to x{sizing.max_multiplier:g}), "
        f"live stakes {'scaled' if sizing.live and not sizing.shadow else 'in shadow'}, "
        f"records in Mem0 {'signed' if signs else 'not signed'}"
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


def _journal(memory: MemoryFolder, progress: Progress | None) -> tuple[str, str]:
    path = memory.journal.path
    integrity = memory.journal.check()
    if integrity != "ok":
        text = "stop what uses it and run 'freqtrade-mem0 salvage'"
        return FAILED, f"{path} is damaged: {integrity}; {text}"
    verified = verify(memory.journal.connection, progress)
    if verified.bad:
        named = "; ".join(f"{row}: {why}" for row, why in list(verified.bad.items())[:_N_NAMED])
        return FAILED, (
            f"{len(verified.bad)} of {verified.n_rows} rows of {path} can not be used and are left "
            "out; stop what uses it and run 'freqtrade-mem0 salvage'. "
            f"{'The first are ' if len(verified.bad) > _N_NAMED else ''}{named}"
        )
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        return WARNING, f"{path} can be read by others (mode {mode:o}); chmod 600 it"
    if not os.access(path, os.W_OK):
        return FAILED, f"{path} can not be written to by this user"
    n_records = sum(memory.journal.counts().values())
    return (
        OK,
        (
            f"{path}, {counted(n_records, 'record')}, intact; "
            f"{counted(verified.n_rows, 'row')} decoded and hashed"
        ),
    )


def _chain(memory: MemoryFolder) -> tuple[str, str]:
    facts = chain_facts(memory)
    if facts["intact"]:
        last = facts["roots"][-1:]
        root = "".join(f"; the root of {each['day']} is {each['root']}" for each in last)
        return OK, f"every row fits the chain of hashes{root}"
    first = facts["first"][0]
    return FAILED, (
        f"{first['what']}: {first['means']}. 'freqtrade-mem0 verify' lists everything that does "
        "not fit; compare with a backup"
    )


def _mem0(memory: MemoryFolder) -> tuple[str, str]:
    if not memory.delivers:
        return OK, "not used (mode 'local'), so there is nothing to probe"
    if memory.settings.mode == "embedded":
        refuse_foreign_history(memory.folder / HISTORY_FILE)
    if any(memory.folder.glob("*")):
        return _probed(memory)
    with TemporaryDirectory() as name:  # a check creates no memory
        settings = memory.settings.model_copy(update={"path": None})
        elsewhere = MemoryFolder(settings, Path(name))
        try:
            return _probed(elsewhere)
        finally:
            elsewhere.close()


def _probed(memory: MemoryFolder) -> tuple[str, str]:
    owner = memory.settings.user_id
    total = memory.backend.count(filters={"user_id": owner}).get((), 0)
    was_found = probe(memory.backend)
    n_memories = counted(total, "memory", "memories")
    text = f"{memory.backend.name}, {n_memories} of {owner}; a probe was written, read"
    ending = ""
    if memory.settings.mode == "embedded" and memory.settings.vector_store is None:
        given = memory.settings.embedder
        ending = f"; {how_it_searches(None if given is None else given.model_dump())}"
    if was_found:
        return OK, f"{text}, found by a search and deleted{ending}"
    return WARNING, f"{text} and deleted, but a search did not find it; try again"


def _alerts(settings: Settings, channels: Mapping[str, str]) -> tuple[str, str]:
    if not settings.alerts.wants_any:
        return OK, "none are wanted ('mem0.alerts')"
    if not channels:
        return OK, "Telegram, webhook and Discord are off in Freqtrade's config, so none are sent"
    lacking = [f"{name}: {lack}" for name, lack in channels.items() if lack]
    taken_by = [name for name, lack in channels.items() if not lack]
    if lacking:
        also = f"; {', '.join(taken_by)} can take them" if taken_by else ""
        return WARNING, f"Freqtrade drops them for {'; '.join(lacking)}{also}"
    return OK, f"Freqtrade's config lets them through to {', '.join(taken_by)}; none was sent"
