"""Counts how many settings were compared for a strategy and a time, in the memory's folder.

The file has one line of JSON for each comparison. It is only appended to; a line that can not be
read is left out of the count.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.compare.statistics.deflated import deflated, sharpe_per_day
from freqtrade_mem0.encryption.sealed import from_line, to_line

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freqtrade_mem0.compare.comparison import Comparison

FILE_NAME = "compare-trials.jsonl"

RULE = "rule "
"""Trials of learned rules begin so; they count among one another."""

_SHARED = 0.5
"""Comparisons count together where they share at least this part of the shorter time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """A comparison that was made; the Sharpe ratio per day is that of memory's gain."""

    strategy: str
    start: str
    end: str
    settings: str
    sharpe: float

    def is_another_try_than(self, other: Trial) -> bool:
        """Return whether it is about the same strategy and time, with other settings."""
        if self.strategy != other.strategy or self.settings == other.settings:
            return False
        if self.settings.startswith(RULE) is not other.settings.startswith(RULE):
            return False
        (start, end), (start_2, end_2) = _span(self), _span(other)
        shared = min(end, end_2) - max(start, start_2)
        return shared >= _SHARED * min(end - start, end_2 - start_2)


def fingerprint(*parts: object) -> str:
    """Return a text that differs between different settings."""
    return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()[:16]


def with_trials(c: Comparison, folder: Path, settings: str) -> Comparison:
    """Count a comparison, and judge its gain by how many settings were tried.

    Raises
    ------
    OSError
        The file can not be read or written.
    """
    if c.gain is None:
        return c
    sharpe = sharpe_per_day(c.gain)
    if sharpe is None:
        return c
    trial = Trial(
        strategy=c.strategy,
        start=c.without.start.isoformat(),
        end=c.without.end.isoformat(),
        settings=settings,
        sharpe=sharpe,
    )
    path = folder / FILE_NAME
    known = _read(path)
    if trial not in known:
        folder.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8") as file:
            file.write(f"{to_line(path, json.dumps(asdict(trial)))}\n")
    # Of several comparisons of the same settings the newest counts.
    others = {each.settings: each.sharpe for each in known if each.is_another_try_than(trial)}
    return replace(c, deflated=deflated(c.gain, list(others.values())))


def _read(path: Path) -> list[Trial]:
    if not path.exists():
        return []
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return [trial for line in lines if (trial := _parsed(path, line)) is not None]


def _parsed(path: Path, line: str) -> Trial | None:
    try:
        values: Mapping[str, Any] = json.loads(from_line(path, line))
        trial = Trial(**{**values, "sharpe": float(values["sharpe"])})
        _span(trial)
    except (ValueError, TypeError, KeyError):
        return None
    return trial


def _span(trial: Trial) -> tuple[datetime, datetime]:
    return datetime.fromisoformat(trial.start), datetime.fromisoformat(trial.end)
