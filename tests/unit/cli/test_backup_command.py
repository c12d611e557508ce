"""`backup` and `restore` on the command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from tests.unit.archive.memories import content_of, lived_in

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A config whose memory has something in it."""
    lived_in(tmp_path, 12).close()
    return configured(tmp_path)


def configured(folder: Path, **backup: Any) -> Path:
    """Write a config for the memory in a folder."""
    path = folder / "config.json"
    block = {"mode": "local", "user_id": "me", "backup": backup}
    path.write_text(json.dumps({"user_data_dir": str(folder), "mem0": block}))
    return path


def said(capsys: pytest.CaptureFixture[str]) -> Any:
    """Return the JSON that a command printed."""
    return json.loads(capsys.readouterr().out)


def test_backup_verify_and_restore(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By default beside the memory; the facts are those of the manifest."""
    before = content_of(tmp_path / "mem0")
    assert main(["backup", "-c", str(config), "--json"]) == 0
    made = said(capsys)
    assert made["counts"]["records"] == 33
    assert made["compared"] > 0
    assert made["path"].startswith(str(tmp_path / "mem0_backups"))
    assert main(["backup", "--verify-only", made["path"], "--json"]) == 0
    assert said(capsys)["files"] == made["files"]
    assert main(["restore", made["path"], "--to", str(tmp_path / "new"), "--json"]) == 0
    restored = said(capsys)
    assert (restored["folder"], restored["kept"]) == (str(tmp_path / "new"), None)
    assert restored["counts"] == made["counts"]
    assert content_of(tmp_path / "new") == before
    assert main(["restore", made["path"], "-c", str(config)]) == 1
    assert "Add --yes" in capsys.readouterr().err
    assert main(["restore", made["path"], "-c", str(config), "--yes"]) == 0
    assert "The memory that was there is in" in capsys.readouterr().out


def test_rotate_needs_a_schedule(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With one, the second call makes none; `maintain` follows it as well."""
    assert main(["backup", "--rotate", "-c", str(config)]) == 1
    assert '"mem0.backup.every_days" is not set' in capsys.readouterr().err
    config = configured(tmp_path, every_days=1, path=str(tmp_path / "b"))
    assert main(["maintain", "-c", str(config), "--dry-run", "--json"]) == 0
    assert said(capsys)["backup"] is None
    assert main(["maintain", "-c", str(config), "--json"]) == 0
    assert said(capsys)["backup"].startswith(str(tmp_path / "b"))
    assert main(["backup", "--rotate", "-c", str(config), "--json"]) == 0
    assert said(capsys) == {"path": None, "deleted": []}
    assert len(list((tmp_path / "b").iterdir())) == 1


def backups_check(config: Path, capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    """Return what `doctor` says of backups."""
    main(["doctor", "-c", str(config), "--json"])
    (found,) = [each for each in said(capsys)["findings"] if each["check"] == "backups"]
    return found["state"], found["text"]


def test_doctor_tells_of_backups(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """None by hand is no trouble; none on a schedule is."""
    assert backups_check(config, capsys)[0] == "ok"
    config = configured(tmp_path, every_days=1)
    assert backups_check(config, capsys)[0] == "warning"
    assert main(["backup", "--rotate", "-c", str(config), "--json"]) == 0
    capsys.readouterr()
    state, text = backups_check(config, capsys)
    assert (state, text[:8]) == ("ok", "1 backup")
    (path,) = (tmp_path / "mem0_backups").iterdir()
    path.rename(path.with_name("freqtrade-mem0-20200101T000000Z.zip"))
    assert backups_check(config, capsys)[0] == "warning"


def test_a_destination_beside_rotate_is_refused(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would have no effect."""
    assert main(["backup", "x.zip", "--rotate", "-c", str(config)]) == 1
    assert "leave it out" in capsys.readouterr().err


def test_a_backup_of_another_user_is_named(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is restored, and nobody sees anything of it until the config has its user."""
    assert main(["backup", str(tmp_path / "b.zip"), "-c", str(config)]) == 0
    block = {"mode": "local", "user_id": "you"}
    other = tmp_path / "other.json"
    other.write_text(json.dumps({"user_data_dir": str(tmp_path / "o"), "mem0": block}))
    assert main(["restore", str(tmp_path / "b.zip"), "-c", str(other)]) == 0
    assert "The backup is of user 'me'" in capsys.readouterr().out


@pytest.mark.parametrize("more", [[], ["--dry-run"]])
def test_a_folder_that_is_not_there_is_named(
    config: Path, tmp_path: Path, more: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """A dry run does not promise a file that can not be made."""
    target = tmp_path / "nope" / "x.zip"
    assert main(["backup", str(target), *more, "-c", str(config)]) == 1
    assert f"The folder {target.parent} does not exist" in capsys.readouterr().err
    assert not target.parent.exists()


def test_listing_keys_makes_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever only looks leaves a folder as it was."""
    config = configured(tmp_path)
    assert main(["keys", "list", "-c", str(config), "--json"]) == 0
    assert said(capsys) == []
    assert list(tmp_path.iterdir()) == [config]
