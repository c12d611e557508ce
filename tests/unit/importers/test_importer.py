"""Importing: once, over what is known, with a report of what was left out."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.importers import database
from freqtrade_mem0.importers.importer import ImportOptions, import_files
from freqtrade_mem0.importers.report import FileKind
from freqtrade_mem0.recall.priors import load_prior
from freqtrade_mem0.records.base import Mode, record_id
from freqtrade_mem0.records.kinds.backtest import BacktestRecord
from freqtrade_mem0.records.kinds.retraction import Retraction
from freqtrade_mem0.records.kinds.risk import RiskEvent
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.support.samples import NOTED
from tests.unit.importers.result_files import (
    OLD_DATABASE,
    OLD_EPOCHS,
    OLD_RESULT,
    RAN_AT_S,
    a_result_trade,
    a_store,
    statistics,
    write_result,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record

pytestmark = pytest.mark.usefixtures("forked")

LATER_S = 4_000_000_000
"""A time of running that is after any test."""

THREE = [a_result_trade(number) for number in (1, 2, 3)]
LAST_CUT = [*THREE[:2], THREE[2] | {"exit_reason": "force_exit"}]
LAST_STOPPED = [*THREE[:2], THREE[2] | {"exit_reason": "stop_loss", "profit_abs": -1.0}]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MemoryFolder]:
    """Return an empty memory."""
    store = a_store(tmp_path / "user_data")
    yield store
    store.close()


def remembered(store: MemoryFolder) -> list[Record]:
    """Return all records, in order of arrival."""
    return [record for _, record in store.journal.records()]


def trades(store: MemoryFolder) -> list[TradeRecord]:
    """Return the trades."""
    return [record for record in remembered(store) if isinstance(record, TradeRecord)]


@pytest.mark.flow
def test_a_folder_of_all_sorts_is_imported_once(
    store: MemoryFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kind of each file is recognised; a second import adds nothing."""
    read, lines = database._read_in_child, list[dict[str, Any]]()

    def read_once(job: dict[str, Any]) -> list[dict[str, Any]]:
        if not lines:  # a start of Freqtrade takes seconds, and the file stays the same
            lines.extend(read(job))
        return lines

    monkeypatch.setattr(database, "_read_in_child", read_once)
    folder = tmp_path / "old"
    write_result(folder, {"Sample": statistics(THREE)})
    for path in (OLD_RESULT, OLD_EPOCHS, OLD_DATABASE):
        shutil.copy(path, folder)
    first = import_files(store, [folder])
    before = remembered(store)
    again = import_files(store, [folder])

    assert sorted((str(file.kind), file.n_new) for file in first.files) == [
        ("backtest", 4),
        ("backtest", 6),
        ("hyperopt", 2),
        ("trade database", 2),
    ]
    assert first.n_found == first.n_new == len(before) == 14
    assert (again.n_found, again.n_new, again.n_known) == (14, 0, 14)
    assert remembered(store) == before


def test_strange_files_are_reported_and_stop_nothing(store: MemoryFolder, tmp_path: Path) -> None:
    """Missing, empty, torn, of something else: one line each, and the good one is imported."""
    good = write_result(tmp_path / "good", {"Sample": statistics(THREE)})
    contents = {"empty.zip": b"", "torn.zip": good.read_bytes()[:300], "noise": bytes([7] * 99)}
    contents |= {"other.json": b'{"a": 1}', "torn.json": b'{"strategy": {', "odd.fthypt": b"{}"}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
    strange = [tmp_path / name for name in contents] + [tmp_path / "missing.zip"]
    report = import_files(store, [*strange, good])
    files = {file.path.name: file for file in report.files}

    assert files.pop(good.name).n_new == 4
    assert len(files) == len(strange)
    for file in files.values():
        assert file.n_found == 0
        assert [skip.what for skip in file.skipped] == ["the file"]
    assert "empty" in files["empty.zip"].skipped[0].why
    assert files["noise"].kind is FileKind.UNKNOWN


def test_statistics_of_an_unknown_form_are_reported(store: MemoryFolder, tmp_path: Path) -> None:
    """Valid JSON with a surprise in it is no reason to fail."""
    odd = statistics(THREE, total_trades="many")
    odder = statistics([*THREE, a_result_trade(4, orders=["bought", "sold"])])
    report = import_files(
        store,
        [
            write_result(tmp_path / "odd", {"Odd": odd, "Fine": statistics(THREE)}),
            write_result(tmp_path / "odder", {"Odder": odder}),
        ],
    )
    skipped = {skip.what: skip.why for file in report.files for skip in file.skipped}

    assert "total_trades" in skipped["Odd"]
    assert "orders must be a list of orders" in skipped["Odder: trade 4 in ETH/USDT"]
    assert {record.origin.strategy for record in remembered(store)} == {"Fine", "Odder"}


