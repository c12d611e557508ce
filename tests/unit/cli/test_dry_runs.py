"""A dry run changes no byte of the memory, and says what would be done."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from tests.unit.archive.memories import lived_in

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config whose memory has something in it, in Mem0, too, and old enough to be aged."""
    lived_in(tmp_path, 40, mode="embedded").close()
    path = tmp_path / "config.json"
    block = {
        "mode": "embedded",
        "user_id": "me",
        "backup": {"every_days": 1, "keep": 1},
        "retention": {"strategy_performance": 1},
    }
    path.write_text(json.dumps({"user_data_dir": str(tmp_path), "mem0": block}))
    return path


def content(folder: Path) -> dict[str, str]:
    """Return a digest of every file, by its path."""
    files = (each for each in folder.rglob("*") if each.is_file())
    return {str(each): sha256(each.read_bytes()).hexdigest() for each in files}


COMMANDS: dict[str, list[str]] = {
    "forget": ["--user", "me"],
    "maintain": [],
    "backup": [],
    "backup to": ["new.zip"],
    "backup rotate": ["--rotate"],
    "compact": [],
}


@pytest.mark.parametrize("name", COMMANDS)
def test_no_byte_changes(config: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Neither in the memory's folder nor beside it, and no file is added."""
    command, options = name.split(maxsplit=1)[0], COMMANDS[name]
    before = content(config.parent)
    for _ in range(2):
        assert main([command, *options, "--dry-run", "-c", str(config)]) == 0
        assert "would be" in capsys.readouterr().out
    assert content(config.parent) == before


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return the JSON that a command printed."""
    return json.loads(capsys.readouterr().out)


def test_a_rotation_names_what_it_would_delete(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it then deletes; where none is due it says so."""
    folder = config.parent / "mem0_backups"
    folder.mkdir()
    old = folder / "freqtrade-mem0-20240101T000000Z.zip"
    old.write_bytes(b"")
    rotate = ["backup", "--rotate", "--json", "-c", str(config)]
    assert main([*rotate, "--dry-run"]) == 0
    planned = said(capsys)
    assert (planned["dry_run"], planned["deleted"]) == (True, [str(old)])
    assert main(rotate) == 0
    assert said(capsys)["deleted"] == planned["deleted"]
    assert main([*rotate, "--dry-run"]) == 0
    assert said(capsys) == {"path": None, "deleted": []}
