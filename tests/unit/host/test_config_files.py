"""Config files are read with exactly the result of Freqtrade's own loader, and without its cost."""

from __future__ import annotations

import io
import json
import os
import sys
from subprocess import check_output
from typing import TYPE_CHECKING, Any

import pytest
from freqtrade.configuration.environment_vars import environment_vars_to_dict
from freqtrade.configuration.load_config import load_from_files
from freqtrade.exceptions import FreqtradeException
from freqtrade.misc import deep_merge_dicts

from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.host.config_files import read_config_files

if TYPE_CHECKING:
    from pathlib import Path

COMMENTED = """
{   // a comment
    "bot_name": "home", /* another
    one */
    "mem0": {"user_id": "me", "sizing": {"policy": "bayes", "levels": ["pair", "side",],},},
    "big": 12345678901234567890, "ratio": 1e-3, "nothing": null, "text": "a // b",
}
"""
FILES = {
    "plain.json": '{"mem0": {"user_id": "you"}, "dry_run": true}',
    "commented.json": COMMENTED,
    "other.json": '{"mem0": {"sizing": {"policy": "rules", "shadow": true}, "user_id": null}}',
    "adds.json": '{"add_config_files": ["sub/one.json", "plain.json"], "bot_name": "adds"}',
    "sub/one.json": '{"add_config_files": ["two.json"], "mem0": {"mode": "local"}, "x": 1}',
    "sub/two.json": '{"mem0": {"mode": "server", "sizing": {"policy": "off"}}, "x": 2, "y": {}}',
    "adds_nothing.json": '{"add_config_files": [], "bot_name": "nothing"}',
    "loop.json": '{"add_config_files": ["loop.json"]}',
    "adds_missing.json": '{"add_config_files": ["missing.json"]}',
    "broken.json": '{"mem0": {"user_id": }}',
    "list.json": "[]",
    "scalar.json": '{"mem0": 3}',
}
SOUND = [
    ["plain.json"],
    ["commented.json"],
    ["plain.json", "commented.json", "other.json"],
    ["other.json", "commented.json", "plain.json"],
    ["adds.json"],
    ["commented.json", "adds.json"],
    ["adds.json", "other.json"],
    ["adds_nothing.json"],
]
WRONG = [
    ["missing.json"],
    ["broken.json"],
    ["loop.json"],
    ["adds_missing.json"],
    ["plain.json", "broken.json"],
]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with the files."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("FREQTRADE__")]:
        monkeypatch.delenv(name)
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")


def by_freqtrade(files: list[str]) -> dict[str, Any]:
    """Return the config as Freqtrade itself reads it."""
    config: dict[str, Any] = deep_merge_dicts(environment_vars_to_dict(), load_from_files(files))
    return config


def without_names(config: dict[str, Any]) -> str:
    """Return a config as text with exact numbers, without the names of the files it is from."""
    return json.dumps({key: config[key] for key in sorted(config) if key != "config_files"})


@pytest.mark.parametrize("files", SOUND, ids="+".join)
def test_the_result_is_that_of_freqtrade(files: list[str]) -> None:
    """Comments, trailing commas, several files, added files, order of overriding."""
    assert without_names(read_config_files(files)) == without_names(by_freqtrade(files))


@pytest.mark.parametrize("files", SOUND, ids="+".join)
def test_the_environment_overrides_the_files_as_in_freqtrade(
    files: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Typed values, nested keys, lists."""
    monkeypatch.setenv("FREQTRADE__MEM0__USER_ID", "somebody")
    monkeypatch.setenv("FREQTRADE__MEM0__SIZING__SHADOW", "true")
    monkeypatch.setenv("FREQTRADE__MEM0__SIZING__MIN_MULTIPLIER", "0.5")
    monkeypatch.setenv("FREQTRADE__MEM0__SIZING__LEVELS", '["pair"]')
    config = read_config_files(files)

    assert config["mem0"]["sizing"]["levels"] == ["pair"]
    assert without_names(config) == without_names(by_freqtrade(files))


@pytest.mark.parametrize("files", WRONG, ids="+".join)
def test_a_wrong_file_is_refused_in_the_words_of_freqtrade(files: list[str]) -> None:
    """Which file, and for a syntax error where."""
    with pytest.raises(FreqtradeException) as theirs:
        by_freqtrade(files)
    with pytest.raises(ConfigError) as ours:
        read_config_files(files)

    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("files", [["list.json"], ["sub"], ["scalar.json", "plain.json"]])
def test_what_freqtrade_crashes_on_is_one_sentence(files: list[str]) -> None:
    """A list instead of a block, a folder, a value where another file has a block."""
    with pytest.raises(ConfigError, match="is no valid Freqtrade config"):
        read_config_files(files)


def test_standard_input_is_read_by_freqtrade(monkeypatch: pytest.MonkeyPatch) -> None:
    """`-c -` stays Freqtrade's business."""
    monkeypatch.setattr(sys, "stdin", io.StringIO(FILES["plain.json"]))

    assert read_config_files(["-"]) == json.loads(FILES["plain.json"])


def test_a_plain_config_is_read_without_importing_freqtrade() -> None:
    """Freqtrade's loader imports pandas and ccxt, which takes a second."""
    code = (
        "import sys; from freqtrade_mem0.host.config_files import read_config_files as read;"
        "print(read(['adds.json', 'commented.json'])['bot_name'], 'freqtrade' in sys.modules)"
    )
    assert check_output([sys.executable, "-c", code], text=True).split() == ["home", "False"]
