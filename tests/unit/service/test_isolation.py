"""Every route, with keys of every role and bound: nothing of another is read, changed or named.

The routes are those that the application has, so a new one is in it.
"""

from __future__ import annotations

import re
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from freqtrade_mem0.client.mem0_client import Mem0Client
from freqtrade_mem0.client.scoped import Bound, ScopedClient
from freqtrade_mem0.config.discovery import modules_in
from freqtrade_mem0.errors import ScopeError
from freqtrade_mem0.records.base import Mode, Origin
from freqtrade_mem0.service.app import PAGES
from freqtrade_mem0.service.keys import Role
from freqtrade_mem0.service.routes.docs import example_of
from tests.support.samples import a_decision, a_note, a_risk_event, a_trade, opened
from tests.support.served import Served, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder

JSON = {"Accept": "application/json"}
ROLES = [role.name.lower() for role in Role]


class Owner(NamedTuple):
    """A bot of a strategy of a user, and the word that is in everything it wrote."""

    user_id: str
    strategy: str
    bot_id: str
    word: str

    @property
    def origin(self) -> Origin:
        """Where its records come from."""
        return Origin(
            user_id=self.user_id, strategy=self.strategy, mode=Mode.LIVE, run_id=self.bot_id
        )


OWNERS = (
    Owner("ann", "Trend", "bot-1", "quince"),
    Owner("ann", "Range", "bot-2", "walnut"),
    Owner("ben", "Trend", "bot-3", "saffron"),
    Owner("cyd", "Trend", "bot-4", "juniper"),
)
BOUNDS: Mapping[str, tuple[Bound, tuple[Owner, ...]]] = {
    "user ann": (Bound(user_id="ann"), OWNERS[:2]),
    "user ben": (Bound(user_id="ben"), OWNERS[2:3]),
    "user cyd": (Bound(user_id="cyd"), OWNERS[3:]),
    "strategy of ann": (Bound(user_id="ann", strategy="Trend"), OWNERS[:1]),
    "bot of ann": (Bound(user_id="ann", bot_id="bot-2"), OWNERS[1:2]),
}
"""What a key is bound to, and whose records it reaches."""


def fill(memory: MemoryFolder, owner: Owner) -> None:
    """Write what a bot and a person write, each with the owner's word in it."""
    origin, word, pair = owner.origin, owner.word, f"{owner.word}/USDT".upper()
    trade = a_trade(1, origin=origin, pair=pair, enter_tag=word)
    decision = a_decision(1, origin=origin, pair=pair, enter_tag=word)
    memory.journal.append(
        [
            decision,
            opened(decision, trade),
            trade,
            a_note(1, origin=origin, content=f"never {word} again", metadata={"about": word}),
            a_risk_event(1, origin=origin, pair=pair, description=f"{word} fell"),
        ]
    )


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Served]:
    """A service of a memory that four bots of three users share."""
    with served(tmp_path, mode="embedded", user_id="ann") as running:
        for owner in OWNERS:
            fill(running.service.memory, owner)
        assert running.service.client.deliver()
        yield running


def ids_of(memory: MemoryFolder, owner: Owner) -> list[str]:
    """Return the ids of an owner's records and decisions."""
    scope = {"user_id": owner.user_id, "strategy": owner.strategy, "run_id": owner.bot_id}
    records = [each.id for each in memory.records(**scope)]
    decisions = [
        each.decision.id
        for each in memory.journal.ledger(only_opened=False)
        if each.decision.origin == owner.origin
    ]
    return [*sorted(records), *decisions]


