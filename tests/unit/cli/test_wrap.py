"""`wrap`: a file that Freqtrade can use, beside one that is not touched; mistakes in a sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0 import wrapped
from freqtrade_mem0.cli.main import main
from freqtrade_mem0.mixin import Mem0Mixin

if TYPE_CHECKING:
    from pathlib import Path

PLAIN = '''
from freqtrade.strategy import IStrategy
from beside import MARK


class Plain(IStrategy):
    """A strategy that imports what lies beside it."""

    timeframe = "5m"
    mark = MARK

    def populate_indicators(self, dataframe, metadata):
        return dataframe


class Helper:
    """No strategy."""
    def __init__(self, config=None): ...


class Other(Helper, object):
    """Neither."""
'''
REMEMBERING = """
from freqtrade.strategy import IStrategy
from freqtrade_mem0 import Mem0Mixin as Memory


class Base(Memory, IStrategy):
    timeframe = "5m"


class Remembering(Base):
    pass
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The strategies' folder of a user without a config."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "user_data" / "strategies"
    folder.mkdir(parents=True)
    (folder / "plain.py").write_text(PLAIN, encoding="utf-8")
    (folder / "beside.py").write_text("MARK = 7\n", encoding="utf-8")
    (folder / "remembering.py").write_text(REMEMBERING, encoding="utf-8")
    (folder / "broken.py").write_text("class Broken(:\n    pass\n", encoding="utf-8")
    (folder / "lacking.py").write_text(
        "import no_such_module\n\nclass Lacking(object): ...\n", encoding="utf-8"
    )
    return folder


