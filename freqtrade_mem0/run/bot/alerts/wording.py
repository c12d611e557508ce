"""Words an alert so that every channel of Freqtrade shows it as it is.

Freqtrade hands one text to all channels that take a strategy's messages. Telegram reads it as
Markdown (its "legacy" form) and refuses a text with a single `_`, `*`, `[` or backtick; a backslash
before each is the remedy. Discord reads Markdown, too. A webhook shows what it gets, backslashes
included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

LONGEST = 1_000
"""Characters of an alert. Discord takes 1,024 in a field, Telegram 4,096 in a message."""

_ESCAPED = str.maketrans({each: f"\\{each}" for each in "_*[`"})
_LOOK_ALIKES = str.maketrans({"_": "\uff3f", "*": "\u2217", "[": "\uff3b", "`": "\u02cb"})

_TAKES_BY_DEFAULT = {"telegram": True, "discord": False, "webhook": False}
"""Freqtrade's channels, and whether they take a strategy's messages when the config says nothing:
for Telegram, Freqtrade's schema fills in a yes."""


def channels(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the enabled channels in a Freqtrade config, each with why no alert gets through.

    "" where it does.
    """
    found = {}
    for name, by_default in _TAKES_BY_DEFAULT.items():
        block = config.get(name)
        if not isinstance(block, dict) or not block.get("enabled"):
            continue
        lacks = []
        if not block.get("allow_custom_messages", by_default):
            lacks.append(f"'{name}.allow_custom_messages' is not true")
        settings = block.get("notification_settings")
        if name == "telegram":
            if isinstance(settings, dict) and settings.get("strategy_msg") == "off":
                lacks.append("'telegram.notification_settings.strategy_msg' is \"off\"")
        elif not block.get("strategy_msg"):
            lacks.append(f"'{name}.strategy_msg' does not say what to send")
        found[name] = " and ".join(lacks)
    return found


def worded(text: str, taken_by: Collection[str]) -> str:
    """Return an alert as it is to be handed to Freqtrade.

    Parameters
    ----------
    text
        What is to be read.
    taken_by
        The channels that take it, of "telegram", "discord" and "webhook".
    """
    table: dict[int, str] = {}
    if "telegram" in taken_by or "discord" in taken_by:
        table = _LOOK_ALIKES if "webhook" in taken_by else _ESCAPED
    text = visible(text)
    too_long = len(text.translate(table)) - LONGEST
    if too_long > 0:
        text = f"{text[: -too_long - 1]}\u2026"
    return text.translate(table)
