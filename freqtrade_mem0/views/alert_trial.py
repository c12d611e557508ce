"""Whether Freqtrade's channels accept an alert: one is sent to try it."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.host.channels import send_through
from freqtrade_mem0.run.bot.alerts.wording import worded
from freqtrade_mem0.views.glance import FAILED, OK, WARNING, Finding

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


def send_test_alert(config: Mapping[str, Any], channels: Mapping[str, str]) -> Iterator[Finding]:
    """Send a test alert through each of Freqtrade's channels; yield whether it was accepted.

    `config` is Freqtrade's, `channels` as for `health.examine`.
    """
    if not channels:
        text = "not sent: Telegram, webhook and Discord are off in Freqtrade's config"
        yield Finding(check="test alert", state=WARNING, text=text)
    taken_by = [name for name, lack in channels.items() if not lack]
    text = f"Memory: a test alert of freqtrade-mem0 doctor on {platform.node()}; all is well."
    for name, lack in channels.items():
        if lack:
            found = WARNING, f"not sent to {name}: {lack} in the config"
        elif refusal := send_through(config, name, worded(text, taken_by)):
            found = FAILED, f"{name} refused it: {refusal}"
        else:
            found = OK, f"{name} accepted it; look whether it is there"
        yield Finding(check="test alert", state=found[0], text=found[1])
