"""The count of settings that were compared: per strategy and time, each once, in one file."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.compare.comparison import Comparison, compare
from freqtrade_mem0.compare.report.as_json import as_json
from freqtrade_mem0.compare.report.chance import chance_in_words
from freqtrade_mem0.compare.trials import FILE_NAME, fingerprint, with_trials
from tests.unit.compare.made_runs import two_runs

if TYPE_CHECKING:
    from pathlib import Path


def n_tried(c: Comparison, folder: Path, settings: str) -> int:
    """Count a comparison; return how many settings were tried."""
    found = with_trials(c, folder, settings).deflated
    assert found is not None
    return found.n_tried


def moved(c: Comparison, days: float) -> Comparison:
    """Return a comparison of another time."""
    runs = (
        replace(run, start=run.start + timedelta(days=days), end=run.end + timedelta(days=days))
        for run in (c.without, c.remembered)
    )
    without, remembered = runs
    return replace(c, without=without, remembered=remembered)


def test_each_setting_counts_once(plain: Comparison, tmp_path: Path) -> None:
    """However often it is compared."""
    assert n_tried(plain, tmp_path / "new", "a") == 1
    assert n_tried(plain, tmp_path / "new", "a") == 1
    assert n_tried(plain, tmp_path / "new", "b") == 2
    assert n_tried(plain, tmp_path / "new", "c") == 3
    assert n_tried(plain, tmp_path / "new", "a") == 3
    assert len((tmp_path / "new" / FILE_NAME).read_text().splitlines()) == 3


def test_other_strategies_and_other_times_are_counted_apart(
    plain: Comparison, tmp_path: Path
) -> None:
    """A time that is shifted a little is not another one."""
    assert n_tried(plain, tmp_path, "a") == 1
    assert n_tried(replace(plain, strategy="Other"), tmp_path, "b") == 1
    assert n_tried(moved(plain, 90.0), tmp_path, "c") == 1
    assert n_tried(moved(plain, 3.0), tmp_path, "d") == 2


def test_lines_that_can_not_be_read_are_left_out(plain: Comparison, tmp_path: Path) -> None:
    """Torn by a full disk, or written by another version."""
    n_tried(plain, tmp_path, "a")
    with (tmp_path / FILE_NAME).open("a") as file:
        file.write('not json\n{"strategy": "S"}\n[]\n{"start": 3, "end": 4, "sharpe": "x"}\n\n{"st')

    assert n_tried(plain, tmp_path, "b") == 2


def test_a_folder_that_can_not_be_written_to_is_told(plain: Comparison, tmp_path: Path) -> None:
    """By an error that the command turns into a note."""
    (tmp_path / "file").write_text("")

    with pytest.raises(OSError, match="file"):
        with_trials(plain, tmp_path / "file", "a")


def test_thirty_settings_are_told_of(tmp_path: Path) -> None:
    """In words and in JSON; one setting is told of in JSON alone."""
    first = with_trials(compare("S", *two_runs(1)), tmp_path, "1")
    assert not any(words.startswith("Settings tried") for words in chance_in_words(first))
    for seed in range(2, 31):
        without, remembered = two_runs(seed)
        tried = replace(first, without=without, remembered=remembered)
        last = with_trials(tried, tmp_path, str(seed))

    words = chance_in_words(last)[-1]
    assert words.startswith("Settings tried: 30 different ones were compared")
    trials = as_json(last)["trials"]
    assert trials["settings_tried"] == 30
    assert trials["best_by_chance"] > 0.5
    assert 0.0 <= trials["deflated_sharpe_ratio"] < 0.95
    assert f"{trials['deflated_sharpe_ratio']:.1%}" in words


def test_settings_are_told_apart() -> None:
    """By what they say, not by the order in which it stands."""
    assert fingerprint({"a": 1, "b": 2}) == fingerprint({"b": 2, "a": 1})
    assert fingerprint({"a": 1}) != fingerprint({"a": 2})
