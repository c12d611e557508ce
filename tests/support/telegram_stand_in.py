"""A Bot API on loopback that refuses the messages that Telegram refuses."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST = 4096


def shown_by_telegram(text: str) -> str:
    """Return what Telegram shows of a text in its legacy Markdown.

    Raises
    ------
    ValueError
        Telegram refuses it: an entity has no end, or nothing or too much is left.
    """
    shown: list[str] = []
    i = 0
    while i < len(text):
        if text[i] == "\\" and text[i + 1 : i + 2] in {"_", "*", "`", "["}:
            shown.append(text[i + 1])
            i += 2
        elif text[i] not in "_*`[":
            shown.append(text[i])
            i += 1
        else:
            fence = "```" if text.startswith("```", i) else "]" if text[i] == "[" else text[i]
            begin = i + (3 if fence == "```" else 1)
            end = text.find(fence, begin)
            if end < 0:
                raise ValueError(f"can't parse entities: no end of the entity at offset {i}")
            shown.append(text[begin:end])
            i = end + len(fence)
            if fence == "]" and text[i : i + 1] == "(":
                i = text.find(")", i) + 1 or len(text)
    answer = "".join(shown)
    if not answer.strip():
        raise ValueError("message text is empty")
    if len(answer.encode("utf-16-le")) // 2 > _LONGEST:
        raise ValueError("message is too long")
    return answer


class TelegramStandIn:
    """What was sent to the stand-in."""

    def __init__(self, url: str) -> None:
        self.url = url
        """As `base_url` of python-telegram-bot."""
        self.shown: list[str] = []
        """Messages as people see them."""
        self.refused: list[str] = []
        """Why messages were refused."""


@contextmanager
def telegram_stand_in() -> Iterator[TelegramStandIn]:
    """Run a Bot API on a free port of loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            answer = self._take(sent)
            body = json.dumps(answer).encode()
            self.send_response(200 if answer["ok"] else 400)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

        def _take(self, sent: dict[str, list[str]]) -> dict[str, Any]:
            if not self.path.endswith("/sendMessage"):
                return {"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "bot"}}
            text = sent["text"][0]
            try:
                is_markdown = sent.get("parse_mode") == ["Markdown"]
                stand_in.shown.append(shown_by_telegram(text) if is_markdown else text)
            except ValueError as error:
                stand_in.refused.append(f"{error}: {text!r}")
                return {"ok": False, "error_code": 400, "description": f"Bad Request: {error}"}
            chat = {"id": 1, "type": "private"}
            return {"ok": True, "result": {"message_id": 1, "date": 0, "chat": chat, "text": text}}

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stand_in = TelegramStandIn(f"http://127.0.0.1:{server.server_port}/bot")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield stand_in
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
