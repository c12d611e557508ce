"""List, test and repeat the webhooks that are sent, and make their secrets.

Endpoints are in the config (mem0.webhooks); CONTROLLER_URL and N8N_WEBHOOK_URL are two more. The
service and bots send by themselves what happens; 'send' does it now.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import read_config
from freqtrade_mem0.cli.options import memory_options, moment
from freqtrade_mem0.cli.output import print_json, print_lines, print_table, when
from freqtrade_mem0.errors import ConfigError, RecordError

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.cli.context import CliConfig
    from freqtrade_mem0.webhooks.endpoint import Endpoint
    from freqtrade_mem0.webhooks.sender import WebhookSender

NAME = "webhooks"

_MOST_TRIES = 1_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `webhooks`."""
    parser.add_argument(
        "what",
        choices=["list", "test", "send", "dead", "replay", "enable", "secret"],
        help="'list' lists the endpoints, 'test' sends a test event to them, 'send' sends now what "
        "waits, 'dead' lists what was given up, 'replay' sends that again or the events with these "
        "ids, 'enable' sends again to an endpoint that answered 410 (gone), 'secret' makes a "
        "secret.",
    )
    parser.add_argument(
        "names",
        nargs="*",
        default=[],  # without it argparse says that a name is required
        metavar="NAME",
        help="Names of endpoints, for 'replay' ids of events. Default: all.",
    )
    parser.add_argument(
        "--since",
        type=moment,
        metavar="TIME",
        help="With 'replay': all events since this time or age, such as 2d, also those that were "
        "taken.",
    )
    parser.add_argument("--to", metavar="NAME", help="With 'replay': to this endpoint alone.")
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked, and print it."""
    if (arguments.since or arguments.to) and arguments.what != "replay":
        raise ConfigError("--since and --to are for 'webhooks replay'.")
    if arguments.since and arguments.names:
        raise ConfigError("Name either ids or --since.")
    if arguments.what == "secret":
        from freqtrade_mem0.webhooks.signature import new_secret

        made = new_secret()
        _print(arguments, {"secret": made}, [made])
        return 0
    return _DO[arguments.what](arguments, read_config(arguments))


def _list(arguments: argparse.Namespace, config: CliConfig) -> int:
    from freqtrade_mem0.views.webhooks import webhook_endpoints

    settings = config.settings
    found = webhook_endpoints(
        config.memory().folder, settings.user_id, _chosen(config, arguments.names)
    )
    if arguments.json:
        print_json({"enabled": settings.webhooks.enabled, "endpoints": found})
        return 0
    if not settings.webhooks.enabled:
        print_lines("Nothing is sent: mem0.webhooks.enabled (MEM0_ENABLE_WEBHOOKS) is false.")
    if not found:
        print_lines("There are no endpoints: see docs/how-to/webhooks.md.")
        return 0
    heads = ["name", "address", "events", "signed", "state", "Waiting", "Dead", "sent (UTC)", "why"]
    optional = ["events", "signed", "sent (UTC)"]
    if not any(each["error"] for each in found):
        optional.insert(0, "why")
    print_table("Endpoints", heads, [_row(each) for each in found], optional)
    return 0


def _row(each: dict[str, Any]) -> list[str]:
    return [
        *(each["name"], each["address"], ", ".join(each["events"]) or "all"),
        *("yes" if each["is_signed"] else "no", each["state"]),
        *(str(each["waiting"]), str(each["dead"])),
        "" if each["sent_at"] is None else when(each["sent_at"]),
        each["error"],
    ]


def _test(arguments: argparse.Namespace, config: CliConfig) -> int:
    from freqtrade_mem0.webhooks.event import a_test

    chosen = _chosen(config, arguments.names)
    event, sender = a_test(), _sender(config, chosen)
    try:
        outcomes = {each.name: sender.try_once(each, event.id, event.body()) for each in chosen}
    finally:
        sender.close()
    facts = [
        {"endpoint": name, "status": each.status, "error": each.error}
        for name, each in outcomes.items()
    ]
    lines = [
        f"{name}: {each.error or f'it took the event ({each.status}).'}"
        for name, each in outcomes.items()
    ]
    _print(arguments, facts, lines or ["There are no endpoints: see docs/how-to/webhooks.md."])
    return int(any(each.error for each in outcomes.values()))


def _send(arguments: argparse.Namespace, config: CliConfig) -> int:
    from freqtrade_mem0.webhooks.endpoint import endpoints

    on = {each.name for each in endpoints(config.settings)}
    chosen = [each for each in _chosen(config, arguments.names) if each.name in on]
    n_sent = n_failed = 0
    sender = _sender(config, chosen)
    try:
        for _ in range(_MOST_TRIES):
            passed = sender.run()
            if passed is None:
                raise ConfigError("The service, a bot or another command sends them just now.")
            n_sent, n_failed = n_sent + passed.n_sent, n_failed + passed.n_failed
            if not passed.n_sent:
                break
    finally:
        sender.close()
    facts = {"sent": n_sent, "failed_attempts": n_failed}
    _print(arguments, facts, [f"{n_sent} taken, {n_failed} attempts failed."])
    return int(n_failed > 0)


def _dead(arguments: argparse.Namespace, config: CliConfig) -> int:
    from freqtrade_mem0.views.webhooks import dead_webhooks

    found = dead_webhooks(config.memory().folder, config.settings.user_id)
    if arguments.names:
        found = [each for each in found if each["endpoint"] in arguments.names]
    if arguments.json:
        print_json(found)
        return 0
    if not found:
        print_lines("No event was given up.")
        return 0
    print_table(
        "Given up; 'freqtrade-mem0 webhooks replay' sends them again",
        ["id", "endpoint", "type", "tried", "given up (UTC)", "why"],
        [
            [
                *(each["id"], each["endpoint"], each["type"], str(each["attempts"])),
                *(when(each["given_up_at"]), each["error"]),
            ]
            for each in found
        ],
    )
    return 0


def _replay(arguments: argparse.Namespace, config: CliConfig) -> int:
    from datetime import UTC, datetime

    from freqtrade_mem0.records.base import to_ms

    since_ms = None
    if arguments.since is not None:
        since_ms = to_ms(arguments.since(datetime.now(UTC)))
    chosen = _chosen(config, [] if arguments.to is None else [arguments.to])
    queues, file = _queues(config, chosen)
    try:
        n = sum(queue.replay(arguments.names, since_ms) for queue in queues)
    finally:
        file.close()
    if arguments.names and not n:
        raise RecordError(
            "There is no event with these ids; 'freqtrade-mem0 webhooks dead' lists those that "
            "were given up. Others are kept for 30 days."
        )
    lines = [f"{n} will be sent again: by the service or a bot, or now by 'webhooks send'."]
    _print(arguments, {"waiting": n}, lines)
    return 0


def _enable(arguments: argparse.Namespace, config: CliConfig) -> int:
    if not arguments.names:
        raise ConfigError("'webhooks enable NAME' needs the name of an endpoint.")
    chosen = _chosen(config, arguments.names)
    queues, file = _queues(config, chosen)
    try:
        was_off = {each.name: queue.enable() for each, queue in zip(chosen, queues, strict=True)}
    finally:
        file.close()
    lines = [
        f"{name} gets events again, with those that wait." if off else f"{name} was not off."
        for name, off in was_off.items()
    ]
    _print(arguments, [{"endpoint": name, "was_off": off} for name, off in was_off.items()], lines)
    return 0


_DO = {
    "list": _list,
    "test": _test,
    "send": _send,
    "dead": _dead,
    "replay": _replay,
    "enable": _enable,
}


def _chosen(config: CliConfig, names: list[str]) -> list[Endpoint]:
    from freqtrade_mem0.webhooks.endpoint import configured

    found = configured(config.settings.webhooks)
    for name in names:
        if name not in {each.name for each in found}:
            known = ", ".join(each.name for each in found) or "none"
            raise ConfigError(f"There is no endpoint {name!r} in the config; there is {known}.")
    return [each for each in found if not names or each.name in names]


def _sender(config: CliConfig, chosen: list[Endpoint]) -> WebhookSender:
    from freqtrade_mem0.webhooks.sender import WebhookSender

    return WebhookSender(config.memory().folder, config.settings, chosen)


def _queues(config: CliConfig, chosen: list[Endpoint]) -> Any:
    from freqtrade_mem0.webhooks.file import WebhookFile
    from freqtrade_mem0.webhooks.queue import Queue

    file = WebhookFile(config.memory().folder)
    return [Queue(file, config.settings.user_id, each.name) for each in chosen], file


def _print(arguments: argparse.Namespace, facts: Any, lines: list[str]) -> None:
    if arguments.json:
        print_json(facts)
    else:
        print_lines(*lines)
