"""What memory's account has computed is in a file, and a start from it is the same as without."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.config.sizing import SizingSettings
from freqtrade_mem0.decide import account, account_snapshot
from freqtrade_mem0.decide.account_snapshot import AccountSnapshot
from freqtrade_mem0.decide.known import EvidenceReader
from freqtrade_mem0.insight.shrinkage import Shrinkage
from freqtrade_mem0.recall import Recall
from freqtrade_mem0.sizing.policies import split
from tests.support.samples import ORIGIN, a_trade, at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALL = range(800)


@pytest.fixture(autouse=True)
def few_are_worth_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ten trades be worth a file, which keeps those of the last days alone."""
    monkeypatch.setattr(account_snapshot, "WORTH_IT", 10)
    monkeypatch.setattr(account, "_KEPT_MS", 5 * 86_400_000)


def started(folder: Path | None, trades: range = ALL, **sizing: float) -> tuple[str, bool]:
    """Return what a bot that starts knows of an entry, and whether it read that from the file."""
    recall = Recall(("pair",), 365.0)
    for number in trades:
        situation = {"volatility": 0.005 + number % 7 / 400, "momentum": 0.1}
        ratio = 0.001 * (number * 7919 % 41 - 19)
        recall.add(a_trade(number, profit_ratio=ratio, situation=situation))
    policy = split.from_settings(SizingSettings.model_validate(sizing))
    evidence = EvidenceReader(recall, Shrinkage(pseudo_trades=20.0), policy)
    evidence.prepare(at(5_000), None if folder is None else AccountSnapshot(folder, ORIGIN))
    known = evidence.for_entry(
        strategy="Sample",
        pair="ETH/USDT",
        side="long",
        enter_tag="",
        moment=at(5_000),
        situation={"volatility": 0.02, "momentum": 0.5},
    )
    return repr((known.response, known.account)), evidence._account._n_earlier > 0


def test_the_second_start_takes_in_what_came_since(tmp_path: Path) -> None:
    """And says the same as one that took in everything; the file is its owner's alone."""
    started(tmp_path, range(700))
    (file,) = tmp_path.iterdir()

    assert started(tmp_path) == (started(None)[0], True)
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [file]


def test_another_computation_needs_another_format() -> None:
    """Files of earlier versions hold what these figures say. If they change, raise `FORMAT`."""
    known, _ = started(None)
    found = [f"{float(each):.6g}" for each in re.findall(r"-?\d+\.\d+", known)]

    assert account_snapshot.FORMAT == 101
    assert found == [
        *("1.27953", "0.545566", "0.451807", "0.0963855", "800", "0.244775", "0.756253"),
        *("1.01689", "-0.325878", "-1.78337", "-0.0113244", "800", "0.0119655", "0.360625"),
    ]


def test_a_few_trades_are_not_worth_a_file(tmp_path: Path) -> None:
    """Ten are."""
    started(tmp_path, range(9))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("trades", "sizing"),
    [(range(1, 800), {}), (ALL, {"max_multiplier": 1.2})],
    ids=["a trade is gone", "another bound"],
)
def test_the_file_of_something_else_is_not_used(
    tmp_path: Path, trades: range, sizing: dict[str, float]
) -> None:
    """All trades are taken in, and the next start has a file of them."""
    started(tmp_path)
    expected = started(None, trades, **sizing)

    assert started(tmp_path, trades, **sizing) == expected
    assert started(tmp_path, trades, **sizing) == (expected[0], True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data[:-500] + b"\0" * 500,
        lambda _: b"",
        lambda d: d * 2,
    ],
    ids=["cut", "overwritten", "empty", "doubled"],
)
def test_a_damaged_file_is_made_anew(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    """The bot starts without it."""
    started(tmp_path)
    (file,) = tmp_path.iterdir()
    file.write_bytes(damage(file.read_bytes()))

    assert started(tmp_path) == started(None)
    assert started(tmp_path) == (started(None)[0], True)


def test_a_folder_that_can_not_be_written_to_is_in_nobodys_way(tmp_path: Path) -> None:
    """The account is computed at each start."""
    assert started(tmp_path / "missing") == started(None)
