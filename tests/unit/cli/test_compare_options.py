"""The command's mistakes and options, before any backtest is run."""

from __future__ import annotations

import os
import signal
from multiprocessing import Semaphore
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.cli.commands import compare
from freqtrade_mem0.cli.main import build_parser, main
from freqtrade_mem0.compare.engine.backtest import EngineError, Job
from freqtrade_mem0.compare.engine.find_strategy import classes_in
from freqtrade_mem0.compare.engine.pool import warnings_in
from freqtrade_mem0.compare.engine.run_both import run_both

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def userdir(tmp_path: Path) -> Path:
    """A user folder with two strategies, one of them in a sub-folder, and a config."""
    (tmp_path / "strategies" / "more").mkdir(parents=True)
    (tmp_path / "strategies" / "one.py").write_text("class DipBuyer(IStrategy):\n    pass\n")
    (tmp_path / "strategies" / "more" / "two.py").write_text("class Deep(IStrategy):\n    pass\n")
    (tmp_path / "config.json").write_text("{}")
    return tmp_path


def refusal(capsys: pytest.CaptureFixture[str], userdir: Path, *argv: str) -> str:
    """Return the sentence with which the command refuses."""
    assert main(["compare", "--userdir", str(userdir), *argv]) == 1
    return capsys.readouterr().err


def test_a_mistyped_strategy_is_refused_at_once(
    capsys: pytest.CaptureFixture[str], userdir: Path
) -> None:
    """The sentence names the folder and the name that was probably meant."""
    assert refusal(capsys, userdir, "-s", "Dipbuyer") == (
        f"freqtrade-mem0: There is no strategy Dipbuyer in {userdir / 'strategies'}. "
        "Did you mean DipBuyer?\n"
    )
    assert "There are: DipBuyer." in refusal(capsys, userdir, "-s", "Quite")


def test_sub_folders_count_only_when_asked(userdir: Path) -> None:
    """As Freqtrade does it with --recursive-strategy-search."""
    folders = [userdir / "strategies"]

    assert classes_in(folders, recursive=False) == ["DipBuyer"]
    assert classes_in(folders, recursive=True) == ["Deep", "DipBuyer"]


def test_a_wrong_mem0_block_is_refused_before_anything_runs(
    capsys: pytest.CaptureFixture[str], userdir: Path
) -> None:
    """With the key and what was probably meant."""
    (userdir / "config.json").write_text('{"mem0": {"sizing": {"polcy": "bayes"}}}')

    assert 'Did you mean "policy"?' in refusal(capsys, userdir, "-s", "DipBuyer")


def test_a_report_needs_a_folder(capsys: pytest.CaptureFixture[str], userdir: Path) -> None:
    """Said before the backtests, not after them."""
    missing = str(userdir / "no" / "report.html")

    assert "its folder does not exist" in refusal(
        capsys, userdir, "-s", "DipBuyer", "--html", missing
    )


@pytest.mark.parametrize("value", ["0", "-1", "two"])
def test_counts_are_whole_numbers(value: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Wrong usage is exit code 2."""
    with pytest.raises(SystemExit, match="2"):
        main(["compare", "-s", "S", "--jobs", value])
    assert "must be a whole number >= 1" in capsys.readouterr().err


def test_options_are_handed_on_as_freqtrade_knows_them() -> None:
    """Given ones only; several configs and pairs keep their order."""
    argv = ["compare", "-s", "A", "B", "-s", "C", "-c", "a.json", "-c", "b.json", "-d", "data"]
    argv += ["--timerange", "20240101-", "-p", "BTC/USDT", "ETH/USDT", "--enable-protections"]
    arguments = build_parser().parse_args(argv)

    assert arguments.strategy == ["A", "B", "C"]
    assert compare._options(arguments) == (
        *("--config", "a.json", "--config", "b.json", "--datadir", "data"),
        *("--timerange", "20240101-", "--pairs", "BTC/USDT", "ETH/USDT", "--enable-protections"),
    )


def test_freqtrade_understands_every_option() -> None:
    """Freqtrade's own parser takes what is handed on."""
    from freqtrade.commands import Arguments

    options = [part for _, option in compare._PASSED_ON for part in _with_value(option)]
    parsed = Arguments(["backtesting", *options]).get_parsed_arg()

    assert parsed["config"] == ["x"]
    assert parsed["pairs"] == ["x"]
    assert parsed["enable_protections"] is True


def test_options_that_freqtrade_refuses_are_refused_in_its_words(tmp_path: Path) -> None:
    """Its parser would end the process; here it is a sentence like any other."""
    job = Job(strategy="S", options=("--fee", "none"), folder=tmp_path)
    with pytest.raises(EngineError, match=r"does not accept these options: .*--fee.*none"):
        run_both(job, lambda *_: None, slots=Semaphore(0))


def test_warnings_are_told_from_the_rest_of_the_log() -> None:
    """Warnings and errors, each once, in order."""
    log = (
        "2026-01-01 00:00:00,000 - freqtrade.a - WARNING - First.\n"
        "noise - from a strategy\n"
        "2026-01-01 00:00:00,000 - freqtrade.b - ERROR - Second.\n"
        "2026-01-01 00:00:00,000 - freqtrade.a - WARNING - First.\n"
    )
    assert warnings_in(log) == ("First.", "Second.")


def _with_value(option: str) -> list[str]:
    if option in {"--enable-protections", "--recursive-strategy-search"}:
        return [option]
    return [option, "0.001" if option == "--fee" else "x"]


def test_sigterm_leaves_no_folder_behind(userdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As `timeout` and a stopped container send it; the exit code is that of other programs."""
    folders = []

    def terminated(_: object, __: object, folder: Path, *___: object) -> None:
        folders.append(folder)
        assert folder.is_dir()
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(compare, "_run_all", terminated)
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit, match="143"):
        main(["compare", "-s", "DipBuyer", "--userdir", str(userdir)])
    assert not folders[0].exists()
    assert signal.getsignal(signal.SIGTERM) is before


def test_ctrl_c_is_said_and_has_an_exit_code_of_its_own(
    userdir: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """130, as of other programs: what was asked for is not there, and nothing has failed."""

    def stopped(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(compare, "_run_all", stopped)

    code = main(["compare", "-s", "DipBuyer", "--userdir", str(userdir)])

    assert code == 130
    assert capsys.readouterr().err == "freqtrade-mem0: stopped.\n"
