"""The pages over one run, and those with actions: what they show, and who may do what."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.agents.memory import AgentMemory
from freqtrade_mem0.client.scoped import Bound
from freqtrade_mem0.core_memory.parameters import parameter_updates
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.service.jobs.queue import FORGET
from tests.support.samples import a_decision, a_note, a_risk_event, a_trade, opened
from tests.support.served import Served, served
from tests.support.wait import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BOT = Origin(user_id="me", strategy="Trend", mode=Mode.DRY_RUN, run_id="bot-1")
N = 60
RUN = "dry_run/Trend/bot-1"
HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A bot's trades, half of them bad, a risk event, and an agent's proposals."""
    with served(tmp_path_factory.mktemp("pages"), user_id="me") as running:
        memory = running.service.memory
        for number in range(1, N + 1):
            decision = a_decision(number, origin=BOT, stake=125.0)
            ratio = 0.02 if number % 2 else -0.01 - number / 1e5
            trade = a_trade(
                number,
                origin=BOT,
                pair=("ETH/USDT", "BTC/USDT")[number % 2],
                profit_ratio=ratio,
                profit_abs=ratio * 125.0,
                max_stake_amount=125.0,
                decision_id=decision.id,
            )
            memory.journal.append([decision, opened(decision, trade), trade])
        memory.journal.append([a_risk_event(1, origin=BOT, response="noted")])
        yield running


def text_of(site: Served, path: str, role: str = "reader", **bound: str) -> str:
    """Return a page as plain text, with single blanks."""
    with site.as_(role, **bound) as client:
        answer = client.get(path, headers=HTML)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", answer.text.partition("<main")[2]))


def test_a_heat_map_counts_each_trade_and_a_cell_lists_its_own(site: Served) -> None:
    """The cell is in the address, so that it can be sent to somebody."""
    shown = text_of(site, f"/situations?run={RUN}&x=side&y=pair")
    assert "+2.00%" in shown
    assert shown.count("n 30") == 2
    listed = text_of(site, f"/situations?run={RUN}&x=side&y=pair&cell=long&cell=BTC/USDT")
    assert "pair BTC/USDT, side long: 30 trades" in listed
    assert listed.count("+2.00%") == 31  # the cell, and its trades


@pytest.mark.parametrize("query", ["x=nosuch", "run=live/No/no", "run=x", "y=%00"])
def test_what_there_is_not_is_said(site: Served, query: str) -> None:
    """With what there is."""
    with site.as_("reader") as client:
        assert client.get(f"/situations?{query}", headers=HTML).status_code == 422


def test_worth_sets_memorys_stakes_against_the_proposed_ones(site: Served) -> None:
    """The profit of both, from the same trades."""
    won = sum(0.02 if n % 2 else -0.01 - n / 1e5 for n in range(1, N + 1)) * 100.0
    assert eventually(lambda: "Too few to tell: 60 trades" in text_of(site, "/worth"))
    shown = text_of(site, "/worth")
    assert f"Profit {won * 1.25:+.2f} {won:+.2f}" in shown


def test_risk_events_are_listed_by_type(site: Served) -> None:
    """Each with a link to its record."""
    shown = text_of(site, "/risk")
    assert "1 event." in shown
    assert "stop loss of long ETH/USDT at -4.00% · noted" in shown
    assert "No risk event" in text_of(site, "/risk?event_type=drawdown")


def test_a_query_finds_and_a_wrong_one_is_explained(site: Served) -> None:
    """On the page, with the text that was asked."""
    assert "The 5 newest that match." in text_of(site, "/memory?q=profit_ratio:<-0.0105")
    with site.as_("reader") as client:
        answer = client.get("/memory?q=nosuch:1", headers=HTML)
    assert answer.status_code == 422
    assert "There is no field &#39;nosuch&#39;" in answer.text
    assert 'value="nosuch:1"' in answer.text


def test_the_owner_alone_decides_about_proposals(site: Served) -> None:
    """An admin's key takes the step, others see the proposal without buttons."""
    client = site.service.memory_of(Bound(), "me")
    folder = site.service.memory.folder
    with AgentMemory("zed", config={}, user_data_dir=folder, client=client) as agent:
        agent.propose_parameters({"rsi_limit": 30}, "too many losses", strategy="Trend")
    (update,) = parameter_updates(site.service.memory, "me")
    address = f"/agent/{update['id']}/approve"
    assert "too many losses" in text_of(site, "/agent")
    assert "Approve" not in text_of(site, "/agent")
    assert "Approve" in text_of(site, "/agent", "admin")
    with site.as_("writer") as writer:
        assert writer.post(address, content="reason=x").status_code == 403
    with site.as_("admin", user_id="me", strategy="Other") as other:
        assert other.post(address, content="reason=x").status_code == 404
    with site.as_("admin") as admin:
        answer = admin.post(address, content="reason=it+makes+sense", follow_redirects=False)
        assert answer.status_code == 303
    (update,) = parameter_updates(site.service.memory, "me")
    assert (update["state"], update["steps"][0]["reason"]) == ("approved", "it makes sense")


