"""Importing real backtests: what the file gives is what was captured while they ran."""

from __future__ import annotations

import json
import shutil
import zipfile
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.demo.candles import CandlePlan, write_candles, write_futures_candles
from freqtrade_mem0.demo.exchange.markets import markets_in
from freqtrade_mem0.demo.exchange.server import ExchangeStandIn
from freqtrade_mem0.demo.freqtrade_config import freqtrade_config, write_config
from freqtrade_mem0.demo.freqtrade_run import BacktestJob, load_backtest
from freqtrade_mem0.importers.catch_up import catch_up
from freqtrade_mem0.importers.importer import import_files
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records.base import Record, to_ms
from freqtrade_mem0.records.kinds.backtest import BacktestRecord
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.flow.harness import Backtests, run_backtest
from tests.flow.scenarios import FUTURES, in_order, numbers_of_record, numbers_of_trade

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.flow

OF_MARKET = ("volatility_regime_change", "protection_lock")
PLAN = CandlePlan(pairs=("BTC/USDT", "ETH/USDT"), timeframe_minutes=5, days=6, seed=7)
PAIRS = [f"{pair}:USDT" for pair in PLAN.pairs]
NAMES = ("Leveraged", "Steps")
LOCAL = {"enabled": True, "mode": "local"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """A backtest of both strategies, with memory."""

    job: BacktestJob
    captured: list[Record]

    @property
    def results(self) -> Path:
        """Freqtrade's folder of results."""
        return self.job.userdir / "backtest_results"

    @property
    def archive(self) -> Path:
        """The result."""
        (path,) = self.results.glob("*.zip")
        return path


@contextmanager
def memory(userdir: Path) -> Iterator[MemoryFolder]:
    """Open the memory of a user folder."""
    store = MemoryFolder(Settings(mode="local"), userdir)
    try:
        yield store
    finally:
        store.close()


def remembered(store: MemoryFolder) -> list[Record]:
    """Return all records, in order of arrival."""
    return [record for _, record in store.journal.records()]


def without_context(records: list[Record]) -> dict[str, Record]:
    """Return trades and risk events by id, without what only the running backtest knows."""
    found: dict[str, Record] = {}
    for record in records:
        plain = replace(record, recorded_at=record.known_at)
        if isinstance(plain, TradeRecord):
            plain = replace(plain, decision_id=None, situation={})
        # What was seen of candles and locks stands in no file.
        is_of_market = isinstance(plain, RiskEvent) and plain.event_type in OF_MARKET
        if not isinstance(plain, BacktestRecord) and not is_of_market:
            found[record.id] = plain
    return found


def wholes(store: MemoryFolder) -> dict[str, BacktestRecord]:
    """Return the records of whole backtests by strategy."""
    return {
        record.origin.strategy: record
        for record in remembered(store)
        if isinstance(record, BacktestRecord)
    }


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """Two strategies on futures: shorts, leverage, funding, steps and exits in part."""
    folder = tmp_path_factory.mktemp("import")
    write_candles(folder / "candles", PLAN)
    write_futures_candles(folder / "candles", PLAN)
    with ExchangeStandIn(markets_in(folder / "candles")) as exchange:
        backtests = Backtests(
            url=exchange.url,
            datadir=folder / "candles",
            pairs=PAIRS,
            timeframe=PLAN.timeframe,
            folder=folder,
        )
        job = backtests.job(FUTURES, extra=["--strategy-list", *NAMES])
        config = freqtrade_config(exchange.url, PAIRS, "5m", futures=True, mem0=LOCAL)
        write_config(job.config, config)
        job = replace(job, strategy=NAMES[0])
        run_backtest(job)
    with memory(job.userdir) as store:
        captured = remembered(store)
    return Ran(job=job, captured=captured)


def test_a_file_gives_the_records_that_were_captured(ran: Ran, tmp_path: Path) -> None:
    """Same ids and same content, but for what stands in no file: situation and decision."""
    with memory(tmp_path) as store:
        report = import_files(store, [ran.archive])
        imported = without_context(remembered(store))
        assert imported == without_context(ran.captured)
        assert len(wholes(store)) == len(NAMES)
        assert report.n_new == report.n_found == len(imported) + len(NAMES)
    assert sum(isinstance(record, TradeRecord) for record in imported.values()) > 100


def test_trades_equal_freqtrades_to_the_last_digit(ran: Ran, tmp_path: Path) -> None:
    """Every number of every trade is that of the file."""
    with memory(tmp_path) as store:
        import_files(store, [ran.results])
        for name in NAMES:
            _, trades, run_id = load_backtest(ran.job.userdir, name)
            records = [
                record
                for record in store.records(kind="trade", strategy=name, run_id=run_id)
                if isinstance(record, TradeRecord)
            ]
            assert in_order([numbers_of_record(record) for record in records]) == in_order(
                [numbers_of_trade(trade) for trade in trades]
            )
            for record in records:
                assert record.is_evidence == (record.exit_reason != "force_exit")


def test_a_whole_backtest_has_freqtrades_numbers(ran: Ran, tmp_path: Path) -> None:
    """Its metrics are the statistics of the file, its dates and pairs are those of the run."""
    stem = ran.archive.stem
    with zipfile.ZipFile(ran.archive) as archive:
        stored = json.loads(archive.read(f"{stem}.json"))["strategy"]
    with memory(tmp_path) as store:
        import_files(store, [ran.archive])
        found = wholes(store)
    for name in NAMES:
        said, record = stored[name], found[name]
        assert record.n_trades == said["total_trades"] == len(said["trades"])
        assert (record.profit_ratio, record.profit_abs) == (
            said["profit_total"],
            said["profit_total_abs"],
        )
        assert to_ms(record.start_date) == said["backtest_start_ts"]
        assert to_ms(record.known_at) == to_ms(record.end_date) == said["backtest_end_ts"]
        assert record.pairs == tuple(said["pairlist"])
        assert (record.timeframe, record.stake_currency) == ("5m", "USDT")
        for metric in ("sharpe", "sortino", "calmar", "profit_factor", "max_drawdown_account"):
            assert record.metrics[metric] == said[metric]
        assert record.metrics["wallet_stats.sharpe"] == said["wallet_stats"]["sharpe"]
        assert len(record.config_fingerprint) == 64
    assert found[NAMES[0]].config_fingerprint == found[NAMES[1]].config_fingerprint


def test_importing_again_adds_nothing(ran: Ran, tmp_path: Path) -> None:
    """Neither the same file nor the folder it is in."""
    with memory(tmp_path) as store:
        import_files(store, [ran.archive])
        before = remembered(store)
        again = import_files(store, [ran.archive, ran.results])
        assert (again.n_new, again.n_known) == (0, len(before))
        assert remembered(store) == before


def test_importing_over_captured_records_changes_nothing(ran: Ran, tmp_path: Path) -> None:
    """The captured records keep what only they know; at most the whole run is added."""
    shutil.copytree(ran.job.userdir / "mem0", tmp_path / "mem0")
    with memory(tmp_path) as store:
        import_files(store, [ran.archive])
        after = remembered(store)
        assert after[: len(ran.captured)] == ran.captured
        assert all(isinstance(record, BacktestRecord) for record in after[len(ran.captured) :])
        assert len(wholes(store)) == len(NAMES)
    assert all(record.situation for record in after if isinstance(record, TradeRecord))


def test_a_memory_that_was_deleted_catches_up(ran: Ran, tmp_path: Path) -> None:
    """From the results in the user folder; once, and only what belongs to it."""
    shutil.copytree(ran.results, tmp_path / "backtest_results")
    with memory(tmp_path) as store:
        taken = catch_up(store, tmp_path / "backtest_results")
        assert without_context(remembered(store)) == without_context(ran.captured)
        assert [file.path.suffix for file in taken.files] == [".zip"]
        assert catch_up(store, tmp_path / "backtest_results").files == ()
    other = MemoryFolder(Settings(mode="local", user_id="somebody-else"), tmp_path / "other")
    assert catch_up(other, tmp_path / "backtest_results").files == ()
    other.close()


def test_the_command_imports_and_promotes(
    ran: Ran, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`import --as-prior` says in JSON what it did; nothing to import is a failure."""
    command = ["import", "-c", str(ran.job.config), "--userdir", str(tmp_path), "--json"]
    code = main([*command, "--as-prior", "-s", "Steps", str(ran.archive)])
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    with memory(tmp_path) as store:
        n_records = len(remembered(store))
        promoted = store.records(kind="promotion")

    assert code == 0
    assert (said["new"], said["priors"], said["pending"]) == (n_records - 1, 1, 0)
    assert said["files"][0]["skipped"] == [{"what": "Leveraged", "why": "another strategy"}]
    assert [record.origin.strategy for record in promoted] == ["Steps"]
    (tmp_path / "empty.zip").touch()
    assert main([*command, str(tmp_path / "empty.zip")]) == 1
    assert main([*command, str(tmp_path / "nothing_here")]) == 1


def test_the_table_names_what_was_left_out(
    ran: Ran, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A person reads the counts, and a line for the file that is none of Freqtrade's."""
    (tmp_path / "notes.txt").write_text("buy low", encoding="utf-8")
    command = ["import", "-c", str(ran.job.config), "--userdir", str(tmp_path)]
    code = main([*command, str(ran.archive), str(tmp_path / "notes.txt")])
    table = capsys.readouterr().out

    assert code == 0
    assert "new records, 0 known" in table
    assert ran.archive.name in table
    assert "is no file of Freqtrade's" in table
