"""The copy with memory in real runs: the same entries and parameters, in every way to run it."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.run.replay import Replay
from tests.flow.harness import run_backtest
from tests.flow.scenarios import CORE, MOVING, complaints, ledger, memory_in, run_freqtrade
from tests.support.forked_python import run_forked
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from freqtrade_mem0.demo.freqtrade_run import Backtest, BacktestJob
    from tests.flow.harness import Backtests

pytestmark = pytest.mark.flow

TIMERANGE = "20240101-20240104"
TUNED = f'''
from freqtrade.strategy import IntParameter
{CORE}

class Tuned(Core):
    """A number to be found; no memory of its own."""

    low = IntParameter(25, 45, default=28, space="buy")

    def populate_entry_trend(self, dataframe, metadata):
        dip = dataframe["rsi"] < self.low.value
        dataframe.loc[dip, ["enter_long", "enter_tag"]] = (1, "dip")
        return dataframe
'''


@pytest.fixture
def wrapped(backtests: Backtests) -> BacktestJob:
    """The backtest of a strategy that was wrapped; `low` is 40 by its parameter file."""
    job = backtests.job(TUNED, MOVING, timerange=TIMERANGE)
    found = {"strategy_name": "Tuned", "params": {"buy": {"low": 40}}, "ft_stratparam_v": 1}
    (job.strategy_path / "tuned.json").write_text(json.dumps(found))
    assert wrap(job) == 0
    return replace(job, strategy="TunedMem0")


def wrap(job: BacktestJob, *more: str) -> int:
    """Run `freqtrade-mem0 wrap` on the strategy of a backtest; return its exit code."""
    options = ("-c", str(job.config), "--userdir", str(job.userdir))
    return main(["wrap", "-s", "Tuned", *options, *more])


def entries(backtest: Backtest) -> list[tuple[str, int, str]]:
    """Return what was entered, in order of pair and time."""
    return sorted(
        (trade["pair"], trade["open_timestamp"], trade["enter_tag"]) for trade in backtest.trades
    )


def test_the_copy_enters_as_the_original_does(wrapped: BacktestJob) -> None:
    """With the original's parameters; stakes are memory's; a change of the original is noticed."""
    plain = run_backtest(replace(wrapped, strategy="Tuned"))
    sized = run_backtest(wrapped)
    assert len(plain.trades) > 10
    assert entries(sized) == entries(plain)
    assert complaints(sized.log) == []
    with memory_in(wrapped.userdir, MOVING) as store:
        lines = ledger(store)
        replay = Replay(store, lines[0].decision.origin)
        again = [replay.again(line.decision) for line in lines]
    # Asked again under the same settings, memory says the same, bit for bit.
    assert [decision.reasons for decision in again] == [line.decision.reasons for line in lines]
    assert {line.decision.origin.strategy for line in lines} == {"TunedMem0"}
    assert len({line.decision.multiplier for line in lines}) > 10

    file = wrapped.strategy_path / "tuned.py"
    file.write_text(file.read_text() + "\n# another version\n")
    changed = run_backtest(wrapped)
    assert changed.run_id != sized.run_id


def test_freqtrade_lists_and_runs_both_until_the_copy_is_deleted(wrapped: BacktestJob) -> None:
    """Each once, in one run if wanted; wrapping again changes nothing."""
    copy = wrapped.strategy_path / "tuned_mem0.py"
    text = copy.read_text()
    assert wrap(wrapped) == 1
    assert wrap(wrapped, "--force") == 0
    assert copy.read_text() == text
    both = run_freqtrade("backtesting", wrapped, "--strategy-list", "Tuned", "TunedMem0")
    assert both.code == 0, both.output
    assert complaints(both.output) == []
    with memory_in(wrapped.userdir, MOVING) as store:
        assert {line.decision.origin.strategy for line in ledger(store)} == {"TunedMem0"}

    copy.unlink()
    alone = run_freqtrade("backtesting", replace(wrapped, strategy="Tuned"))
    assert alone.code == 0, alone.output
    gone = run_freqtrade("backtesting", wrapped)
    assert "Impossible to load Strategy 'TunedMem0'" in gone.output


def test_hyperopt_of_the_copy_with_two_workers(wrapped: BacktestJob) -> None:
    """It finds parameters of the copy's own, which count from then on; the original's stay."""
    before = (wrapped.strategy_path / "tuned.json").read_text()
    ended = run_freqtrade(
        "hyperopt",
        wrapped,
        *("-j", "2", "-e", "2", "--spaces", "buy", "--random-state", "42", "--min-trades", "1"),
        *("--hyperopt-loss", "OnlyProfitHyperOptLoss"),
    )
    assert ended.code == 0, ended.output
    assert complaints(ended.output) == []
    (results,) = (wrapped.userdir / "hyperopt_results").glob("*.fthypt")
    assert len(results.read_text().splitlines()) == 2
    own = json.loads((wrapped.strategy_path / "tuned_mem0.json").read_text())
    assert own["strategy_name"] == "TunedMem0"
    assert (wrapped.strategy_path / "tuned.json").read_text() == before


def test_an_original_that_is_gone_is_one_sentence(wrapped: BacktestJob) -> None:
    """Freqtrade says it and stops; nothing is traded."""
    (wrapped.strategy_path / "tuned.py").unlink()
    ended = run_freqtrade("backtesting", wrapped)
    assert ended.code != 0
    assert "tuned.py is gone. Restore it" in ended.output


def test_compare_runs_the_copy_both_ways(wrapped: BacktestJob) -> None:
    """Without memory it is the original; with memory, stakes change."""
    options = (
        *("-c", str(wrapped.config), "--userdir", str(wrapped.userdir)),
        *("-d", str(wrapped.datadir), "--timerange", TIMERANGE, "--jobs", "1", "--json"),
    )
    command = [sys.executable, "-m", "freqtrade_mem0.cli.main", "compare", "-s", "TunedMem0"]
    ended = run_forked(
        [*command, *options],
        timeout=HANG_S,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
    )
    assert ended.returncode == 0, ended.stderr.decode()
    (strategy,) = json.loads(ended.stdout)["strategies"]
    runs = strategy["freqtrade"]
    assert runs["without"]["total_trades"] == runs["with_memory"]["total_trades"] > 10
    assert strategy["changed_stakes"] > 10
