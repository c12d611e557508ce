"""What a user sees whose `"mem0"` block is wrong: Freqtrade stops, with one sentence that helps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.flow.harness import strategy_with_memory
from tests.flow.scenarios import run_freqtrade

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.flow.harness import Backtests

pytestmark = pytest.mark.flow

SECRET = "m0-this-is-not-for-logs"  # noqa: S105 - made up, and looked for in the log

WRONG: Mapping[str, tuple[Mapping[str, Any] | None, tuple[str, ...]]] = {
    "mistyped key": (
        {"sizng": {"shadow": True}},
        ('"mem0.sizng" is not a key', 'Did you mean "sizing"?'),
    ),
    "missing block": (None, ('has no "mem0" block', 'Add "mem0": {"enabled": true}')),
    "key in the config": (
        {"api_key": SECRET},
        ('"mem0.api_key" must not stand in the config', "M0_API_KEY", "delete it here"),
    ),
    "indicator that TA-Lib does not know": (
        {"situation": {"indicators": ["ADXX(14)"]}},
        ("\"mem0.situation.indicators\" names 'ADXX(14)'", "no function ADXX", "ADX is near"),
    ),
    "path that is a file": (
        {"path": "{folder}/a_file"},
        ("a_file/journal.sqlite can not be", "'mem0.path'"),
    ),
}


@pytest.mark.parametrize(
    ("case", "subcommand"),
    [
        *((case, "backtesting") for case in WRONG),
        ("missing block", "trade"),
        ("path that is a file", "trade"),
    ],
)
def test_freqtrade_stops_with_one_sentence_that_helps(
    backtests: Backtests, tmp_path: Path, case: str, subcommand: str
) -> None:
    """The process ends with an error before it trades; key, rule and what to do are in one line."""
    block, words = WRONG[case]
    (tmp_path / "a_file").write_text("not a folder")
    if block is not None and "path" in block:
        block = {"path": str(tmp_path / "a_file")}
    database = f"sqlite:///{tmp_path / 'trades.sqlite'}"
    job = backtests.job(strategy_with_memory(), block, db_url=database)
    ended = run_freqtrade(subcommand, job)
    assert ended.code != 0, ended.output
    assert "Traceback" not in ended.output
    said = [line for line in ended.output.splitlines() if words[0] in line]
    assert len(said) == 1, ended.output
    assert all(word in _sentence(ended.output, said[0]) for word in words), ended.output
    assert SECRET not in ended.output
    assert not list((job.userdir / "backtest_results").glob("*.zip"))
    assert not (job.userdir / "mem0").exists()
    assert not list(tmp_path.rglob("journal.sqlite*"))


def _sentence(output: str, line: str) -> str:
    """Return a log entry with the lines it is broken into."""
    start = output.index(line)
    return output[start:].replace("\n", " ")
