"""Archives of today: what is in them, and what can be wrong with them."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.importers.files import find_files, kind_of
from freqtrade_mem0.importers.report import FileKind, ImportFileError
from freqtrade_mem0.importers.results import read_config, read_results
from freqtrade_mem0.importers.to_records import backtest_record
from tests.support.samples import NOTED
from tests.unit.importers.result_files import (
    OLD_DATABASE,
    OLD_EPOCHS,
    OLD_RESULT,
    RUN_ID,
    a_result_trade,
    statistics,
    write_result,
)

if TYPE_CHECKING:
    from pathlib import Path

CONTENT = statistics([a_result_trade(1), a_result_trade(2)])


def test_every_strategy_of_an_archive_is_found(tmp_path: Path) -> None:
    """With its run id, its config and its trades; files of strategies are no results."""
    path = write_result(tmp_path, {"One": CONTENT, "Two": CONTENT}, config={"stake_amount": 7})
    results = read_results(path)

    assert [result.strategy for result in results] == ["One", "Two"]
    assert [result.run_id for result in results] == [f"One-{RUN_ID}", f"Two-{RUN_ID}"]
    assert results[0].config == read_config(path) == {"stake_amount": 7}
    assert len(results[0].trades) == 2
    assert "trades" not in results[0].statistics


def test_a_renamed_archive_is_still_read(tmp_path: Path) -> None:
    """The result in it keeps its name; only the metadata is lost."""
    path = write_result(tmp_path, {"One": CONTENT}).rename(tmp_path / "my best one.zip")
    (result,) = read_results(path)

    assert result.strategy == "One"
    assert result.run_id.startswith("content-")


def test_the_same_config_has_the_same_fingerprint(tmp_path: Path) -> None:
    """Whatever its order and wherever its files lay; another value gives another one."""
    configs: list[dict[str, Any]] = [
        {"a": 1, "b": 2, "config_files": ["x.json"]},
        {"b": 2, "a": 1, "config_files": ["y.json"]},
        {"a": 1, "b": 3},
    ]
    prints = [
        backtest_record(
            read_results(write_result(tmp_path, {"One": CONTENT}, config=config))[0], "me", NOTED
        ).config_fingerprint
        for config in configs
    ]

    assert prints[0] == prints[1] != prints[2]
    assert len(prints[0]) == 64


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.9, 0.999])
def test_a_torn_archive_is_refused(tmp_path: Path, kept: float) -> None:
    """Wherever it was cut."""
    path = write_result(tmp_path, {"One": CONTENT})
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(ImportFileError):
        read_results(path)


def test_an_archive_with_damaged_bytes_is_refused(tmp_path: Path) -> None:
    """Its checksum tells."""
    path = write_result(tmp_path, {"One": CONTENT})
    content = bytearray(path.read_bytes())
    content[120:160] = bytes(40)
    path.write_bytes(content)
    with pytest.raises(ImportFileError, match="damaged"):
        read_results(path)


def test_an_encrypted_archive_is_refused(tmp_path: Path) -> None:
    """With the word that says what to do about it."""
    path = write_result(tmp_path, {"One": CONTENT})
    content = bytearray(path.read_bytes())
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        start = content.find(magic)
        while start >= 0:
            content[start + offset] |= 1
            start = content.find(magic, start + 1)
    path.write_bytes(content)
    with pytest.raises(ImportFileError, match="encrypted"):
        read_results(path)


def test_an_archive_of_something_else_is_refused(tmp_path: Path) -> None:
    """Any zip file begins like one of Freqtrade's."""
    path = tmp_path / "photos.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("cat.json", "{}")
    with pytest.raises(ImportFileError, match="without a backtest result"):
        read_results(path)


def test_kinds_are_told_by_content(tmp_path: Path) -> None:
    """A name can be anything."""
    noise = tmp_path / "noise.sqlite"
    noise.write_bytes(bytes(range(7, 250)))

    assert kind_of(OLD_RESULT) is FileKind.BACKTEST
    assert kind_of(write_result(tmp_path, {"One": CONTENT})) is FileKind.BACKTEST
    assert kind_of(OLD_EPOCHS) is FileKind.HYPEROPT
    assert kind_of(OLD_DATABASE) is FileKind.DATABASE
    assert kind_of(noise) is FileKind.UNKNOWN


def test_folders_are_searched_for_files_of_freqtrade(tmp_path: Path) -> None:
    """Configs, candles and the memory's own files are left alone; the newest come first."""
    older = write_result(tmp_path / "backtest_results", {"One": CONTENT}, name="backtest-result-1")
    newer = write_result(tmp_path / "backtest_results", {"One": CONTENT}, name="backtest-result-2")
    named = tmp_path / "my-own-name.json"
    named.write_text("{}", encoding="utf-8")
    (tmp_path / "my-own-name.meta.json").write_text("{}", encoding="utf-8")
    for other in ("config.json", "data/ETH_USDT-5m.json", ".last_result.json", "mem0/x.sqlite"):
        (tmp_path / other).parent.mkdir(exist_ok=True)
        (tmp_path / other).write_text("{}", encoding="utf-8")
    bots = tmp_path / "tradesv3.sqlite"
    bots.write_bytes(b"SQLite format 3\x00")

    found = find_files([tmp_path, older], without=tmp_path / "mem0")
    assert found == [bots, named, newer, older]


def test_companions_named_by_a_pattern_are_no_files_of_their_own(tmp_path: Path) -> None:
    """`import backtest_results/*` names the metadata, too."""
    path = write_result(tmp_path, {"One": CONTENT})
    assert find_files(sorted(tmp_path.iterdir()), without=tmp_path / "mem0") == [path]
