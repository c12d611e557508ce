"""Write `results.json` as tables for people.

python -m benchmarks.value.report
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
COLUMNS = {
    "gain_mean": "gain",
    "gain_median": "median",
    "gain_spot": "spot",
    "gain_futures": "futures",
    "better": "better",
    "worse_005": "worse 0.05",
    "worse_020": "worse 0.20",
    "worst": "worst",
    "drawdown": "DD",
    "drawdown_equal": "DD equal",
    "mean_multiplier": "mean m",
    "null_99": "null 99 %",
    "null_rank": "null rank",
}
SHARES = ("better", "worse_005", "worse_020", "null_rank")


def period_table(trials: dict[str, Any]) -> list[str]:
    """Return one row per trial, in the order they were measured."""
    lines = ["| trial | why | " + " | ".join(COLUMNS.values()) + " | slope [95 %] |"]
    lines.append("|---" * (len(COLUMNS) + 3) + "|")
    for name, figures in trials.items():
        cells = [
            f"{figures[key]:.0%}" if key in SHARES else f"{figures[key]:+.2f}" for key in COLUMNS
        ]
        if "gain_interval" in figures:
            low, high = figures["gain_interval"]
            cells[0] += f" [{low:+.2f}, {high:+.2f}]"
        slope, low, high = figures["slope"]
        cells.append(f"{slope:.2f} [{low:.2f}, {high:.2f}]" if slope else "-")
        lines.append(f"| {name} | {figures['why']} | " + " | ".join(cells) + " |")
    return lines


def worlds_tables(trials: dict[str, Any]) -> list[str]:
    """Return the tables of random entries and planted edges."""
    first = next(iter(trials.values()))
    lines = [
        "Random entries: mean multiplier; share of seeds whose interval of the difference in",
        "Sharpe ratio / mean daily return covers zero; mean gain.",
        "",
    ]
    lines += ["| trial | " + " | ".join(first["random"]) + " |"]
    lines.append("|---" * (len(first["random"]) + 1) + "|")
    for name, figures in trials.items():
        cells = [
            f"{f['mean_multiplier']:.2f}; {f['covers_sharpe']:.0%} / {f['covers_return']:.0%}; "
            f"{f['gain_mean']:+.2f}"
            for f in figures["random"].values()
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    lines += ["", "Planted edges: share of the oracle's improvement at trades 300-350.", ""]
    lines += ["| trial | " + " | ".join(first["planted"]) + " |"]
    lines.append("|---" * (len(first["planted"]) + 1) + "|")
    for name, figures in trials.items():
        shares = " | ".join(f"{share:.0%}" for share in figures["planted"].values())
        lines.append(f"| {name} | {shares} |")
    return lines


def main() -> int:
    """Write `results.md`."""
    results = json.loads((HERE / "results.json").read_text())
    lines = [
        "# Results",
        "",
        "Made by `python -m benchmarks.value.report` from `results.json`; `README.md` says what",
        "the words mean. Selection used 2018-2020 only.",
    ]
    for name, trials in results.items():
        n = next(iter(trials.values())).get("n_strategies")
        lines += ["", f"## {name}" + (f" ({n} tables)" if n else ""), ""]
        lines += worlds_tables(trials) if name == "worlds" else period_table(trials)
    (HERE / "results.md").write_text("\n".join(lines) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
