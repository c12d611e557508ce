"""The stream of news: each item once, in order, within the reach of the key."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.service.live import news as news_module
from freqtrade_mem0.service.live.news import News
from tests.support.samples import a_decision, a_note, a_trade, opened
from tests.support.served import served

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALL = Scope()


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    """A journal with one trade."""
    made = Journal(tmp_path)
    made.append([a_trade(1)])
    return made


def read(
    news: News, after: int | None, n: int, scope: Scope = ALL, between: Callable[[], object] = bool
) -> list[tuple[int, dict[str, int]]]:
    """Return the first events of a stream as id and data; `between` runs after each."""

    async def events() -> list[tuple[int, dict[str, int]]]:
        assert news.enter()
        found: list[tuple[int, dict[str, int]]] = []
        async for text in (stream := news.stream(scope, after)):
            lines = dict(line.split(": ", 1) for line in text.splitlines() if ": " in line)
            if "id" in lines:
                found.append((int(lines["id"]), json.loads(lines.get("data", "{}"))))
                between()
            if len(found) == n:
                break
        await stream.aclose()
        return found

    return asyncio.run(events())


def test_a_reader_who_was_away_gets_what_came_since_and_nothing_twice(journal: Journal) -> None:
    """From the number that it names; an entry that was filled is news, too."""
    decision = a_decision(2)
    trade = a_trade(2, decision_id=decision.id)
    journal.append([decision])
    journal.append([opened(decision, trade)])
    journal.append([trade, a_note(1)])
    news = News(journal, poll_s=0.001)
    end = news.end()
    assert read(news, 1, 1)[-1] == (1, {})
    (_, (at, new)) = read(news, 1, 2)
    assert (at, new) == (end, {"decision": 1, "trade": 1, "note": 1})
    assert read(news, end, 1) == [(end, {})]


def test_what_comes_while_a_reader_listens_is_told(journal: Journal) -> None:
    """Each append is an event with a larger number."""
    numbers = iter(range(10, 20))
    news = News(journal, poll_s=0.001)
    found = read(news, None, 4, between=lambda: journal.append([a_trade(next(numbers))]))
    assert sorted({at for at, _ in found}) == [at for at, _ in found]
    assert sum(new.get("trade", 0) for _, new in found) == 3


def test_only_what_is_in_reach_is_told(journal: Journal) -> None:
    """The number goes on for what is not."""
    news = News(journal, poll_s=0.001)
    assert read(news, 0, 2, Scope(user_id="another"))[-1] == (news.end(), {})


def test_a_journal_that_was_replaced_is_news_as_a_whole(journal: Journal) -> None:
    """The browser knows a number that this one has not reached."""
    news = News(journal, poll_s=0.001)
    assert read(news, 999, 1) == [(news.end(), {"all": 1})]


def test_streams_end_and_are_bounded(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those who come when there are too many are told to come back."""
    monkeypatch.setattr(news_module, "MOST_STREAMS", 1)
    news = News(journal, poll_s=0.001, lasts_s=0.0)
    assert news.enter()
    assert not news.enter()
    news.leave()
    assert len(read(news, None, 99)) == 1
    assert news.enter()


def test_the_route_answers_with_the_streams_type_and_needs_a_key(tmp_path: Path) -> None:
    """After the end of the service's news the answer is complete."""
    with served(tmp_path) as site:
        assert site.client().get("/stream").status_code == 401
        site.service.pages.news.stop()
        with site.as_("reader") as client:
            answer = client.get("/stream", headers={"Last-Event-ID": "7"})
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.text.startswith("retry: 2000\n\nid: 0\ndata:")
