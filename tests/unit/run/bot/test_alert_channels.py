"""Alerts, sent by Freqtrade's own code, are shown as they are in every channel."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from freqtrade.enums import RPCMessageType
from freqtrade.rpc.discord import Discord
from freqtrade.rpc.telegram import Telegram
from freqtrade.rpc.webhook import Webhook
from telegram.ext import Application

from freqtrade_mem0.run.bot.alerts.wording import LONGEST, channels, worded
from freqtrade_mem0.words.visible import visible
from tests.support.hostile_text import CONTROLS, HOSTILE_TEXTS
from tests.support.telegram_stand_in import shown_by_telegram, telegram_stand_in


class _Telegram(Telegram):  # type: ignore[misc]
    """Freqtrade's sender without its thread that polls, with another address of the Bot API."""

    def __init__(self, url: str) -> None:
        self._config = {"telegram": {"enabled": True, "token": "1:x", "chat_id": "1"}}
        self._init_keyboard()
        self._app = Application.builder().token("1:x").base_url(url).build()

    async def send_all(self, texts: list[str]) -> None:
        async with self._app.bot:
            for text in texts:
                await self._send_msg(self.compose_message(_message(text)) or "")


def _message(text: str) -> Any:
    return {"type": RPCMessageType.STRATEGY_MSG, "msg": text}


def test_telegram_shows_every_text_as_it_is() -> None:
    """Freqtrade sends our alerts as Markdown; none is refused, none loses a character."""
    texts = [text for text in HOSTILE_TEXTS if len(text) < LONGEST]
    with telegram_stand_in() as telegram:
        asyncio.run(
            _Telegram(telegram.url).send_all([worded(text, ["telegram"]) for text in texts])
        )
    assert telegram.refused == []
    assert telegram.shown == [visible(text) for text in texts]


def test_telegram_refuses_what_is_sent_unworded() -> None:
    """The stand-in is as strict as Telegram: the twin of the test above."""
    with telegram_stand_in() as telegram:
        asyncio.run(_Telegram(telegram.url).send_all(["Memory: losing_streak of my_strategy_2"]))
    assert telegram.shown == []


@pytest.mark.parametrize("taken_by", [["telegram"], ["webhook"], ["telegram", "webhook"], []])
@pytest.mark.parametrize("text", HOSTILE_TEXTS, ids=ascii)
def test_no_alert_is_too_long_or_holds_a_control_character(taken_by: list[str], text: str) -> None:
    """Of a long text the beginning is sent."""
    sent = worded(text * 3, taken_by)
    assert len(sent) <= LONGEST
    assert not CONTROLS & set(sent)
    if "telegram" in taken_by:
        shown_by_telegram(sent)


def test_webhooks_get_no_backslashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A webhook alone gets the text itself; beside Telegram, characters that look the same."""
    sent: list[dict[str, str]] = []
    monkeypatch.setattr(Webhook, "_send_msg", lambda _, payload: sent.append(payload))
    block = {"url": "http://127.0.0.1:1", "strategy_msg": {"text": "{msg}"}}
    webhook = Webhook(None, {"webhook": block})
    for taken_by in (["webhook"], ["telegram", "webhook"]):
        webhook.send_msg(_message(worded("losing_streak [x]", taken_by)))
    assert sent[0]["text"] == "losing_streak [x]"
    assert sent[1]["text"] == "losing\uff3fstreak \uff3bx]"


def test_discord_gets_a_field(monkeypatch: pytest.MonkeyPatch) -> None:
    """Discord's Markdown knows the same backslashes as Telegram's."""
    sent: list[dict[str, Any]] = []
    monkeypatch.setattr(Discord, "_send_msg", lambda _, payload: sent.append(payload))
    block = {"webhook_url": "http://127.0.0.1:1", "strategy_msg": [{"Memory": "{msg}"}]}
    Discord(None, {"discord": block}).send_msg(_message(worded("losing_streak", ["discord"])))
    assert sent[0]["embeds"][0]["fields"][0]["value"] == "losing\\_streak"


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        ({}, {}),
        ({"telegram": {"enabled": False}}, {}),
        ({"telegram": {"enabled": True}}, {"telegram": ""}),
        (
            {"telegram": {"enabled": True, "allow_custom_messages": False}},
            {"telegram": "'telegram.allow_custom_messages' is not true"},
        ),
        (
            {"webhook": {"enabled": True}},
            {
                "webhook": "'webhook.allow_custom_messages' is not true and "
                "'webhook.strategy_msg' does not say what to send"
            },
        ),
        (
            {
                "discord": {
                    "enabled": True,
                    "allow_custom_messages": True,
                    "strategy_msg": [{"Memory": "{msg}"}],
                }
            },
            {"discord": ""},
        ),
    ],
)
def test_a_channel_says_why_no_alert_gets_through(
    config: dict[str, Any], expected: dict[str, str]
) -> None:
    """Freqtrade drops a strategy's messages without a word where a key is missing."""
    assert channels(config) == expected
