"""What `init` asks: an option for each question, and the key of the config that it sets."""

from __future__ import annotations

from argparse import BooleanOptionalAction
from typing import TYPE_CHECKING, Any, NamedTuple

from freqtrade_mem0.config.discovery import names_in
from freqtrade_mem0.config.modes import PACKAGE
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Mapping


class Question(NamedTuple):
    """One question, which an option answers, too."""

    key: str
    """The key in the `"mem0"` block."""
    option: str
    text: str
    kind: type
    mode: str = ""
    """Only asked in this mode."""

    @property
    def name(self) -> str:
        """The option's name in the parsed arguments."""
        return self.option.removeprefix("--").replace("-", "_")


MODE = Question("mode", "--mode", "Where shall the memories live?", str)
QUESTIONS = (
    MODE,
    Question("host", "--host", "Address of the Mem0 server:", str, mode="server"),
    Question("user_id", "--user", "Owner of the memories (the same for all of your bots):", str),
    Question("sizing.live", "--live", "Scale the stakes of live bots, too? (else shadow)", bool),
    Question("risk.damping.enabled", "--damping", "Damp stakes after risk events?", bool),
    Question(
        "frequi.custom_data", "--notes", "Note each trade's multiplier for FreqUI and REST?", bool
    ),
    Question("backup.every_days", "--backup-days", "Days between backups (0: none):", float),
)

_MODES = {
    "embedded": "on this machine, with Mem0 in a local file (no key, no server)",
    "local": "on this machine, in the journal alone, without Mem0",
    "server": "on a Mem0 server of my own",
    "platform": "on the Mem0 platform (needs a key)",
}


def add_question_options(parser: argparse._ActionsContainer) -> None:
    """Add an option for each question."""
    for each in QUESTIONS:
        words = each.text.partition("?")[0].rstrip(":")
        if each is MODE:
            parser.add_argument(each.option, choices=names_in(PACKAGE), help=f"{words}.")
        elif each.kind is bool:
            parser.add_argument(
                each.option, action=BooleanOptionalAction, default=None, help=f"{words}."
            )
        else:
            shown = "DAYS" if each.kind is float else "TEXT"
            parser.add_argument(each.option, type=each.kind, metavar=shown, help=f"{words}.")


def answers(arguments: argparse.Namespace, now: Mapping[str, Any], *, asks: bool) -> dict[str, Any]:
    """Return the answers by key: from the options, else asked where `asks`.

    Parameters
    ----------
    arguments
        Of the command line.
    now
        The values that hold now, by key.
    asks
        Whether a person is there to be asked.

    Raises
    ------
    ConfigError
        The person stopped.
    """
    found: dict[str, Any] = {}
    for each in QUESTIONS:
        mode = found.get("mode", now["mode"])
        answer = getattr(arguments, each.name)
        if answer is None and asks and each.mode in ("", mode):
            answer = _asked(each, now[each.key])
        if answer in (None, ""):
            continue
        if each.kind is float:  # whole days as a person writes them; 0 is none
            answer = (int(answer) if answer == int(answer) else answer) or None
        found[each.key] = answer
    return found


def ask_key() -> str:
    """Ask for the key of the Mem0 platform without showing it; "" for none."""
    import questionary

    text = "Key of the Mem0 platform (goes to .env.mem0; leave empty to set M0_API_KEY yourself):"
    return str(_said(questionary.password(text))).strip()


def confirmed(text: str) -> bool:
    """Ask whether to go on."""
    import questionary

    return bool(_said(questionary.confirm(text, default=True)))


def _asked(question: Question, now: Any) -> Any:
    import questionary

    if question is MODE:
        choices = [
            questionary.Choice(f"{name}: {_MODES.get(name, name)}", value=name)
            for name in sorted(names_in(PACKAGE), key=[*_MODES].index)
        ]
        return _said(questionary.select(question.text, choices=choices, default=now))
    if question.kind is bool:
        return _said(questionary.confirm(question.text, default=bool(now)))
    if question.kind is float:
        given = questionary.text(question.text, default=f"{now or 0:g}", validate=_is_number)
        return float(_said(given))
    return _said(questionary.text(question.text, default=now or ""))


def _is_number(text: str) -> bool | str:
    try:
        return float(text) >= 0.0 or "a number of days, or 0"
    except ValueError:
        return "a number of days, or 0"


def _said(question: Any) -> Any:
    answer = question.ask()
    if answer is None:
        raise ConfigError("Stopped; nothing was written.")
    return answer
