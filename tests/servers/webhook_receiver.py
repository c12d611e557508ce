"""A receiver of webhooks on 127.0.0.1, which takes what it gets unless it is told to go wrong."""

from __future__ import annotations

from tests.servers.loopback import Answer, Asked, Loopback


class Receiver(Loopback):
    """What n8n or a controller is: it answers 204, and has all that was sent in `asked`."""

    def answer(self, asked: Asked) -> Answer:
        """Take an event."""
        del asked
        return Answer(status=204)

    @property
    def ids(self) -> list[str]:
        """The ids that were sent, in their order."""
        return [each.headers["webhook-id"] for each in self.asked]

    @property
    def types(self) -> list[str]:
        """The types of events that were sent, in their order."""
        return [each.body["type"] for each in self.asked]
