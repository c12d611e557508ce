"""Make, list and revoke the keys of the service.

A key is shown once; only a hash of it is stored. Without --user, --strategy and --bot it reaches
the whole memory.
"""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import read_config
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines, print_table, when
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.service.keys import Keys
    from freqtrade_mem0.service.tokens import Tokens

NAME = "keys"

_LISTED = {"add": "made", "revoke": "revoked", "rotate": "changed"}
"""What `freqtrade-mem0 audit` calls what was done."""

_ROLES = ("reader", "writer", "admin")
_UNITS = {"h": "hours", "d": "days", "w": "weeks"}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `keys`."""
    parser.add_argument(
        "what",
        choices=["add", "list", "revoke", "rotate"],
        help="Make a key and print it; list them; refuse one from now on; or refuse all tokens "
        "that stand for keys, which stay valid.",
    )
    parser.add_argument("id", nargs="?", help="Of the key to revoke, as 'keys list' shows it.")
    parser.add_argument(
        "--role",
        choices=_ROLES,
        help="reader reads; writer also records; admin also forgets, backs up and cleans up.",
    )
    parser.add_argument("--user", metavar="USER", help="Bind the key to this user's memory.")
    parser.add_argument("-s", "--strategy", metavar="NAME", help="Bind it to this strategy.")
    parser.add_argument("--bot", metavar="BOT", help="Bind it to this bot or run, by its whole id.")
    parser.add_argument(
        "--expires",
        type=_age,
        metavar="AGE",
        help="When the key ends, as in 90d, 12h or 4w. Default: never.",
    )
    parser.add_argument("--name", default="", metavar="NAME", help="What the key is for.")
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked, and print it."""
    from freqtrade_mem0.audit.log import AuditLog
    from freqtrade_mem0.service.file import ServiceFile
    from freqtrade_mem0.service.keys import Keys
    from freqtrade_mem0.service.tokens import Tokens

    for value, option, command in (
        (arguments.id, "id", "revoke"),
        (arguments.role, "--role", "add"),
    ):
        if value is not None and arguments.what != command:
            raise ConfigError(
                f"'keys {arguments.what}' takes no {option}, got {value!r}; 'keys {command}' does."
            )
    if arguments.what == "revoke" and arguments.id is None:
        raise ConfigError("'keys revoke ID' needs the id of a key; 'keys list' lists them.")
    if arguments.what == "add" and arguments.role is None:
        raise ConfigError(f"'keys add' needs a role: --role {', '.join(_ROLES)}.")
    folder = read_config(arguments).memory().folder
    file = ServiceFile(folder)
    try:
        facts = _done(arguments, Keys(file), Tokens(file), file.now_ms())
    finally:
        file.close()
    if arguments.what in _LISTED:
        what = "signing keys of tokens" if arguments.what == "rotate" else f"key {facts['id']}"
        AuditLog(folder).note(f"service {what}", action=_LISTED[arguments.what])
    if arguments.json:
        print_json(facts)
    elif arguments.what == "list":
        _print(facts)
    else:
        print_lines(*_sentences(arguments.what, facts))
    return 0


def _done(arguments: argparse.Namespace, keys: Keys, tokens: Tokens, now_ms: int) -> Any:
    from freqtrade_mem0.client.scoped import Bound
    from freqtrade_mem0.service.keys import Role

    if arguments.what == "list":
        return [key.facts(now_ms) for key in keys.all()]
    if arguments.what == "revoke":
        return keys.revoke(arguments.id).facts(now_ms)
    if arguments.what == "rotate":
        tokens.rotate()
        return {"rotated": True}
    key, text = keys.add(
        Role[arguments.role.upper()],
        name=arguments.name,
        bound=Bound(user_id=arguments.user, strategy=arguments.strategy, bot_id=arguments.bot),
        expires_in=arguments.expires,
    )
    return key.facts(now_ms) | {"key": text}


def _sentences(what: str, facts: Any) -> list[str]:
    if what == "rotate":
        return ["All tokens are refused from now on; keys stay valid."]
    if what == "revoke":
        return [f"The key {facts['id']} ({facts['name']}) is refused from now on."]
    return [
        str(facts["key"]),
        f"It is a {facts['role']} of {_reach(facts)}, and is not shown again.",
        f"Send it in the header X-API-Key; 'freqtrade-mem0 keys revoke {facts['id']}' ends it.",
    ]


def _print(found: list[dict[str, Any]]) -> None:
    print_table(
        counted(len(found), "key"),
        ["id", "name", "role", "reaches", "valid", "made (UTC)", "expires", "used"],
        [
            [
                *(each["id"], each["name"], each["role"], _reach(each)),
                "yes" if each["is_valid"] else "no",
                *("" if each[at] is None else when(each[at]) for at in _TIMES),
            ]
            for each in found
        ],
        optional=["made (UTC)", "used", "expires"],
        empty="'freqtrade-mem0 keys add' makes one.",
    )


_TIMES = ("made_at", "expires_at", "used_at")


def _reach(facts: dict[str, Any]) -> str:
    named = {"user": facts["user_id"], "strategy": facts["strategy"], "bot": facts["bot_id"]}
    bound = [f"{name} {value}" for name, value in named.items() if value is not None]
    return ", ".join(bound) or "the whole memory"


def _age(text: str) -> timedelta:
    number, unit = text[:-1], text[-1:]
    if not number.isdecimal() or unit not in _UNITS or not 0 < int(number) < 100_000:  # noqa: PLR2004
        raise ArgumentTypeError(f"must be an age such as 90d, 12h or 4w, got {text!r}")
    return timedelta(**{_UNITS[unit]: int(number)})
