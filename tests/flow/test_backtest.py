"""Backtests of the real Freqtrade: what was traded is what is remembered, and stakes follow it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from freqtrade_mem0.config.sizing import SizingSettings
from freqtrade_mem0.demo.candles import CandlePlan, write_candles, write_futures_candles
from freqtrade_mem0.demo.exchange.markets import markets_in
from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
from freqtrade_mem0.demo.freqtrade_config import freqtrade_config, write_config
from freqtrade_mem0.demo.freqtrade_run import Trades, load_backtest
from freqtrade_mem0.journal.ledger_line import LedgerLine
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.base import Mode, Origin, to_ms
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.flow.harness import Backtests, run_backtests
from tests.flow.scenarios import (
    FUTURES,
    FUTURES_NAMES,
    MOVING,
    SPOT,
    SPOT_NAMES,
    complaints,
    in_order,
    known_trades,
    ledger,
    memories_in_mem0,
    memory_in,
    numbers_of_record,
    numbers_of_trade,
    placed_amount,
    rows,
    trade_records,
    without_memory,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from freqtrade_mem0.demo.freqtrade_run import BacktestJob
    from freqtrade_mem0.records.decision import Decision
    from tests.flow.scenarios import Rows

pytestmark = pytest.mark.flow

PLAN = CandlePlan(pairs=("BTC/USDT", "ETH/USDT", "DOGE/USDT"), timeframe_minutes=5, days=5, seed=7)
SHORT_TIMERANGE = "20240101-20240103"
DETAILED = ("Stepwise", "Patient")
CUT_SHORT = ("Stepwise", "Patient", "Choosy", "OwnStake")
"""The others ask memory for stakes as these do."""
TIMERANGE = "20240101-20240105"
CUT = pd.Timestamp("2024-01-03 16:35", tz="UTC")
SIZING = SizingSettings()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """One strategy of a backtest: Freqtrade's side and memory's side."""

    trades: Trades
    run_id: str
    records: list[TradeRecord]
    lines: list[LedgerLine]
    log: str


@dataclass(frozen=True, slots=True)
class Lab:
    """Candles, a stand-in, and a folder for all backtests of this file."""

    url: str
    folder: Path

    @property
    def candles(self) -> Path:
        """The complete candles, 1m detail and futures included."""
        return self.folder / "candles"

    def backtests(self, datadir: Path) -> Backtests:
        """Return backtests on some candles."""
        return Backtests(
            url=self.url,
            datadir=datadir,
            pairs=PLAN.pairs,
            timeframe=PLAN.timeframe,
            folder=self.folder,
        )

    def spot(
        self, userdir: str, datadir: Path | None = None, names: Sequence[str] = SPOT_NAMES
    ) -> BacktestJob:
        """Return the job that runs spot strategies after one another."""
        job = self.backtests(datadir or self.candles).job(
            SPOT,
            MOVING,
            userdir=userdir,
            timerange=TIMERANGE,
            extra=["--enable-protections", "--strategy-list", *names],
        )
        return replace(job, strategy=names[-1])

    def futures(self, userdir: str) -> BacktestJob:
        """Return the job that runs all futures strategies; they bet all they have."""
        job = self.backtests(self.candles).job(
            FUTURES,
            userdir=userdir,
            timerange=TIMERANGE,
            extra=["--strategy-list", *FUTURES_NAMES],
        )
        pairs = [f"{pair}:USDT" for pair in PLAN.pairs]
        changes = {"mem0": dict(MOVING), "stake_amount": "unlimited"}
        write_config(job.config, freqtrade_config(self.url, pairs, "5m", futures=True, **changes))
        return job

    def detailed(self, userdir: str) -> BacktestJob:
        """Return the job that looks into the candles with 1m data."""
        job = self.backtests(self.candles).job(
            SPOT,
            MOVING,
            userdir=userdir,
            timerange=SHORT_TIMERANGE,
            extra=["--timeframe-detail", "1m", "--strategy-list", *DETAILED],
        )
        return replace(job, strategy=DETAILED[0])

    def stacked(self, userdir: str) -> BacktestJob:
        """Return the job that holds several trades of a pair at once, some entries unfilled."""
        job = self.backtests(self.candles).job(
            SPOT,
            MOVING,
            userdir=userdir,
            timerange=SHORT_TIMERANGE,
            extra=["--eps", "--strategy-list", "Patient"],
            max_open_trades=12,
        )
        return replace(job, strategy="Patient")


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Candles on disk and an exchange that knows their markets."""
    folder = tmp_path_factory.mktemp("lab")
    write_candles(folder / "candles", PLAN, detail=True)
    write_futures_candles(folder / "candles", PLAN)
    with ExchangeStandIn(markets_in(folder / "candles")) as exchange:
        yield Lab(exchange.url, folder)


