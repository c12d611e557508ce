"""List who used which key or credential of a memory when, and whether the list was changed.

It names credentials and where they were found, never their values. The same use by the same program
is listed once an hour.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory
from freqtrade_mem0.cli.options import count, memory_options
from freqtrade_mem0.cli.output import print_json, print_lines, print_table, when

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.audit.log import Use

NAME = "audit"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `audit`."""
    parser.add_argument(
        "-n", "--limit", type=count, metavar="N", help="Show at most N: the newest."
    )
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the list; return 1 where it was changed."""
    from freqtrade_mem0.audit.log import AuditLog

    with opened_memory(arguments) as memory:
        pass
    uses, broken = AuditLog(memory.folder).uses()
    shown = uses[-arguments.limit :] if arguments.limit is not None else uses
    if arguments.json:
        print_json({"uses": [_facts(use) for use in shown], "n": len(uses), "changed_at": broken})
        return int(broken is not None)
    if not uses:
        print_lines("No use of a credential is listed in this memory.")
        return 0
    print_table(
        "Uses of credentials",
        ["Number", "at (UTC)", "who", "what"],
        [
            [str(each["number"]), when(str(each["at"])), str(each["who"]), _what(each)]
            for each in map(_facts, shown)
        ],
        optional=["Number"],
    )
    if broken is not None:
        print_lines(
            f"Row {broken} was changed, or one before it was removed: the list does not tell what "
            "really happened from there on."
        )
        return 1
    print_lines("The chain of hashes fits: no row was changed or removed before the last one.")
    return 0


def _what(facts: dict[str, object]) -> list[str]:
    """Return what was done with which credential, and below it where that was found."""
    where = [f"  {facts['source']}"] if facts["source"] else []
    return [f"{facts['action']} {facts['credential']}", *where]


def _facts(use: Use) -> dict[str, object]:
    facts = asdict(use)
    moment = datetime.fromtimestamp(facts.pop("at_ms") / 1_000, tz=UTC)
    return {"number": facts.pop("number"), "at": moment.isoformat(timespec="seconds"), **facts}