def test_forgetting_needs_an_admin_and_the_name_written_out(site: Served) -> None:
    """It is counted first; another word deletes nothing."""
    gone = Origin(user_id="me", strategy="Gone", mode=Mode.LIVE, run_id="bot-9")
    journal = site.service.memory.journal
    journal.append([a_note(9, origin=gone)])
    with site.as_("reader") as client:
        assert client.get("/forget?strategy=Gone").status_code == 403
    with site.as_("admin") as admin:
        assert "Forget Gone" in admin.get("/forget?strategy=Gone", headers=HTML).text
        refused = admin.post("/forget", content="strategy=Gone&sure=gone")
        assert refused.status_code == 422
        assert journal.is_current(a_note(9, origin=gone).id)
        asked = admin.post("/forget", content="strategy=Gone&sure=Gone", follow_redirects=False)
        assert asked.status_code == 303, asked.text
        page = asked.headers["location"]
        assert eventually(lambda: "data-again" not in admin.get(page, headers=HTML).text)
        assert "<h1>Forgotten</h1>" in admin.get(page, headers=HTML).text
    assert not journal.is_current(a_note(9, origin=gone).id)


def test_a_forgetting_renews_its_page_until_it_has_ended(site: Served) -> None:
    """One that failed says why; a key that is bound sees its own jobs only."""
    jobs = site.service.jobs
    site.service.runner.stop()  # so that the states below are those of this test
    job_id = jobs.ask(FORGET, {"user_id": "x", "strategy": None, "run_id": None}, "someone")["id"]
    with site.as_("admin") as admin:
        assert "It waits for another job" in admin.get(f"/forget/{job_id}", headers=HTML).text
        jobs.began(job_id)
        assert "It runs since" in admin.get(f"/forget/{job_id}", headers=HTML).text
        jobs.ended(job_id, None, "the disk is full")
        ended = admin.get(f"/forget/{job_id}", headers=HTML).text
    assert "the disk is full" in ended
    assert "data-again" not in ended
    with site.as_("admin", user_id="me") as other:
        assert other.get(f"/forget/{job_id}").status_code == 404


def test_keys_are_shown_to_admins_and_never_their_secrets(site: Served) -> None:
    """And queues to nobody whose key is bound."""
    secret = site.key("reader").rpartition("_")[2]
    with site.as_("admin") as client:
        shown = client.get("/system", headers=HTML).text
    assert "Keys" in shown
    assert secret not in shown
    assert '<h2 id="keys-title">' not in _raw(site, "reader")
    assert "Your key is bound to" in _raw(site, "admin", strategy="Trend")


def _raw(site: Served, role: str, **bound: str) -> str:
    with site.as_(role, **bound) as client:
        return client.get("/system", headers=HTML).text


def test_the_curve_of_a_bot_in_shadow_mode_is_of_what_it_won(tmp_path: Path) -> None:
    """Not of what memory's stakes would have won."""
    with served(tmp_path, user_id="me") as running:
        for number in (1, 2):
            decision = a_decision(number, origin=BOT, applied=False)
            trade = a_trade(
                number,
                origin=BOT,
                profit_ratio=0.08,
                profit_abs=8.0,
                max_stake_amount=100.0,
                decision_id=decision.id,
            )
            running.service.memory.journal.append([decision, opened(decision, trade), trade])
        with running.as_("reader") as client:
            page = client.get("/risk", headers=HTML).text
    assert ", 16.0]" in page
    assert ", 20.0]" not in page


def test_trades_that_the_end_of_a_backtest_closed_are_told_apart(tmp_path: Path) -> None:
    """They are on the heat map, and `insights` leaves them out."""
    past = Origin(user_id="me", strategy="Trend", mode=Mode.BACKTEST, run_id="old")
    with served(tmp_path, user_id="me") as running:
        last = a_trade(9, origin=past, exit_reason="force_exit", is_evidence=False)
        running.service.memory.journal.append([a_trade(8, origin=past), last])
        shown = text_of(running, "/situations?run=backtest/Trend/old&x=side&y=pair")
    assert "1 of these trades was closed by the end of the backtest" in shown
