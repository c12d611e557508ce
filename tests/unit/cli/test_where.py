"""`--where` of search, records and ledger."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.memory_folder import MemoryFolder
from tests.support.samples import BACKTEST, a_decision, a_note, a_trade, opened

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def userdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A memory with a note, and three trades of a backtest with their decisions."""
    monkeypatch.chdir(tmp_path)
    userdir = tmp_path / "user_data"
    block = {"user_id": "me", "mode": "local"}
    store = MemoryFolder(Settings.model_validate(block), userdir)
    store.journal.append([a_note(1)])
    for number, profit in enumerate([-0.02, 0.05, 0.12], 1):
        decision = a_decision(number, origin=BACKTEST, multiplier=0.5 * number)
        trade = a_trade(number, origin=BACKTEST, decision_id=decision.id, profit_ratio=profit)
        store.journal.append([decision])
        store.journal.append([opened(decision, trade), trade])
    store.close()
    config = {"mem0": block, "user_data_dir": str(userdir)}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return userdir


def asked(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    """Return what a command prints as JSON."""
    assert main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def profits(found: list[dict[str, Any]]) -> list[float]:
    """Return the profits of lines or memories."""
    return [each.get("metadata", each)["profit_ratio"] for each in found]


def test_records_pass_the_query(capsys: pytest.CaptureFixture[str]) -> None:
    """The newest so many that do, in order of arrival."""
    where = "strategy:Sample AND profit:>-5 kind:trade"
    assert profits(asked(capsys, "records", "--where", where)) == [-0.02, 0.05, 0.12]
    assert profits(asked(capsys, "records", "--where", where, "-n", "2")) == [0.05, 0.12]
    assert asked(capsys, "records", "--where", "timestamp:>now-7d") == []


def test_the_ledger_passes_the_query(capsys: pytest.CaptureFixture[str]) -> None:
    """By the decision and by its outcome."""
    assert profits(asked(capsys, "ledger", "--where", "multiplier:[1 TO 1.2]")) == [0.05]
    assert profits(asked(capsys, "ledger", "--where", "profit:>=5 pair:eth*", "-n", "1")) == [0.12]


def test_a_search_takes_conditions_and_words(capsys: pytest.CaptureFixture[str]) -> None:
    """Among the words, in --where, or alone; then the newest come first."""
    for argv in (
        ("strategy:Sample", "AND", "profit:>10.0"),
        ("--where", "profit:>10.0"),
        ("closed", "--where", "profit:>10.0"),
        ("closed profit:>4", "--where", "NOT profit:<10"),
    ):
        assert profits(asked(capsys, "search", *argv)) == [0.12], argv
    newest = asked(capsys, "search", "kind:trade", "-n", "2")
    assert profits(newest) == [0.12, 0.05]
    assert newest[0]["score"] is None
    assert asked(capsys, "search", "never hold over the weekend")[0]["metadata"]["kind"] == "note"


@pytest.mark.parametrize("command", ["records", "ledger", "search"])
def test_a_mistake_points_at_its_column(capsys: pytest.CaptureFixture[str], command: str) -> None:
    """With exit code 1."""
    assert main([command, "--where", "pair:X AND stratgy:Y"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert "column 12: There is no field 'stratgy'. Did you mean 'strategy'?" in said[0]
    assert said[-1].index("^") == said[-2].index("stratgy")


def test_words_have_no_place_in_lists(capsys: pytest.CaptureFixture[str]) -> None:
    """They are searched for by `search`."""
    for command in ("records", "ledger"):
        assert main([command, "--where", "crash"]) == 1
        assert "Free words are searched for by 'search' alone" in capsys.readouterr().err