@pytest.fixture(scope="module")
def ran(lab: Lab) -> dict[str, Ran]:
    """Every scenario, backtested once with memory; by strategy, with what is special before it."""
    jobs = [lab.spot("spot"), lab.futures("futures")]
    jobs += [lab.detailed("detail"), lab.stacked("stacked")]
    results = run_backtests(jobs[:2]) + run_backtests(jobs[2:])
    found = {}
    for job, result in zip(jobs, results, strict=True):
        names = job.extra[job.extra.index("--strategy-list") + 1 :]
        with memory_in(job.userdir) as store:
            for name in names:
                _, trades, run_id = load_backtest(job.userdir, name)
                special = job.userdir.name in ("detail", "stacked")
                prefix = f"{job.userdir.name}:" if special else ""
                found[prefix + name] = Ran(
                    trades=trades,
                    run_id=run_id,
                    records=trade_records(store, strategy=name),
                    lines=ledger(store, strategy=name),
                    log=result.log,
                )
    return found


SPECIAL = (*(f"detail:{name}" for name in DETAILED), "stacked:Patient")
EVERY = pytest.mark.parametrize("name", [*SPOT_NAMES, *FUTURES_NAMES, *SPECIAL])


@EVERY
def test_every_trade_is_remembered_once_with_freqtrades_numbers(
    ran: dict[str, Ran], name: str
) -> None:
    """Records equal the trades of Freqtrade's result file to the last digit; none twice."""
    remembered = in_order([numbers_of_record(record) for record in ran[name].records])
    traded = in_order([numbers_of_trade(trade) for trade in ran[name].trades])
    assert remembered == traded
    assert len(traded) > 30
    assert complaints(ran[name].log) == []


@EVERY
def test_records_carry_freqtrades_run_id(ran: dict[str, Ran], name: str) -> None:
    """Strategy, mode and run id of every record are those under which Freqtrade stored the run."""
    origins = {(r.origin.strategy, str(r.origin.mode), r.origin.run_id) for r in ran[name].records}
    assert origins == {(name.rpartition(":")[2], "backtest", ran[name].run_id)}
    assert all(record.known_at == record.close_date for record in ran[name].records)


@EVERY
def test_trades_cut_by_the_end_of_the_data_are_kept_but_no_evidence(
    ran: dict[str, Ran], name: str
) -> None:
    """A forced exit where the candles end is remembered and never counted."""
    for record in ran[name].records:
        assert record.is_evidence == (record.exit_reason != "force_exit")


@EVERY
def test_every_trade_has_one_ledger_line(ran: dict[str, Ran], name: str) -> None:
    """The ledger ties each trade to the decision it was opened with, and to its outcome."""
    lines = ran[name].lines
    assert len(lines) == len(ran[name].records)
    for line in lines:
        assert line.trade is not None
        assert line.trade.decision_id == line.decision.id
        assert line.trade.situation == line.decision.situation
        assert line.decision.decided_at == line.decision.open_date == line.trade.open_date
        assert (line.decision.pair, line.decision.side) == (line.trade.pair, line.trade.side)
        assert line.decision.enter_tag == line.trade.enter_tag
        assert line.decision.origin == line.trade.origin


