"""What bots say: asked only with GET, shown within the key's reach, and never a reason to fail."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from freqtrade_mem0.audit.log import AuditLog
from freqtrade_mem0.client.scoped import Bound
from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.service.live.bots import ASKED, MOST_BYTES, Bot, Bots
from freqtrade_mem0.service.live.sources import Sources, bots_of

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "a secret of the bot"  # noqa: S105
BOT = Bot("bot-1", "http://127.0.0.1:8081", "freqtrader", lambda: SECRET)
ORDER = {"pair": "ETH/USDT", "ft_order_side": "buy", "is_open": True, "amount": 1.0, "secret": 1}
ANSWERS: dict[str, Any] = {
    "show_config": {"strategy": "Trend", "dry_run": True, "state": "running", "exchange": "x"},
    "status": [
        {
            "trade_id": 7,
            "pair": "ETH/USDT",
            "profit_ratio": 0.01,
            "profit_abs": 1.5,
            "strategy": {"nested": 1},
            "orders": [ORDER, {**ORDER, "is_open": False}],
        }
    ],
    "profit": {"profit_all_coin": 12.5, "trade_count": 3},
    "balance": {"total": 1_000.0, "stake": "USDT", "currencies": [1, 2, 3]},
    "count": {"current": 1, "max": 3, "total_stake": 100.0},
}


def answering(answer: Any, seen: list[httpx.Request] | None = None) -> httpx.MockTransport:
    """Return a bot's API; `answer` is a status, bytes, an error, or None for what a bot says."""

    def handle(request: httpx.Request) -> httpx.Response:
        if seen is not None:
            seen.append(request)
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, int):
            return httpx.Response(answer)
        if isinstance(answer, bytes):
            return httpx.Response(200, content=answer)
        return httpx.Response(200, json=ANSWERS[request.url.path.rpartition("/")[2]])

    return httpx.MockTransport(handle)


def test_positions_orders_profit_and_balance_are_read() -> None:
    """Plain values that pages show; what a page does not show stays in the service."""
    seen: list[httpx.Request] = []
    (state,) = Bots([BOT], answering(None, seen)).states()
    assert state.away == ""
    assert state.positions == [
        {"trade_id": 7, "pair": "ETH/USDT", "profit_ratio": 0.01, "profit_abs": 1.5}
    ]
    assert [order["trade_id"] for order in state.orders] == [7]
    assert "secret" not in state.orders[0]
    assert state.balance["slots"] == {"current": 1, "max": 3, "total_stake": 100.0}
    assert {request.method for request in seen} == {"GET"}
    assert [request.url.path for request in seen] == list(ASKED.values())
    sent = base64.b64decode(seen[0].headers["authorization"].removeprefix("Basic ")).decode()
    assert sent == f"freqtrader:{SECRET}"


@pytest.mark.parametrize(
    "answer",
    [
        401,
        500,
        302,
        b"no json",
        b"[" * 100_000,
        b" " * (MOST_BYTES + 1),
        b"null",
        b'["a"]',
        httpx.ConnectError("refused"),
        httpx.ReadTimeout("slow"),
    ],
)
def test_a_bot_that_is_away_or_says_nonsense_is_no_error(answer: Any) -> None:
    """A sentence says why; no secret is in it."""
    (state,) = Bots([BOT], answering(answer)).states()
    assert state.away or not state.positions
    assert SECRET not in repr(state)
    assert SECRET not in repr(BOT)


def test_pages_that_ask_at_once_share_an_answer() -> None:
    """A bot is not asked again by each page."""
    seen: list[httpx.Request] = []
    bots = Bots([BOT], answering(None, seen))
    bots.states()
    bots.states()
    assert len(seen) == len(ASKED)


def sources(folder: Path, config: dict[str, Any], **service: Any) -> Sources:
    """Return the sources of a service of the user `me`."""
    block = {"mode": "local", "user_id": "me", "service": service}
    settings = Settings.model_validate(block)
    return Sources(MemoryFolder(settings, folder), config)


@pytest.mark.parametrize(
    ("bound", "user_id", "n"),
    [
        (Bound(), "me", 1),
        (Bound(), "another", 0),
        (Bound(strategy="Trend"), "me", 1),
        (Bound(strategy="Other"), "me", 0),
        (Bound(bot_id="bot-1"), "me", 1),
        (Bound(bot_id="bot-2"), "me", 0),
    ],
)
def test_a_key_sees_the_bots_in_its_reach(
    tmp_path: Path, bound: Bound, user_id: str, n: int
) -> None:
    """The bots of a config are those of its user."""
    made = sources(tmp_path, {})
    made.bots = Bots([BOT], answering(None))
    assert len(made.bots_for(bound, user_id)) == n


def test_the_bot_of_the_config_itself_is_found(tmp_path: Path) -> None:
    """Its own block is all that is needed, also where it listens everywhere."""
    api = {"enabled": True, "listen_ip_address": "::", "listen_port": 8099, "username": "me"}
    memory = MemoryFolder(Settings.model_validate({"mode": "local"}), tmp_path)
    (bot,) = bots_of(memory, {"bot_name": "mine", "api_server": api | {"password": SECRET}})
    assert (bot.name, bot.url, bot.secret()) == ("mine", "http://[::1]:8099", SECRET)
    assert bots_of(memory, {"api_server": api | {"enabled": False}}) == []


def test_the_use_of_a_password_is_listed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """By its name in the config and where it stands; not its value."""
    monkeypatch.setenv("BOT_PASSWORD", SECRET)
    named = {"one": {"url": "http://x", "username": "me", "password": "env:BOT_PASSWORD"}}
    settings = Settings.model_validate({"mode": "local", "service": {"bots": named}})
    memory = MemoryFolder(settings, tmp_path)
    memory.folder.mkdir()
    (bot,) = bots_of(memory, {})
    assert bot.secret() == SECRET
    (use,) = AuditLog(memory.folder).uses()[0]
    assert (use.action, use.credential) == ("used", "mem0.service.bots.one.password")
    assert use.source == "env:BOT_PASSWORD"


@pytest.mark.parametrize(
    "bot",
    [
        {"url": "ftp://x"},
        {"url": "http://me:pw@x"},
        {"url": "http://x/api"},
        {"url": "http://x", "password": SECRET},
        {"url": "http://x", "pasword": "env:X"},
    ],
)
def test_a_wrong_entry_is_refused_and_the_password_is_not_shown(bot: dict[str, str]) -> None:
    """At the start, with the key."""
    with pytest.raises(ConfigError, match=r"mem0\.service\.bots\.one\.") as wrong:
        load_settings({"mem0": {"service": {"bots": {"one": bot}}}})
    assert SECRET not in str(wrong.value)


def test_answers_are_json_for_pages() -> None:
    """Whatever a bot says."""
    (state,) = Bots([BOT], answering(None)).states()
    assert json.loads(json.dumps([*state.positions, state.profit, state.balance]))
