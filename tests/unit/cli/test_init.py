"""`init` writes what was answered into the config, and nothing else anywhere."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING, Any

import pytest
import questionary

from freqtrade_mem0.cli.commands import doctor, init
from freqtrade_mem0.cli.main import main
from tests.unit.config.test_edited import COMMENTED, read

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A config with comments in the working folder; `doctor` is tested elsewhere."""
    path = tmp_path / "config.json"
    path.write_text(COMMENTED)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(doctor, "run", lambda _: 0)
    return path


class Answers:
    """Answers questions in order, and keeps what was asked."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: Any) -> None:
        self.asked: list[str] = []
        self._answers = iter(answers)
        monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
        for name in ("select", "text", "confirm", "password"):
            monkeypatch.setattr(questionary, name, self._question)

    def _question(self, text: str, **_: Any) -> Answers:
        self.asked.append(text)
        return self

    def ask(self) -> Any:
        """Return the next answer."""
        return next(self._answers)


def test_options_answer_without_questions(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only they are written; what is the default already is not."""
    assert main(["init", "--live", "--mode", "embedded", "--backup-days", "1"]) == 0
    block = {"enabled": True, "sizing": {"live": True}, "backup": {"every_days": 1}}
    assert read(config.read_text())["mem0"] == block
    assert "// of mine" in config.read_text()
    assert "freqtrade-mem0 wrap -s MyStrategy -c config.json" in capsys.readouterr().out


def test_a_dry_run_writes_nothing(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It shows the keys."""
    assert main(["init", "--live", "--dry-run"]) == 0
    assert config.read_text() == COMMENTED
    assert sorted(each.name for each in config.parent.iterdir()) == ["config.json"]
    assert "would be set.\n  mem0.enabled = true\n  mem0.sizing.live = true" in (
        capsys.readouterr().out
    )


def test_a_set_key_changes_only_with_yes(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without a person to ask; the sentence says how."""
    assert main(["init", "--user", "ann"]) == 0
    before = config.read_text()
    assert main(["init", "--user", "ben"]) == 1
    assert "user_id would change; --yes changes it" in capsys.readouterr().err.replace("\n", " ")
    assert config.read_text() == before
    assert main(["init", "--user", "ben", "--yes"]) == 0
    assert read(config.read_text())["mem0"] == {"enabled": True, "user_id": "ben"}
    capsys.readouterr()
    assert main(["init", "--user", "ben"]) == 0
    assert "config.json stays as it is: all of this is set in it." in capsys.readouterr().out


def test_a_wrong_answer_is_refused_before_anything_is_written(
    config: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the key and its rule."""
    assert main(["init", "--mode", "server"]) == 1
    assert main(["init", "--user", "a b"]) == 1
    assert "\"mem0.user_id\" is 'a b': must hold no blanks" in capsys.readouterr().err.replace(
        "\n", " "
    )
    assert config.read_text() == COMMENTED


def test_a_file_of_its_own(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Which Freqtrade merges; as JSON for programs."""
    assert main(["init", "--damping", "--to", "mem0.json", "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["path"], said["written"]) == ("mem0.json", True)
    written = json.loads((config.parent / "mem0.json").read_text())
    assert written == {"mem0": {"enabled": True, "risk": {"damping": {"enabled": True}}}}
    assert config.read_text() == COMMENTED


def test_questions_are_asked_for_what_no_option_says(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server's address only where there is one."""
    asked = Answers(monkeypatch, "server", "mem0.lan", "ann", True, True, "0", True).asked
    assert main(["init", "--no-live"]) == 0
    assert [each.split()[0] for each in asked] == [
        "Where",
        "Address",
        "Owner",
        "Damp",
        "Note",
        "Days",
        "Write",
    ]
    block = read(config.read_text())["mem0"]
    assert (block["mode"], block["host"], "sizing" in block) == ("server", "mem0.lan", False)


def test_who_stops_writes_nothing(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C at a question, or no at the last one."""
    Answers(monkeypatch, "local", None)
    assert main(["init"]) == 1
    Answers(monkeypatch, "local", "ann", False, False, False, "0", False)
    assert main(["init"]) == 1
    assert config.read_text() == COMMENTED


def test_a_key_goes_to_a_private_file_and_not_to_the_config(
    config: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """And one that is there stays."""
    for number in range(2):
        key = f"m0-secret-{number}"
        Answers(
            monkeypatch, "platform", "ann", False, False, False, "0", *([True] * (not number)), key
        )
        assert main(["init"]) == 0
        said = capsys.readouterr()
        assert key not in said.out + said.err + config.read_text()
    file = config.parent / ".env.mem0"
    assert file.read_text() == "M0_API_KEY=m0-secret-0\n"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_files_mode_stays(config: Path) -> None:
    """A config may hold the keys of an exchange."""
    config.chmod(0o600)
    assert main(["init", "--live"]) == 0
    assert stat.S_IMODE(config.stat().st_mode) == 0o600
    assert [each.name for each in config.parent.iterdir()] == ["config.json"]


def test_without_a_config_it_says_what_makes_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Freqtrade's own command."""
    monkeypatch.chdir(tmp_path)
    assert init.NAME == "init"
    assert main(["init"]) == 1
    assert "'freqtrade new-config' makes one" in capsys.readouterr().err.replace("\n", " ")
