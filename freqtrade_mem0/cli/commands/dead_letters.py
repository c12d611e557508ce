"""List, repair and resend records that Mem0 refused.

They are in the journal and count for stakes; only Mem0 lacks them. To repair a record, save what
--json prints under 'record', change it, and pass the file to --mend.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import opened_memory
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines, print_table
from freqtrade_mem0.errors import RecordError

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.memory_folder import MemoryFolder

NAME = "dead-letters"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `dead-letters`."""
    action = parser.add_mutually_exclusive_group()
    action.add_argument(
        "--resend", nargs="*", metavar="ID", help="Deliver these again; without an id, all of them."
    )
    action.add_argument(
        "--mend",
        type=Path,
        metavar="FILE",
        help="Replace the refused record by the repaired one in this JSON file.",
    )
    action.add_argument(
        "--give-up",
        nargs="+",
        metavar="ID",
        help="Never deliver these; they stay in the journal.",
    )
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Do what the options ask for, then list the dead letters that are left."""
    with opened_memory(arguments) as memory:
        done = _act(memory, arguments)
        letters = memory.outbox.dead_letters()
    if arguments.json:
        print_json(
            [
                {
                    "id": letter.record_id,
                    "kind": letter.kind,
                    "attempts": letter.attempts,
                    "error": letter.error,
                    "record": json.loads(letter.body),
                }
                for letter in letters
            ]
        )
        return 0
    print_lines(*done)
    if not letters:
        print_lines("Mem0 has refused nothing.")
        return 0
    rows = [[each.record_id, each.kind, str(each.attempts), each.error] for each in letters]
    print_table("Refused by Mem0", ["id", "kind", "Attempts", "why"], rows)
    return 0


def _act(memory: MemoryFolder, arguments: argparse.Namespace) -> list[str]:
    """Resend, repair or give up; return what was done, [] for a listing alone."""
    if arguments.resend is not None:
        _check_known(memory, arguments.resend)
        n = memory.outbox.resend(arguments.resend or None)
        return [f"{n} will be sent again: by the bot, or now by 'freqtrade-mem0 deliver'."]
    if arguments.mend is not None:
        mended = _mend(memory, arguments.mend)
        return [f"{mended} is mended. The bot will send it, or 'freqtrade-mem0 deliver' now."]
    if arguments.give_up is not None:
        _check_known(memory, arguments.give_up)
        n = memory.outbox.give_up(arguments.give_up)
        return [f"{n} will not be sent; they stay in the journal."]
    return []


def _check_known(memory: MemoryFolder, record_ids: list[str]) -> None:
    known = {letter.record_id for letter in memory.outbox.dead_letters()}
    for each in record_ids:
        if each not in known:
            raise RecordError(
                f"{each!r} is no dead letter; 'freqtrade-mem0 dead-letters' lists them."
            )


def _mend(memory: MemoryFolder, file: Path) -> str:
    """Replace a refused record by the one in a file; return its id."""
    from freqtrade_mem0.records.codec import decode

    try:
        text = file.read_text(encoding="utf-8")
        given = json.loads(text)
    except (OSError, ValueError) as error:
        raise RecordError(f"{file} can not be read as JSON: {error}.") from error
    record_id = given.get("id") if isinstance(given, dict) else None
    letters = {letter.record_id: letter for letter in memory.outbox.dead_letters()}
    if record_id not in letters:
        raise RecordError(
            f"{file} must hold a refused record under its own id; {record_id!r} is no dead letter."
        )
    mended = decode(letters[record_id].kind, text)
    if memory.journal.append([mended]) == 0:
        raise RecordError(f"{file} says the same as the refused record; change what was refused.")
    return mended.id
