"""Risk in backtests of the real Freqtrade: events, damped stakes, damped leverage, vetoes."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.demo.candles import CandlePlan, write_candles, write_futures_candles
from freqtrade_mem0.demo.exchange.markets import markets_in
from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
from freqtrade_mem0.demo.freqtrade_config import freqtrade_config, write_config
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.kinds.risk import RiskEvent
from tests.flow.harness import Backtests, run_backtests
from tests.flow.scenarios import CORE, FUTURES, complaints, ledger, memory_in, trade_records

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freqtrade_mem0.journal.ledger_line import LedgerLine

pytestmark = pytest.mark.flow

GUARDED = f'''{CORE}

class Guarded(Mem0Mixin, Core):
    """A tight stop, and a protection that locks after two."""

    stoploss = -0.008
    protections = [
        {{"method": "CooldownPeriod", "stop_duration_candles": 2}},
        {{"method": "StoplossGuard", "lookback_period_candles": 60, "trade_limit": 2,
         "stop_duration_candles": 6, "only_per_pair": False}},
    ]
'''

PERIOD = "20240101-20240109"
SEVERITY = 0.4
DAMPED: Mapping[str, Any] = {
    "mode": "local",
    "risk": {
        "damping": {
            "enabled": True,
            "half_life_days": 2,
            "severity": {"stop_loss_cluster": SEVERITY, "liquidation": 0, "drawdown": 0},
        }
    },
}


def run(backtests: Backtests, userdir: str, mem0: Mapping[str, Any]) -> str:
    """Run the backtest and return its log."""
    done = backtests.run(
        GUARDED, mem0, userdir=userdir, timerange=PERIOD, extra=["--enable-protections"]
    )
    assert complaints(done.log) == []
    return done.log


def remembered(folder: Path, mem0: Mapping[str, Any]) -> tuple[list[RiskEvent], list[LedgerLine]]:
    """Return the events and the ledger of a user folder, both by market time."""
    with memory_in(folder, mem0) as store:
        records = [record for _, record in store.journal.records(Scope(kind="risk_event"))]
        events = [record for record in records if isinstance(record, RiskEvent)]
        return sorted(events, key=lambda event: event.known_at), ledger(store)


def test_stop_loss_clusters_damp_what_follows(backtests: Backtests) -> None:
    """With damping the stakes after a cluster are smaller by just its share; before it, equal."""
    off = {"mode": "local"}
    run(backtests, "off", off)
    run(backtests, "on", DAMPED)
    events, plain = remembered(backtests.folder / "off", off)
    damped_events, damped = remembered(backtests.folder / "on", DAMPED)
    kinds = {event.event_type for event in events}
    assert {"stop_loss", "stop_loss_cluster", "protection_lock"} <= kinds
    assert {event.response for event in events} == {"noted; stakes are not damped by it"}

    clusters = [e.known_at for e in damped_events if e.event_type == "stop_loss_cluster"]
    assert [e.known_at for e in events if e.event_type == "stop_loss_cluster"] == clusters
    without = {(line.decision.decided_at, line.decision.pair): line.decision for line in plain}
    before = after = 0
    for line in damped:
        decision = line.decision
        undamped = without[decision.decided_at, decision.pair]
        ages_days = [(decision.decided_at - c).total_seconds() / 86_400 for c in clusters]
        shares = [SEVERITY * 2.0 ** (-age / 2.0) for age in ages_days if age > 0.0]
        factor = math.prod(1.0 - share for share in shares if share >= 0.001)
        assert decision.multiplier == pytest.approx(max(0.25, undamped.multiplier * factor))
        effects = math.fsum(reason.effect for reason in decision.reasons)
        assert effects == pytest.approx(decision.multiplier - 1.0)
        is_smaller = decision.stake < undamped.stake
        before, after = before + (factor == 1.0), after + is_smaller
        if factor == 1.0:
            assert decision.stake == undamped.stake
        else:
            assert is_smaller or undamped.multiplier == 0.25
    assert before >= 5
    assert after > 20


def test_the_same_backtest_again_notes_nothing_new(backtests: Backtests) -> None:
    """Same ids and same content, locks and volatility included."""
    found = []
    for _ in range(2):
        run(backtests, "again", {"mode": "local"})
        with memory_in(backtests.folder / "again") as store:
            with store.journal.connection.read() as sqlite:
                (n_rows,) = sqlite.execute("SELECT count(*) FROM records").fetchone()
            found.append(n_rows)
    assert found[0] == found[1]


def test_a_veto_leaves_trades_out_and_decisions_in(backtests: Backtests) -> None:
    """Everything is refused once a cluster damped enough; the ledger says so."""
    severity = {"stop_loss_cluster": 0.9, "liquidation": 0, "drawdown": 0}
    damping = {"enabled": True, "half_life_days": 2, "severity": severity}
    mem0 = {"mode": "local", "risk": {"damping": damping}, "sizing": {"veto_below": 0.5}}
    run(backtests, "veto", mem0)
    with memory_in(backtests.folder / "veto", mem0) as store:
        lines = list(store.journal.ledger(only_opened=False))
        trades = trade_records(store)
    vetoed = [line for line in lines if line.decision.reasons[-1].name == "vetoed"]
    assert vetoed
    assert all(line.trade is None and line.decision.multiplier < 0.5 for line in vetoed)
    entered = {(to_ms(trade.open_date), trade.pair) for trade in trades}
    assert entered
    assert not entered & {(to_ms(v.decision.decided_at), v.decision.pair) for v in vetoed}


def test_a_liquidation_damps_the_leverage_that_follows(tmp_path: Path) -> None:
    """On futures: what the strategy asks for times what is left, of that pair alone."""
    plan = CandlePlan(
        pairs=("BTC/USDT", "ETH/USDT", "DOGE/USDT"), timeframe_minutes=5, days=12, seed=7
    )
    write_candles(tmp_path / "candles", plan)
    write_futures_candles(tmp_path / "candles", plan)
    severity = {"liquidation": 0.5, "drawdown": 0}
    damping = {"enabled": True, "half_life_days": 2, "severity": severity}
    mem0 = {"mode": "local", "risk": {"damping": damping, "leverage": True}}
    pairs = [f"{pair}:USDT" for pair in plan.pairs]
    with ExchangeStandIn(markets_in(tmp_path / "candles")) as exchange:
        backtests = Backtests(
            url=exchange.url,
            datadir=tmp_path / "candles",
            pairs=plan.pairs,
            timeframe=plan.timeframe,
            folder=tmp_path,
        )
        job = backtests.job(FUTURES, userdir="futures")
        config = freqtrade_config(exchange.url, pairs, "5m", futures=True, mem0=mem0)
        write_config(job.config, config)
        run_backtests([replace(job, strategy="Reckless")])
    with memory_in(tmp_path / "futures", mem0) as store:
        trades = trade_records(store)
    liquidated = [trade for trade in trades if trade.exit_reason == "liquidation"]
    n_damped = 0
    for trade in trades:
        ages_days = [
            (trade.open_date - other.known_at).total_seconds() / 86_400
            for other in liquidated
            if other.pair == trade.pair and other.known_at < trade.open_date
        ]
        shares = [0.5 * 2.0 ** (-age / 2.0) for age in ages_days]
        factor = math.prod(1.0 - share for share in shares if share >= 0.001)
        assert trade.leverage == pytest.approx(max(1.0, 30.0 * max(factor, 0.25)))
        n_damped += factor < 1.0
    assert n_damped > 3
    assert n_damped < len(trades)
