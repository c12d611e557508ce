"""Processes to be killed, starved and hung: `python -m tests.flow.children COMMAND FOLDER [URL]`.

Each does what a bot or a command does, through the package's own parts, and prints what it has
acknowledged.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.delivery.pull import pull_news
from freqtrade_mem0.delivery.push import delivery_of
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.writer import JournalWriter
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.run import runtime
from freqtrade_mem0.strategy.process import PROCESS
from tests.support.runs import a_bot, a_run
from tests.support.samples import a_decision, a_note, a_retraction, a_trade, opened

if TYPE_CHECKING:
    from freqtrade_mem0.run.bot.runtime import BotRuntime

FLUSH_S = 600.0


def say(what: object) -> None:
    """Tell the test."""
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def settings_for(url: str) -> Settings:
    """Return settings of a memory on a platform at this address; "" for the journal alone."""
    pauses = {"batch_size": 5, "retry_s": 0.1, "max_retry_s": 0.2, "flush_timeout_s": FLUSH_S}
    mode = {"mode": "platform", "host": url, "timeout_s": 300} if url else {"mode": "local"}
    return Settings.model_validate({"user_id": "me", "delivery": pauses, **mode})


def a_runtime(folder: Path, url: str, bot: str = "bot-1") -> BotRuntime:
    """Return the runtime of a dry-run bot."""
    return a_bot(a_run(folder, settings_for(url), run_id=bot), say)


def record(folder: Path) -> None:
    """Append all kinds of entries through a bot's writer; print each id once it is flushed."""
    journal = Journal(folder / "mem0")
    writer = JournalWriter(journal, background=True)
    for number in range(1_000_000):
        trade, decision = a_trade(number), a_decision(number)
        writer.submit(decision, opened(decision, trade), trade)
        if number % 5 == 4:
            writer.submit(a_trade(number - 1, profit_ratio=-0.5), a_note(number))
        if number % 7 == 6:
            writer.submit(a_retraction(a_trade(number - 3).id))
        if writer.flush(FLUSH_S):
            say(trade.id)


def deliver(folder: Path, url: str) -> None:
    """Deliver what waits."""
    store = MemoryFolder(settings_for(url), folder)
    say("begins")
    delivery_of(store).drain(FLUSH_S, say)
    store.close()
    say("done")


def sync(folder: Path, url: str) -> None:
    """Pull what Mem0 has, in small parts."""
    import freqtrade_mem0.delivery.arriving as module

    module._BATCH = 20
    store = MemoryFolder(settings_for(url), folder)
    adopt = store.journal.adopt_ready

    def told(*records: Any) -> int:
        n_new = adopt(*records)
        say(n_new)
        return n_new

    store.journal.adopt_ready = told  # type: ignore[assignment,method-assign]
    say("begins")
    pull_news(store)
    store.close()
    say("done")


def hang(folder: Path, url: str) -> None:
    """Run a bot whose Mem0 hangs, and end it as Freqtrade does."""
    runtime.CLOSE_TIMEOUT_S = 0.5
    bot = a_runtime(folder, url)
    bot.submit(a_trade(1))
    say("begins")
    sys.stdin.readline()
    bot.close()
    say("closed")


def fork(folder: Path, url: str) -> None:
    """Fork under a running bot; parent and child write on, and end as Python does."""
    bot = PROCESS.start(a_run(folder, settings_for(url)), say)
    bot.submit(a_trade(1))
    child = os.fork()
    numbers = range(10, 30) if child == 0 else range(30, 50)
    journal = Journal(folder / "mem0")
    for number in numbers:
        journal.append([a_trade(number)])
    if child == 0:
        sys.exit(0)  # with its exit handlers, which are the parent's as well
    _, status = os.waitpid(child, 0)
    bot.submit(a_trade(2))
    say(os.waitstatus_to_exitcode(status))


if __name__ == "__main__":
    name, where, *rest = sys.argv[1:]
    commands = {"deliver": deliver, "sync": sync, "hang": hang, "fork": fork}
    if name == "record":
        record(Path(where))
    else:
        commands[name](Path(where), rest[0])