def wrapped_facts(capsys: pytest.CaptureFixture[str], *argv: str) -> Any:
    """Return what `wrap --json` prints."""
    assert main(["wrap", *argv, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def refused(capsys: pytest.CaptureFixture[str], *argv: str) -> str:
    """Return the one sentence with which it fails."""
    assert main(["wrap", *argv]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    return said.err


def loaded(file: Path, name: str) -> Any:
    """Return a strategy class as Freqtrade's own resolver finds it."""
    from freqtrade.resolvers import StrategyResolver

    found, where = StrategyResolver._search_object(file.parent, object_name=name)
    assert where == file
    return found


def configured(folder: Path, **config: Any) -> dict[str, Any]:
    """Return a config that lets a strategy object be made."""
    return {
        "user_data_dir": folder.parent,
        "runmode": None,
        "mem0": {"enabled": False},
        "exchange": {"name": "binance"},
        **config,
    }


def test_the_copy_is_the_original_with_memory(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A class of its own in a file of its own; the original's file is as it was."""
    facts = wrapped_facts(capsys, "-s", "Plain")
    assert (facts["name"], facts["block"]) == ("PlainMem0", {"mem0": {"enabled": True}})
    assert [command.split()[:2] for command in facts["next"]] == [
        ["freqtrade", "backtesting"],
        ["freqtrade-mem0", "compare"],
    ]
    assert (folder / "plain.py").read_text(encoding="utf-8") == PLAIN
    copy = loaded(folder / "plain_mem0.py", "PlainMem0")
    assert issubclass(copy, Mem0Mixin)
    assert [base.__name__ for base in copy.__mro__[:3]] == ["PlainMem0", "Mem0Mixin", "Plain"]
    assert (copy.timeframe, copy.mark) == ("5m", 7)


def test_parameters_are_the_originals_until_the_copy_has_its_own(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """As hyperopt wrote them beside either file."""
    wrapped_facts(capsys, "-s", "Plain")
    copy = loaded(folder / "plain_mem0.py", "PlainMem0")
    assert copy(configured(folder)).load_params_from_file() == {}
    found = {"strategy_name": "Plain", "params": {"buy": {"low": 40}}}
    (folder / "plain.json").write_text(json.dumps(found), encoding="utf-8")
    assert copy(configured(folder)).load_params_from_file() == found
    own = found | {"strategy_name": "PlainMem0"}
    (folder / "plain_mem0.json").write_text(json.dumps(own), encoding="utf-8")
    assert copy(configured(folder)).load_params_from_file() == own


@pytest.mark.parametrize("enabled", [True, False])
def test_a_change_of_the_original_changes_the_config_mark(
    folder: Path, capsys: pytest.CaptureFixture[str], enabled: bool
) -> None:
    """Freqtrade's cache would serve the old result otherwise: the copy's file is the same."""
    from freqtrade.enums import RunMode

    wrapped_facts(capsys, "-s", "Plain")

    def mark() -> str:
        config = configured(folder, runmode=RunMode.HYPEROPT)
        config["mem0"] = {"enabled": enabled, "mode": "local"}
        strategy = loaded(folder / "plain_mem0.py", "PlainMem0")(config)
        return str(strategy.config["mem0"]["knowledge"])

    before = mark()
    assert mark() == before
    (folder / "plain.py").write_text(PLAIN.replace('"5m"', '"1h"'), encoding="utf-8")
    assert mark() != before


def test_name_file_and_config_are_the_users_choice(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file elsewhere finds the original, and Freqtrade is told where; a block is not repeated."""
    (tmp_path / "config.json").write_text('{"mem0": {"enabled": true}}', encoding="utf-8")
    elsewhere = tmp_path / "mine"
    elsewhere.mkdir()
    target = elsewhere / "sized.py"
    facts = wrapped_facts(capsys, "-s", "Plain", "--name", "Sized", "-o", str(target))
    assert facts["block"] is None
    assert f"--strategy-path {elsewhere}" in facts["next"][0]
    assert loaded(target, "Sized").mark == 7
    assert not (folder / "plain_mem0.py").exists()


def test_a_file_that_is_there_needs_force(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Then it is written anew; without, it stays."""
    wrapped_facts(capsys, "-s", "Plain")
    file = folder / "plain_mem0.py"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + "# mine\n", encoding="utf-8")
    assert "Overwrite it with --force" in refused(capsys, "-s", "Plain")
    assert file.read_text(encoding="utf-8").endswith("# mine\n")
    wrapped_facts(capsys, "-s", "Plain", "--force")
    assert file.read_text(encoding="utf-8") == text


def test_people_are_told_what_was_written_and_what_to_do(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file, the block that is missing, two commands."""
    assert main(["wrap", "-s", "Plain"]) == 0
    said = capsys.readouterr().out
    assert folder.is_dir()
    for part in ("plain_mem0.py", '"mem0": {"enabled": true}', "freqtrade backtesting -s Plain"):
        assert part in said


@pytest.mark.parametrize(
    ("argv", "sentence"),
    [
        (("-s", "Plian"), "Did you mean Plain?"),
        (("-s", "Remembering"), "has Mem0Mixin already"),
        (("-s", "Broken"), "broken.py, line 1"),
        (("-s", "Lacking"), "No module named 'no_such_module'"),
        (("-s", "Other"), "is no strategy"),
        (("-s", "Plain", "--name", "Plain"), "other than Plain"),
        (("-s", "Plain", "--name", "no name"), "must be a class name"),
        (("-s", "Plain", "--name", "Other"), "plain.py defines Other already"),
        (("-s", "Plain", "-o", "plain.py", "--force"), "the original's name"),
        (("-s", "Plain", "-o", "copy.txt"), "reads .py files only"),
        (("-s", "Plain", "-o", "nowhere/copy.py"), "its folder does not exist"),
    ],
)
def test_a_mistake_is_one_sentence_and_writes_nothing(
    folder: Path, capsys: pytest.CaptureFixture[str], argv: tuple[str, ...], sentence: str
) -> None:
    """On standard error; no file appears or changes."""
    before = {file: file.read_bytes() for file in folder.glob("*.py")}
    assert sentence in refused(capsys, *argv)
    assert {file: file.read_bytes() for file in folder.glob("*.py")} == before


def test_what_is_gone_is_said(folder: Path) -> None:
    """The file, or the class in it."""
    with pytest.raises(ImportError, match=r"nothing\.py is gone"):
        wrapped.original(folder / "nothing.py", "Plain")
    with pytest.raises(ImportError, match="no class Nothing any more"):
        wrapped.original(folder / "plain.py", "Nothing")
