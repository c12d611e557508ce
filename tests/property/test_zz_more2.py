"""Whatever a file of Freqtrade's holds: what can not be taken is named, the rest is imported."""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import datetime
from itertools import product
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from freqtrade_mem0.importers.catch_up import catch_up
from freqtrade_mem0.importers.importer import ImportOptions, import_files
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.kinds.backtest import BacktestRecord
from freqtrade_mem0.records.kinds.trade import TradeRecord
from freqtrade_mem0.records.mapping import to_memory
from tests.support.hostile_values import anything, extremes, nested
from tests.support.wait import HANG_S
from tests.unit.importers.result_files import (
    OLD_EPOCHS,
    OLD_RESULT,
    a_result_trade,
    a_store,
    statistics,
    write_result,
)

if TYPE_CHECKING:
    from freqtrade_mem0.importers.report import ImportReport
    from freqtrade_mem0.memory_folder import MemoryFolder

TRADE_FIELDS = sorted(a_result_trade())
STATISTICS = sorted(statistics([]))
GOOD_EPOCH = OLD_EPOCHS.read_bytes().splitlines()[1]
EPOCH_FIELDS = ["is_best", "results_metrics", "current_epoch", "loss", "params_details"]
ROOT = Path(__file__).parents[2]


def imported(store: MemoryFolder, *paths: Path) -> ImportReport:
    """Import files; all that was taken can be read back and told to Mem0."""
    report = import_files(store, paths, ImportOptions(as_prior=True))
    for _, record in store.journal.records():
        to_memory(record)
    assert len(list(store.journal.records())) == report.n_new + report.n_priors
    return report


def n_trades(store: MemoryFolder, strategy: str) -> int:
    """Return how many trades of a strategy the journal has."""
    trades = store.journal.of_kind(TradeRecord)
    return sum(trade.origin.strategy == strategy for trade in trades)


@settings(max_examples=200)
@given(st.sampled_from(TRADE_FIELDS), anything | extremes)
def test_any_value_of_any_field_of_a_trade(field: str, value: object) -> None:
    """The trade is taken as far as it is in range, or named; the two others count."""
    with TemporaryDirectory() as folder:
        bad = a_result_trade(2, **{field: value})
        content = statistics([a_result_trade(1), a_result_trade(3)])
        content = content | {"trades": [a_result_trade(1), bad, a_result_trade(3)]}
        store = a_store(Path(folder) / "mem0")
        report = imported(store, write_result(Path(folder), {"Good": content}))
        found = n_trades(store, "Good")
        named = [skip.what for skip in report.files[0].skipped]
        assert (found, len(named)) in {(3, 0), (2, 1)}, report.files[0].skipped
        assert found == 3 or "trade 2" in named[0]
        n_set_aside = len(named) * (field != "is_open")
        assert [each.source for each in store.journal.set_aside()] == ["import"] * n_set_aside
        store.close()


@settings(max_examples=200)
@given(st.sampled_from([*STATISTICS, "metadata", "new"]), anything | extremes | nested)
def test_any_value_of_any_statistic(field: str, value: object) -> None:
    """The run is taken, or named; the other strategy of the file is imported."""
    with TemporaryDirectory() as folder:
        content = statistics([a_result_trade(1)])
        store = a_store(Path(folder) / "mem0")
        good = {"Good": content, "Odd": content, "Other": content}
        path = write_result(Path(folder), good)
        with_odd = {"strategy": good | {"Odd": content | {field: value}}}
        about = path.with_name(f"{path.stem}.meta.json")
        if field == "metadata":
            about.write_text(json.dumps(json.loads(about.read_text()) | {"Odd": value}))
        path.write_text(json.dumps(with_odd))
        report = imported(store, path)
        assert n_trades(store, "Good") == n_trades(store, "Other") == 1
        assert n_trades(store, "Odd") == 1 or "Odd" in str(report.files[0].skipped)
        store.close()


