"""`drift` in words and as JSON; `insights` and `doctor` name thresholds and measured rates."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.recall.priors import promote
from freqtrade_mem0.records.execution import Execution
from tests.support.drifting import Process, records
from tests.support.samples import BACKTEST, NOTED, ORIGIN

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = {"user_id": "me", "mode": "local"}
OTHER = replace(BACKTEST, run_id="run-2", strategy="Other")
SLIPPED = Execution(entry_rate=2_000.0, entry_slippage=0.001, exit_rate=2_100.0, exit_slippage=0.0)


@pytest.fixture(autouse=True)
def userdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bot with a promoted backtest and bad trades, and another strategy's backtest."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    userdir = tmp_path / "user_data"
    store = MemoryFolder(Settings.model_validate(BLOCK), userdir)
    store.journal.append(records(Process().trades(200, 1), BACKTEST))
    bad = records(Process(mean=-0.02).trades(60, 3, 200))
    store.journal.append([replace(trade, execution=SLIPPED) for trade in bad])
    store.journal.append(records(Process().trades(250, 4), OTHER))
    promote(
        store.journal,
        user_id="me",
        source=BACKTEST,
        strategy="Sample",
        provenance="test",
        now=NOTED,
    )
    store.close()
    config = {"mem0": BLOCK, "user_data_dir": str(userdir)}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return userdir


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """Return what a command prints, on one line."""
    main(list(argv))
    return " ".join(capsys.readouterr().out.split())


def asked(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    """Return what a command prints as JSON."""
    main([*argv, "--json"])
    return json.loads(capsys.readouterr().out)


def test_a_bot_is_compared_with_its_backtest(capsys: pytest.CaptureFixture[str]) -> None:
    """Triggers with their rates, bands, and slippage in percent and money."""
    facts = asked(capsys, "drift", "--mode", "dry_run")
    assert facts["reference"]["run_id"] == BACKTEST.run_id
    by_name = {each["name"]: each for each in facts["triggers"]}
    drawdown = by_name["drawdown"]
    assert 0.0 < drawdown["false_alarms_per_year"] <= 1.5
    assert drawdown["false_alarms_wanted"] == 1.0
    assert [alarm["ended"] for alarm in drawdown["alarms"]] == [None]
    assert facts["bands"]["left"]["age_days"] <= 60
    bands = {row["name"]: row for row in facts["bands"]["figures"]}
    assert bands["profit_ratio"]["is_inside"] is False
    assert bands["win_rate"]["low"] <= bands["win_rate"]["middle"] <= bands["win_rate"]["high"]
    slippage = facts["slippage"]
    assert slippage["entry"]["mean_ratio"] == pytest.approx(0.001)
    assert slippage["entry"]["mean_abs"] == pytest.approx(0.001 * 2_000.0 * 0.05)
    assert slippage["exit"]["total_abs"] == 0.0
    assert slippage["assumed_ratio"] == 0.0


def test_words_name_what_left_the_band(capsys: pytest.CaptureFixture[str]) -> None:
    """With the rate at which that happens without a reason."""
    text = said(capsys, "drift", "--mode", "dry_run")
    assert "measured by the backtest run run-1 (promoted)" in text
    assert "Threshold: the sum of what is worse than in the history" in text
    assert "the band of the backtest run run-1 (promoted) at that age" in text
    assert "5% of bots that are as their backtest are alarmed in their first year" in text
    assert "Slippage, entry: +0.100%" in text


def test_a_backtest_says_what_would_have_been_found(capsys: pytest.CaptureFixture[str]) -> None:
    """By its own first trades; it has no bands and no slippage, and says why."""
    facts = asked(capsys, "drift", "-s", "Other")
    assert facts["reference"]["source"].startswith("its own first ")
    assert "no backtest of it was promoted" in facts["bands"]["lacks"]
    assert facts["slippage"] is None
    assert "No bands: no backtest of it was promoted" in said(capsys, "drift", "-s", "Other")


def test_a_backtest_measured_by_itself_says_why_that_is_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """None of its trades had closed before its own first entry."""
    text = said(capsys, "drift", "-s", "Other", "--backtest", "run-2")

    assert "Threshold: the sum" not in text
    assert "No trigger poor_results, win_rate, drawdown, volatility: 0 trades in 0 days" in text
    assert "run-2 (named; none of its trades had closed when these began)" in text


def test_a_backtest_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    """With what to do."""
    assert main(["drift", "--mode", "dry_run", "--backtest", "nope"]) != 0
    told = " ".join(capsys.readouterr().err.split())
    assert "No remembered backtest of Sample has a run id that begins with 'nope'" in told
    assert "--backtest" in told


@pytest.mark.parametrize("command", [("insights", "--mode", "dry_run"), ("doctor",)])
def test_thresholds_and_measured_rates_are_printed(
    capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    """For the bot."""
    text = said(capsys, *command, "-c", "config.json")
    assert "drawdown: threshold " in text
    assert " false alarms a year; 1 alarm" in text


def test_too_few_trades_give_no_trigger_and_insights_says_so(
    capsys: pytest.CaptureFixture[str], userdir: Path
) -> None:
    """Of a young bot without a backtest."""
    store = MemoryFolder(Settings.model_validate(BLOCK), userdir)
    young = replace(ORIGIN, strategy="Young", run_id="bot-9")
    store.journal.append(records(Process().trades(20, 5), young))
    store.close()
    text = said(capsys, "insights", "-s", "Young")
    assert "No trigger is set: " in text
    assert "are too few; at least 100 trades in 90 days are needed" in text
