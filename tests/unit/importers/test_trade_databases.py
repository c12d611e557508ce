"""Trade databases: a bot's own records, from a file that stays as it is."""

from __future__ import annotations

import json
import shutil
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.importers import database
from freqtrade_mem0.importers.database import BotTrades, read_database
from freqtrade_mem0.importers.report import ImportFileError
from freqtrade_mem0.records.base import Mode
from freqtrade_mem0.records.codec import to_plain
from tests.support.forked_python import run_forked
from tests.support.samples import NOTED
from tests.support.wait import HANG_S
from tests.unit.importers.bot_database import BOT
from tests.unit.importers.result_files import OLD_DATABASE

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.usefixtures("forked")

ROOT = Path(__file__).parents[3]


def read(path: Path, *, strategy: str | None = None, mode: Mode | None = None) -> BotTrades:
    """Read a database as one of `BOT`."""
    return read_database(
        path,
        work_folder=path.parents[1] / "mem0",
        user_id="me",
        bot_id=BOT,
        strategy=strategy,
        mode=mode,
        recorded_at=NOTED,
    )


def old_database(target: Path) -> Path:
    """Return a copy of the old database, in a folder or under a name."""
    return Path(shutil.copy(OLD_DATABASE, target))


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[dict[int, str]]:
    """Start no Freqtrade; collect the exit reason of each trade in the copy that it would get."""
    read_copies: list[dict[int, str]] = []

    def read_in_child(job: dict[str, Any]) -> list[dict[str, Any]]:
        with closing(sqlite3.connect(job["path"])) as sqlite:
            read_copies.append(
                dict(sqlite.execute("SELECT id, sell_reason FROM trades").fetchall())
            )
        return []

    monkeypatch.setattr(database, "_read_in_child", read_in_child)
    return read_copies