def requests(schema: dict[str, Any], about: Owner, ids: list[str]) -> Iterator[dict[str, Any]]:
    """Yield requests to every route: plain, and about an owner, by each name that a route takes."""
    named = {
        "user_id": about.user_id,
        "strategy": about.strategy,
        "run_id": about.bot_id,
        "agent_id": about.bot_id,
    }
    for path, methods in schema["paths"].items():
        for method, route in methods.items():
            body = example_of(schema, route)
            takes = {each["name"]: each for each in route.get("parameters", ())}
            needed = {
                name: {"older_than": "36500d", "code": "x"}.get(name, "x")
                for name, each in takes.items()
                if each["in"] == "query" and each["required"]
            }
            query = {
                name: value
                for name, value in named.items()
                if name in takes and takes[name]["in"] == "query"
            }
            queries = [needed, *({**needed, name: value} for name, value in query.items())]
            bodies = (
                [body]
                if not isinstance(body, dict)
                else [
                    body,
                    *({**body, name: value} for name, value in named.items()),
                ]
            )
            asked = [(needed, each) for each in bodies] + [(each, body) for each in queries[1:]]
            for filled in {path.format(id=each, **named) for each in ids}:
                for params, each in asked:
                    yield {"method": method, "url": filled, "params": params, "json": each}


def state(memory: MemoryFolder, owner: Owner) -> object:
    """Return all that is stored of an owner."""
    scope = {"user_id": owner.user_id, "strategy": owner.strategy, "run_id": owner.bot_id}
    named = {"user_id": owner.user_id, "agent_id": owner.strategy, "run_id": owner.bot_id}
    in_mem0 = memory.backend.scan(filters=named)
    return memory.records(**scope), sorted((each.id, each.text) for each in in_mem0)


@pytest.mark.parametrize("name", BOUNDS)
@pytest.mark.parametrize("role", ROLES)
def test_nothing_of_another_is_reached(site: Served, name: str, role: str) -> None:
    """Whatever a route is asked, and however another is named to it."""
    bound, own = BOUNDS[name]
    memory, schema = site.service.memory, site.app.openapi()
    strangers = [owner for owner in OWNERS if owner not in own]
    before = [state(memory, owner) for owner in strangers]
    key = site.service.keys.add(Role[role.upper()], bound=bound)[1]
    n_asked = 0
    with site.client(key, follow_redirects=False) as client:
        ids = ids_of(memory, strangers[0])
        for request in requests(schema, strangers[0], [ids[0], ids[-1]]):
            answer = client.request(**request)
            n_asked += 1
            found = [each.word for each in strangers if each.word in answer.text.lower()]
            assert not found, (request, answer.text)
            assert answer.status_code < 500, (request, answer.text)
    assert n_asked > 80
    assert [state(memory, owner) for owner in strangers] == before