def test_what_was_captured_is_never_replaced(store: MemoryFolder, tmp_path: Path) -> None:
    """A captured trade knows its situation; a file does not."""
    path = write_result(tmp_path, {"Sample": statistics(THREE)})
    other = a_store(tmp_path / "other")
    import_files(other, [path])
    first, *_ = trades(other)
    other.close()
    captured = replace(first, decision_id="d-1", situation={"rsi": 30.0}, recorded_at=NOTED)
    store.journal.append([captured])
    report = import_files(store, [path])

    assert (report.n_new, report.n_known) == (3, 1)
    assert trades(store)[0] == captured


def test_what_was_taken_back_stays_so(store: MemoryFolder, tmp_path: Path) -> None:
    """A trade that was retracted does not come back with a file."""
    path = write_result(tmp_path, {"Sample": statistics(THREE)})
    import_files(store, [path])
    gone = trades(store)[1]
    store.journal.append(
        [
            Retraction(
                id=record_id("retraction", gone.id),
                origin=gone.origin,
                known_at=gone.known_at,
                recorded_at=NOTED,
                target_id=gone.id,
                reason="a test",
            )
        ]
    )
    report = import_files(store, [path])

    assert report.n_new == 0
    assert gone.id not in {record.id for record in remembered(store)}


def test_of_several_results_of_a_run_the_last_counts(store: MemoryFolder, tmp_path: Path) -> None:
    """Freqtrade's run id does not know the candles: the older result is no part of the run."""
    write_result(tmp_path, {"Sample": statistics(LAST_CUT)}, name="backtest-result-1")
    write_result(tmp_path, {"Sample": statistics(LAST_STOPPED)}, name="backtest-result-2")
    report = import_files(store, [tmp_path])

    assert [file.path.stem for file in report.files] == ["backtest-result-2", "backtest-result-1"]
    assert [file.n_new for file in report.files] == [5, 0]
    assert "another result of this run" in report.files[1].skipped[0].why
    assert trades(store)[2].exit_reason == "stop_loss"


def test_a_later_result_corrects_an_imported_one(store: MemoryFolder, tmp_path: Path) -> None:
    """What the end of the data had cut went on; an unchanged trade stays the same record."""
    import_files(store, [write_result(tmp_path, {"Sample": statistics(LAST_CUT)})])
    captured = replace(trades(store)[0], decision_id="d-1", profit_abs=0.1)
    store.journal.append([captured])
    later = statistics([*LAST_STOPPED, a_result_trade(4)])
    path = write_result(tmp_path, {"Sample": later}, name="later", ran_at_s=LATER_S)
    report = import_files(store, [path])
    by_id = {trade.id: trade for trade in trades(store)}

    assert len(by_id) == 4
    assert by_id[captured.id] == captured
    assert sorted(trade.exit_reason for trade in by_id.values()) == ["roi"] * 3 + ["stop_loss"]
    (whole,) = [record for record in remembered(store) if isinstance(record, BacktestRecord)]
    assert whole.n_trades == 4
    assert (report.n_new, report.n_known) == (4, 2)  # one trade, one event, two corrections
    assert import_files(store, [path]).n_new == 0


def test_a_run_of_the_second_of_the_earlier_record_is_later(
    store: MemoryFolder, tmp_path: Path
) -> None:
    """Freqtrade says in whole seconds when a run began."""
    import_files(store, [write_result(tmp_path, {"Sample": statistics(LAST_CUT)})])
    (whole,) = [record for record in remembered(store) if isinstance(record, BacktestRecord)]
    for began_s, n_trades in ((-1, 3), (0, 4)):
        ran_at_s = int(whole.recorded_at.timestamp()) + began_s
        later = {"Sample": statistics([*LAST_STOPPED, a_result_trade(4)])}
        path = write_result(tmp_path, later, name=f"later{began_s}", ran_at_s=ran_at_s)
        import_files(store, [path])
        assert len(trades(store)) == n_trades


def test_trades_that_are_not_in_the_file_are_missed(store: MemoryFolder, tmp_path: Path) -> None:
    """Somebody made the file smaller; the run as a whole is still what it was."""
    content = statistics(THREE) | {"trades": [THREE[0], "cut"]}
    (file,) = import_files(store, [write_result(tmp_path, {"Sample": content})]).files

    assert file.n_new == 2
    assert [skip.what for skip in file.skipped] == ["Sample: 2 trades"]


