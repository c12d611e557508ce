"""The command line over a small memory: facts as JSON and as tables, mistakes as one sentence."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.marks import Marks
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.run.bot.namesakes import Namesakes
from tests.support.samples import (
    BACKTEST,
    ORIGIN,
    a_decision,
    a_note,
    a_risk_event,
    a_trade,
    opened,
)

if TYPE_CHECKING:
    from pathlib import Path

_RUN = {"strategy", "mode", "run_id"}
_DECISION = {
    *("trade_id", "pair", "side", "enter_tag", "decided_at", "proposed_stake", "multiplier"),
    *("stake", "applied", "policy", "n_effective", "reasons", "situation"),
    "n_asked",
    "account",
}
_OUTCOME = {"execution", "profit_ratio", "profit_abs_with_memory", "profit_abs_without_memory"}
_STATS = {
    *("folder", "mode", "journal", "mem0", "mem0_error", "pending", "dead", "last_error"),
    *("failures", "delivered_at", "lag_s", "writers", "set_aside", "account"),
    "unresolved_decisions",
}
_TRADE = {
    *("pair", "side", "open_date", "close_date", "open_rate", "close_rate", "amount"),
    *("stake_amount", "profit_ratio", "profit_abs", "fee_open", "fee_close", "funding_fees"),
    *(
        "exit_reason",
        "enter_tag",
        "leverage",
        "is_evidence",
        "decision_id",
        "situation",
        "execution",
    ),
}
_RECORD = {"id", "kind", "category", "text", "user_id", "known_at", "recorded_at", *_RUN}
_PREVIEW = {
    *("policy", "n_trades", "n_in_shadow", "mean_multiplier_applied", "mean_multiplier_preview"),
    *("share_changed", "largest_changes"),
}
KEYS: list[tuple[str, set[str]]] = [
    ("stats", _STATS),
    ("doctor", {"healthy", "enabled", "findings", "not_checked"}),
    ("records --kind note", _RECORD),
    ("records --kind trade", _RECORD | _TRADE),
    ("ledger", _RUN | _DECISION | {"id", "open_date", "profit_ratio", "profit_abs", "execution"}),
    ("why", _RUN | _DECISION | _OUTCOME | {"text", "expected_ratio"}),
    (
        "why --now ETH/USDT",
        _RUN | _DECISION | {"text", "expected_ratio", "not_told", "not_seen", "candle"},
    ),
    ("insights", _RUN | {"as_of", "n_trades", "insights", "account", "triggers"}),
    (
        "drift",
        _RUN
        | {"as_of", "n_trades", "n_left_out", "age_days", "reference", "triggers", "bands"}
        | {"slippage"},
    ),
    ("preview", _RUN | _PREVIEW),
    ("report", {"folder", "whose", "since", "until", "bots", "wrong", "checked"}),
    (
        "runs",
        _RUN
        | {"is_running", "first", "last", "n_trades", "n_won"}
        | {"profit_abs", "stake_currency", "mean_profit_ratio"},
    ),
    ("deliver", {"delivered", "pending"}),
    ("salvage", {"damaged"}),
    ("rebuild", {"read", "new", "skipped"}),
]
"""The keys that each command prints as JSON. Programs read them: a change is a breaking one."""


@pytest.fixture
def userdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user folder whose memory holds two trades of a backtest, one of a bot, and more."""
    monkeypatch.chdir(tmp_path)
    userdir = tmp_path / "user_data"
    store = MemoryFolder(Settings.model_validate({"user_id": "me"}), userdir)
    decision = a_decision(1, origin=BACKTEST)
    trade = a_trade(1, origin=BACKTEST, decision_id=decision.id, profit_ratio=-0.02)
    store.journal.append([a_trade(9), a_risk_event(1), a_note(1)])
    store.journal.append([decision, a_decision(2, origin=BACKTEST)])
    store.journal.append([opened(decision, trade), trade, a_trade(2, origin=BACKTEST)])
    store.close()
    config = {"mem0": {"user_id": "me"}, "user_data_dir": str(userdir)}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    return userdir