@settings(max_examples=200)
@given(st.text(max_size=5) | st.just("x" * 5_000), anything)
def test_any_name_of_a_strategy_and_any_config(name: Any, config: Any) -> None:
    """A name that no record can hold does not stop the others."""
    with TemporaryDirectory() as folder:
        content = statistics([a_result_trade(1)])
        store = a_store(Path(folder) / "mem0")
        path = write_result(Path(folder), {"Good": content, name: content}, config=config)
        report = imported(store, path)
        assert n_trades(store, "Good") == 1
        assert n_trades(store, name) == 1 or report.files[0].skipped
        store.close()


@settings(max_examples=200)
@given(st.binary(max_size=200), st.integers(0, 4_000), st.sampled_from(["zip", "json", "fthypt"]))
def test_any_bytes_of_a_file(noise: bytes, position: int, suffix: str) -> None:
    """Alone, or in the middle of a good file; the file beside it is imported."""
    with TemporaryDirectory() as folder:
        store = a_store(Path(folder) / "mem0")
        source = write_result(Path(folder) / "made", {"Odd": statistics([a_result_trade(1)])})
        good = {"zip": source, "json": OLD_RESULT, "fthypt": OLD_EPOCHS}[suffix].read_bytes()
        changed = Path(folder) / f"b.{suffix}"
        changed.write_bytes(good[:position] + noise + good[position + len(noise) :])
        alone = Path(folder) / f"a.{suffix}"
        alone.write_bytes(noise)
        beside = write_result(Path(folder) / "good", {"Good": statistics([a_result_trade(1)])})
        report = imported(store, changed, alone, beside)
        assert n_trades(store, "Good") == 1
        assert all(each.n_found or each.skipped for each in report.files)
        assert "not known" not in str([each.skipped for each in report.files])
        store.close()


@settings(max_examples=200)
@given(st.sampled_from([*EPOCH_FIELDS, "line"]), anything | extremes | nested)
def test_any_epoch_of_hyperopt(field: str, value: object) -> None:
    """The good epochs before and behind it are taken."""
    odd = json.loads(GOOD_EPOCH) | {"current_epoch": 50}
    epoch = value if field == "line" else odd | {field: value}
    behind = json.dumps(json.loads(GOOD_EPOCH) | {"current_epoch": 99})
    with TemporaryDirectory() as folder:
        store = a_store(Path(folder) / "mem0")
        path = Path(folder) / OLD_EPOCHS.name
        path.write_text("\n".join([GOOD_EPOCH.decode(), json.dumps(epoch), behind]))
        report = imported(store, path)
        found = [record.origin.run_id for record in store.journal.of_kind(BacktestRecord)]
        assert {f"{path.stem}:2", f"{path.stem}:99"} <= set(found)
        assert len(found) == 3 or report.files[0].skipped
        store.close()


@settings(max_examples=200)
@given(
    st.binary(max_size=50) | (anything | extremes | nested).map(lambda x: json.dumps(x).encode()),
    st.sampled_from(["whole", "strategy", "run_id", "backtest_start_time", "backtest_start_ts"]),
)
def test_any_metadata_beside_a_missed_backtest(noise: bytes, place: str) -> None:
    """What looks for missed runs at the end of every backtest takes the good one."""
    with TemporaryDirectory() as folder:
        results = Path(folder) / "backtest_results"
        content = {"Good": statistics([a_result_trade(1)])}
        name = "backtest-result-2024-07-01_12-00-03"
        odd = write_result(results, content, name=name, run_id="b" * 40)
        write_result(results, content)
        about = json.loads(odd.with_name(f"{odd.stem}.meta.json").read_text())["Good"]
        text = noise
        if place != "whole":
            try:
                value = json.loads(noise)
            except (ValueError, RecursionError):
                value = noise.decode(errors="replace")
            said = {"Good": value if place == "strategy" else about | {place: value}}
            text = json.dumps(said).encode()
        odd.with_name(f"{odd.stem}.meta.json").write_bytes(text)
        store = a_store(Path(folder))
        catch_up(store, results)
        assert f"Good-{'a' * 40}" in {
            record.origin.run_id for record in store.journal.of_kind(TradeRecord)
        }
        store.close()


