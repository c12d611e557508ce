"""Failed orders and missed entries become records, and no stake depends on them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from freqtrade_mem0.archive.answers import answers_of
from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import CategorySettings, Settings
from freqtrade_mem0.importers.importer import import_files
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.kinds.failure import Failure
from freqtrade_mem0.records.kinds.opportunity import Opportunity
from tests.support.runs import a_bot, a_run
from tests.support.samples import BACKTEST, NOTED, ORIGIN, a_trade, at
from tests.support.session_stage import a_backtest_stage
from tests.unit.archive.memories import lived_in
from tests.unit.importers.result_files import a_result_trade, a_store, statistics, write_result

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from freqtrade_mem0.records.base import Origin, Record

CALL = {
    "pair": "ETH/USDT",
    "side": "long",
    "rate": 100.0,
    "current_time": NOTED,
    "entry_tag": "dip",
}


def failures(origin: Origin = ORIGIN) -> list[Record]:
    """Return many of both kinds, of all causes."""
    made: list[Record] = []
    for n in range(40):
        shared = {"origin": origin, "known_at": at(n), "recorded_at": NOTED, "pair": "ETH/USDT"}
        cause = ("timed_out", "cancelled", "rejected", "not_placed")[n % 4]
        why = ("vetoed", "refused", "not_filled", "no_slot")[n % 4]
        made.append(Failure(id=f"f{n}", action="entry", cause=cause, side="long", **shared))  # type: ignore[arg-type]
        made.append(Opportunity(id=f"o{n}", why=why, side="long", last_move=0.3, **shared))  # type: ignore[arg-type]
    return made


def test_they_age_by_keys_of_their_own() -> None:
    """Failures for 60 days, opportunities for 3, whatever becomes of their categories."""
    kept = Settings().retention
    days = {kind: getattr(kept, str(kind.ages_as)) for kind in (Failure, Opportunity)}
    assert days == {Failure: 60, Opportunity: 3}


def test_no_decision_depends_on_them(tmp_path: Path) -> None:
    """Of bots and backtests, whatever happened to their orders."""
    memory = lived_in(tmp_path)
    before = answers_of(memory)
    memory.journal.append([*failures(), *failures(BACKTEST)])
    assert before[0] > 20
    assert answers_of(memory) == before
    memory.close()


def test_a_bot_notes_what_is_refused_and_vetoed(tmp_path: Path) -> None:
    """At once; with their categories switched off, nothing."""
    bot = a_bot(a_run(tmp_path))
    bot.entry_answered(CALL, "refused")
    bot.entry_answered(CALL | {"pair": "BTC/USDT"}, "vetoed")
    bot.entry_answered(CALL | {"pair": "DOGE/USDT"}, None)
    bot.close()
    store = a_store(tmp_path)
    found = list(store.journal.of_kind(Opportunity))
    assert [(each.why, each.pair, each.enter_tag, each.rate) for each in found] == [
        ("refused", "ETH/USDT", "dip", 100.0),
        ("vetoed", "BTC/USDT", "dip", 100.0),
    ]
    store.close()


def test_their_categories_can_be_switched_off(tmp_path: Path) -> None:
    """As those of all records."""
    run = a_run(tmp_path)
    off = CategorySettings(learning_insights=False)
    settings = run.settings.model_copy(update={"categories": off})
    bot = a_bot(a_run(tmp_path, settings))
    bot.entry_answered(CALL, "refused")
    bot.close()
    store = a_store(tmp_path)
    assert list(store.journal.records(Scope(kind="opportunity"))) == []
    store.close()


def test_a_backtest_counts_them() -> None:
    """One record for each reason, at the end of the run."""
    stage = a_backtest_stage()
    stage.session.missed.update({"refused": 3, "vetoed": 2})
    stage.session.last_missed = at(5)
    stage.session.end_run()
    found = [each for each in stage.entries if isinstance(each, Opportunity)]
    assert [(each.why, each.n, each.known_at) for each in found] == [
        ("refused", 3, at(5)),
        ("vetoed", 2, at(5)),
    ]
    assert found[0].sentence() == "3 entries of Sample were refused by the strategy"


def test_freqtrades_counts_of_a_backtest_become_records(tmp_path: Path) -> None:
    """Those of an imported result, once."""
    counts = {"timedout_entry_orders": 3, "timedout_exit_orders": 0, "rejected_signals": 7}
    path = write_result(tmp_path, {"Good": statistics([a_result_trade(1)]) | counts})
    store = a_store(tmp_path / "mem0")
    for _ in range(2):
        import_files(store, [path])
    (failure,) = store.journal.of_kind(Failure)
    (missed,) = store.journal.of_kind(Opportunity)
    assert failure.sentence() == "3 entry orders of Good timed out"
    assert (missed.why, missed.n) == ("no_slot", 7)
    store.close()


def test_they_are_listed_counted_and_searched(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By kind and by query, in words and as JSON."""
    store = a_store(tmp_path, user_id="me")
    store.journal.append([*failures(), a_trade(1)])
    store.close()
    config = tmp_path / "config.json"
    block = {"mode": "local", "user_id": "me"}
    config.write_text(json.dumps({"user_data_dir": str(tmp_path), "mem0": block}))
    of_it = ["-c", str(config), "--json"]
    assert main(["records", "--kind", "failure", *of_it]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert listed[0]["text"] == "The entry order of long ETH/USDT of Sample timed out"
    assert (listed[0]["cause"], len(listed)) == ("timed_out", 40)
    assert main(["records", "--where", "kind:opportunities AND why:vetoed", *of_it]) == 0
    assert len(json.loads(capsys.readouterr().out)) == 10
    assert main(["search", "vetoed by memory", *of_it]) == 0
    assert "vetoed by memory" in json.loads(capsys.readouterr().out)[0]["text"]
    assert main(["stats", *of_it]) == 0
    assert '"failure"' in capsys.readouterr().out
