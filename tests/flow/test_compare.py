"""The comparison in real runs: both are Freqtrade's own, and nothing of the user's is touched."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0 import AgentMemory
from freqtrade_mem0.compare.engine.backtest import Job
from freqtrade_mem0.compare.engine.pool import run_all
from freqtrade_mem0.core_memory.rules import rules
from freqtrade_mem0.demo.candles import CandlePlan, write_candles, write_futures_candles
from freqtrade_mem0.demo.exchange.markets import markets_in
from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
from freqtrade_mem0.demo.freqtrade_config import freqtrade_config, write_config
from freqtrade_mem0.demo.freqtrade_run import BacktestJob
from tests.flow.conftest import PLAN
from tests.flow.harness import (
    PLAIN_STRATEGY,
    Backtests,
    run_backtests,
    strategy_with_memory,
    write_strategy,
)
from tests.flow.scenarios import FUTURES, SPOT
from tests.support.forked_python import run_forked
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from collections.abc import Sequence

    from freqtrade_mem0.compare.engine.pool import Outcome

pytestmark = pytest.mark.flow

ROOT = Path(__file__).parents[2]
TIMERANGE = "20240101-20240106"

CONDITIONS = {
    "rsi < 40": 0.9,
    "rsi < 50": 0.95,
    "trend > 0": 1.1,
    "momentum > 0": 1.03,
    "volatility_rank > 0.5": 0.97,
    "range_position > 0.5": 1.06,
    "range_position > 0.8": 1.02,
    "volume_ratio > 1": 0.98,
}
MOVING = {
    "enabled": True,
    "mode": "local",
    "sizing": {"policy": "rules", "rules": {"conditions": CONDITIONS}},
}
"""Moves stakes from the second trade on; the default policy hardly would."""

COUNTING = '''
from freqtrade.strategy import IStrategy
from freqtrade_mem0.mixin import Mem0Mixin


class Counting(Mem0Mixin, IStrategy):
    """Has the mixin already, and stakes that depend on how often it was asked before."""

    timeframe = "5m"
    stoploss = -0.2
    minimal_roi = {"0": 0.005}
    asked = {}

    def populate_indicators(self, dataframe, metadata):
        self.asked[metadata["pair"]] = 0
        return dataframe

    def populate_entry_trend(self, dataframe, metadata):
        dataframe.loc[dataframe["volume"] > 0, "enter_long"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe, metadata):
        return dataframe

    def custom_stake_amount(self, pair, current_time, current_rate, proposed_stake, min_stake,
                            max_stake, leverage, entry_tag, side, **kwargs):
        self.asked[pair] += 1
        return 100 + self.asked[pair] % 7 * 50
'''

BROKEN = COUNTING.replace("Counting", "Broken").replace(
    'self.asked[metadata["pair"]] = 0', 'dataframe["no_such_column"]'
)

IDLE = COUNTING.replace("Counting", "Idle").replace('["volume"] > 0', '["volume"] < 0')


FUTURES_PLAN = CandlePlan(pairs=("BTC/USDT", "ETH/USDT"), timeframe_minutes=5, days=4, seed=11)


def options_of(job: BacktestJob) -> tuple[str, ...]:
    """Return the options that `compare` passes on to Freqtrade."""
    return (
        *("--config", str(job.config), "--userdir", str(job.userdir)),
        *("--datadir", str(job.datadir), "--strategy-path", str(job.strategy_path)),
        *("--timerange", TIMERANGE),
    )


def compared(job: BacktestJob, folder: Path, names: Sequence[str]) -> dict[str, Outcome]:
    """Compare strategies with the options of a backtest."""
    jobs = [Job(strategy=name, options=options_of(job), folder=folder / name) for name in names]
    outcomes = run_all(jobs, n_processes=2, watch=lambda _: None)
    return {outcome.strategy: outcome for outcome in outcomes}


@pytest.fixture(scope="module")
def counting(
    quiet_exchange: ExchangeStandIn, datadir: Path, tmp_path_factory: pytest.TempPathFactory
) -> BacktestJob:
    """A backtest of `COUNTING`, with the other strategies in its folder."""
    job = Backtests(
        url=quiet_exchange.url,
        datadir=datadir,
        pairs=PLAN.pairs,
        timeframe=PLAN.timeframe,
        folder=tmp_path_factory.mktemp("counting"),
    ).job(COUNTING, MOVING)
    for name, source in (("Broken", BROKEN), ("Idle", IDLE), ("Spot", SPOT)):
        write_strategy(job.strategy_path, name, source)
    return job


@pytest.fixture(scope="module")
def outcomes(counting: BacktestJob, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    """The strategies of that folder, compared in one pool of processes."""
    names = ["Counting", "Broken", "Idle", "Stepwise", "Patient"]
    return compared(counting, tmp_path_factory.mktemp("memory"), names)


def test_both_runs_are_what_freqtrade_makes_of_them(backtests: Backtests, tmp_path: Path) -> None:
    """Its numbers are those of `freqtrade backtesting` with mixin and without; no file stays."""
    job = backtests.job(PLAIN_STRATEGY, MOVING, userdir="compared")
    before = set(job.userdir.rglob("*"))
    page = tmp_path / "report.html"

    answer = compare_command(job, "--html", str(page))

    new = set(job.userdir.rglob("*")) - before
    left = {path for path in new if path.is_file() and path.suffix != ".pyc"}
    assert left == {job.userdir / "mem0" / "compare-trials.jsonl"}
    (strategy,) = answer["strategies"]
    plain, sized = run_backtests(
        [
            backtests.job(PLAIN_STRATEGY, userdir="plain", timerange=TIMERANGE),
            backtests.job(strategy_with_memory(), MOVING, userdir="sized", timerange=TIMERANGE),
        ]
    )
    for side, run in (("without", plain), ("with_memory", sized)):
        shown = strategy["freqtrade"][side]
        assert shown["total_trades"] == run.metrics.n_trades > 20
        assert shown["profit_total_abs"] == pytest.approx(run.metrics.profit_quote)
        assert shown["sharpe"] == pytest.approx(run.metrics.sharpe)
        assert shown["max_drawdown_account"] == pytest.approx(run.metrics.max_drawdown_ratio)
        assert shown["avg_stake_amount"] == pytest.approx(run.metrics.mean_stake_quote)
    assert strategy["finding"] == "too_little_data"
    assert strategy["changed_stakes"] > 0
    spread = strategy["multiplier_spread"]
    assert 0.0 <= spread["on_noise"] < 1.0
    assert 0.0 < spread["real"] < 1.0
    assert [stress["name"] for stress in strategy["stresses"]] == [
        "fees_plus_50_percent",
        "entries_one_candle_later",
    ]
    fees = strategy["figures"]["without"]["fees_quote"]
    lost = strategy["figures"]["without"]["total_return"] * 365 / strategy["days"]
    lost -= strategy["stresses"][0]["return_without"]
    assert lost == pytest.approx(0.5 * fees / strategy["starting_balance"] * 365 / strategy["days"])
    assert strategy["account"] is None  # the policy of this comparison keeps none
    assert strategy["trials"]["settings_tried"] == 1
    rules = {"policy": "rules", "rules": {"conditions": CONDITIONS | {"rsi < 50": 0.8}}}
    other = backtests.job(PLAIN_STRATEGY, MOVING | {"sizing": rules}, userdir="compared")
    again = compare_command(other, "--timerange", "20240101-20240104")
    assert again["strategies"][0]["trials"]["settings_tried"] == 2
    assert "<svg" in page.read_text(encoding="utf-8")


def test_a_rule_is_tried_in_freqtrades_engine(backtests: Backtests) -> None:
    """With memory in both runs; what comes out is kept with the rule, and says it is in sample."""
    job = backtests.job(PLAIN_STRATEGY, MOVING, userdir="tried")
    folder = job.userdir / "mem0"
    with AgentMemory("learner", folder, config=job.config) as memory:
        kept = memory.propose_rule(
            {"strategy": job.strategy, "when": ["rsi < 50"], "scale": 0.5, "note": "less in dips"}
        )
    answer = compare_command(job, "--rule", kept[:8])
    assert (answer["rule"], answer["sample"], answer["finding"]) == (kept, "in", "in_sample")
    assert answer["trades"] > 20
    assert 0 < answer["touched"] < answer["trades"]
    assert answer["exposure_ratio"] < 1.0
    assert "in sample" in answer["verdict"]
    with AgentMemory("learner", folder, config=job.config) as memory:
        (row,) = rules(memory.client.folder, memory.client.user_id)
    assert row["state"] == "tried"
    assert row["steps"][0]["figures"]["touched"] == answer["touched"]


def compare_command(job: BacktestJob, *more: str) -> Any:
    """Return what `freqtrade-mem0 compare --json` answers."""
    command = [sys.executable, "-m", "freqtrade_mem0.cli.main", "compare", "-s", job.strategy]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = run_forked(
        [*command, *options_of(job), "--json", *more],
        check=True,
        timeout=HANG_S,
        env=environment,
    )
    return json.loads(done.stdout)


def test_nothing_of_one_run_reaches_the_other(outcomes: dict[str, Outcome]) -> None:
    """A strategy that counts proposes the same stakes in both runs; memory only scales them."""
    runs = outcomes["Counting"].runs
    assert runs is not None
    without, remembered = runs

    assert len(without.trades) > 20
    assert {trade.multiplier for trade in without.trades} == {1.0}
    assert len({round(trade.multiplier, 3) for trade in remembered.trades}) > 5
    assert [t.entry for t in without.trades] == [t.entry for t in remembered.trades]
    for plain, sized in zip(without.trades, remembered.trades, strict=True):
        assert sized.stake_quote / sized.multiplier == pytest.approx(plain.stake_quote, rel=0.01)
        assert sized.profit_ratio == pytest.approx(plain.profit_ratio, abs=1e-4)


def test_a_strategy_that_fails_does_not_stop_the_others(outcomes: dict[str, Outcome]) -> None:
    """The broken one has its error; one that never trades has an empty run."""
    broken, idle = outcomes["Broken"], outcomes["Idle"]

    assert broken.runs is None
    assert "no_such_column" in broken.error
    assert idle.runs is not None
    assert [run.trades for run in idle.runs] == [(), ()]
    assert idle.error == ""


@pytest.mark.parametrize("name", ["Stepwise", "Patient"])
def test_trades_in_steps_and_late_fills_find_their_decisions(
    outcomes: dict[str, Outcome], name: str
) -> None:
    """Added to, sold in part, filled late: stake, fees and turnover are those of the orders."""
    outcome = outcomes[name]
    assert outcome.runs is not None, outcome.error
    for run in outcome.runs:
        assert len(run.trades) > 50
        for trade in run.trades:
            assert trade.fees_quote == pytest.approx(0.001 * trade.turnover_quote)
            assert trade.exposure_quote_days >= 0.0
    late = [trade for trade in outcome.runs[1].trades if trade.open_date.day > 3]
    assert [trade.entry for trade in late if not trade.regime] == []
    assert len({round(trade.multiplier, 3) for trade in late}) > 10


def test_futures_with_leverage_and_shorts(tmp_path: Path) -> None:
    """Exposure is stake times leverage times the time it was held, for longs and shorts."""
    write_candles(tmp_path / "candles", FUTURES_PLAN)
    write_futures_candles(tmp_path / "candles", FUTURES_PLAN)
    with ExchangeStandIn(markets_in(tmp_path / "candles")) as exchange:
        pairs = [f"{pair}:USDT" for pair in FUTURES_PLAN.pairs]
        job = BacktestJob(
            config=write_config(
                tmp_path / "futures" / "config.json",
                freqtrade_config(exchange.url, pairs, "5m", futures=True),
            ),
            userdir=tmp_path / "futures",
            datadir=tmp_path / "candles",
            strategy="Leveraged",
            strategy_path=write_strategy(tmp_path / "futures" / "strategies", "F", FUTURES),
        )
        outcome = compared(job, tmp_path / "memory", ["Leveraged"])["Leveraged"]
    assert outcome.runs is not None, outcome.error
    for run in outcome.runs:
        assert {trade.side for trade in run.trades} == {"long", "short"}
        for trade in run.trades:
            assert trade.leverage == (3.0 if trade.side == "short" else 5.0)
            held_days = (trade.close_date - trade.open_date).total_seconds() / 86_400.0
            at_work = trade.stake_quote * trade.leverage
            assert trade.exposure_quote_days == pytest.approx(at_work * held_days)
            assert trade.turnover_quote == pytest.approx(2.0 * at_work, rel=0.1)


def test_without_forking_the_runs_are_the_same(
    counting: BacktestJob, outcomes: dict[str, Outcome], tmp_path: Path
) -> None:
    """Where a system can not fork safely, everything is loaded twice instead."""
    runs = outcomes["Counting"].runs
    assert runs is not None
    script = """
import pickle, sys
from multiprocessing import Semaphore
from pathlib import Path
from freqtrade_mem0.compare.engine import fork, run_both
from freqtrade_mem0.compare.engine.backtest import Job

fork.IS_SAFE = False
folder = Path(sys.argv[1])
job = Job(strategy="Counting", options=tuple(sys.argv[2:]), folder=folder / "memory")
trades = [run.trades for run in run_both.run_both(job, lambda *_: None, slots=Semaphore(2))]
(folder / "trades.pickle").write_bytes(pickle.dumps(trades))
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path), *options_of(counting)],
        capture_output=True,
        check=False,
        timeout=HANG_S,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
    )

    assert done.returncode == 0, done.stderr.decode()[-2_000:]
    trades = pickle.loads((tmp_path / "trades.pickle").read_bytes())  # noqa: S301 - our own
    assert trades == [run.trades for run in runs]
