"""The results as tables for people."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

_COLUMNS = ("better", "worse .05 / .20", "worst", "DD", "null", "RMS", "first 50", "first 300")


def report(results: Mapping[str, Any], made: date) -> str:
    """Return the text of `results.md`."""
    lines = [
        "# Results",
        "",
        f"Made by `python -m benchmarks.value.evaluate --data DATA` on {made}. `README.md` says",
        "what the words mean. Selection used 2018-2020; memory is empty at the start of a period.",
    ]
    for period in next(iter(results.values()))["markets"]:
        n = next(iter(results.values()))["markets"][period]["n"]
        lines += ["", f"## {period} ({n} tables)", ""]
        lines.append("| trial | gain [95 %] [and strategies] | " + " | ".join(_COLUMNS) + " |")
        lines.append("|---" * (len(_COLUMNS) + 2) + "|")
        lines += [_row(name, found["markets"][period]) for name, found in results.items()]
    lines += ["", "## Worlds without knowledge: gain, worse .05 / .20, worst", ""]
    measured = {name: found for name, found in results.items() if "worlds" in found}
    lines += _table(
        measured,
        lambda found: (
            {f"shifted, {how}": _harm(harm) for how, harm in found["shifted"].items()}
            | {how: _harm(harm) for how, harm in found["worlds"].items() if isinstance(harm, dict)}
        ),
    )
    lines += ["", "## RMS of multiplier - 1 on noise; share of the oracle on planted edges", ""]
    lines += _table(
        measured,
        lambda found: {
            how: f"{value:.2f}"
            for how, value in found["worlds"].items()
            if isinstance(value, float)
        },
    )
    return "\n".join(lines) + "\n"


def _row(name: str, found: Mapping[str, float]) -> str:
    cells = [
        (
            f"{found['gain']:+.3f} [{found['low']:+.2f}, {found['high']:+.2f}]"
            f" [{found['low_strategies']:+.2f}, {found['high_strategies']:+.2f}]"
        ),
        f"{found['better']:.0%}",
        f"{found['worse_005']:.0%} / {found['worse_020']:.0%}",
        f"{found['worst']:+.2f}",
        f"x{found['drawdown']:.2f}",
        f"{found['null_rank']:.0%}",
        f"{found['rms']:.2f}",
        f"{found['first_50']:.3f}, at most {found['first_50_most']:.2f}",
        f"{found['first_300_gain']:+.2f}",
    ]
    return f"| {name} | " + " | ".join(cells) + " |"


def _harm(found: Mapping[str, float]) -> str:
    between = f" [{found['low']:+.2f}, {found['high']:+.2f}]" if "low" in found else ""
    return (
        f"{found['gain']:+.3f}{between}, {found['worse_005']:.0%} / {found['worse_020']:.0%},"
        f" {found['worst']:+.2f}"
    )


def _table(results: Mapping[str, Any], cells_of: Any) -> list[str]:
    """Return a table with one row for each world and one column for each trial."""
    cells = {name: cells_of(found) for name, found in results.items()}
    lines = ["| world | " + " | ".join(cells) + " |", "|---" * (len(cells) + 1) + "|"]
    worlds = next(iter(cells.values()))
    rows = (f"| {world} | " + " | ".join(own[world] for own in cells.values()) for world in worlds)
    return [*lines, *(f"{row} |" for row in rows)]
