"""Nothing a run leaves behind holds a secret: config, results, journal, memories, logs, output."""

from __future__ import annotations

import json
import stat
import zipfile
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.cli.main import main
from tests.flow.scenarios import REMEMBERING

if TYPE_CHECKING:
    from pathlib import Path

    from tests.flow.harness import Backtests

pytestmark = pytest.mark.flow

KEY = "m0-k9QxW7vR3tZ"
PASSWORD = "pw-h4LmN8bC2yT"  # noqa: S105 - it is looked for
NEEDLES = (KEY.encode(), PASSWORD.encode())

MEM0 = {
    "enabled": True,
    "llm": {
        "provider": "openai",
        "config": {"api_key": "env:PROVIDER_PASSWORD", "openai_base_url": "http://127.0.0.1:9"},
    },
}
"""A language model is configured, and its key named; nothing asks it here."""


def holding_a_secret(folder: Path) -> list[str]:
    """Return the files below a folder in which a secret stands; archives are looked into."""
    found = []
    for file in sorted(folder.rglob("*")):
        if not file.is_file():
            continue
        contents = [file.read_bytes()]
        if zipfile.is_zipfile(file):
            with zipfile.ZipFile(file) as archive:
                contents += [archive.read(name) for name in archive.namelist()]
        if any(needle in content for needle in NEEDLES for content in contents):
            found.append(str(file.relative_to(folder)))
    return found


def test_no_secret_is_left_anywhere(
    backtests: Backtests, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """A backtest with delivery, then commands: files, logs and output are free of both secrets."""
    monkeypatch.setenv("M0_API_KEY", KEY)
    monkeypatch.setenv("PROVIDER_PASSWORD", PASSWORD)
    run = backtests.run(REMEMBERING, MEM0, timerange="20240101-20240104")
    folder = backtests.folder / "user_data"
    options = ["-c", str(folder / "config.json"), "--userdir", str(folder)]
    printed = [run.log, run.tables]
    for command in (["stats"], ["doctor"], ["dead-letters"], ["deliver"], ["stats", "--json"]):
        assert main([*command, *options]) == 0
        said = capfd.readouterr()
        printed += [said.out, said.err]
    stats = json.loads(printed[-2])
    assert stats["mem0"]["total"] == stats["journal"]["total"] > 0
    assert [text for text in printed if KEY in text or PASSWORD in text] == []
    assert holding_a_secret(backtests.folder) == []
    results = list((folder / "backtest_results").glob("*.zip"))
    assert len(results) == 1
    with zipfile.ZipFile(results[0]) as archive:
        configs = [archive.read(n).decode() for n in archive.namelist() if "config" in n]
    assert any("env:PROVIDER_PASSWORD" in config for config in configs)
    open_to_others = [
        str(file)
        for file in [folder / "mem0", *(folder / "mem0").rglob("*")]
        if stat.S_IMODE(file.stat().st_mode) & 0o077
    ]
    assert open_to_others == []


def test_the_search_for_secrets_finds_them(tmp_path: Path) -> None:
    """In plain files, in databases and in archives, as deep as Freqtrade puts them."""
    (tmp_path / "plain").write_text(f"key={KEY}")
    (tmp_path / "deep").mkdir()
    with zipfile.ZipFile(tmp_path / "deep" / "result.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", f'{{"x": "{"a" * 1000}", "password": "{PASSWORD}"}}')
    (tmp_path / "clean").write_text("nothing")
    assert holding_a_secret(tmp_path) == ["deep/result.zip", "plain"]
