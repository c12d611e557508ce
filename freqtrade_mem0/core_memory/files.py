"""The log of agents and their parameter updates as text and JSON, in files that others read."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.core_memory.log import agent_log
from freqtrade_mem0.core_memory.parameters import UpdateLife, lives, values_at
from freqtrade_mem0.encryption.keyring import KEYRING
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.records.kinds.parameter_update import UpdateState
from freqtrade_mem0.words.numbers import percent
from freqtrade_mem0.words.visible import strict_json, visible

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.words.plain import Facts

Line = tuple[datetime, str]
"""When something happened, and what."""

CORE_LOG, PARAMETERS = "core_memory_updates.txt", "parameter_updates.json"


def write_agent_files(memory: MemoryFolder, user_id: str, folder: Path) -> list[Path]:
    """Write both files anew, each as a whole; return their paths.

    Raises
    ------
    OSError
        A file can not be written.
    ConfigError
        The folder is that of an encrypted memory.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if KEYRING.data_key(folder / CORE_LOG) is not None:
        raise ConfigError(
            f"The memory in {folder} is encrypted, and these files are text that anybody can read. "
            "Name another folder with --to."
        )
    texts = {
        CORE_LOG: "".join(f"{line}\n" for line in core_log_lines(memory, user_id)),
        PARAMETERS: strict_json(parameter_days(memory, user_id)) + "\n",
    }
    for name, text in texts.items():
        write_whole(folder / name, text)
    return [folder / name for name in texts]


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader finds the old or the new one; `OSError` where that fails."""
    fresh = path.with_name(f"{path.name}.tmp")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def core_log_lines(memory: MemoryFolder, user_id: str) -> list[str]:
    """Return the log of agents line by line, by time: decisions, prices, outcomes, lessons."""
    lines: list[Line] = []
    for row in agent_log(memory, user_id):
        lines += decision_lines(row)
        lines += outcome_lines(row) if row["state"] == "resolved" else ()
    lines.sort(key=lambda line: line[0])
    return [dated(line) for line in lines]


def dated(line: Line) -> str:
    """Return a line as the file has it."""
    return f"[{line[0]:%Y-%m-%d %H:%M:%S}] {visible(line[1])}"


def parameter_days(memory: MemoryFolder, user_id: str) -> Facts:
    """Return by day the values that hold then, and what was adjusted that day.

    Where updates are of several strategies, the strategy stands before the name of a parameter.
    A day is there where an update was approved or reverted. `adjustments` has `reason`, `from` and
    `to`; of several updates of one day, their reasons are joined.
    """
    found, days = lives(memory, user_id), dict[str, Any]()
    if len({life.update.origin.strategy for life in found}) > 1:
        found = [_with_strategy(life) for life in found]
    for at, before, after, reason in sorted(_changes(found), key=lambda change: change[0]):
        day = at.date().isoformat()
        earlier = days.get(day, {}).get("adjustments", {"reason": "", "from": {}, "to": {}})
        days[day] = {
            **values_at(found, at),
            "adjustments": {
                "reason": "; ".join(filter(None, [earlier["reason"], visible(reason)])),
                "from": {**before, **earlier["from"]},
                "to": {**earlier["to"], **after},
            },
        }
    return days


def _with_strategy(life: UpdateLife) -> UpdateLife:
    update, strategy = life.update, life.update.origin.strategy
    before = {f"{strategy}.{name}": value for name, value in update.before.items()}
    after = {f"{strategy}.{name}": value for name, value in update.after.items()}
    return UpdateLife(replace(update, before=before, after=after), life.steps)


def _changes(found: list[UpdateLife]) -> Iterator[tuple[datetime, Facts, Facts, str]]:
    """Yield when values changed: the values before and after, and why."""
    for life in found:
        before, after = dict(life.update.before), dict(life.update.after)
        for step in life.steps:
            if step.state is UpdateState.APPROVED:
                yield step.known_at, before, after, life.update.reason
            elif step.state is UpdateState.REVERTED:
                why = step.reason or life.update.reason
                yield step.known_at, after, before, f"reverted: {why}"


def decision_lines(row: Facts) -> Iterator[Line]:
    """Yield the lines of a decision, with their times."""
    decided_at = datetime.fromisoformat(row["decided_at"])
    parts = [f"Strategy: {row['strategy']}", f"Decision: {row['action'] or 'none'}"]
    if row["confidence"] is not None:
        parts.append(f"Confidence: {row['confidence']:.2f}")
    if row["pair"]:
        parts.append(f"Pair: {row['pair']}")
    yield decided_at, " - ".join(parts)
    names = {"Entry Price": "rate", "Stop Loss": "stop_rate", "Target": "target_rate"}
    prices = [f"{name}: {row[key]:g}" for name, key in names.items() if row[key] is not None]
    if prices:
        yield decided_at, " - ".join(prices)


def outcome_lines(row: Facts, *, is_corrected: bool = False) -> Iterator[Line]:
    """Yield the lines of what became of a resolved decision, with their times."""
    outcome = row["outcome"]
    known_at = datetime.fromisoformat(outcome["known_at"])
    profit, ratio = outcome["profit_abs"], outcome["profit_ratio"]
    made = percent(ratio or 0.0)
    if profit is not None:
        made = f"{'-' if profit < 0 else '+'}${abs(profit):g}"
    gained = (ratio if ratio is not None else profit) > 0
    how = "Closed position successfully" if gained else "Closed position at a loss"
    yield known_at, f"P&L: {made} - {how}{' (corrected)' if is_corrected else ''}"
    yield known_at, f"Learned: {row['lesson']}"
