"""JSON results of 2021: other names, no metadata, no archive."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.importers.report import ImportFileError
from freqtrade_mem0.importers.results import Result, content_run_id, read_results
from freqtrade_mem0.importers.to_records import backtest_record, trade_records
from tests.support.samples import NOTED
from tests.unit.importers.result_files import (
    OLD_RESULT,
    a_result_trade,
    statistics,
    write_result,
)

if TYPE_CHECKING:
    from freqtrade_mem0.records.kinds.trade import TradeRecord


def old_result(strategy: str) -> Result:
    """Return one strategy of the old file."""
    return next(result for result in read_results(OLD_RESULT) if result.strategy == strategy)


def only_trade(folder: Path, **changes: Any) -> TradeRecord:
    """Return the record of one trade in a file, some of its keys changed."""
    content = statistics([a_result_trade(**changes)])
    (result,) = read_results(write_result(folder, {"Sample": content}))
    records, skipped = trade_records(result, "me", NOTED)
    if skipped:
        raise RecordError(skipped[0].why)
    return records[0]


def test_old_trades_have_freqtrades_numbers() -> None:
    """Every number is the file's; what it does not know is what spot without a tag was."""
    records, skipped = trade_records(old_result("Older"), "me", NOTED)
    stored = json.loads(OLD_RESULT.read_text(encoding="utf-8"))["strategy"]["Older"]["trades"]

    names = ("pair", "open_rate", "close_rate", "amount", "stake_amount", "profit_ratio")
    assert [[getattr(r, name) for name in names] for r in records] == [
        [trade[name] for name in names] for trade in stored
    ]
    assert skipped == []
    first = records[0]
    assert (first.side, first.leverage, first.funding_fees, first.enter_tag) == ("long", 1, 0, "")
    assert (first.n_entries, first.n_exits, first.max_stake_amount) == (1, 1, 0.05)
    assert first.open_date == datetime(2021, 3, 2, 10, 5, tzinfo=UTC)
    assert first.known_at == first.close_date == datetime(2021, 3, 2, 11, 5, tzinfo=UTC)


def test_old_exit_reasons_have_todays_names() -> None:
    """As in Freqtrade's own migration; what the end of the data cut is no evidence."""
    records, _ = trade_records(old_result("Older"), "me", NOTED)

    assert [record.exit_reason for record in records] == ["roi", "exit_signal", "force_exit"]
    assert [record.is_evidence for record in records] == [True, True, False]


def test_milliseconds_go_before_text_and_naive_dates_are_utc() -> None:
    """A later file of 2021 has both, and a tag under its old name."""
    (record,), _ = trade_records(old_result("Tagger"), "me", NOTED)

    assert record.open_date == datetime(2021, 3, 5, 8, tzinfo=UTC)
    assert record.enter_tag == "dip"


def test_an_old_run_as_a_whole() -> None:
    """Dates as text, no run id, no config: all that is there is kept, nothing is made up."""
    record = backtest_record(old_result("Older"), "me", NOTED)

    assert record.start_date == datetime(2021, 3, 1, tzinfo=UTC)
    assert record.known_at == record.end_date == datetime(2021, 3, 9, 23, 55, tzinfo=UTC)
    assert (record.n_trades, record.timeframe, record.stake_currency) == (3, "5m", "BTC")
    assert record.pairs == ("ETH/BTC", "LTC/BTC")
    assert record.profit_abs == record.metrics["profit_total_abs"]
    assert (record.config_fingerprint, record.versions, record.parameters) == ("", {}, "")
    assert "backtest_run_start_ts" not in record.metrics


def test_without_metadata_the_content_names_the_run(tmp_path: Path) -> None:
    """The same result run at another time has the same id; another result has another one."""
    content = statistics([a_result_trade()])
    later = content | {"backtest_run_start_ts": 1, "backtest_run_end_ts": 2}
    other = statistics([a_result_trade(profit_abs=0.799)])

    ids = [content_run_id("Sample", said) for said in (content, later, other)]

    assert ids[0] == ids[1] != ids[2]
    assert content_run_id("Another", content) != ids[0]
    path = write_result(tmp_path, {"Sample": content})
    path.with_name(f"{path.stem}.meta.json").unlink()
    assert read_results(path)[0].run_id == ids[0]
    assert old_result("Older").run_id.startswith("content-")


def test_metadata_beside_an_old_result_names_the_run(tmp_path: Path) -> None:
    """From 2022 on Freqtrade wrote run ids into a file of their own."""
    path = Path(shutil.copy(OLD_RESULT, tmp_path / "backtest-result-old.json"))
    about = {"Older": {"run_id": "430d", "backtest_start_time": 1648904006}}
    (tmp_path / "backtest-result-old.meta.json").write_text(json.dumps(about), encoding="utf-8")
    results = {result.strategy: result for result in read_results(path)}

    assert results["Older"].run_id == "430d"
    assert results["Older"].ran_at == datetime(2022, 4, 2, 12, 53, 26, tzinfo=UTC)
    assert results["Tagger"].run_id.startswith("content-")


def test_profit_of_2020_was_called_percent_and_was_a_ratio(tmp_path: Path) -> None:
    """As Freqtrade itself read those files."""
    record = only_trade(tmp_path, profit_ratio=None, profit_percent=0.0399)
    assert record.profit_ratio == 0.0399


def test_a_short_with_steps(tmp_path: Path) -> None:
    """Filled orders are counted by side where the file does not say which are entries."""
    orders = [
        {"ft_order_side": "sell", "order_filled_timestamp": 1},
        {"ft_order_side": "sell", "order_filled_timestamp": 2},
        {"ft_order_side": "sell", "order_filled_timestamp": None},
        {"ft_order_side": "buy", "order_filled_timestamp": 3},
    ]
    record = only_trade(tmp_path, is_short=True, orders=orders)
    assert (record.side, record.n_entries, record.n_exits) == ("short", 2, 1)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"is_open": True}, "still open"),
        ({"profit_abs": None}, "profit_abs"),
        ({"profit_ratio": float("nan")}, "profit_ratio"),
        ({"pair": None}, "pair"),
        ({"close_timestamp": None, "close_date": None}, "close_date"),
    ],
)
def test_a_trade_that_lacks_something_is_skipped_with_the_reason(
    tmp_path: Path, changes: dict[str, Any], why: str
) -> None:
    """It is named, and the others are taken."""
    content = statistics([a_result_trade(1), a_result_trade(2)])
    content["trades"][0] |= changes
    (result,) = read_results(write_result(tmp_path, {"Sample": content}))
    records, skipped = trade_records(result, "me", NOTED)

    assert len(records) == 1
    assert skipped[0].what.startswith("Sample: trade 1 in")
    assert why in skipped[0].why


def test_a_list_of_trades_alone_is_refused(tmp_path: Path) -> None:
    """Freqtrade dropped that format, too."""
    path = tmp_path / "backtest-result.json"
    path.write_text("[[1, 2, 3]]", encoding="utf-8")
    with pytest.raises(ImportFileError, match="before 2020"):
        read_results(path)