def tool_calls(about: Owner, ids: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield calls of every tool about an owner, by each name that a tool takes."""
    signal = {"symbol": "BTC/USDT", "action": "BUY"}
    named = {"strategy": about.strategy}
    for name in ("analyze_signal", "similar_trades"):
        yield from ((name, signal), (name, signal | named))
    for name in ("performance", "patterns", "why"):
        yield from ((name, {}), (name, named))
    yield from (("why", {"id": each}) for each in ids)
    yield "search", {"query": "never again", "max_memories": 50}
    yield "search", {"query": f"strategy:{about.strategy}", "max_memories": 50}
    yield "add_note", {"text": "losses come on Sundays"} | named
    yield "log_decision", signal | named | {"reason": "breakout", "id": "x1"}
    yield from (("log_decision", {"id": each, "result": {"pnl": 1}}) for each in ids)


def tool_answer(client: Any, name: str, given: dict[str, Any], **params: str) -> dict[str, Any]:
    """Call a tool over HTTP; return its result."""
    call = {"name": name, "arguments": given}
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
    answer = client.post("/mcp", json=asked, headers=JSON, params=params)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["result"]
    return found


@pytest.mark.parametrize("name", BOUNDS)
def test_no_tool_reaches_another(site: Served, name: str) -> None:
    """Over MCP, whatever is asked; and each tool answers about one's own."""
    bound, own = BOUNDS[name]
    memory = site.service.memory
    strangers = [owner for owner in OWNERS if owner not in own]
    with site.as_("writer") as free:
        logged = {"symbol": "BTC/USDT", "action": "BUY", "reason": "walnut quince saffron juniper"}
        for each in strangers:
            as_it = {"agent_id": each.bot_id, "user_id": each.user_id}
            told = logged | {"strategy": each.strategy, "id": "theirs"}
            assert not tool_answer(free, "log_decision", told, **as_it)["isError"]
    assert site.service.client.deliver()
    before = [state(memory, owner) for owner in strangers]
    key = site.service.keys.add(Role.WRITER, bound=bound)[1]
    with site.client(key) as client:
        for stranger in strangers:
            for tool, given in tool_calls(stranger, ids_of(memory, stranger)):
                text = str(tool_answer(client, tool, given)).lower()
                assert not [each.word for each in strangers if each.word in text], (tool, given)
        if name.startswith("user"):
            other = client.post("/mcp?user_id=dan", json={}, headers=JSON)
            assert other.status_code == 403
        assert own[0].word in str(tool_answer(client, "search", {"query": "never again"}))
        assert own[-1].word in str(tool_answer(client, "why", {})).lower()
    assert [state(memory, owner) for owner in strangers] == before


def test_a_reader_has_the_tools_that_ask(site: Served) -> None:
    """The others are neither listed nor run."""
    asked = {"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {}}
    for role, n_tools in (("reader", 6), ("writer", 8)):
        with site.as_(role, user_id="ann") as client:
            listed = client.post("/mcp", json=asked, headers=JSON).json()["result"]["tools"]
            assert len(listed) == n_tools
            kept = tool_answer(client, "add_note", {"text": "careful"})
            assert kept["isError"] == (role == "reader")


def test_a_change_does_not_carry_a_memory_out_of_reach(site: Served) -> None:
    """A writer's key of a strategy files its own note under no other strategy."""
    memory, before = site.service.memory, state(site.service.memory, OWNERS[1])
    with site.as_("writer", user_id="ann", strategy="Trend") as client:
        own = client.post("/memory", json={"messages": "a text of my own"}).json()["id"]
        for strategy in ("Range", "NewOne"):
            answer = client.put(f"/memory/{own}", json={"metadata": {"strategy": strategy}})
            assert answer.status_code == 403, answer.text
        assert client.put(f"/memory/{own}", json={"text": "another text"}).status_code == 200
    kept = memory.journal.record(own)
    assert kept is not None
    assert kept.origin.strategy == "Trend"
    assert state(memory, OWNERS[1]) == before


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({}, {"strategy": "Trend"}),
        ({"strategy": "Trend"}, {}),
        ({"strategy": "Trend"}, {"strategy": "Range"}),
        ({"bot_id": "bot-1"}, {"bot_id": "bot-2"}),
    ],
)
def test_the_same_words_replace_nothing_of_another_key(
    site: Served, one: dict[str, str], other: dict[str, str]
) -> None:
    """Each key keeps its own note; told again by the same key it is still one."""
    told = {"messages": "the same words"}
    with site.as_("writer", user_id="ann", **one) as client:
        first = client.post("/memory", json=told).json()["id"]
        assert client.post("/memory", json=told).json()["id"] == first
        kept = site.service.memory.journal.record(first)
    with site.as_("writer", user_id="ann", **other) as client:
        assert client.post("/memory", json=told).json()["id"] != first
    assert site.service.memory.journal.record(first) == kept


def test_a_told_trade_replaces_none_of_another_bot(site: Served) -> None:
    """Also under the same trade_id."""
    trade = {"trade_id": "T1", "pair": "BTC/USDT", "strategy": "Trend", "profit_ratio": 0.1}
    with site.as_("writer", user_id="ann", bot_id="bot-1") as client:
        first = client.post("/api/memory/record-trade", json=trade).json()["id"]
    kept = site.service.memory.journal.record(first)
    with site.as_("writer", user_id="ann", bot_id="bot-2") as client:
        answer = client.post("/api/memory/record-trade", json=trade | {"profit_ratio": -0.9})
        assert answer.status_code == 403, answer.text
    assert site.service.memory.journal.record(first) == kept


