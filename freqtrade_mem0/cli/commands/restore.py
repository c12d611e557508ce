"""Restore a backup into the memory's folder.

The backup is checked first. A memory that is in the folder is moved aside, never deleted, and only
with --yes. Stop the bots that use it first: a folder in use is refused.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import offer_key, read_config
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.cli.progress import progress_bar
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

NAME = "restore"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `restore`."""
    parser.add_argument("file", type=Path, metavar="FILE", help="A backup.")
    parser.add_argument(
        "--to",
        type=Path,
        metavar="FOLDER",
        help="The folder to restore it into. Default: the folder of the memory in the config.",
    )
    parser.add_argument(
        "--yes", action="store_true", help="Move aside the memory that is in the folder."
    )
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Restore a backup, and print what was restored."""
    from freqtrade_mem0.archive.restore import restore_backup
    from freqtrade_mem0.cli.commands.backup import backup_facts, compared
    from freqtrade_mem0.config.load import folder
    from freqtrade_mem0.encryption.keyring import KEYRING

    target = arguments.to
    config = None
    offer_key(arguments, arguments.file)
    if target is None:
        config = read_config(arguments)
        target = folder(config.settings, config.user_data_dir)
        KEYRING.unlock(target, config.settings.encryption.secret())
    with progress_bar() as progress:
        task = progress.add_task("Restoring", total=None)
        done = restore_backup(
            arguments.file,
            target,
            datetime.now(UTC),
            replaces=arguments.yes,
            progress=lambda n: progress.advance(task, n),
        )
    kept = None if done.kept is None else str(done.kept)
    if arguments.json:
        print_json(backup_facts(done.backup) | {"folder": str(done.folder), "kept": kept})
        return 0
    manifest = done.backup.manifest
    summary = (
        f"{counted(manifest.counts['records'], 'record')} and "
        f"{counted(manifest.counts['decisions'], 'decision')} of {manifest.made_at[:19]} are in "
        f"{done.folder}."
    )
    lines = [summary, compared(done.backup)]
    if kept is not None:
        lines.append(f"The memory that was there is in {kept}.")
    if config is not None and config.settings.user_id != manifest.user_id:
        lines.append(
            f"The backup is of user {manifest.user_id!r}; 'mem0.user_id' in the config is "
            f"{config.settings.user_id!r}, who knows nothing of it."
        )
    lines.append(
        "What a bot traded since then comes back from Freqtrade's database when it starts, and "
        "from Mem0 with sync."
    )
    print_lines(*lines)
    return 0
