"""A memory with webhooks, whose time is that of the test."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.webhooks.endpoint import configured
from freqtrade_mem0.webhooks.queue import Queue
from freqtrade_mem0.webhooks.sender import WebhookSender

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freqtrade_mem0.webhooks.post import Outcome
    from freqtrade_mem0.webhooks.sender import Passed

NOW_S = 1_704_103_200.0
"""Ten hours after `samples.START`, when the memory of these tests begins."""


class Hooked:
    """A journal, and a sender of its events to one endpoint, "there".

    `post` answers instead of a receiver where it is given.
    """

    def __init__(self, folder: Path, url: str, post: Any = None, **block: Any) -> None:
        self.now_s = NOW_S
        self.folder = folder
        self.settings = Settings.model_validate(
            {
                "mode": "local",
                "user_id": "me",
                "webhooks": {"enabled": True, "endpoints": {"there": {"url": url} | block}},
            }
        )
        self.journal = Journal(folder)
        self.journal.open()
        self._post = {} if post is None else {"send": post}
        self.sender = self._made()
        self.run()

    def add(self, *entries: Any) -> None:
        """Note something in the journal, as a bot does."""
        self.journal.append(entries)

    def run(self) -> Passed:
        """Make one pass now."""
        passed = self.sender.run()
        assert passed is not None
        return passed

    def after(self, seconds: float) -> Passed:
        """Make one pass so much later."""
        self.now_s += seconds
        return self.run()

    def restart(self) -> None:
        """Go on as another process."""
        self.sender.close()
        self.sender = self._made()

    @property
    def queue(self) -> Queue:
        """The endpoint's queue."""
        return Queue(self.sender.file, "me", "there")

    def states(self) -> dict[str, int]:
        """Count the messages by their state."""
        rows = self.sender.file.rows("SELECT state, count(*) FROM messages GROUP BY state")
        return dict(rows)

    def _made(self) -> WebhookSender:
        return WebhookSender(
            self.folder,
            self.settings,
            configured(self.settings.webhooks, {}),
            now=lambda: self.now_s,
            **self._post,
        )


class Scripted:
    """Answers instead of receivers: what `outcome` says, or nothing wrong; notes all it got."""

    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome
        self.ids: list[str] = []

    def __call__(
        self, url: str, headers: Mapping[str, str], body: bytes, timeout_s: float
    ) -> Outcome:
        """Take a post."""
        del url, body, timeout_s
        self.ids.append(headers["webhook-id"])
        return self.outcome
