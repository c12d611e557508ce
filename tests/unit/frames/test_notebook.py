"""The example notebook runs from its first cell to its last."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.support.full_memory import OTHER, open_memory
from tests.support.samples import a_decision, a_trade, opened

NOTEBOOK = Path(__file__).parents[3] / "user_data/notebooks/memory_analysis_example.ipynb"


def cells() -> list[dict[str, Any]]:
    """Return the cells with code."""
    notebook = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    return [each for each in notebook["cells"] if each["cell_type"] == "code"]


def test_every_cell_runs(tmp_path: Path) -> None:
    """In one namespace, one after the other, on a memory with trades in several situations."""
    memory = open_memory(tmp_path, OTHER.user_id, mode="local")
    for number in range(60):
        regimes = ("calm", "volatile")[number % 2], ("uptrend", "downtrend")[number % 3 == 0]
        situation = {"volatility_regime": regimes[0], "trend_regime": regimes[1]}
        decision = a_decision(number, origin=OTHER)
        ratio = 0.01 if regimes[0] == "calm" else -0.01
        trade = a_trade(
            number,
            origin=OTHER,
            profit_ratio=ratio + number / 1e5,
            situation=situation,
            decision_id=decision.id,
        )
        memory.journal.append([decision, opened(decision, trade), trade])
    memory.close()
    config = tmp_path / "config.json"
    block = {"mode": "local", "user_id": OTHER.user_id}
    config.write_text(json.dumps({"user_data_dir": str(tmp_path), "mem0": block}))
    names: dict[str, Any] = {}
    for cell in cells():
        source = "".join(cell["source"]).replace('"config.json"', repr(str(config)))
        exec(compile(source, NOTEBOOK.name, "exec"), names)  # noqa: S102 - our own notebook
    assert len(names["trades"]) == len(names["closed"]) == 60
    assert len(names["equity"]) == 60


def test_no_output_is_kept_in_it() -> None:
    """It would be of somebody's trades."""
    assert all(each["outputs"] == [] and each["execution_count"] is None for each in cells())