@EVERY
def test_every_decision_explains_itself(ran: dict[str, Ran], name: str) -> None:
    """Reasons are there, their effects add up to the multiplier, and it stays in its bounds."""
    for line in ran[name].lines:
        decision = line.decision
        assert decision.reasons
        assert all(reason.words for reason in decision.reasons)
        effects = math.fsum(reason.effect for reason in decision.reasons)
        assert effects == pytest.approx(decision.multiplier - 1.0, abs=1e-12)
        assert SIZING.min_multiplier <= decision.multiplier <= SIZING.max_multiplier
        limits = {"min_stake", "max_stake", "free_slots"}
        limited = limits & {reason.name for reason in decision.reasons}
        if not limited:
            assert decision.stake == decision.proposed_stake * decision.multiplier


@EVERY
def test_multipliers_start_neutral_and_move_both_ways(ran: dict[str, Ran], name: str) -> None:
    """Without evidence a stake stays as proposed; with it some grow and others shrink."""
    decisions = [line.decision for line in ran[name].lines]
    first_close = min(record.close_date for record in ran[name].records)
    early = [d.multiplier for d in decisions if d.decided_at <= first_close]
    assert early
    assert set(early) == {1.0}
    assert min(d.multiplier for d in decisions) < 0.97
    assert len({d.multiplier for d in decisions}) > len(decisions) / 2


def test_some_stakes_grow(ran: dict[str, Ran]) -> None:
    """Memory raises stakes, too, and wallets that hold no more limit them with a reason."""
    decisions = [line.decision for one in ran.values() for line in one.lines]
    assert max(decision.multiplier for decision in decisions) > 1.1
    assert "max_stake" in {reason.name for d in decisions for reason in d.reasons}


@EVERY
def test_decisions_know_exactly_the_trades_closed_before(ran: dict[str, Ran], name: str) -> None:
    """The evidence of every decision is what Freqtrade's own file says was closed by then."""
    for line in ran[name].lines:
        moment_ms = to_ms(line.decision.decided_at)
        known = known_trades(ran[name].trades, moment_ms, SIZING.half_life_days)
        assert line.decision.n_effective == pytest.approx(known, abs=1e-9)


@EVERY
def test_freqtrade_places_the_decided_stake(ran: dict[str, Ran], lab: Lab, name: str) -> None:
    """The amount of the first entry order is the decided stake, cut to the exchange's steps."""
    markets = markets_in(lab.candles)
    steps = {market.base[:3]: float(f"1e-{market.amount_decimals}") for market in markets}
    traded = {(t["open_timestamp"], t["pair"]): t for t in ran[name].trades}
    for line in ran[name].lines:
        assert line.trade is not None
        assert line.decision.applied
        trade = traded[to_ms(line.trade.open_date), line.trade.pair]
        first = trade["orders"][0]
        assert first["amount"] == placed_amount(
            line.decision.stake, first["safe_price"], trade["leverage"], steps[trade["pair"][:3]]
        )


def test_own_stakes_are_the_proposals(ran: dict[str, Ran]) -> None:
    """A strategy's own `custom_stake_amount` is what memory scales; no stake stays no stake."""
    proposed = {
        (line.decision.enter_tag, line.decision.proposed_stake) for line in ran["OwnStake"].lines
    }
    assert proposed == {("dip", 250.0), ("calm", 500.0), ("ahead", 750.0)}
    unwanted = [
        t for t in ran["OwnStake"].trades if t["pair"] == "DOGE/USDT" and "T0" in t["open_date"]
    ]
    assert unwanted == []


def test_vetoed_entries_leave_no_decision(ran: dict[str, Ran], lab: Lab) -> None:
    """An entry the strategy itself refused is in no ledger; one that timed out has no trade."""
    with memory_in(lab.folder / "spot") as store:
        asked = {
            name: list(store.journal.ledger(Scope(strategy=name), only_opened=False))
            for name in ("Choosy", "Patient")
        }
    assert len(asked["Choosy"]) == len(ran["Choosy"].trades)
    assert not any(line.decision.decided_at.minute % 15 == 0 for line in asked["Choosy"])
    assert len(asked["Patient"]) > len(ran["Patient"].trades)


