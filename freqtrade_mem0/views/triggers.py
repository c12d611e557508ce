"""The triggers of runs and bots: thresholds, measured rates of false alarms, alarms."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.insight.drift.excursions import PER_YEAR
from freqtrade_mem0.lifecycle.drift.look import DriftMeter
from freqtrade_mem0.lifecycle.drift.records import event_type_of
from freqtrade_mem0.lifecycle.patterns import bots
from freqtrade_mem0.records.base import from_ms
from freqtrade_mem0.views.values import Facts, iso
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.insight.drift.triggers import Trigger
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Origin

_N_BOTS = 5


def triggers_of(memory: MemoryFolder, origin: Origin, now: datetime) -> list[Facts]:
    """Return the triggers of a run, each with the moments of its `alarms`."""
    found = DriftMeter().measure(memory.journal, origin, memory.settings.drift, now)
    return [
        trigger_facts(trigger)
        | {
            "measured_by": found.reference.source,
            "alarms": [
                iso(from_ms(found.trade(each.at).close_ms))
                for each in found.alarms
                if each.name == trigger.name
            ],
        }
        for trigger in found.triggers
    ]


def trigger_lines(triggers: Sequence[Facts]) -> list[str]:
    """Return triggers in words: thresholds, measured rates of false alarms, alarms; or why none."""
    lacking = {each["lacks"] for each in triggers}
    if len(lacking) == 1 and "" not in lacking:
        return [f"No trigger is set: {lacking.pop()}."]
    lines = [f"Triggers, measured by {triggers[0]['measured_by']}:"]
    for each in triggers:
        if each["lacks"]:
            lines.append(f"  {each['name']}: none, as {each['lacks']}.")
            continue
        told = counted(len(each["alarms"]), "alarm")
        last = f", the last on {each['alarms'][-1][:10]}" if each["alarms"] else ""
        lines.append(
            f"  {each['name']}: threshold {each['threshold']:.1f}, "
            f"{each['false_alarms_per_year']:.2f} false alarms a year; {told}{last}."
        )
    return lines


def trigger_facts(trigger: Trigger) -> Facts:
    """Return a trigger as plain values.

    `name`, `event_type`, `lacks` ("" or why there is none; then the others are None),
    `mean`, `spread` and `threshold`, `false_alarms_wanted`, `false_alarms_per_year`,
    `found_in_year` and `delay_days` (None for more than two years); see `Trigger`.
    """
    has = not trigger.lacks
    return {
        "name": trigger.name,
        "event_type": event_type_of(trigger.name),
        "lacks": trigger.lacks,
        "mean": trigger.mean if has else None,
        "spread": trigger.spread if has else None,
        "threshold": trigger.threshold if has else None,
        "false_alarms_wanted": PER_YEAR,
        "false_alarms_per_year": trigger.per_year if has else None,
        "found_in_year": trigger.found_in_year if has else None,
        "delay_days": trigger.delay_days if has else None,
    }


def triggers_of_bots(memory: MemoryFolder) -> str:
    """Return the triggers of the owner's newest bots in words."""
    if not memory.settings.drift.enabled:
        return "off ('mem0.drift.enabled')"
    now = datetime.now(UTC)
    texts = [
        f"{bot.strategy}, {bot.mode} {bot.run_id[:12]}: "
        + " ".join(line.strip() for line in trigger_lines(triggers_of(memory, bot, now)))
        for bot in bots(memory.journal, memory.settings.user_id)[:_N_BOTS]
    ]
    return " ".join(texts) or "no bot has closed a trade here"
