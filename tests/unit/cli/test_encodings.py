"""Output where standard output is not UTF-8: nothing fails, and JSON stays JSON."""

from __future__ import annotations

import json
import os
import sys
from subprocess import run
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0 import get_mem0_client

if TYPE_CHECKING:
    from pathlib import Path

TEXT = "h\u00e9llo \u2192 \u65e5\u672c \U0001f600"
PLACES = {
    "C": {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"},
    "ascii": {"PYTHONIOENCODING": "ascii"},
    "Windows": {"PYTHONIOENCODING": "cp1252"},
}


@pytest.mark.parametrize("place", PLACES)
def test_text_is_printed_on_every_terminal_and_pipe(tmp_path: Path, place: str) -> None:
    """What has no code there is escaped."""
    config = {"mem0": {"mode": "local"}}
    (tmp_path / "config.json").write_text(json.dumps(config), encoding="utf-8")
    with get_mem0_client(config, user_data_dir=tmp_path / "user_data") as client:
        client.store("user_preferences", TEXT)
    environ = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "PYTHONIO"))}
    programs = [
        ["records"],
        ["search", TEXT],
        ["records", "--json"],
        ["search", "--json", TEXT],
        ["why", "\u65e5"],
        ["ledger", "--strategy", "\u65e5"],
    ]
    done = [
        run(
            [sys.executable, "-m", "freqtrade_mem0.cli.main", *words],
            cwd=tmp_path,
            env=environ | PLACES[place],
            capture_output=True,
            check=False,
        )
        for words in programs
    ]

    undecoded = place == "C"
    assert [each.returncode for each in done] == [0, 0, 0, 0, 1, undecoded], done
    assert (b"Set PYTHONUTF8=1" in done[5].stderr) == undecoded
    assert not any(b"Traceback" in each.stderr for each in done)
    for each in done[2:4]:
        encoding = "cp1252" if place == "Windows" else "utf-8"
        assert json.loads(each.stdout.decode(encoding))[0]["text"] == TEXT