def test_a_decision_of_another_strategy_is_as_if_it_were_not_there(site: Served) -> None:
    """Its id is taken; nothing of it is said, and nothing is answered that was not kept."""
    decision = {"symbol": "ETH/USDT", "action": "BUY", "strategy": "Range", "id": "d1"}
    with site.as_("writer", user_id="ann") as client:
        told = {"decision": decision, "agent_id": "zed"}
        theirs = client.post("/api/agent/log-decision", json=told).json()["id"]
    own = decision | {"strategy": "Trend"}
    with site.as_("writer", user_id="ann", strategy="Trend") as client:
        for wrong in (theirs, "d1", own):
            for result in ({}, {"result": {"pnl": 1}}):
                answer = client.post(
                    "/api/agent/log-decision",
                    json={"decision": wrong, "agent_id": "zed", **result},
                )
                assert answer.status_code in {403, 422}, answer.text
                assert "Range" not in answer.text
        kept = client.post("/api/agent/log-decision", json={"decision": own | {"id": "d2"}})
        assert kept.status_code == 200, kept.text


@pytest.mark.parametrize("name", BOUNDS)
def test_no_page_shows_another(site: Served, name: str) -> None:
    """Nor a part of a page, whatever is asked of it; the pages are those that there are."""
    bound, own = BOUNDS[name]
    strangers = [owner for owner in OWNERS if owner not in own]
    key = site.service.keys.add(Role.READER, bound=bound)[1]
    paths = {
        route.path: sorted(route.methods)
        for module in modules_in(PAGES).values()
        for route in module.router.routes
    }
    with site.client(key) as client:
        for path, about in product(paths, strangers):
            named = {"user_id": about.user_id, "strategy": about.strategy, "run_id": about.bot_id}
            ids = ids_of(site.service.memory, about)
            addresses = {re.sub(r"\{.*?\}", each, path) for each in (ids[0], ids[-1])}
            queries = [{}, named, *({key: value} for key, value in named.items())]
            for method, address, query in product(paths[path], addresses, queries):
                text = client.request(method, address, params=query).text.lower()
                assert not [each.word for each in strangers if each.word in text], (address, query)


@pytest.mark.parametrize("name", BOUNDS)
def test_what_is_ones_own_is_reached(site: Served, name: str) -> None:
    """So that the test above can fail: each listing shows the words of all that a key reaches."""
    bound, own = BOUNDS[name]
    key = site.service.keys.add(Role.READER, bound=bound)[1]
    words = {owner.word for owner in OWNERS}
    with site.client(key) as client:
        for path in ("/api/records", "/api/ledger", "/search?query=never", "/export"):
            text = client.get(path).text.lower()
            assert {word for word in words if word in text} == {each.word for each in own}, path
        counts = client.get("/stats").json()["journal"]["by_kind"]
        assert counts["trade"] == len(own)
        assert client.get("/vectors/status").json()["memories"] == 3 * len(own)


def test_a_key_that_is_not_bound_reaches_any_user(site: Served) -> None:
    """The owner's memory by default, another's by name."""
    with site.as_("reader") as client:
        assert "saffron" not in client.get("/api/records").text.lower()
        assert "saffron" in client.get("/api/records", params={"user_id": "ben"}).text.lower()


def test_where_files_are_is_told_to_no_bound_key(site: Served) -> None:
    """Neither where nothing is known, nor where a file can not be used; and to others it is."""
    folder = str(site.service.memory.folder)
    signal = {"symbol": "BTC/USDT", "action": "BUY", "strategy": "Unknown"}
    with site.as_("reader", user_id="ann", strategy="Trend") as client:
        answers = [client.post("/api/agent/analyze-signal", json=signal), client.get("/status")]
        assert "no closed trade" in answers[0].text
        site.service.memory.journal.close()
        kept = site.service.memory.journal.path
        kept.rename(kept.with_suffix(".away"))
        kept.mkdir()
        answers.append(client.get("/stats"))
        kept.rmdir()
        kept.with_suffix(".away").rename(kept)
    assert answers[2].status_code in {409, 503}
    assert [folder in each.text for each in answers] == [False] * 3
    with site.as_("reader") as client:
        assert folder in client.get("/status").text


