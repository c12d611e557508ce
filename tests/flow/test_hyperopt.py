"""Hyperopt and the analyses: memory works inside an epoch, and nothing of it is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.demo.freqtrade_run import BacktestJob
from tests.flow.harness import Backtests
from tests.flow.scenarios import CORE, Ended, complaints, ledger, memory_in, run_freqtrade

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.demo.exchange.server import ExchangeStandIn

pytestmark = pytest.mark.flow

TUNED = f'''
from freqtrade.strategy import DecimalParameter, IntParameter
{CORE}

class Tuned(Mem0Mixin, Core):
    """Two numbers to be found."""

    low = IntParameter(25, 45, default=32, space="buy")
    width = DecimalParameter(0.2, 2.0, decimals=1, default=0.5, space="buy")

    def populate_entry_trend(self, dataframe, metadata):
        dip = dataframe["rsi"] < self.low.value
        calm = (dataframe["rsi"] - 55).abs() < self.width.value
        for tag, signal in (("calm", calm), ("dip", dip)):
            dataframe.loc[signal, ["enter_long", "enter_tag"]] = (1, tag)
        return dataframe
'''

MOVING = {"enabled": True, "sizing": {"policy": "kelly"}}
"""Its stakes move at once, so that epochs differ."""

TIMERANGE = "20240101-20240104"
EPOCHS = 4
OPTIONS = ("--spaces", "buy", "-e", str(EPOCHS), "--random-state", "42", "--min-trades", "1")
LOSS = ("--hyperopt-loss", "OnlyProfitHyperOptLoss")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tuning:
    """A finished hyperopt.

    Parameters
    ----------
    ended
        How the process ended.
    epochs
        Freqtrade's own results, by the parameters as text.
    job
        Its folders.
    """

    ended: Ended
    epochs: Mapping[str, dict[str, Any]]
    job: BacktestJob


@pytest.fixture(scope="module")
def tunings(
    quiet_exchange: ExchangeStandIn, datadir: Path, tmp_path_factory: pytest.TempPathFactory
) -> dict[int, Tuning]:
    """The same hyperopt with one worker and with two; by number of workers."""
    found = {}
    for workers in (1, 2):
        backtests = _backtests(quiet_exchange, datadir, tmp_path_factory.mktemp("hyperopt"))
        job = backtests.job(TUNED, MOVING, timerange=TIMERANGE)
        ended = run_freqtrade("hyperopt", job, "-j", str(workers), *OPTIONS, *LOSS)
        found[workers] = Tuning(ended=ended, epochs=_epochs(job.userdir), job=job)
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_hyperopt_runs_to_its_end_and_writes_no_memory(
    tunings: dict[int, Tuning], workers: int
) -> None:
    """All epochs are evaluated, in one process or in several, and no memory folder appears."""
    tuning = tunings[workers]
    assert tuning.ended.code == 0, tuning.ended.output
    assert complaints(tuning.ended.output) == []
    assert len(tuning.epochs) == EPOCHS
    assert not (tuning.job.userdir / "mem0").exists()
    assert all(epoch["results_metrics"]["total_trades"] > 20 for epoch in tuning.epochs.values())


def test_the_number_of_workers_changes_no_result(tunings: dict[int, Tuning]) -> None:
    """Equal parameters give equal results in one process and in several: no epoch sees another."""
    one, two = tunings[1].epochs, tunings[2].epochs
    assert set(one) == set(two)
    for parameters, epoch in one.items():
        assert _outcome(epoch["results_metrics"]) == _outcome(two[parameters]["results_metrics"]), (
            parameters
        )


def test_an_epoch_equals_a_backtest_with_its_parameters(
    tunings: dict[int, Tuning], quiet_exchange: ExchangeStandIn, datadir: Path
) -> None:
    """The best epoch's profit and trades are those of a backtest with what it exported."""
    tuning = tunings[2]
    exported = json.loads((tuning.job.strategy_path / "tuned.json").read_text())
    best = min(tuning.epochs.values(), key=lambda epoch: float(epoch["loss"]))
    assert exported["params"]["buy"] == best["params_dict"]
    backtests = _backtests(quiet_exchange, datadir, tuning.job.userdir.parent)
    result = backtests.run(TUNED, MOVING, timerange=TIMERANGE)
    assert len(result.trades) == best["results_metrics"]["total_trades"]
    assert result.metrics.profit_quote == best["results_metrics"]["profit_total_abs"]
    assert result.metrics.mean_stake_quote == best["results_metrics"]["avg_stake_amount"]
    with memory_in(tuning.job.userdir) as store:
        multipliers = {line.decision.multiplier for line in ledger(store)}
    assert len(multipliers) > 20


def test_lookahead_analysis_runs_and_writes_no_memory(
    quiet_exchange: ExchangeStandIn, datadir: Path, tmp_path: Path
) -> None:
    """lookahead-analysis ends with its verdict, finds no bias in the stakes and keeps nothing."""
    job = _backtests(quiet_exchange, datadir, tmp_path).job(TUNED, MOVING, timerange=TIMERANGE)
    ended = run_freqtrade(
        "lookahead-analysis",
        job,
        "--targeted-trade-amount",
        "5",
        "--minimum-trade-amount",
        "2",
        "--lookahead-analysis-exportfilename",
        str(tmp_path / "lookahead.csv"),
    )
    assert ended.code == 0, ended.output
    assert complaints(ended.output) == []
    verdict = (tmp_path / "lookahead.csv").read_text().splitlines()
    found = dict(zip(verdict[0].split(","), verdict[1].split(","), strict=True))
    assert (found["strategy"], found["has_bias"]) == ("Tuned", "False")
    assert not (job.userdir / "mem0").exists()


def test_recursive_analysis_runs_and_writes_no_memory(
    quiet_exchange: ExchangeStandIn, datadir: Path, tmp_path: Path
) -> None:
    """recursive-analysis ends with its table and keeps nothing."""
    job = _backtests(quiet_exchange, datadir, tmp_path).job(TUNED, MOVING, timerange=TIMERANGE)
    ended = run_freqtrade("recursive-analysis", job, "--startup-candle", "60", "120")
    assert ended.code == 0, ended.output
    assert complaints(ended.output) == []
    assert "Recursive Analysis" in ended.output
    assert not (job.userdir / "mem0").exists()


def _backtests(exchange: ExchangeStandIn, datadir: Path, folder: Path) -> Backtests:
    return Backtests(
        url=exchange.url,
        datadir=datadir,
        pairs=("BTC/USDT", "ETH/USDT", "DOGE/USDT"),
        timeframe="5m",
        folder=folder,
    )


def _epochs(userdir: Path) -> dict[str, dict[str, Any]]:
    (path,) = (userdir / "hyperopt_results").glob("*.fthypt")
    epochs = [json.loads(line) for line in path.read_text().splitlines()]
    return {json.dumps(epoch["params_dict"], sort_keys=True): epoch for epoch in epochs}


def _outcome(metrics: Mapping[str, Any]) -> dict[str, Any]:
    names = ("total_trades", "profit_total_abs", "profit_total", "avg_stake_amount", "wins")
    return {name: metrics[name] for name in names}
