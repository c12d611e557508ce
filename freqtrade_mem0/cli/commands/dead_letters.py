"""`dead-letters`: what Mem0 refused; look at it, mend it, send it again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import memory_options, opened_store, output_options
from freqtrade_mem0.cli.output import console, print_json, print_table
from freqtrade_mem0.errors import RecordError
from freqtrade_mem0.records.codec import decode

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.cli.context import Commands
    from freqtrade_mem0.journal.outbox import DeadLetter
    from freqtrade_mem0.memory_folder import MemoryFolder


def add_commands(commands: Commands) -> None:
    """Add `dead-letters`."""
    parser = commands.add_parser(
        "dead-letters",
        help="list, mend and resend records that Mem0 refused",
        description="List records that Mem0 refused, with the reason. They are in the journal and "
        "count for stakes; only Mem0 lacks them. To mend one: save what --json prints under "
        "'record', change it, and give it to --mend.",
    )
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--resend",
        nargs="*",
        metavar="ID",
        help="Let these wait for delivery again; without an id, all of them.",
    )
    action.add_argument(
        "--mend",
        type=Path,
        metavar="FILE",
        help="Take the mended record in this JSON file in place of the refused one.",
    )
    action.add_argument(
        "--give-up",
        nargs="+",
        metavar="ID",
        help="Stop trying to deliver these; they stay in the journal.",
    )
    memory_options(parser)
    output_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Do what is asked for, then list what is dead still."""
    with opened_store(arguments) as store:
        if arguments.resend is not None:
            _check_known(store, arguments.resend)
            n = store.outbox.resend(arguments.resend or None)
            done = f"{n} will be sent again: by the bot, or now by 'freqtrade-mem0 deliver'."
        elif arguments.mend is not None:
            done = _mend(store, arguments.mend)
        elif arguments.give_up is not None:
            _check_known(store, arguments.give_up)
            n = store.outbox.give_up(arguments.give_up)
            done = f"{n} will not be sent; they stay in the journal."
        else:
            done = ""
        letters = store.outbox.dead_letters()
    if arguments.json:
        print_json([_plain(letter) for letter in letters])
        return 0
    out = console()
    if done:
        out.print(done, markup=False)
    if not letters:
        out.print("Mem0 has refused nothing.")
        return 0
    rows = [[each.record_id, each.kind, str(each.attempts), each.error] for each in letters]
    print_table("Refused by Mem0", ["id", "kind", "Attempts", "why"], rows)
    return 0


def _plain(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": letter.record_id,
        "kind": letter.kind,
        "attempts": letter.attempts,
        "error": letter.error,
        "record": json.loads(letter.body),
    }


def _check_known(store: MemoryFolder, record_ids: list[str]) -> None:
    known = {letter.record_id for letter in store.outbox.dead_letters()}
    for each in record_ids:
        if each not in known:
            raise RecordError(
                f"{each!r} is no dead letter; 'freqtrade-mem0 dead-letters' lists them."
            )


def _mend(store: MemoryFolder, file: Path) -> str:
    try:
        text = file.read_text(encoding="utf-8")
        given = json.loads(text)
    except (OSError, ValueError) as error:
        raise RecordError(f"{file} can not be read as JSON: {error}.") from error
    record_id = given.get("id") if isinstance(given, dict) else None
    letters = {letter.record_id: letter for letter in store.outbox.dead_letters()}
    if record_id not in letters:
        raise RecordError(
            f"{file} must hold a refused record, under its own id; {record_id!r} is none of them."
        )
    mended = decode(letters[record_id].kind, text)
    if store.journal.append([mended]) == 0:
        raise RecordError(f"{file} says the same as the refused record; change what was refused.")
    return (
        f"{mended.id} is mended and will be sent: by the bot, or now by 'freqtrade-mem0 deliver'."
    )
