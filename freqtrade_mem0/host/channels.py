"""Sends a message through one of Freqtrade's channels, with Freqtrade's own code."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from freqtrade_mem0.host.heard import heard

if TYPE_CHECKING:
    from collections.abc import Mapping

_RPC = "freqtrade.rpc"


def send_through(config: Mapping[str, Any], channel: str, text: str) -> str:
    """Send a strategy's message; return why it was refused, "" where it was accepted.

    Parameters
    ----------
    config
        Freqtrade's config.
    channel
        "telegram", "webhook" or "discord".
    text
        The message, worded for this channel.
    """
    with heard(_RPC) as complaints:
        try:
            _send(dict(config), channel, text)
        except Exception as error:  # noqa: BLE001 - a wrong config can raise anything in Freqtrade
            complaints.append(f"{type(error).__name__}: {error}")
    return _without_secrets(complaints[-1], config[channel]) if complaints else ""


def _send(config: dict[str, Any], channel: str, text: str) -> None:
    from freqtrade.enums import RPCMessageType

    message: Any = {"type": RPCMessageType.STRATEGY_MSG, "msg": text}
    if channel == "telegram":
        from freqtrade.rpc.telegram import Telegram

        class Sender(Telegram):  # type: ignore[misc]
            """Freqtrade's sender without its thread that polls: a bot may be running."""

            def __init__(self) -> None:
                self._config = config
                self._init_keyboard()
                self._app = self._init_telegram_app()

            async def send(self) -> None:
                async with self._app.bot:
                    await self._send_msg(self.compose_message(message))

        asyncio.run(Sender().send())
    elif channel == "discord":
        from freqtrade.rpc.discord import Discord

        Discord(None, config).send_msg(message)
    else:
        from freqtrade.rpc.webhook import Webhook

        Webhook(None, config).send_msg(message)


def _without_secrets(text: str, block: Mapping[str, Any]) -> str:
    """Return a complaint without the token, and without what follows the host of an address."""
    secrets = [str(block.get("token") or "")]
    for address in (block.get("url"), block.get("webhook_url")):
        parts = urlsplit(str(address or ""))
        secrets += [str(address or ""), parts.path.strip("/"), parts.query, parts.netloc]
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
