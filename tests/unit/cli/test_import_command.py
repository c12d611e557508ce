"""The command `import`: whose trades a database holds, and what is said about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from tests.unit.importers.result_files import OLD_DATABASE, OLD_RESULT

if TYPE_CHECKING:
    from pathlib import Path


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
