"""Alerts on trouble of the memory itself: the journal, Mem0, refused records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.words.numbers import counted

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
    """Send an alert on each trouble of memory, and on its end. Reads no disk."""
    if writer is not None:
        text = "Memory's journal can not be written; new records wait in the bot's RAM."
        alerts.state(
            "journal",
            text if writer.in_trouble else "",
            "Memory's journal can be written again; nothing was lost.",
        )
    if delivery is None:
        return
    # Delivery starts after the first sync, so until then only sync knows that Mem0 is away.
    alarm = delivery.alarm or ("" if sync is None else sync.alarm)
    alerts.state(
        "mem0",
        f"Mem0 can not be reached; {outbox.pending} records wait in the journal. {alarm}"
        if alarm
        else "",
        "Mem0 can be reached again; the waiting records are being delivered.",
    )
    alerts.state(
        "dead",
        f"Mem0 refuses {counted(outbox.dead, 'record')}: {outbox.last_error} "
        "See 'freqtrade-mem0 dead-letters'."
        if outbox.dead
        else "",
        "Mem0 has accepted all records that it refused.",
    )