def test_no_temporary_folder_of_the_system_is_needed(
    tmp_path: Path, copies: list[dict[int, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is made in the memory's folder, and nothing of it stays."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    (tmp_path / "bot").mkdir()

    read(old_database(tmp_path / "bot"))

    assert copies
    assert list((tmp_path / "mem0").iterdir()) == []


def test_a_folder_that_can_not_take_the_copy_is_named(tmp_path: Path) -> None:
    """Not the form of the database."""
    (tmp_path / "mem0").touch()
    (tmp_path / "bot").mkdir()

    with pytest.raises(ImportFileError, match=f"can not be copied into {tmp_path / 'mem0'}: "):
        read(old_database(tmp_path / "bot"))


def contents(folder: Path) -> Mapping[str, bytes]:
    """Return every file of a folder; of SQLite's table of locks only that it is there."""
    return {
        path.name: b"" if path.name.endswith("-shm") else path.read_bytes()
        for path in sorted(folder.iterdir())
    }


@pytest.fixture(scope="module")
def bot(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[dict[str, Any]]]:
    """A database made by Freqtrade's classes, and what its bot would have remembered."""
    path = tmp_path_factory.mktemp("bot") / "trades.sqlite"
    command = [sys.executable, "-m", "tests.unit.importers.bot_database", str(path)]
    printed = run_forked(command, cwd=ROOT, timeout=HANG_S, check=True).stdout
    return path, json.loads(printed)


@pytest.fixture(scope="module")
def found(bot: tuple[Path, list[dict[str, Any]]]) -> BotTrades:
    """What was read of it."""
    path, _ = bot
    before = contents(path.parent)
    trades = read(path, mode=Mode.DRY_RUN)
    assert contents(path.parent) == before
    return trades


@pytest.mark.flow
def test_the_records_are_those_of_the_bot(
    bot: tuple[Path, list[dict[str, Any]]], found: BotTrades
) -> None:
    """Same ids, same numbers, same order: steps, shorts, leverage, funding, microseconds."""
    _, remembered = bot
    assert [to_plain(trade) for trade in found.trades] == remembered
    assert len(remembered) == 8
    assert {trade["side"] for trade in remembered} == {"long", "short"}
    assert max(trade["n_entries"] for trade in remembered) == 2


@pytest.mark.flow
def test_what_has_no_outcome_is_listed(found: BotTrades) -> None:
    """An open trade, and one that never was filled."""
    reasons = {skip.what: skip.why for skip in found.skipped}
    assert reasons["trade 3 in DOGE/USDT"] == "it is still open"
    assert "no filled entry order" in reasons["trade 4 in XRP/USDT"]
    assert len(reasons) == 2


@pytest.mark.flow
def test_an_old_database_is_read_and_stays_as_it_is(tmp_path: Path) -> None:
    """Freqtrade migrates a copy; exit reasons get today's names."""
    path = old_database(tmp_path)
    before = contents(tmp_path)
    trades = read(path)

    assert contents(tmp_path) == before
    assert [trade.exit_reason for trade in trades.trades] == ["roi", "exit_signal"]
    assert trades.trades[0].open_date.microsecond == 250_000
    assert trades.trades[0].enter_tag == "dip"
    assert [skip.what for skip in trades.skipped] == [
        "trade 3 in ETH/BTC",
        "trade 4 in XRP/BTC",
        "trade 5 in LTC/BTC",
    ]
    assert (trades.mode, "dryrun" in trades.note) == (Mode.DRY_RUN, True)


@pytest.mark.flow
def test_a_strategy_can_be_named_for_trades_that_name_none(tmp_path: Path) -> None:
    """A forced exit is evidence in a bot: somebody wanted it."""
    trades = read(old_database(tmp_path), strategy="Known", mode=Mode.LIVE).trades

    assert [trade.origin.strategy for trade in trades] == ["Older", "Older", "Known"]
    assert {trade.origin.mode for trade in trades} == {Mode.LIVE}
    assert (trades[2].exit_reason, trades[2].is_evidence) == ("force_exit", True)


@pytest.mark.usefixtures("copies")
def test_dry_run_orders_tell_the_mode_where_the_name_does_not(tmp_path: Path) -> None:
    """A live bot would believe live trades more; a renamed file must not make it."""
    renamed = old_database(tmp_path / "tradesv3.sqlite")
    assert read(renamed).mode is Mode.DRY_RUN

    with closing(sqlite3.connect(renamed)) as sqlite:
        sqlite.execute("UPDATE orders SET order_id = 'x' || id")
        sqlite.commit()
    live = read(renamed)
    assert (live.mode, "--mode" in live.note) == (Mode.LIVE, True)


@pytest.mark.flow
def test_trades_of_both_modes_in_one_database_keep_their_own(tmp_path: Path) -> None:
    """A trade's mode is that of its orders, as for a bot."""
    path = old_database(tmp_path / "tradesv3.sqlite")
    with closing(sqlite3.connect(path)) as sqlite:
        sqlite.execute("UPDATE orders SET order_id = 'x' || id WHERE ft_trade_id = 1")
        sqlite.commit()
    found = read(path)
    modes = [trade.origin.mode for trade in found.trades]
    assert modes == [Mode.LIVE, Mode.DRY_RUN]
    assert found.mode is None
    assert found.note.startswith(
        f"taken as dry_run and live trades of bot {BOT}: each as its orders"
    )


def test_a_database_in_use_is_read_with_its_log(
    tmp_path: Path, copies: list[dict[int, str]]
) -> None:
    """A running bot's last trades are not in the file itself yet."""
    path = old_database(tmp_path)
    with closing(sqlite3.connect(path)) as sqlite:
        sqlite.execute("PRAGMA journal_mode = WAL")
        sqlite.execute("UPDATE trades SET sell_reason = 'late' WHERE id = 1")
        sqlite.commit()
        main_file = path.read_bytes()
        read(path)
        assert path.read_bytes() == main_file
        # What a backup that forgot the index looks like.
        lost = tmp_path / "lost"
        lost.mkdir()
        for end in ("", "-wal"):
            shutil.copy(f"{path}{end}", lost)
        before = contents(lost)
        read(lost / path.name)
        assert contents(lost) == before

    assert [reasons[1] for reasons in copies] == ["late", "late"]


@pytest.mark.parametrize(
    ("statement", "why"),
    [
        ("DROP TABLE trades", "no trade database"),
        ("DROP TABLE orders", "2022.3"),
    ],
)
def test_other_databases_are_refused(tmp_path: Path, statement: str, why: str) -> None:
    """Without starting Freqtrade."""
    path = old_database(tmp_path)
    with closing(sqlite3.connect(path)) as sqlite:
        sqlite.execute(statement)
    with pytest.raises(ImportFileError, match=why):
        read(path)


@pytest.mark.parametrize("kept", [100, 3_000])
def test_a_torn_database_is_refused(tmp_path: Path, kept: int) -> None:
    """Cut in its header or in its tables."""
    path = tmp_path / "torn.sqlite"
    path.write_bytes(OLD_DATABASE.read_bytes()[:kept])
    with pytest.raises(ImportFileError):
        read(path)
