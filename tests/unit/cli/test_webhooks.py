from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.webhooks.post import Outcome
from freqtrade_mem0.webhooks.signature import key_of
from tests.servers.loopback import Answer
from tests.servers.webhook_receiver import Receiver
from tests.support.samples import a_trade
from tests.support.webhooks import Hooked, Scripted

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return a receiver that listens."""
    with Receiver() as receiving:
        yield receiving


class Command:
    """`freqtrade-mem0 webhooks` on a memory with one endpoint, "there"."""

    def __init__(self, folder: Path, url: str, capsys: pytest.CaptureFixture[str]) -> None:
        self.memory = folder / "mem0"
        self._capsys = capsys
        self._config = folder / "config.json"
        block = {"enabled": True, "endpoints": {"there": {"url": url}}}
        mine = {"path": str(self.memory), "user_id": "me", "mode": "local", "webhooks": block}
        self._config.write_text(json.dumps({"mem0": mine}))

    def __call__(self, *words: str, code: int = 0) -> str:
        """Run it, and return what it printed."""
        assert main(["webhooks", *words, "-c", str(self._config)]) == code
        printed = self._capsys.readouterr()
        return printed.out + printed.err

    def facts(self, *words: str, code: int = 0) -> Any:
        """Run it with --json."""
        return json.loads(self(*words, "--json", code=code))


@pytest.fixture
def command(tmp_path: Path, receiver: Receiver, capsys: pytest.CaptureFixture[str]) -> Command:
    """Return the command."""
    return Command(tmp_path, f"{receiver.url}/hook/a-secret-path", capsys)


def test_a_test_event_says_what_each_endpoint_answered(
    command: Command, receiver: Receiver
) -> None:
    """With an exit code for scripts."""
    assert "there: it took the event (204)" in command("test")
    receiver.fails("answer", answer=Answer(500, ""))
    assert "there: It answered 500" in command("test", code=1)
    assert receiver.types == ["webhook.test"] * 2


def test_the_list_shows_no_path_of_an_address(command: Command, receiver: Receiver) -> None:
    """It may be a secret."""
    facts = command.facts("list")
    assert facts["endpoints"][0]["address"] == receiver.url
    assert (facts["enabled"], facts["endpoints"][0]["state"]) == (True, "new")
    assert "a-secret-path" not in command("list")


def test_what_was_given_up_is_listed_and_sent_again(command: Command, receiver: Receiver) -> None:
    """With its id, and why."""
    hooked = Hooked(command.memory, receiver.url, post=Scripted(Outcome(status=400, error="No.")))
    hooked.add(a_trade(1))
    hooked.run()
    for _ in range(3):
        hooked.after(27 * 3_600)
    hooked.sender.close()
    (dead,) = command.facts("dead")
    assert (dead["endpoint"], dead["error"], dead["attempts"]) == ("there", "No.", 4)
    assert dead["message"]["data"]["id"] == a_trade(1).id
    assert "There is no event" in command("replay", "unknown", code=1)
    assert command.facts("replay", dead["id"]) == {"waiting": 1}
    assert command.facts("send") == {"sent": 1, "failed_attempts": 0}
    assert receiver.ids == [dead["id"]]
    assert command.facts("replay", "--since", "2000-01-01", "--to", "there") == {"waiting": 1}
    assert "No event was given up" in command("dead")


def test_an_endpoint_is_enabled_by_its_name(command: Command) -> None:
    """One that is not there is named with those that are."""
    assert "there was not off" in command("enable", "there")
    assert "there is there" in command("enable", "elsewhere", code=1)
    assert "needs the name" in command("enable", code=1)


def test_a_secret_is_made_for_both_sides(command: Command) -> None:
    """It is another one each time."""
    first, second = command("secret").strip(), command.facts("secret")["secret"]
    assert first != second
    assert key_of(first, "secret") != key_of(second, "secret")


@pytest.mark.parametrize(
    "words", [["list", "--since", "2d"], ["replay", "msg_1", "--since", "2d"], ["test", "nobody"]]
)
def test_words_that_do_not_fit_are_said(command: Command, words: list[str]) -> None:
    """And nothing is done."""
    assert command(*words, code=1)
