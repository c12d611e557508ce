"""Tells a bot's owner what its memory suffers from."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from freqtrade_mem0.delivery.pull import MemorySync
    from freqtrade_mem0.delivery.push import Delivery
    from freqtrade_mem0.journal.outbox import OutboxState
    from freqtrade_mem0.journal.writer import JournalWriter
    from freqtrade_mem0.run.bot.alerts.throttle import Alerts


def report_trouble(
    alerts: Alerts,
    outbox: OutboxState,
    writer: JournalWriter | None,
    delivery: Delivery | None,
    sync: MemorySync | None,
) -> None:
    """Tell the owner what memory suffers from; trading is never affected. Reads no disk."""
    if writer is not None:
        text = "The journal of memory can not be written; trades wait in the bot's memory."
        alerts.state(
            "journal",
            text if writer.in_trouble else "",
            "The journal of memory is written again; nothing was lost.",
        )
    if delivery is None:
        return
    # Delivery begins after the first sync: where Mem0 was never there, only sync knows.
    alarm = delivery.alarm or ("" if sync is None else sync.alarm)
    alerts.state(
        "mem0",
        f"Mem0 can not be reached; {outbox.pending} records wait in the journal. {alarm}"
        if alarm
        else "",
        "Mem0 is back; what waited is being delivered.",
    )
    alerts.state(
        "dead",
        f"Mem0 refuses {outbox.dead} records: {outbox.last_error} "
        "See 'freqtrade-mem0 dead-letters'."
        if outbox.dead
        else "",
        "Mem0 refuses nothing any more.",
    )
