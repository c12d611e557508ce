"""Forgets a user, strategy, run or bot for people and services, and returns the receipt."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.archive.rotation import backup_folder
from freqtrade_mem0.errors import ConfigError, RecordError
from freqtrade_mem0.journal.forgotten import is_under_way
from freqtrade_mem0.lifecycle.forget import forgetting, rows
from freqtrade_mem0.lifecycle.forget.files import old_copies
from freqtrade_mem0.run.bot.namesakes import MARK, signs
from freqtrade_mem0.views.values import iso

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from freqtrade_mem0.lifecycle.forget.scope import ForgetScope
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.views.values import Facts

_BACKUPS = "freqtrade-mem0-*.zip"


def planned(memory: MemoryFolder, scope: ForgetScope) -> Facts:
    """Return what would be deleted (`would_delete`, by place).

    `backups` and `old_copies` are what else holds it: the former stay unless they are meant, the
    latter, which `salvage` and `restore` left, go. `running` are bots that have to be stopped.
    """
    return {
        "dry_run": True,
        **_named(scope),
        "would_delete": dict(forgetting.counted(memory, scope)),
        "backups": list(map(str, backups_of(memory))),
        "old_copies": list(map(str, old_copies(memory.folder))),
        "running": running_bots(memory, scope),
    }


def forget(
    memory: MemoryFolder,
    scope: ForgetScope,
    *,
    now: datetime | None = None,
    with_backups: bool = False,
    point: Callable[[], None] = lambda: None,
) -> Facts:
    """Forget a scope everywhere; return the receipt.

    Parameters
    ----------
    memory, scope, now, point
        As in `lifecycle.forget.forgetting.forget`.
    with_backups
        Also delete the backups, which hold everything that was there when they were made.

    Returns
    -------
    Facts
        `complete`, `user_id`, `strategy`, `run_id`, `at`, `deleted` (by place), `probes` (what each
        question still finds), `left` (what could not be reached), `root_before`, `root_after`.

    Raises
    ------
    ConfigError
        A bot of this user runs.
    BackendError, JournalError
        As `lifecycle.forget.forgetting.forget`.
    """
    refuse_running(memory, scope)
    found = backups_of(memory)
    if with_backups:
        for path in found:
            path.unlink(missing_ok=True)
    receipt = forgetting.forget(
        memory,
        scope,
        now or datetime.now(UTC),
        backups=[] if with_backups else list(map(str, found)),
        point=point,
    )
    deleted = dict(receipt.deleted)
    return {
        "complete": receipt.is_complete,
        **_named(scope),
        "at": iso(receipt.at),
        "deleted": deleted | ({"backups": len(found)} if with_backups and found else {}),
        "probes": receipt.probes,
        "left": receipt.left,
        "root_before": receipt.root_before,
        "root_after": receipt.root_after,
    }


def refuse_running(memory: MemoryFolder, scope: ForgetScope) -> None:
    """Raise `ConfigError` where a bot of the scope runs."""
    running = running_bots(memory, scope)
    if running:
        raise ConfigError(
            f"{', '.join(running)} of user {scope.user_id} may still run, knows what is to be "
            "forgotten, and would write it again. Stop it and run this again; a bot that was "
            "killed counts as running for three of its 'sync_interval'."
        )


def allow_return(memory: MemoryFolder, scope: ForgetScope) -> Facts:
    """Let what was forgotten be taken in again, from Mem0, imports or a trade database.

    Raises
    ------
    RecordError
        This very scope was not forgotten here.
    """
    if not rows.allow_return(memory.journal, scope):
        raise RecordError(
            "This was not forgotten here. Name the user, strategy and run as they were named to "
            "'freqtrade-mem0 forget'."
        )
    return {**_named(scope), "may_return": True}


def backups_of(memory: MemoryFolder) -> list[Path]:
    """Return the backups in the folder of this memory and in that of its backups."""
    folders = dict.fromkeys((memory.folder, backup_folder(memory)))
    return sorted(path for folder in folders for path in folder.glob(_BACKUPS))


def running_bots(memory: MemoryFolder, scope: ForgetScope) -> list[str]:
    """Return the bots that may run and know what is to be forgotten: "strategy mode run"."""
    now_s = datetime.now(UTC).timestamp()
    owner = f"{scope.user_id} {scope.strategy} " if scope.strategy else f"{scope.user_id} "
    return [
        name.removeprefix(f"{scope.user_id} ")
        for name, mark in memory.marks.all(MARK).items()
        if name.startswith(owner) and signs(mark, now_s)
    ]


def unfinished(memory: MemoryFolder) -> tuple[bool, str]:
    """Return whether no forgetting was interrupted, and that as a sentence."""
    if is_under_way(memory.journal.connection):
        return False, (
            "'freqtrade-mem0 forget' was interrupted; run the same command again, it does the rest"
        )
    return True, "none was interrupted"


def _named(scope: ForgetScope) -> Facts:
    return {
        "user_id": scope.user_id,
        "strategy": scope.strategy,
        "run_id": scope.run_id,
        "bots_only": scope.bots_only,
    }