def test_scenarios_are_what_their_names_say(ran: dict[str, Ran]) -> None:
    """The data really contain steps, shorts, funding, liquidations, forced exits and detail."""
    assert max(record.n_entries for record in ran["Stepwise"].records) > 1
    assert max(record.n_exits for record in ran["Stepwise"].records) > 1
    assert max(record.n_exits for record in ran["Steps"].records) > 1
    assert {record.side for record in ran["Leveraged"].records} == {"long", "short"}
    assert {record.leverage for record in ran["Leveraged"].records} == {3.0, 5.0}
    assert any(record.funding_fees for record in ran["Steps"].records)
    assert any(record.exit_reason == "liquidation" for record in ran["Reckless"].records)
    assert any(not record.is_evidence for record in ran["Tagged"].records)
    assert any(record.close_date.minute % 5 for record in ran["detail:Stepwise"].records)
    stacked = sorted(ran["stacked:Patient"].records, key=lambda r: (r.pair, r.open_date))
    assert any(b.open_date < a.close_date for a, b in pairwise(stacked) if a.pair == b.pair)
    assert len(ran["Protected"].records) < len(ran["Tagged"].records)


def test_mem0_holds_every_record(ran: dict[str, Ran], lab: Lab) -> None:
    """Mem0 has as many trades as Freqtrade's file, per strategy, and all of the journal."""
    with memory_in(lab.folder / "spot") as store:
        for name in SPOT_NAMES:
            in_mem0 = memories_in_mem0(store, agent_id=name, kind="trade")
            assert in_mem0 == len(ran[name].trades)
            assert memories_in_mem0(store, run_id=ran[name].run_id, kind="trade") == in_mem0
        held = rows(store)
        assert held.waiting == 0
        assert held.memories == held.records


def test_memories_in_mem0_carry_the_whole_record(ran: dict[str, Ran], lab: Lab) -> None:
    """What Mem0 gives back is the record, every number of it."""
    from freqtrade_mem0.records.mapping import from_memory

    with memory_in(lab.folder / "futures") as store:
        filters = {"user_id": "freqtrade", "agent_id": "Steps", "kind": "trade"}
        back = {memory.id: from_memory(memory) for memory in store.backend.scan(filters=filters)}
    assert back == {record.id: record for record in ran["Steps"].records}


def test_liquidations_and_stops_are_risk_events(ran: dict[str, Ran], lab: Lab) -> None:
    """Every liquidation is noted as a risk event with what it cost."""
    with memory_in(lab.folder / "futures") as store:
        events = [
            event
            for _, event in store.journal.records(Scope(kind="risk_event", strategy="Reckless"))
            if isinstance(event, RiskEvent)
        ]
    impacts = [e.impact for e in events if e.event_type == "liquidation"]
    noted = sorted(impact for impact in impacts if isinstance(impact, float))
    records = ran["Reckless"].records
    assert noted == sorted(r.profit_ratio for r in records if r.exit_reason == "liquidation")


@pytest.fixture(scope="module")
def repeated(ran: dict[str, Ran], lab: Lab) -> tuple[Rows, Rows, dict[str, Trades]]:
    """What the memory of one job held before and after the same backtests were run once more."""
    assert ran
    job = lab.detailed("detail")
    with memory_in(job.userdir) as store:
        before = rows(store)
    cut = lab.folder / "cut"
    _cut_candles(lab.candles, cut)
    run_backtests([job, lab.spot("cut_short", cut, CUT_SHORT)])
    with memory_in(job.userdir) as store:
        after = rows(store)
    return before, after, {name: load_backtest(job.userdir, name)[1] for name in DETAILED}


def test_the_same_backtest_again_adds_nothing(
    ran: dict[str, Ran], repeated: tuple[Rows, Rows, dict[str, Trades]]
) -> None:
    """A second identical run leaves journal, ledger and Mem0 as they were, and trades the same."""
    before, after, trades = repeated
    assert after == before
    assert trades == {name: ran[f"detail:{name}"].trades for name in DETAILED}


