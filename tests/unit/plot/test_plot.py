"""The pictures of a run: one file, safe to open, with the numbers of its frames."""

from __future__ import annotations

import json
import re
from contextlib import closing
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from freqtrade_mem0 import frames
from freqtrade_mem0.cli.main import main
from freqtrade_mem0.decide.explain import both_outcomes
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.plot.pictures import calibration, heat_map, multipliers, profits
from freqtrade_mem0.views.worth import worth
from tests.support.full_memory import OTHER, open_memory
from tests.support.samples import a_decision, a_trade, opened

if TYPE_CHECKING:
    from pathlib import Path

HOSTILE = "<script>alert(1)</script>\x1b[31m"


def config(folder: Path, n: int, tag: str = "dip") -> str:
    """Write a memory with so many trades, whose larger multipliers end better, and its config."""
    memory = open_memory(folder, OTHER.user_id, mode="local")
    memory.journal.open()
    for number in range(n):
        multiplier = 0.8 + 0.4 * (number % 10) / 9
        decision = a_decision(
            number, origin=OTHER, multiplier=multiplier, stake=100.0 * multiplier, enter_tag=tag
        )
        trade = a_trade(
            number,
            origin=OTHER,
            profit_ratio=multiplier / 10 - 0.1,
            enter_tag=tag,
            decision_id=decision.id,
            situation={"volatility_regime": ("calm", "wild")[number % 2], "trend_regime": "up"},
        )
        memory.journal.append([decision, opened(decision, trade), trade])
    memory.close()
    path = folder / "config.json"
    block = {"mode": "local", "user_id": OTHER.user_id}
    path.write_text(json.dumps({"user_data_dir": str(folder), "mem0": block}))
    return str(path)


def test_the_file_needs_nothing_from_elsewhere(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """No script, no address, and texts are texts."""
    html = tmp_path / "out.html"
    options = ["--by", "enter_tag", "trend_regime", "--html", str(html)]
    assert main(["plot", "-c", config(tmp_path, 60, HOSTILE), *options]) == 0
    assert "60 decisions. Open it in a browser." in capsys.readouterr().out
    text = html.read_text(encoding="utf-8")
    assert "<script" not in text
    assert not re.search(r"https?://|url\(|@import", text)
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    assert "\x1b" not in text
    assert text.count("<svg") == 3


def test_profits_end_where_the_ledger_does(tmp_path: Path) -> None:
    """With memory's stakes as it happened, without them as `why` and `report` say."""
    path = config(tmp_path, 30)
    ledger = frames.ledger(path)
    drawing = profits(ledger, "USDT")
    assert drawing is not None
    without, actual = drawing.legend
    assert actual.points[-1][1] == pytest.approx(ledger["profit_abs"].sum())
    with closing(open_memory(tmp_path, OTHER.user_id, mode="local")) as memory:
        (found,) = worth(memory, Scope(user_id=OTHER.user_id))
        lines = list(memory.journal.ledger(Scope(user_id=OTHER.user_id)))
    explained = [both_outcomes(each.decision, each.trade)[1] for each in lines if each.trade]
    assert without.points[-1][1] == pytest.approx(found["profit_without"])
    assert without.points[-1][1] == pytest.approx(sum(explained))


def test_trades_are_grouped_by_multiplier_where_nothing_is_forecast(tmp_path: Path) -> None:
    """Groups rise here, as larger multipliers end better; too few trades are no picture."""
    ledger = frames.ledger(config(tmp_path, 100))
    drawing, words = calibration(ledger)
    assert drawing is not None
    means = [y for _, y in drawing.legend[1].points]
    assert means == sorted(means)
    assert "100 closed trades in 8 groups" in words
    forecast, _ = calibration(ledger.assign(expected_ratio=ledger["multiplier"] / 100))
    assert forecast is not None
    assert forecast.title == "Mean profit of a trade, by its forecast"
    assert calibration(ledger.head(10))[0] is None


def test_a_cell_of_the_heat_map_is_the_mean_of_its_trades(tmp_path: Path) -> None:
    """With their number; features that no trade has are no map."""
    situations = frames.situations(config(tmp_path, 20))
    found = heat_map(situations, "volatility_regime", "trend_regime")
    assert found is not None
    for name, (cell,) in found.cells:
        of_it = situations.loc[situations["volatility_regime"] == name, "profit_ratio"]
        assert cell is not None
        assert (cell.text, cell.n) == (f"{of_it.mean():+.2%}", 10)
    assert heat_map(situations, "volatility_regime", "no_such") is None


def test_many_decisions_are_drawn_as_some(tmp_path: Path) -> None:
    """A million dots would be a file of fifty megabytes."""
    few = frames.ledger(config(tmp_path, 20))
    many = pd.concat([few] * 500, ignore_index=True)
    drawing = multipliers(many)
    assert drawing is not None
    assert len(drawing.legend[1].points) <= 1_500


def test_a_memory_without_trades_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And no file is written."""
    assert main(["plot", "-c", config(tmp_path, 0), "--html", str(tmp_path / "x.html")]) == 1
    assert "No trade of any strategy is in" in capsys.readouterr().err
    assert not (tmp_path / "x.html").exists()


@pytest.mark.parametrize("name", ["no_such", "profit_ratio", "trade_id"])
def test_features_that_can_not_be_counted_are_refused(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With those that can, and before a file is written."""
    path = tmp_path / "x.html"
    words = ["plot", "-c", config(tmp_path, 20), "--html", str(path), "--by", "pair", name]
    assert main(words) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert f"--by {name}: the trades of this run can not be grouped by it" in said
    assert "Choose from pair, side, enter_tag, volatility_regime, trend_regime." in said
    assert not path.exists()