def test_risk_events_follow_from_the_trades(store: MemoryFolder, tmp_path: Path) -> None:
    """As a session notes them; each right behind its trade."""
    import_files(store, [write_result(tmp_path, {"Sample": statistics(LAST_STOPPED)})])
    kinds = [record.kind for record in remembered(store)]

    assert kinds == ["trade", "trade", "trade", "risk_event", "backtest"]
    event = remembered(store)[3]
    assert isinstance(event, RiskEvent)
    assert event.event_type == "stop_loss"


def test_categories_that_are_switched_off_are_not_written(tmp_path: Path) -> None:
    """The same switch as for what is captured."""
    store = a_store(tmp_path / "quiet", categories={"risk_profile": False})
    path = write_result(tmp_path, {"Sample": statistics(LAST_STOPPED)})
    (file,) = import_files(store, [path]).files
    store.close()

    assert (file.n_found, file.n_new) == (5, 4)
    assert "mem0.categories" in file.skipped[0].why


def test_only_one_strategy_is_taken_on_request(store: MemoryFolder, tmp_path: Path) -> None:
    """From every kind of file; what was left out is counted."""
    path = write_result(tmp_path, {"One": statistics(THREE), "Two": statistics(THREE)})
    options = ImportOptions(strategy="Two")
    report = import_files(store, [path, OLD_EPOCHS], options)

    assert {record.origin.strategy for record in remembered(store)} == {"Two"}
    assert {skip.what for file in report.files for skip in file.skipped} >= {"One", "2 epochs"}


@pytest.mark.flow
def test_databases_are_of_the_bot_that_is_named(store: MemoryFolder) -> None:
    """Its id is the run id of the trades; the mode can be said, and is reported."""
    options = ImportOptions(bot_id="bot-9", mode=Mode.LIVE)
    (file,) = import_files(store, [OLD_DATABASE], options).files

    assert {(r.origin.run_id, r.origin.mode) for r in trades(store)} == {("bot-9", Mode.LIVE)}
    assert file.notes == ["taken as live trades of bot bot-9: as the option --mode says"]
    assert len(file.skipped) == 3


def test_backtests_become_priors_on_request(store: MemoryFolder, tmp_path: Path) -> None:
    """Also those that are known already; with the file's name as provenance."""
    path = write_result(tmp_path, {"One": statistics(THREE), "Two": statistics(THREE)})
    import_files(store, [path])
    before = load_prior(store.journal, "freqtrade", "One", 0.5)
    report = import_files(store, [path], ImportOptions(strategy="One", as_prior=True))
    prior = load_prior(store.journal, "freqtrade", "One", 0.5)

    assert (len(before.trades), len(prior.trades)) == (0, 3)
    assert report.n_priors == 1
    assert load_prior(store.journal, "freqtrade", "Two", 0.5).trades == ()


def test_a_copy_reads_the_backtests_of_its_original(store: MemoryFolder, tmp_path: Path) -> None:
    """`wrap` gives it another name; the original reads nothing."""
    path = write_result(tmp_path, {"One": statistics(THREE)})
    options = ImportOptions(strategy="One", as_prior=True, prior_for="OneMem0")
    assert import_files(store, [path], options).n_priors == 1
    assert len(load_prior(store.journal, "freqtrade", "OneMem0", 0.5).trades) == 3
    assert load_prior(store.journal, "freqtrade", "One", 0.5).trades == ()


def test_a_run_without_trades_is_no_prior(store: MemoryFolder, tmp_path: Path) -> None:
    """It is imported, and the report says why nothing was promoted."""
    path = write_result(tmp_path, {"Sample": statistics([])})
    (file,) = import_files(store, [path], ImportOptions(as_prior=True)).files

    assert (file.n_new, file.n_priors) == (1, 0)
    assert file.skipped[0].what == "prior of Sample"


def test_progress_is_told_before_each_file(store: MemoryFolder, tmp_path: Path) -> None:
    """How many are done, how many there are, and which is next."""
    paths = [
        write_result(tmp_path, {"A": statistics(THREE)}, name=name, ran_at_s=RAN_AT_S)
        for name in ("2", "1")
    ]
    told: list[tuple[int, int, Path]] = []
    import_files(store, paths, progress=lambda *told_now: told.append(told_now))
    assert told == [(0, 2, paths[0]), (1, 2, paths[1])]