@pytest.mark.parametrize("name", CUT_SHORT)
@pytest.mark.usefixtures("repeated")
def test_the_future_changes_no_stake(ran: dict[str, Ran], lab: Lab, name: str) -> None:
    """With all candles after a moment deleted, every decision before it is bit-identical."""
    with memory_in(lab.folder / "cut_short") as store:
        short = _decided_before_cut(ledger(store, strategy=name))
    whole = _decided_before_cut(ran[name].lines)
    assert short == whole
    assert len(whole) > 30
    assert len(whole) < len(ran[name].lines)


@pytest.fixture(scope="module")
def unscaled(lab: Lab) -> dict[str, dict[str, Trades]]:
    """Trades of runs in which memory must not scale, by kind of run and strategy."""
    names = ("Tagged", "OwnStake")
    sources_and_blocks = {
        "without": (without_memory(SPOT), None),
        "disabled": (SPOT, {"enabled": False}),
        "shadow": (SPOT, {"sizing": {"shadow": True, "policy": "response"}}),
        "off": (SPOT, {"sizing": {"policy": "off"}}),
    }
    jobs = [
        lab.backtests(lab.candles).job(
            source,
            block,
            userdir=f"unscaled_{kind}",
            timerange=SHORT_TIMERANGE,
            extra=["--strategy-list", *names],
        )
        for kind, (source, block) in sources_and_blocks.items()
    ]
    jobs = [replace(job, strategy="Tagged") for job in jobs]
    run_backtests(jobs[:2])
    run_backtests(jobs[2:])
    return {
        kind: {name: load_backtest(job.userdir, name)[1] for name in names}
        for kind, job in zip(sources_and_blocks, jobs, strict=True)
    }


@pytest.mark.parametrize("kind", ["disabled", "shadow", "off"])
def test_trades_are_those_without_memory(unscaled: dict[str, dict[str, Trades]], kind: str) -> None:
    """Disabled, in shadow mode or with the policy off, a backtest equals one without the mixin."""
    assert unscaled[kind] == unscaled["without"]
    assert all(len(trades) > 30 for trades in unscaled["without"].values())


@pytest.mark.usefixtures("unscaled")
def test_disabled_memory_writes_nothing(lab: Lab) -> None:
    """With `enabled: false` not even a folder is made."""
    assert not (lab.folder / "unscaled_disabled" / "mem0").exists()


@pytest.mark.parametrize(
    ("kind", "applied", "moves"), [("shadow", False, True), ("off", True, False)]
)
def test_the_ledger_is_filled_where_stakes_stay(
    lab: Lab,
    unscaled: dict[str, dict[str, Trades]],
    kind: str,
    applied: bool,
    moves: bool,
) -> None:
    """Shadow mode and the policy off keep every decision, with what it would have been."""
    with memory_in(lab.folder / f"unscaled_{kind}") as store:
        decisions = [line.decision for line in ledger(store, strategy="Tagged")]
    assert len(decisions) == len(unscaled[kind]["Tagged"])
    assert {decision.applied for decision in decisions} == {applied}
    assert (len({decision.multiplier for decision in decisions}) > 1) == moves
    assert {decision.proposed_stake for decision in decisions} == {500.0}
    assert all(decision.reasons for decision in decisions)


def _decided_before_cut(lines: list[LedgerLine]) -> list[Decision]:
    """Return decisions without the ids, which Freqtrade derives from the folders of a run, too."""
    nowhere = Origin(user_id="", strategy="", mode=Mode.BACKTEST, run_id="")
    return [
        replace(line.decision, id="", origin=nowhere, trade_id=None)
        for line in lines
        if line.decision.decided_at < CUT
    ]


def _cut_candles(source: Path, target: Path) -> None:
    """Copy spot candles up to, and without, the moment `CUT`."""
    target.mkdir()
    for path in source.glob("*-5m.feather"):
        candles = pd.read_feather(path)
        kept = candles[candles["date"] < CUT].reset_index(drop=True)
        kept.to_feather(target / path.name, compression_level=9, compression="lz4")
