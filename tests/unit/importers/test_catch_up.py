"""Catching up: results that belong to this memory and are not in it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from shutil import rmtree
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.importers import catch_up as module
from freqtrade_mem0.importers.catch_up import catch_up
from freqtrade_mem0.records.base import to_ms
from freqtrade_mem0.records.from_trade import trade_identity
from freqtrade_mem0.records.kinds.backtest import BacktestRecord
from freqtrade_mem0.records.kinds.retraction import retraction
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.support.samples import BACKTEST, a_decision
from tests.unit.importers.result_files import (
    MINUTE_MS,
    START_MS,
    a_result_trade,
    a_store,
    statistics,
    write_result,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder

CONTENT = statistics([a_result_trade(1), a_result_trade(2)])
NOW = datetime(2030, 1, 1, tzinfo=UTC)
LATER_S = 4_000_000_000


@pytest.fixture
def userdir(tmp_path: Path) -> Path:
    """Return a user folder."""
    return tmp_path / "user_data"


@pytest.fixture
def results(userdir: Path) -> Path:
    """Return the folder of results; it is not there yet."""
    return userdir / "backtest_results"


@pytest.fixture
def store(userdir: Path) -> Iterator[MemoryFolder]:
    """Return the empty memory of the user folder."""
    store = a_store(userdir)
    yield store
    store.close()


def test_unknown_results_are_taken_once(store: MemoryFolder, results: Path) -> None:
    """Afterwards no file is opened any more."""
    write_result(results, {"One": CONTENT, "Two": CONTENT})
    assert catch_up(store, results).n_new == 6
    assert catch_up(store, results).files == ()


def test_a_strategy_without_memory_is_left_out(store: MemoryFolder, results: Path) -> None:
    """Its config says nothing: it is shared with strategies that have the mixin."""
    write_result(results, {"Plain": CONTENT}, source="class Plain(IStrategy): ...")
    report = catch_up(store, results)
    assert report.n_new == 0
    (skipped,) = report.files[0].skipped
    assert (skipped.what, skipped.why) == ("Plain", "it ran without memory; 'import' takes it")

    owner = store.settings.user_id
    store.journal.append([a_decision(1, origin=replace(BACKTEST, strategy="Plain", user_id=owner))])
    assert catch_up(store, results).n_new == 3  # the ledger knows the strategy


def test_known_runs_are_not_opened(
    store: MemoryFolder, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the metadata is read."""
    write_result(results, {"One": CONTENT})
    catch_up(store, results)

    def no_opening(path: Path) -> None:
        raise AssertionError(f"{path} was opened")

    monkeypatch.setattr(module, "read_config", no_opening)
    assert catch_up(store, results).files == ()


@pytest.mark.parametrize(
    ("config", "belongs"),
    [
        ({"mem0": {"enabled": True}}, True),
        ({"mem0": {}}, True),
        ({"mem0": {"user_id": "freqtrade", "sizing": {"policy": "off"}}}, True),
        ({"mem0": {"enabled": False}}, False),
        ({"mem0": {"user_id": "somebody-else"}}, False),
        ({"mem0": {"path": "elsewhere"}}, False),
        ({"mem0": {}, "user_data_dir": "elsewhere"}, False),
        ({"mem0": {"key_of_another_version": 1}}, False),
        ({"mem0": "yes"}, False),
        ({}, False),
    ],
)
def test_only_results_of_this_memory_are_taken(
    store: MemoryFolder, results: Path, config: dict[str, Any], belongs: bool
) -> None:
    """The config in the file has memory on, with this owner and this folder."""
    write_result(results, {"One": CONTENT}, config=config)
    assert catch_up(store, results).n_new == (3 if belongs else 0)


def test_a_memory_in_a_folder_of_its_own(tmp_path: Path, results: Path) -> None:
    """A result that names the folder belongs to it; one that names none does not."""
    store = a_store(tmp_path, path=tmp_path / "shared")
    here = {"mem0": {"path": str(tmp_path / "shared")}}
    write_result(results, {"Here": CONTENT}, name="here", config=here)
    write_result(results, {"There": CONTENT}, name="there", run_id="b")
    taken = catch_up(store, results).files
    store.close()

    assert [file.path.stem for file in taken] == ["here"]


def test_a_run_on_other_days_is_a_later_result(store: MemoryFolder, results: Path) -> None:
    """Freqtrade keeps the run id; the metadata tells that the candles are others."""
    write_result(results, {"One": CONTENT}, name="backtest-result-1")
    catch_up(store, results)
    longer = statistics(
        [a_result_trade(number) for number in (1, 2, 3)],
        backtest_end_ts=START_MS + 9 * 1_440 * MINUTE_MS,
    )
    write_result(results, {"One": longer}, name="backtest-result-2", ran_at_s=LATER_S)

    assert catch_up(store, results).n_new == 2
    assert _whole(store).n_trades == 3
    assert catch_up(store, results).files == ()


