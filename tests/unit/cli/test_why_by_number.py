"""`why 25` means Freqtrade's trade 25, wherever its bot keeps its trades."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from freqtrade.persistence import Order, Trade
from freqtrade.persistence.base import ModelBase
from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.records.base import Mode, Origin, record_id
from freqtrade_mem0.records.from_trade import trade_identity
from tests.support.samples import ORIGIN, a_decision, a_trade, opened

if TYPE_CHECKING:
    from pathlib import Path

BOT = replace(ORIGIN, user_id="freqtrade")
NOW = datetime(2024, 1, 1)  # noqa: DTZ001 - as Freqtrade's ORM gives it


def a_database(path: Path, *orders: str, is_short: bool = False, first: int = 25) -> None:
    """Write a trade database; each trade has an entry that never filled, and one that did."""
    engine = create_engine(f"sqlite:///{path}")
    ModelBase.metadata.create_all(engine)
    side = "sell" if is_short else "buy"
    with Session(engine) as session:
        for number, order_id in enumerate(orders, first):
            session.add(
                Trade(
                    id=number, pair="ETH/USDT", exchange="binance", is_open=True, open_rate=1.0,
                    amount=1.0, stake_amount=1.0, fee_open=0.0, fee_close=0.0, open_date=NOW,
                    is_short=is_short,
                )
            )  # fmt: skip
            for filled, name in ((0.0, f"{order_id}-never"), (1.0, order_id)):
                session.add(
                    Order(
                        ft_trade_id=number, ft_order_side=side, ft_pair="ETH/USDT", order_id=name,
                        ft_is_open=False, ft_amount=1.0, ft_price=1.0, filled=filled, amount=1.0,
                        symbol="ETH/USDT", order_type="limit", side=side, price=1.0,
                    )
                )  # fmt: skip
        session.commit()
    engine.dispose()


def decided(folder: Path, order_id: str, origin: Origin = BOT, side: str = "long") -> str:
    """Write a decision on the trade of an order; return its trade's id."""
    journal = Journal(folder / "mem0")
    identity = trade_identity(origin, "ETH/USDT", side, order_id)
    its_id = record_id("decision", origin.mode, origin.run_id, order_id)
    decision = replace(a_decision(origin=origin, side=side), id=its_id)
    journal.append([decision, opened(decision, a_trade(origin=origin, id=identity))])
    journal.close()
    return identity


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Return a config whose bot keeps its trades in `trades.sqlite`."""
    path = tmp_path / "config.json"
    block = {"mode": "local", "path": str(tmp_path / "mem0")}
    url = f"sqlite:///{tmp_path / 'trades.sqlite'}"
    path.write_text(json.dumps({"db_url": url, "mem0": block}), encoding="utf-8")
    return path


def test_a_number_is_freqtrades(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The trade is found by its first filled entry order, long or short; the file is only read."""
    wanted = decided(tmp_path, "dry_run_buy-2")
    decided(tmp_path, "dry_run_buy-1")
    a_database(tmp_path / "trades.sqlite", "dry_run_buy-1", "dry_run_buy-2")
    before = (tmp_path / "trades.sqlite").read_bytes()
    assert main(["why", "26", "--json", "-c", str(config)]) == 0
    assert json.loads(capsys.readouterr().out)["trade_id"] == wanted
    assert (tmp_path / "trades.sqlite").read_bytes() == before

    short = decided(tmp_path, "dry_run_sell-1", side="short")
    other = tmp_path / "other.sqlite"
    a_database(other, "dry_run_sell-1", is_short=True)
    words = ["why", "25", "--json", "--db-url", f"sqlite:///{other}", "-c", str(config)]
    assert main(words) == 0
    assert json.loads(capsys.readouterr().out)["trade_id"] == short


def test_a_live_trade_is_no_dry_runs(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The order tells the mode, so a dry-run's decision with the same name does not answer."""
    live = replace(BOT, mode=Mode.LIVE)
    decided(tmp_path, "4711")
    wanted = decided(tmp_path, "4711", live)
    a_database(tmp_path / "trades.sqlite", "4711")
    assert main(["why", "25", "--json", "-c", str(config)]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["trade_id"], facts["mode"]) == (wanted, "live")


def test_several_bots_are_listed(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two bots that took up the same trade are named, each with the id to ask for."""
    ids = [
        decided(tmp_path, "dry_run_buy-1", replace(BOT, run_id=name)) for name in ("bot-1", "bot-2")
    ]
    a_database(tmp_path / "trades.sqlite", "dry_run_buy-1")
    assert main(["why", "25", "-c", str(config)]) == 1
    said = capsys.readouterr().err
    assert "2 trades have the number 25: name one by its id." in said
    assert all(each[:13] in said for each in ids)
    assert main(["why", "25", "--run-id", "bot-2", "-c", str(config)]) == 0


@pytest.mark.parametrize(
    ("database", "expected"),
    [
        (None, "unable to open database file. Name another one with --db-url"),
        ((), "No trade database with a trade 25 was found; --db-url names one."),
        (("dry_run_buy-9",), "Trade 25 is long ETH/USDT in sqlite:///"),
    ],
)
def test_what_is_missing_is_said(
    database: tuple[str, ...] | None,
    expected: str,
    config: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """No file, no such trade, or a trade that memory did not decide about."""
    decided(tmp_path, "dry_run_buy-1")
    if database is not None:
        a_database(tmp_path / "trades.sqlite", *database)
    assert main(["why", "25", "-c", str(config)]) == 1
    assert expected in " ".join(capsys.readouterr().err.split())
    assert (tmp_path / "trades.sqlite").exists() == (database is not None)


def test_each_candidate_is_named_by_the_id_that_begins_so(
    config: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of its trade or of its decision, whichever it is."""
    journal = Journal(tmp_path / "mem0")
    ids = [("25aa", "77bb"), ("99cc", "25dd")]
    for number, (trade_id, decision_id) in enumerate(ids):
        decision = replace(a_decision(number, origin=BOT), id=decision_id)
        trade = a_trade(number, origin=BOT, id=trade_id)
        journal.append([decision, opened(decision, trade)])
    journal.close()
    a_database(tmp_path / "trades.sqlite")
    assert main(["why", "25", "-c", str(config)]) == 1
    said = " ".join(capsys.readouterr().err.split())
    assert "2 ids of trades and decisions begin with '25'" in said
    assert "25aa (long" in said
    assert "25dd (long" in said
