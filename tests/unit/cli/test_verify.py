"""The command `verify` says in words and in its exit code whether the journal was changed."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.journal.journal import Journal
from tests.support.samples import a_decision, a_trade, opened

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def options(tmp_path: Path) -> list[str]:
    """A memory with three trades."""
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"mem0": {"mode": "local", "path": str(tmp_path / "mem0")}}))
    journal = Journal(tmp_path / "mem0")
    for number in range(3):
        decision, trade = a_decision(number), a_trade(number)
        journal.append([decision, opened(decision, trade), trade])
    journal.close()
    return ["verify", "-c", str(config)]


def facts(options: list[str], capsys: pytest.CaptureFixture[str], code: int = 0) -> Any:
    """Return what `--json` prints."""
    assert main([*options, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_it_says_that_nothing_was_changed(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """And prints the root to keep, which it then finds."""
    last = facts(options, capsys)["roots"][-1]
    root = f"{last['day']}={last['root']}"
    assert main([*options, "--roots", "--root", root]) == 0
    printed = capsys.readouterr().out
    assert "6 rows compared with the chain of hashes: nothing was changed." in printed
    assert printed.count(root) == 2


def test_it_names_the_first_row_that_does_not_fit(
    options: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 1; `doctor` fails as well."""
    with closing(sqlite3.connect(tmp_path / "mem0" / "journal.sqlite")) as sqlite:
        sqlite.execute("UPDATE decisions SET body = replace(body, '1.25', '0.75') WHERE seq = 2")
        sqlite.commit()
    found = facts(options, capsys, code=1)
    assert found["breaks"] == 1
    assert found["first"][0]["what"].startswith("row 2 of decisions")
    assert main(options) == 1
    assert "changed in the file" in capsys.readouterr().out
    assert main(["doctor", *options[1:], "--json"]) == 1
    findings = json.loads(capsys.readouterr().out)["findings"]
    assert {each["check"] for each in findings if each["state"] == "failed"} == {"tamper evidence"}


def test_a_root_that_is_none_is_refused(
    options: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """With the form it has to have."""
    with pytest.raises(SystemExit):
        main([*options, "--root", "yesterday"])
    assert "DAY=HASH" in capsys.readouterr().err
    assert main([*options, "--root", f"2026-01-01={'0' * 64}"]) == 1
    assert "no root of this chain" in capsys.readouterr().out