BY_OTHERS = {
    "add": "store",
    "search": "recall",
    "get_all": "recall",
    "store": "manual_origin, append",
    "recall": "_reached",
    "recall_many": "_reached",
    "preload": "_reached",
    "migrate_tiers": "execute_pruning_cycle",
    "user_id": "of the client",
    "reach": "scope",
    "cache_stats": "tells numbers of calls alone",
    "read_anew": "tells no contents",
    "deliver": "tells no contents",
    "deliver_later": "tells no contents",
    "deliver_now": "tells no contents",
    "close": "tells no contents",
}
"""What bounds a public name of a client that the bound client takes over as it is."""


def test_each_public_name_of_a_client_is_bound() -> None:
    """A new one has to be overridden, or named here with what bounds it."""
    names = {each for each in dir(Mem0Client) if not each.startswith("_")}
    assert names - set(vars(ScopedClient)) == set(BY_OTHERS)


def test_a_bound_client_reaches_no_other_user(site: Served) -> None:
    """By no name that takes one; a client that is not bound does."""
    bound = ScopedClient(site.service.client, Bound(user_id="ann"))
    ways: list[Callable[[Any], object]] = [
        lambda client: client.for_user("ben").recall(),
        lambda client: client.get_all(user_id="ben"),
        lambda client: client.search("never", user_id="ben"),
        lambda client: client.add("a text", user_id="ben"),
    ]
    for way in ways:
        with pytest.raises(ScopeError):
            way(bound)
        assert way(ScopedClient(site.service.client, Bound()))
    for whole in (bound.collect_metrics, bound.extract_patterns, bound.migrate_tiers):
        with pytest.raises(ScopeError, match="about the whole memory"):
            whole()


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service of an empty memory."""
    with served(tmp_path_factory.mktemp("empty")) as running:
        yield running


def test_every_route_but_two_needs_a_key(empty: Served) -> None:
    """Health, the link of a person; all others say which header to send."""
    open_routes = set()
    with empty.client() as client:
        for path, methods in empty.app.openapi()["paths"].items():
            for method in methods:
                answer = client.request(method, path.format(id="x", user_id="x", strategy="x"))
                if answer.status_code != 401:
                    open_routes.add((method, path, answer.status_code))
    assert open_routes == {("get", "/health", 200), ("get", "/login", 422)}


@pytest.mark.parametrize(
    ("method", "path", "least"),
    [
        ("get", "/api/records", "reader"),
        ("get", "/metrics", "reader"),
        ("post", "/api/agent/analyze-signal", "reader"),
        ("post", "/api/memory/record-trade", "writer"),
        ("post", "/api/memory/record-risk-event", "writer"),
        ("post", "/api/agent/log-decision", "writer"),
        ("post", "/memory", "writer"),
        ("put", "/memory/x", "writer"),
        ("delete", "/memory/x", "writer"),
        ("post", "/api/v1/notify", "writer"),
        ("post", "/memory-webhook", "writer"),
        ("post", "/users/ann/forget", "admin"),
        ("post", "/backup", "admin"),
        ("post", "/optimize", "admin"),
        ("delete", "/cleanup", "admin"),
        ("get", "/jobs", "admin"),
    ],
)
def test_a_role_does_what_it_may(empty: Served, method: str, path: str, least: str) -> None:
    """The one that is just enough is not refused, and the one below it is."""
    with empty.as_(least) as client:
        assert client.request(method, path).status_code != 403
    if least != "reader":
        below = ROLES[ROLES.index(least) - 1]
        with empty.as_(below) as client:
            assert client.request(method, path).status_code == 403
