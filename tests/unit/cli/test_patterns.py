"""`patterns` in words with numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0 import Mem0Client, TradeMemory
from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.memory_folder import MemoryFolder
from tests.support.histories import Noise, records
from tests.support.samples import BACKTEST, ORIGIN, a_pattern, at

if TYPE_CHECKING:
    from pathlib import Path

BLOCK = {"user_id": "me", "mode": "local"}
FOUND = Noise(n=500, months=12).history(1, {("enter_tag", "tag0"): 1.2})
QUIET = replace(BACKTEST, strategy="Quiet", run_id="run-2")


@pytest.fixture(autouse=True)
def userdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A bot with a pattern and a withdrawn one, the same as a backtest, and a quiet backtest."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    userdir = tmp_path / "user_data"
    store = MemoryFolder(Settings.model_validate(BLOCK), userdir)
    store.journal.append(records(FOUND))
    store.journal.append(records(FOUND, BACKTEST))
    store.journal.append(records(Noise(n=200, months=6).history(2), QUIET))
    store.journal.append([a_pattern(7, is_active=False, withdrawn_at=at(950))])
    store.close()
    config = {"mem0": BLOCK, "user_data_dir": str(userdir)}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return userdir


def said(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """Return what the command prints, on one line."""
    assert main(["patterns", *argv]) == 0
    return " ".join(capsys.readouterr().out.split())


def asked(capsys: pytest.CaptureFixture[str], *argv: str) -> dict[str, Any]:
    """Return what the command prints as JSON."""
    assert main(["patterns", *argv, "--json"]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_pattern_is_told_in_words_with_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    """And how many groups were tried."""
    text = said(capsys, "--mode", "dry_run")

    assert "500 trades" in text
    assert "groups of trades compared, 1 pattern found" in text
    assert "Trades with enter tag tag0 ended better than the other trades." in text
    assert "Since it was found (2020-" in text
    assert "was not chance: over 99%" in text
    assert "no stake depends on them" in text


def test_nothing_found_is_said_with_what_it_would_need(capsys: pytest.CaptureFixture[str]) -> None:
    """Noise has a nearest group, and may need more trades."""
    text = said(capsys, "-s", "Quiet")
    facts = asked(capsys, "-s", "Quiet")

    assert "0 patterns found" in text
    assert "No group differs by more than chance explains" in text
    assert "more such trade" in text
    assert (facts["patterns"], facts["n_trades"]) == ([], 200)
    assert facts["cells_tried"] > 100
    assert 0.0 < facts["nearest"]["evidence_share"] < 1.0


def test_a_backtest_is_looked_at_as_a_bot_would_have(capsys: pytest.CaptureFixture[str]) -> None:
    """On the first of each month; nothing is recorded."""
    (of_bot,) = asked(capsys, "--mode", "dry_run")["patterns"]
    (found,) = asked(capsys, "--run-id", "run-1")["patterns"]

    assert found["conditions"] == {"enter_tag": "tag0"}
    assert found["discovered_at"] == of_bot["discovered_at"]
    assert datetime.fromisoformat(found["discovered_at"]).day == 1
    assert main(["records", "--kind", "pattern", "--run-id", "run-1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_withdrawn_patterns_are_shown_on_request(capsys: pytest.CaptureFixture[str]) -> None:
    """With when that was."""
    facts = asked(capsys, "--mode", "dry_run", "--all")

    assert [each["is_active"] for each in facts["patterns"]] == [True, False]
    assert "Withdrawn on 2024-02-09" in said(capsys, "--mode", "dry_run", "--all")


def test_patterns_that_were_not_asked_for_are_counted(capsys: pytest.CaptureFixture[str]) -> None:
    """A filter that leaves all patterns out is not told as if there were none."""
    text = said(capsys, "--mode", "dry_run", "--since", "2024-01-01")

    assert "1 pattern found, 0 of them as asked." in text
    assert "Leave out --since and --pair to see all patterns." in text
    assert "No group differs" not in text
    assert asked(capsys, "--mode", "dry_run", "--since", "2024-01-01")["n_found"] == 1


def test_since_selects_what_was_found_later(capsys: pytest.CaptureFixture[str]) -> None:
    """By a time, or by days before now; anything else is refused."""
    assert asked(capsys, "--mode", "dry_run", "--since", "2024-01-01")["patterns"] == []
    assert asked(capsys, "--mode", "dry_run", "--since", "7d")["patterns"] == []
    assert len(asked(capsys, "--mode", "dry_run", "--since", "2019-01-01T12:00")["patterns"]) == 1
    with pytest.raises(SystemExit):
        main(["patterns", "--since", "yesterday"])
    assert "2026-11-27T12:00" in capsys.readouterr().err


def test_patterns_of_other_pairs_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    """With `--pair`; those of any pair stay."""
    facts = asked(capsys, "--mode", "dry_run", "--pair", "p1/usdt")
    assert [each["conditions"] for each in facts["patterns"]] == [{"enter_tag": "tag0"}]
    assert facts["n_trades"] == 500


def test_memory_without_trades_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    """It says what is missing."""
    assert main(["patterns", "-s", "Nobody"]) != 0
    assert "No trade of strategy Nobody" in capsys.readouterr().err


def test_patterns_are_memories(userdir: Path) -> None:
    """They are extracted, recalled by kind, and part of what is known about a strategy."""
    with Mem0Client(MemoryFolder(Settings.model_validate(BLOCK), userdir)) as client:
        (extracted,) = client.extract_patterns(datetime(2026, 1, 1, tzinfo=UTC))
        recalled = client.recall("patterns", filters={"kind": "pattern", "is_active": True})
        insights = TradeMemory(client).get_strategy_insights("Sample", run_id=ORIGIN.run_id)

    assert [each["id"] for each in recalled] == [extracted["id"]]
    metadata = recalled[0]["metadata"]
    assert metadata["pattern_type"] == "trade"
    assert metadata["at_enter_tag"] == "tag0"
    assert metadata["occurrence_count"] > 30
    assert 0.5 < metadata["success_rate"] < 1.0
    assert insights["patterns"] == [extracted["memory"]]


def test_a_search_without_answer_says_where_the_rest_may_be(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Old memories are pruned in Mem0; the journal has their records."""
    assert main(["search", "kind:trade AND profit:>100000"]) == 0
    assert "freqtrade-mem0 records" in capsys.readouterr().out
