"""The command `import`: whose trades a database holds, and what is said about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall.priors import load_prior
from freqtrade_mem0.records.kinds.trade import TradeRecord
from tests.unit.importers.result_files import (
    OLD_DATABASE,
    OLD_RESULT,
    a_result_trade,
    statistics,
    write_result,
)

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("forked")


@pytest.mark.parametrize(
    ("config", "options", "bot_id"),
    [
        ({"bot_name": "at-home", "mem0": {"mode": "local", "bot_id": "b-1"}}, [], "b-1"),
        ({"bot_name": "at-home", "mem0": {"mode": "local"}}, [], "at-home"),
        ({"mem0": {"mode": "local"}}, [], "freqtrade"),
        ({"mem0": {"mode": "local", "bot_id": "b-1"}}, ["--bot-id", "b-2"], "b-2"),
    ],
)
def test_a_database_belongs_to_the_bot_of_the_config(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    config: dict[str, Any],
    options: list[str],
    bot_id: str,
) -> None:
    """By the rule by which the bot itself finds its name."""
    seen = []

    def no_reading(path: Path, **asked: Any) -> None:
        seen.append((path, asked["bot_id"], asked["mode"]))
        raise RuntimeError

    monkeypatch.setattr("freqtrade_mem0.importers.database.read_database", no_reading)
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    code = main(["import", "--userdir", str(tmp_path), *options, str(OLD_DATABASE)])

    assert code == 1
    assert seen == [(OLD_DATABASE, bot_id, None)]


@pytest.mark.flow
def test_a_database_is_imported_with_its_assumptions_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The mode that was taken, and why; every trade that was left out, and why."""
    config = {"mem0": {"mode": "local"}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    command = ["import", "--userdir", str(tmp_path), "--json", "--mode", "live"]
    code = main([*command, str(OLD_DATABASE), str(OLD_RESULT)])
    said = json.loads(capsys.readouterr().out)
    by_kind = {file["kind"]: file for file in said["files"]}

    assert (code, said["new"], said["known"]) == (0, 8, 0)
    assert by_kind["trade database"]["notes"] == [
        "taken as live trades of bot freqtrade: as the option --mode says"
    ]
    assert len(by_kind["trade database"]["skipped"]) == 3
    assert by_kind["backtest"]["new"] == 6


def test_nothing_at_all_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An empty folder is no success."""
    (tmp_path / "config.json").write_text('{"mem0": {"mode": "local"}}', encoding="utf-8")
    (tmp_path / "results").mkdir()
    code = main(["import", "--userdir", str(tmp_path), str(tmp_path / "results")])

    assert code == 1
    assert "Nothing to import" in capsys.readouterr().err


def test_without_waiting_mem0_is_left_to_the_next_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--no-wait` is done when the journal has it."""
    command = ["import", "--userdir", str(tmp_path), "--json", "--no-wait", str(OLD_RESULT)]
    code = main(command)
    said = json.loads(capsys.readouterr().out)

    assert (code, said["pending"]) == (0, said["new"])
    assert said["new"] > 0
    assert not (tmp_path / "mem0" / "memories.sqlite").exists()


def test_a_copy_reads_the_backtests_of_its_original(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--for` names who reads them; the original and others do not."""
    (tmp_path / "config.json").write_text('{"mem0": {"mode": "local"}}', encoding="utf-8")
    content = statistics([a_result_trade(number) for number in (1, 2, 3)])
    path = write_result(tmp_path / "results", {"Sample": content})
    command = ["import", "--userdir", str(tmp_path), "--json", str(path)]
    assert main([*command, "--as-prior", "--for", "CopyWithMem0"]) == 0
    assert json.loads(capsys.readouterr().out)["priors"] == 1
    store = MemoryFolder(Settings(mode="local"), tmp_path)
    trades = list(store.journal.of_kind(TradeRecord))
    (original,) = {trade.origin.strategy for trade in trades}
    known = {
        strategy: len(load_prior(store.journal, "freqtrade", strategy, 0.5).trades)
        for strategy in (original, "CopyWithMem0", "Other")
    }
    store.close()
    assert known == {original: 0, "CopyWithMem0": len(trades), "Other": 0}
    assert main(["priors", "--userdir", str(tmp_path), "--json"]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert listed["strategy"] == "CopyWithMem0"


def test_for_needs_as_prior(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Alone it would have no effect."""
    (tmp_path / "config.json").write_text('{"mem0": {"mode": "local"}}', encoding="utf-8")
    assert main(["import", "--userdir", str(tmp_path), "--for", "X", str(OLD_RESULT)]) == 1
    assert "add --as-prior" in capsys.readouterr().err


def test_what_breaks_a_rule_is_listed_afterwards(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the import itself, and by `records --set-aside`."""
    (tmp_path / "config.json").write_text('{"mem0": {"mode": "local"}}', encoding="utf-8")
    bad = a_result_trade(2, stake_amount=1e300)
    content = statistics([a_result_trade(1)]) | {"trades": [a_result_trade(1), bad]}
    path = write_result(tmp_path / "results", {"Sample": content})
    assert main(["import", "--userdir", str(tmp_path), "--json", str(path)]) == 0
    (file,) = json.loads(capsys.readouterr().out)["files"]
    assert [each["what"] for each in file["skipped"]] == ["Sample: trade 2 in ETH/USDT"]
    assert main(["records", "--userdir", str(tmp_path), "--set-aside", "--json"]) == 0
    (aside,) = json.loads(capsys.readouterr().out)
    assert aside["source"] == "import"
    assert aside["id"] == f"{path.name}: Sample: trade 2 in ETH/USDT"
    assert "stake_amount" in aside["why"]
