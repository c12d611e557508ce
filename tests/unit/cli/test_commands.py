"""A command is one module in `cli/commands/`, and `--help` imports nothing that is slow."""

from __future__ import annotations

import json
import sys
from subprocess import check_output
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.cli import commands
from freqtrade_mem0.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = {"pandas", "numpy", "mem0", "freqtrade", "pydantic", "sklearn", "rich", "sqlite3"}
ADDED = '''\
"""Do something new.

This says more about it.
"""

NAME = "added"


def add_options(parser):
    parser.add_argument("--times", type=int, default=1, help="How often.")


def run(arguments):
    print("new " * arguments.times)
    return 3
'''


def test_a_command_is_added_by_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No list names the commands."""
    (tmp_path / "added.py").write_text(ADDED, encoding="utf-8")
    monkeypatch.setattr(commands, "__path__", [*commands.__path__, str(tmp_path)])

    assert main(["added", "--times", "2"]) == 3
    assert capsys.readouterr().out == "new new \n"
    with pytest.raises(SystemExit):
        main(["--help"])
    assert "Do something new." in capsys.readouterr().out
    sys.modules.pop("freqtrade_mem0.cli.commands.added")


def test_help_imports_nothing_heavy() -> None:
    """Neither does a wrong command."""
    code = (
        "import sys, json, contextlib, io\n"
        "from freqtrade_mem0.cli.main import main\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "    main(['--help'])\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    loaded = json.loads(check_output([sys.executable, "-c", code], text=True))

    assert set(loaded) & HEAVY == set()


def test_a_command_imports_no_other_command() -> None:
    """Only the help and a wrong name need all of them."""
    code = (
        "import sys, json, contextlib, io\n"
        "from freqtrade_mem0.cli.main import main\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "    main(['dead-letters', '--help'])\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    loaded = json.loads(check_output([sys.executable, "-c", code], text=True))
    package = f"{commands.__name__}."

    assert [name for name in loaded if name.startswith(package)] == [f"{package}dead_letters"]


@pytest.mark.parametrize("width", [80, 120])
def test_help_fits_the_terminal(
    width: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command has a line."""
    monkeypatch.setenv("COLUMNS", str(width))
    with pytest.raises(SystemExit):
        main(["--help"])
    lines = capsys.readouterr().out.splitlines()

    assert max(map(len, lines)) <= width
    assert sum(line.startswith("    ") and line[4:5].isalpha() for line in lines) >= 18


@pytest.mark.parametrize(("command", "lowered"), [("maintain", [10]), ("stats", [])])
def test_what_keeps_memory_in_order_runs_below_bots(
    command: str, lowered: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two cores are few: a cycle must not take them from a bot's callbacks."""
    niceness: list[int] = []
    monkeypatch.setattr("os.nice", niceness.append)
    monkeypatch.setattr(sys, "argv", ["freqtrade-mem0", command, "-c", "missing.json"])

    assert main() == 1
    assert niceness == lowered
