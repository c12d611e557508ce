"""What a run may know: Freqtrade's cache, priors, the order of pairs, a strategy's own bias."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.demo.candles import CandlePlan, write_candles
from freqtrade_mem0.demo.exchange.markets import markets_in
from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
from freqtrade_mem0.recall.priors import promote, promotions, withdraw
from freqtrade_mem0.views.stats import stats
from tests.flow.harness import Backtests
from tests.flow.scenarios import CORE, ENABLED, ledger, memory_in, run_freqtrade, trade_records

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.demo.freqtrade_run import BacktestJob
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.kinds.trade import TradeRecord

pytestmark = pytest.mark.flow

TAGGED = f'''{CORE}

class Tagged(Mem0Mixin, Core):
    """Nothing but the mixin."""
'''

BIASED = f'''{CORE}

class Biased(Mem0Mixin, Core):
    """Looks at the next candle."""

    def populate_entry_trend(self, dataframe, metadata):
        rises = dataframe["close"].shift(-1) > dataframe["close"] * 1.002
        dataframe.loc[rises, ["enter_long", "enter_tag"]] = (1, "knows")
        return dataframe
'''

EARLY, LATE = "20240102-20240106", "20240107-20240110"
REUSED = "Reusing result of previous backtest"


def backtest(job: BacktestJob) -> str:
    """Run a backtest with Freqtrade's cache on, as users do; return what it printed."""
    ended = run_freqtrade("backtesting", job)
    assert ended.code == 0, ended.output
    return ended.output


def test_cache_and_knowledge_agree(backtests: Backtests) -> None:
    """A result is served from the cache as long as what memory knows is the same, and only then."""
    early = backtests.job(TAGGED, ENABLED, timerange=EARLY)
    late = replace(early, timerange=LATE)
    assert REUSED not in backtest(early)
    assert REUSED not in backtest(late)
    assert REUSED in backtest(late)
    with memory_in(late.userdir) as store:
        first_run, late_run = (record.origin for record in _one_trade_of_each_run(store))
        naive = {line.decision.n_effective for line in ledger(store, run_id=late_run.run_id)}
        promote(
            store.journal,
            user_id=first_run.user_id,
            source=first_run,
            strategy=first_run.strategy,
            provenance="a test",
            now=datetime.now(UTC),
        )
    assert REUSED not in backtest(late)
    assert REUSED in backtest(late)
    with memory_in(late.userdir) as store:
        newest = trade_records(store)[-1].origin
        informed = [line.decision.n_effective for line in ledger(store, run_id=newest.run_id)]
        assert min(naive) == 0.0
        assert min(informed) > 5.0
        for promotion in promotions(store.journal, first_run.user_id):
            withdraw(store.journal, promotion, datetime.now(UTC))
    # Freqtrade looks at its newest result only, so this one is computed again; it is the old run.
    assert REUSED not in backtest(late)
    with memory_in(late.userdir) as store:
        assert {record.origin for record in trade_records(store)} == {first_run, late_run, newest}
        assert {
            line.decision.n_effective for line in ledger(store, run_id=late_run.run_id)
        } == naive


def test_results_missed_by_memory_are_caught_up(backtests: Backtests) -> None:
    """A result served from the cache after the memory was deleted is remembered all the same."""
    job = backtests.job(TAGGED, ENABLED, timerange=EARLY)
    backtest(job)
    with memory_in(job.userdir) as store:
        before = {record.id: record.profit_abs for record in trade_records(store)}
        memory = store.folder
    for file in memory.iterdir():
        file.unlink() if file.is_file() else None
    assert REUSED in backtest(job)
    with memory_in(job.userdir) as store:
        assert {record.id: record.profit_abs for record in trade_records(store)} == before
        assert stats(store)["journal"]["by_kind"]["backtest"] == 1
        assert stats(store)["mem0"]["by_kind"]["trade"] == len(before)


def test_the_order_of_pairs_changes_no_stake(backtests: Backtests) -> None:
    """Within a candle no pair knows what another one just did, whichever is visited first."""
    decided = []
    for name, pairs in (("a", backtests.pairs), ("b", tuple(reversed(backtests.pairs)))):
        shuffled = replace(backtests, pairs=pairs)
        shuffled.run(TAGGED, ENABLED, userdir=name, timerange=EARLY)
        with memory_in(backtests.folder / name) as store:
            lines = ledger(store)
        decided.append(
            {
                (line.decision.pair, line.decision.decided_at): (
                    line.decision.multiplier,
                    line.decision.n_effective,
                )
                for line in lines
            }
        )
    assert len(decided[0]) > 50
    assert decided[0] == decided[1]


def test_lookahead_analysis_finds_the_bias_a_strategy_has(
    backtests: Backtests, tmp_path: Path
) -> None:
    """Memory neither hides a strategy's own look-ahead nor adds to what is reported."""
    job = backtests.job(BIASED, ENABLED, timerange=EARLY)
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
    with (tmp_path / "lookahead.csv").open(encoding="utf-8", newline="") as file:
        (found,) = csv.DictReader(file)
    assert found["has_bias"] == "True"
    assert not (job.userdir / "mem0").exists()


def test_the_same_run_on_other_candles_replaces_what_it_said(tmp_path: Path) -> None:
    """Freqtrade names a run after its config: on new candles, memory holds the new trades only."""
    datadir = tmp_path / "candles"
    plan = CandlePlan(pairs=("BTC/USDT", "ETH/USDT"), timeframe_minutes=5, days=8, seed=7)
    write_candles(datadir, plan)
    with ExchangeStandIn(markets_in(datadir)) as exchange:
        backtests = Backtests(
            url=exchange.url,
            datadir=datadir,
            pairs=plan.pairs,
            timeframe=plan.timeframe,
            folder=tmp_path,
        )
        first = backtests.run(TAGGED, ENABLED, timerange=EARLY)
        write_candles(datadir, replace(plan, seed=8))
        second = backtests.run(TAGGED, ENABLED, timerange=EARLY)
    assert first.run_id == second.run_id
    with memory_in(tmp_path / "user_data") as store:
        remembered = sorted((r.pair, r.profit_abs) for r in trade_records(store))
        in_mem0 = stats(store)["mem0"]["by_kind"]["trade"]
    assert remembered == sorted((t["pair"], t["profit_abs"]) for t in second.trades)
    assert in_mem0 == len(second.trades)


def _one_trade_of_each_run(store: MemoryFolder) -> list[TradeRecord]:
    newest = {record.origin: record for record in trade_records(store)}
    return list(newest.values())
