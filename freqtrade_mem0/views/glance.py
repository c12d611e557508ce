"""Checks of a memory that read little of its journal and ask nobody."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING

from freqtrade_mem0.archive.rotation import backup_folder, backups_in
from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.run.bot.namesakes import MARK, signs
from freqtrade_mem0.views.forgetting import unfinished
from freqtrade_mem0.views.trust import outside
from freqtrade_mem0.views.webhooks import webhook_state
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from freqtrade_mem0.memory_folder import MemoryFolder

OK, WARNING, FAILED = "ok", "warning", "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of a check."""

    check: str
    state: str
    """"ok", "warning" (it works, but needs attention) or "failed"."""
    text: str
    """What was found, and what to do about it."""


def at_a_glance(memory: MemoryFolder) -> Iterator[Finding]:
    """Yield the findings of the checks that read little of the journal and ask nobody."""
    for check, look in _AT_A_GLANCE.items():
        yield attempt(check, partial(look, memory))


def attempt(check: str, look: Callable[[], tuple[str, str]]) -> Finding:
    """Return the finding of a check; one that raises one of our errors has failed."""
    try:
        state, text = look()
    except Mem0Error as error:
        state, text = FAILED, str(error)
    return Finding(check=check, state=state, text=text)


def _backups(memory: MemoryFolder) -> tuple[str, str]:
    folder = backup_folder(memory)
    found = backups_in(folder)
    if not found:
        text = f"there is none in {folder}; 'freqtrade-mem0 backup' makes one"
    else:
        text = f"{counted(len(found), 'backup')} in {folder}, the newest of {found[0][0]:%Y-%m-%d}"
    days, now = memory.settings.backup.every_days, datetime.now(UTC)
    if days is None or (found and now - found[0][0] <= timedelta(days=days + 1)):
        return OK, text
    return WARNING, f"{text}; 'mem0.backup.every_days' is {days:g}: does 'backup --rotate' run?"


def _forgetting(memory: MemoryFolder) -> tuple[str, str]:
    is_fine, text = unfinished(memory)
    return (OK if is_fine else WARNING), text


def _outside(memory: MemoryFolder) -> tuple[str, str]:
    is_fine, text = outside(memory)
    return (OK if is_fine else WARNING), text


def _delivery(memory: MemoryFolder) -> tuple[str, str]:
    if not memory.delivers:
        return OK, "not used (mode 'local')"
    state = memory.outbox.state()
    text = f"{state.pending} wait, {state.dead} refused"
    if state.waiting_since is not None:
        waited = max(datetime.now(UTC) - state.waiting_since, timedelta(0))
        text += f", the oldest for {timedelta(seconds=round(waited.total_seconds()))}"
    if state.failures:
        text += f", {counted(state.failures, 'attempt')} failed in a row"
        if state.failures >= memory.settings.delivery.breaker_failures:
            text += " (single records are tried until one is accepted)"
    if state.dead or state.last_error:
        return WARNING, f"{text}; last error: {state.last_error}"
    return OK, text


def _bots(memory: MemoryFolder) -> tuple[str, str]:
    """Find bots of one name that run at the same time."""
    now_s = datetime.now(UTC).timestamp()
    bots = {
        name: list(signs(mark, now_s).values()) for name, mark in memory.marks.all(MARK).items()
    }
    clashes = [
        name
        for name, found in bots.items()
        if any(one.clashes_with(other) for one, other in combinations(found, 2))
    ]
    if clashes:
        return WARNING, (
            "several bots of one name (user, strategy, mode, bot_id) run at the same time and take "
            f"each other's trades for their own: {'; '.join(clashes)}. Give each bot its own "
            "'mem0.bot_id' or 'bot_name'"
        )
    n_running = sum(map(bool, bots.values()))
    return OK, f"{n_running} wrote here within the last minutes, each with a name of its own"


_AT_A_GLANCE = {
    "forgetting": _forgetting,
    "records from outside": _outside,
    "delivery": _delivery,
    "webhooks": webhook_state,
    "bots": _bots,
    "backups": _backups,
}