def test_what_was_just_run_is_looked_at_in_any_case(store: MemoryFolder, results: Path) -> None:
    """On the same days a run can end differently, with candles that were downloaded again."""
    write_result(results, {"One": CONTENT}, name="backtest-result-1")
    catch_up(store, results)
    changed = statistics([a_result_trade(1), a_result_trade(2, profit_abs=-3.0)])
    write_result(results, {"One": changed}, name="backtest-result-2", ran_at_s=LATER_S)
    began = datetime.fromtimestamp(LATER_S, tz=UTC)

    assert catch_up(store, results).files == ()
    assert catch_up(store, results, fresh_since=began).n_new == 2
    assert _whole(store).profit_abs == changed["profit_total_abs"]


def test_files_that_are_being_written_wait(store: MemoryFolder, results: Path) -> None:
    """Freqtrade writes the metadata first, then the archive; any of them may be half there."""
    path = write_result(results, {"One": CONTENT})
    whole = path.read_bytes()
    path.unlink()
    assert catch_up(store, results).n_new == 0
    path.write_bytes(whole[:200])
    assert catch_up(store, results).n_new == 0
    for half in ("", "{", '{"One": 1}', '{"One": {"run_id": 1}}', "[]"):
        (results / "backtest-result-9.meta.json").write_text(half, encoding="utf-8")
        assert catch_up(store, results).n_new == 0
    path.write_bytes(whole)
    assert catch_up(store, results).n_new == 3


def test_no_folder_is_no_result(store: MemoryFolder, results: Path) -> None:
    """Also where a file stands in its place."""
    assert catch_up(store, results).files == ()
    results.parent.mkdir(parents=True, exist_ok=True)
    results.write_text("", encoding="utf-8")
    assert catch_up(store, results).files == ()


def test_nothing_is_caught_up_where_results_are_not_written(userdir: Path, results: Path) -> None:
    """The category of trades and backtests is switched off."""
    store = a_store(userdir, categories={"strategy_performance": False})
    write_result(results, {"One": CONTENT})
    report = catch_up(store, results)
    store.close()
    assert report.files == ()


def test_a_run_from_freqtrades_cache_is_found_again(store: MemoryFolder, results: Path) -> None:
    """Of several files with the same run the newest is opened, the others are not."""
    for name in ("backtest-result-1", "backtest-result-2"):
        write_result(results, {"One": CONTENT}, name=name)
    about = json.loads((results / "backtest-result-1.meta.json").read_text(encoding="utf-8"))

    assert [file.path.stem for file in catch_up(store, results).files] == ["backtest-result-2"]
    assert _whole(store).origin.run_id == about["One"]["run_id"]


def _whole(store: MemoryFolder) -> BacktestRecord:
    (record,) = [r for _, r in store.journal.records() if isinstance(r, BacktestRecord)]
    return record


def test_a_run_this_process_recorded_is_not_taken_apart(
    store: MemoryFolder, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where its trades are in the journal, all and no others, the run as a whole is noted."""
    write_result(results, {"One": CONTENT}, name="backtest-result-1")
    catch_up(store, results)
    whole = _whole(store)
    store.journal.append([retraction(whole, "as if it had not been noted yet", NOW)])
    run = ("One", whole.origin.run_id)

    def no_reading(*_: object) -> None:
        raise AssertionError("the trades were read")

    with monkeypatch.context() as patched:
        patched.setattr("freqtrade_mem0.importers.importer.trade_records", no_reading)
        taken = catch_up(store, results, recorded={run})
    (file,) = taken.files
    assert (file.n_found, file.skipped) == (1, [])


@pytest.mark.parametrize("difference", ["missing", "other run", "too many", "unusable"])
def test_a_recorded_run_that_differs_from_its_result_is_taken_apart(
    store: MemoryFolder, results: Path, difference: str
) -> None:
    """Interrupted, or with trades of other candles: the result has the last word."""
    write_result(results, {"One": CONTENT}, name="backtest-result-1")
    catch_up(store, results)
    whole = _whole(store)
    trades = [r for _, r in store.journal.records() if isinstance(r, TradeRecord)]
    store.close()
    rmtree(store.folder)
    run = ("Two" if difference == "other run" else "One", whole.origin.run_id)
    if difference == "missing":
        trades = trades[:1]
    if difference == "too many":
        opened = trades[0].open_date - timedelta(days=1)
        other = trade_identity(whole.origin, trades[0].pair, trades[0].side, to_ms(opened))
        trades.append(replace(trades[0], id=other, open_date=opened))
    if difference == "unusable":
        odd = {**CONTENT, "trades": [*CONTENT["trades"], {"pair": "ETH/USDT"}]}
        write_result(results, {"One": odd}, name="backtest-result-1")
    store.journal.append(trades)
    catch_up(store, results, recorded={run})

    kept = [r for _, r in store.journal.records() if isinstance(r, TradeRecord)]
    assert {trade.pair for trade in kept} == {trade.pair for trade in trades}
    assert len(kept) == _whole(store).n_trades == 2
