"""The command `forget` counts first, and prints a receipt when it is told to go on."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from freqtrade_mem0 import get_mem0_client
from freqtrade_mem0.cli.main import main
from freqtrade_mem0.journal.journal import Journal
from tests.support.samples import ORIGIN, a_trade


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    """A memory with three trades."""
    config = tmp_path / "config.json"
    block = {"mode": "local", "path": str(tmp_path / "mem0"), "user_id": ORIGIN.user_id}
    config.write_text(json.dumps({"mem0": block}))
    journal = Journal(tmp_path / "mem0")
    journal.append([a_trade(number) for number in range(3)])
    journal.close()
    return ["forget", "-c", str(config), "--user", ORIGIN.user_id]


def test_without_yes_it_only_counts(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """And says how to go on."""
    assert main(options) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert "this would be deleted: records 3, evidence 3. Add --yes." in printed
    assert main([*options, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["would_delete"] == {"records": 3, "evidence": 3}


@pytest.mark.parametrize("which", ["--bot", "--strategy", "--run-id", "--user"])
def test_an_empty_name_is_refused(
    options: list[str], capsys: pytest.CaptureFixture[str], which: str
) -> None:
    """It comes of a variable that is not set, and never means all of them."""
    with pytest.raises(SystemExit) as ended:
        main([*options, which, "", "--yes"])
    assert ended.value.code == 2
    assert f"{which}: must not be empty" in capsys.readouterr().err.replace("-s/", "")
    assert len(list(Journal(Path(options[2]).parent / "mem0").records())) == 3


def test_the_receipt_says_what_is_gone_and_what_is_out_of_reach(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """`verify` then counts what was forgotten, and finds nothing wrong."""
    assert main([*options, "--yes"]) == 0
    printed = " ".join(capsys.readouterr().out.split())
    assert f"User {ORIGIN.user_id} was forgotten at" in printed
    assert "Asked again, found: rows of records 0" in printed
    assert "- Freqtrade's trade database" in printed
    assert main(["verify", *options[1:3]]) == 0
    assert "3 rows forgotten" in capsys.readouterr().out
    assert main([*options, "--allow-return"]) == 0
    assert "may be taken in again" in capsys.readouterr().out


def test_a_script_gets_the_same_receipt(options: list[str], tmp_path: Path) -> None:
    """Of its own user."""
    del options
    with get_mem0_client(tmp_path / "config.json") as client:
        receipt = client.forget(strategy=ORIGIN.strategy)
    assert receipt["complete"]
    assert receipt["deleted"]["records"] == 3