@pytest.mark.flow
def test_any_value_in_any_column_of_a_trade_database(tmp_path: Path) -> None:
    """Each odd trade is taken or named by its number; all others are imported."""
    path = tmp_path / "tradesv3.dryrun.sqlite"
    command = [sys.executable, "-m", "tests.unit.importers.bot_database", str(path)]
    printed = subprocess.check_output(command, cwd=ROOT, timeout=HANG_S)
    good = {
        (each["pair"], datetime.fromisoformat(each["open_date"])) for each in json.loads(printed)
    }
    odd = _add_odd_trades(path)
    store = a_store(tmp_path / "mem0")
    report = import_files(store, [path], ImportOptions(mode=Mode.DRY_RUN))
    records = list(store.journal.of_kind(TradeRecord))
    pairs = {record.pair for record in records}
    assert good <= {(record.pair, record.open_date) for record in records}
    named = {skip.what.split()[1] for skip in report.files[0].skipped}
    assert len(odd) > 500
    assert [
        (trade_id, column, value)
        for trade_id, (column, value) in odd.items()
        if f"ODD{trade_id}/USDT" not in pairs and str(trade_id) not in named and column != "pair"
    ] == []
    store.close()


def _add_odd_trades(path: Path) -> dict[int, tuple[str, object]]:
    """Copy a closed trade once for each column and odd value; return the ids of the copies."""
    values = ["", "x", b"\xff\x00", 1e300, -1e300, 2**62, "9999-12-31 23:59:59", "NaN", None]
    odd: dict[int, tuple[str, object]] = {}
    with closing(sqlite3.connect(path)) as sqlite:
        sqlite.row_factory = sqlite3.Row
        trade = dict(sqlite.execute("SELECT * FROM trades WHERE pair = 'ETH/USDT'").fetchone())
        orders = sqlite.execute("SELECT * FROM orders WHERE ft_trade_id = ?", [trade["id"]])
        rows = [dict(row) for row in orders.fetchall()]
        places = [("trades", each) for each in trade] + [("orders", each) for each in rows[0]]
        places = [each for each in places if each[1] not in {"id", "ft_trade_id", "is_open"}]
        for number, ((table, column), value) in enumerate(product(places, values)):
            trade_id = 1_000 + number
            change = {column: value}
            own = {"id": trade_id, "pair": f"ODD{trade_id}/USDT"}
            try:
                _insert(sqlite, "trades", trade | own | (change if table == "trades" else {}))
                for place, row in enumerate(rows):
                    ids = {"id": trade_id * 10 + place, "order_id": f"{trade_id}-{place}"}
                    changed = row | ids | {"ft_trade_id": trade_id}
                    _insert(sqlite, "orders", changed | (change if table == "orders" else {}))
            except sqlite3.IntegrityError:
                sqlite.rollback()  # SQLite itself refuses such a value
            else:
                sqlite.commit()
                odd[trade_id] = (column, value)
    return odd


def _insert(sqlite: sqlite3.Connection, table: str, row: dict[str, Any]) -> None:
    marks = ", ".join("?" * len(row))
    names = ", ".join(row)
    query = f"INSERT INTO {table} ({names}) VALUES ({marks})"  # noqa: S608 - our own names
    sqlite.execute(query, list(row.values()))


def test_a_damaged_database_is_named(tmp_path: Path) -> None:
    """No traceback, and the other files are imported."""
    store = a_store(tmp_path / "mem0")
    damaged = tmp_path / "tradesv3.sqlite"
    shutil.copy(ROOT / "tests" / "assets" / "tradesv3-2021.dryrun.sqlite", damaged)
    damaged.write_bytes(damaged.read_bytes()[:2_000])
    beside = write_result(tmp_path / "good", {"Good": statistics([a_result_trade(1)])})
    report = imported(store, damaged, beside)
    assert n_trades(store, "Good") == 1
    assert [file.path.name for file in report.files if file.skipped] == [damaged.name]
    store.close()
