"""A provider with OpenAI's interface on 127.0.0.1, which answers what a test says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.servers.loopback import Answer, Loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.servers.loopback import Asked


class LanguageModel(Loopback):
    """`say` makes the text of an answer from the messages of a question."""

    def __init__(self, say: Callable[[list[dict[str, str]]], str | None]) -> None:
        super().__init__()
        self.say = say

    def answer(self, asked: Asked) -> Answer:
        """Answer a chat completion."""
        message = {"role": "assistant", "content": self.say(asked.body["messages"])}
        choice = {"index": 0, "finish_reason": "stop", "message": message}
        usage = {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}
        body = {"id": "1", "object": "chat.completion", "created": 1, "model": "m", "usage": usage}
        return Answer(body=body | {"choices": [choice]})
