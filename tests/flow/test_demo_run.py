"""The demo, from its first line to the commands it recommends."""

from __future__ import annotations

import fcntl
import io
import json
import re
import shlex
import subprocess
from functools import partial
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from docs import generate, picture
from freqtrade_mem0.demo.freqtrade_run import run_backtests
from freqtrade_mem0.demo.run import run_demo
from tests.support.forked_python import ForkedPython
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.flow


def demo(
    folder: Path, datadir: Path | None = None, timerange: str | None = None
) -> tuple[int, str]:
    """Run the demo; return its exit code and what it printed."""
    output = io.StringIO()
    console = Console(file=output, width=200)
    code = run_demo(datadir=datadir, folder=folder, timerange=timerange, console=console)
    return code, output.getvalue()


def test_demo_shows_both_runs_and_commands_that_work(tmp_path: Path, datadir: Path) -> None:
    """It prints Freqtrade's tables of both runs and memory's part; what it recommends runs."""
    folder = tmp_path / "a demo"
    code, text = demo(folder, datadir, "20240101-20240105")
    assert code == 0, text
    assert text.count("BACKTESTING REPORT") == 2
    for part in ("What was remembered", "Stake multipliers", "Without and with memory"):
        assert part in text
    assert "mem0" in json.loads((folder / "config.json").read_text())
    _, _, end = text.partition("Try next")
    commands = [line.strip() for line in end.splitlines() if " -c " in line]
    assert [shlex.split(command)[-4 if " why " in command else -3] for command in commands] == [
        "why",
        "insights",
        "ledger",
    ]
    for command in commands:
        done = subprocess.run(
            shlex.split(command),
            capture_output=True,
            text=True,
            check=False,
            timeout=HANG_S,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert done.stdout.strip()


def test_demo_starts_anew_but_not_in_a_folder_of_others(tmp_path: Path) -> None:
    """A folder with files that no demo wrote is left alone."""
    (tmp_path / "thesis.txt").write_text("precious")
    code, text = demo(tmp_path)
    assert code == 1
    assert "no demo wrote" in text
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_demo_leaves_the_folder_of_a_running_one_alone(tmp_path: Path) -> None:
    """While another demo holds a folder, the next one takes the next name."""
    folder, empty = tmp_path / "demo", tmp_path / "empty"
    folder.mkdir()
    empty.mkdir()
    with (folder / ".freqtrade-mem0-demo").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        (folder / "config.json").write_text("{}")
        code, text = demo(folder, empty)
    assert code == 1
    assert "demo-2" in text
    assert (folder / "config.json").exists()


def test_demo_failure_says_what_to_do(tmp_path: Path) -> None:
    """A folder without candles ends it with exit code 1 and a way out."""
    (tmp_path / "empty").mkdir()
    code, text = demo(tmp_path / "demo", tmp_path / "empty")
    assert code == 1
    assert "download-data" in text


def test_the_pages_show_what_the_demo_prints(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """README, tutorial and their picture; `python docs/generate.py --demo` writes them anew."""
    forking = partial(run_backtests, process=ForkedPython)
    monkeypatch.setattr("freqtrade_mem0.demo.run.run_backtests", forking)
    example = generate.demo_why(tmp_path / "demo")
    assert "a stake of" in example
    drawn = picture.demo_picture(tmp_path / "demo")
    assert drawn == picture.FILE.read_text(encoding="utf-8")
    most, last = (int(each) for each in re.findall(r"(\d+)% (?:at most|in the end)", drawn))
    assert last < most / 2, "README says that memory is followed less and less here"
    for page in generate.PAGES_WITH_WHY:
        text = page.read_text(encoding="utf-8")
        assert generate.with_why(text, example) == text