def asked(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    """Return what a command prints as JSON."""
    assert main([*argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """Return the one sentence with which a command fails."""
    assert main(argv) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("freqtrade-mem0: ")
    assert "Traceback" not in said.err
    return said.err


@pytest.mark.usefixtures("userdir")
@pytest.mark.parametrize(("command", "keys"), KEYS, ids=[command for command, _ in KEYS])
def test_json_has_exactly_the_promised_keys(
    capsys: pytest.CaptureFixture[str], command: str, keys: set[str]
) -> None:
    """Of the object that is printed, or of the first in the list."""
    answer = asked(capsys, *command.split())
    assert set(answer[0] if isinstance(answer, list) else answer) == keys


@pytest.mark.usefixtures("userdir")
def test_records_are_narrowed_by_every_option(capsys: pytest.CaptureFixture[str]) -> None:
    """In order of arrival, all of them; narrowed by kind, mode, pair and number."""
    trades = asked(capsys, "records", "--kind", "trade")
    assert len(trades) == 3
    assert trades[1]["profit_ratio"] == -0.02
    assert len(asked(capsys, "records")) == 5
    assert len(asked(capsys, "records", "--mode", "backtest")) == 2
    assert [t["id"] for t in asked(capsys, "records", "-n", "1")] == [trades[-1]["id"]]
    assert asked(capsys, "records", "--pair", "NO/PAIR") == []


@pytest.mark.usefixtures("userdir")
def test_the_ledger_has_reasons_and_outcomes(capsys: pytest.CaptureFixture[str]) -> None:
    """Decisions that opened a trade; with --all the others, too."""
    (line,) = asked(capsys, "ledger")
    assert (line["profit_ratio"], line["reasons"][0]["name"]) == (-0.02, "strategy")
    assert len(asked(capsys, "ledger", "--all")) == 2


@pytest.mark.usefixtures("userdir")
def test_delivery_and_stats_agree(capsys: pytest.CaptureFixture[str]) -> None:
    """What waits is brought to Mem0 by `deliver`; then both count the same."""
    before = asked(capsys, "stats")
    assert (before["pending"], before["mem0"]["total"]) == (5, 0)
    assert asked(capsys, "deliver") == {"delivered": 5, "pending": 0}
    after = asked(capsys, "stats")
    assert after["pending"] == 0
    assert after["mem0"] == after["journal"]
    assert after["journal"]["by_kind"] == {"note": 1, "risk_event": 1, "trade": 3}
    found = asked(capsys, "search", "never", "hold", "over", "the", "weekend", "-n", "1")
    assert [memory["text"] for memory in found] == ["never hold over the weekend"]


@pytest.mark.usefixtures("userdir")
def test_why_explains_by_id_pair_and_default(capsys: pytest.CaptureFixture[str]) -> None:
    """The same decision, however it is named; the text has its numbers."""
    by_default = asked(capsys, "why")
    assert asked(capsys, "why", "ETH/USDT") == by_default
    assert asked(capsys, "why", by_default["trade_id"][:8]) == by_default
    assert by_default["profit_abs_without_memory"] == pytest.approx(-1.6)
    assert "a stake of 100 USDT was raised to 125 (x1.25)" in by_default["text"]
    assert main(["why"]) == 0
    assert "raised to 125" in capsys.readouterr().out


@pytest.mark.usefixtures("userdir")
def test_insights_are_of_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    """The newest by default; others by their mode."""
    newest = asked(capsys, "insights")
    assert (newest["mode"], newest["run_id"], newest["n_trades"]) == ("backtest", "run-1", 2)
    assert newest["insights"][0]["level"] == "strategy"
    assert asked(capsys, "insights", "--mode", "dry_run")["n_trades"] == 1


@pytest.mark.usefixtures("userdir")
def test_a_sound_memory_is_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    """Each check says what it saw."""
    report = asked(capsys, "doctor")
    assert report["healthy"]
    assert {finding["check"] for finding in report["findings"]} == {
        "installation",
        "config",
        "credentials",
        "alerts",
        "journal",
        "records from outside",
        "Mem0",
        "delivery",
        "bots",
        "backups",
        "webhooks",
        "tamper evidence",
        "forgetting",
        "triggers",
    }


def test_a_check_creates_no_memory(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The probe of Mem0 is made elsewhere where there is no memory yet."""
    config = tmp_path / "config.json"
    memory = tmp_path / "memory"
    block = {"mode": "embedded", "user_id": "me", "path": str(memory)}
    config.write_text(json.dumps({"mem0": block}), encoding="utf-8")
    report = asked(capsys, "doctor", "-c", str(config))
    (found,) = [each for each in report["findings"] if each["check"] == "Mem0"]
    assert "found by a search" in found["text"]
    assert not memory.exists()


def test_bots_of_one_name_are_found(userdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With which name; a bot that was killed and started again is one."""
    marks, now_s = Marks(Journal(userdir / "mem0")), time.time()
    for run_id, databases in (("again", ("one", "one")), ("twice", ("one", "two"))):
        for number, database in enumerate(databases):
            origin = replace(ORIGIN, run_id=run_id)
            Namesakes(marks, origin, 60.0).look(database, now_s - 30 + number)
    (bots,) = [each for each in asked(capsys, "doctor")["findings"] if each["check"] == "bots"]
    assert bots["state"] == "warning"
    assert "twice" in bots["text"]
    assert "again" not in bots["text"]


def test_a_damaged_journal_is_found(userdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The doctor fails and says which file."""
    (userdir / "mem0" / "journal.sqlite").write_bytes(b"not a database at all" * 500)
    assert main(["doctor", "--json"]) == 1
    report = json.loads(capsys.readouterr().out)
    failed = [finding for finding in report["findings"] if finding["state"] == "failed"]
    assert failed
    assert "journal.sqlite" in failed[0]["text"]


@pytest.mark.usefixtures("userdir")
@pytest.mark.parametrize("width", [80, 160])
@pytest.mark.parametrize("command", ["records", "ledger", "stats", "insights", "doctor", "why"])
def test_tables_are_printed_for_people(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str, width: int
) -> None:
    """Something to read that fits the terminal, nothing shortened, and no JSON."""
    monkeypatch.setattr(
        "freqtrade_mem0.cli.output.console", lambda: Console(width=width, highlight=False)
    )
    assert main([command]) == 0
    printed = capsys.readouterr().out
    lines = printed.splitlines()
    assert len(lines) > 1
    assert not printed.lstrip().startswith(("{", "["))
    if command != "doctor":
        longest = max(lines, key=len)
        assert len(longest) <= width or longest.strip().startswith("/")  # a path is whole
    assert "\u2026" not in printed


@pytest.mark.usefixtures("userdir")
def test_a_narrow_terminal_shows_fewer_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The columns of a ledger that say most stay."""
    for width, has_run in ((80, False), (160, True)):
        monkeypatch.setattr("freqtrade_mem0.cli.output.console", lambda w=width: Console(width=w))
        assert main(["ledger"]) == 0
        printed = capsys.readouterr().out
        assert ("strategy, run" in printed) is has_run
        for part in ("decided at (UTC)", "Outcome", "trade", "-2.00%"):
            assert part in printed


@pytest.mark.usefixtures("userdir")
@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("why", "ffff"), "No decision 'ffff'"),
        (("why", "NO/PAIR"), "pair NO/PAIR"),
        (("search", "?!"), "no word in the query"),
        (("insights", "-s", "Nobody"), "strategy Nobody"),
        (("priors", "--promote", "nowhere"), "0 runs begin with 'nowhere'"),
        (("priors", "--withdraw", "nowhere"), "No promoted run begins"),
        (("stats", "-c", "missing.json"), "missing.json"),
        (("stats", "--userdir", "elsewhere"), "There is no memory in elsewhere"),
    ],
)
def test_a_mistake_is_one_sentence(
    capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], sentence: str
) -> None:
    """On standard error, with exit code 1."""
    assert sentence in refused(capsys, *argv)


def test_environment_overrides_the_config(
    userdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As Freqtrade does it."""
    assert userdir.is_dir()
    monkeypatch.setenv("FREQTRADE__MEM0__USER_ID", "somebody-else")
    assert asked(capsys, "records") == []
    monkeypatch.setenv("FREQTRADE__MEM0__SIZING__MIN_MULTIPLIER", "2")
    assert '"mem0.sizing.min_multiplier" is 2' in refused(capsys, "records")


def test_promoting_and_withdrawing_a_run(userdir: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the beginning of its id."""
    assert userdir.is_dir()
    (promoted,) = asked(capsys, "priors", "--promote", "run-")
    assert (promoted["source_run_id"], promoted["provenance"]) == ("run-1", "promoted by hand")
    assert asked(capsys, "priors", "--withdraw", "run-1") == []
