"""Back the memory up into one file, or check a backup.

Bots may go on meanwhile. The backup is restored into a temporary folder, opened and asked, and what
it decides is compared with the memory, before it gets its name. No secret is in it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli.context import offer_key, opened_memory
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.cli.progress import progress_bar
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.archive.check import Backup
    from freqtrade_mem0.memory_folder import MemoryFolder

NAME = "backup"
GIVES_WAY = True

_MEGABYTE = 1_000_000


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `backup`."""
    parser.add_argument(
        "destination",
        nargs="?",
        metavar="DEST",
        help="A new file, or a folder, in which the file is named after the time. Default: "
        "mem0.backup.path in the config, else a folder beside that of the memory.",
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--verify-only",
        type=Path,
        metavar="FILE",
        help="Make none; restore this backup into a temporary folder and check it.",
    )
    what.add_argument(
        "--rotate",
        action="store_true",
        help="Make one only if the newest is older than mem0.backup.every_days, then delete all "
        "but the newest mem0.backup.keep. For a schedule such as cron.",
    )
    parser.add_argument(
        "--dry-run", action="store_true", help="Only say what would be made and deleted."
    )
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Make or check a backup, and print what is in it."""
    from freqtrade_mem0.archive.check import verify_backup

    if arguments.destination is not None and (arguments.rotate or arguments.verify_only):
        raise ConfigError(
            "DEST is where a backup is made; leave it out with --rotate (its folder is "
            "mem0.backup.path) and with --verify-only."
        )
    if arguments.verify_only is not None:
        offer_key(arguments, arguments.verify_only)
        with progress_bar() as progress:
            task = progress.add_task("Checking", total=None)
            done = verify_backup(arguments.verify_only, lambda n: progress.advance(task, n))
        _report(done, arguments, "is whole")
        return 0
    return _make(arguments)


def _make(arguments: argparse.Namespace) -> int:
    from freqtrade_mem0.archive.backup import expected_bytes, file_name, make_backup
    from freqtrade_mem0.archive.rotation import rotate

    now = datetime.now(UTC)
    deleted: list[str] = []
    done: Backup | None
    with opened_memory(arguments) as memory, progress_bar() as progress:
        if arguments.rotate and memory.settings.backup.every_days is None:
            raise ConfigError(
                '"mem0.backup.every_days" is not set: --rotate needs to know how often to make a '
                "backup."
            )
        target, is_folder = _target(memory, arguments)
        if arguments.dry_run:
            return _plan(memory, arguments, target / file_name(now) if is_folder else target)
        task = progress.add_task("Backing up", total=expected_bytes(memory))

        def advance(n: int) -> None:
            progress.advance(task, n)

        if arguments.rotate:
            rotated = rotate(memory, now, advance)
            done, deleted = rotated.made, [str(path) for path in rotated.deleted]
        else:
            if is_folder:
                target.mkdir(mode=0o700, parents=True, exist_ok=True)
            done = make_backup(memory, target, now, advance)
    if done is None:
        _print_not_due(arguments)
    else:
        _report(done, arguments, "was made and checked", deleted)
    return 0


def _target(memory: MemoryFolder, arguments: argparse.Namespace) -> tuple[Path, bool]:
    """Return where a backup is made, and whether this is a folder."""
    from freqtrade_mem0.archive.rotation import backup_folder

    chosen: str | None = arguments.destination
    if chosen is None:
        return backup_folder(memory), True
    path = Path(chosen)
    is_folder = chosen.endswith(("/", "\\")) or path.is_dir()
    if not is_folder and not path.parent.is_dir():
        raise ConfigError(
            f"The folder {path.parent} does not exist. Make it, or name a folder that is to be "
            f"made with a slash at its end, as in {path.parent}/."
        )
    return path, is_folder


def _plan(memory: MemoryFolder, arguments: argparse.Namespace, path: Path) -> int:
    """Say what would be made and deleted."""
    from freqtrade_mem0.archive.backup import expected_bytes
    from freqtrade_mem0.archive.rotation import is_due, too_old

    if arguments.rotate and not is_due(memory, datetime.now(UTC)):
        _print_not_due(arguments)
        return 0
    if path.exists():
        raise ConfigError(f"{path} exists already. Name another file, or a folder.")
    deleted = too_old(memory, with_new=1) if arguments.rotate else []
    n_bytes = expected_bytes(memory) // 2
    if arguments.json:
        gone = [str(each) for each in deleted]
        print_json({"dry_run": True, "path": str(path), "bytes": n_bytes, "deleted": gone})
    else:
        print_lines(
            f"{path} would be made, from {n_bytes / _MEGABYTE:.1f} MB of files, and checked.",
            *(f"Would be deleted: {each}" for each in deleted),
        )
    return 0


def _print_not_due(arguments: argparse.Namespace) -> None:
    if arguments.json:
        print_json({"path": None, "deleted": []})
    else:
        print_lines("No backup is due: the newest one is younger than mem0.backup.every_days.")


def _report(
    done: Backup, arguments: argparse.Namespace, what: str, deleted: list[str] | None = None
) -> None:
    if arguments.json:
        print_json(backup_facts(done) | ({} if deleted is None else {"deleted": deleted}))
        return
    counts = done.manifest.counts
    print_lines(
        f"{done.path} {what}: {done.bytes / _MEGABYTE:.1f} MB, "
        f"{counted(counts['records'], 'record')}, {counted(counts['decisions'], 'decision')}, "
        f"{counted(counts['memories'], 'memory', 'memories')}, of {done.manifest.made_at[:19]}.",
        compared(done),
        *(f"Not in it: {each[0].lower()}{each[1:]}" for each in done.manifest.not_in_it),
        *(f"Deleted: {each}" for each in deleted or []),
    )


def compared(done: Backup) -> str:
    """Return a sentence on what a restored backup was asked."""
    if done.not_compared:
        return f"About its decisions: {done.not_compared}."
    if not done.n_compared:
        return "It has no decision that could be asked again."
    return (
        f"{counted(done.n_compared, 'decision')} were asked again of the restored copy: each is the"
        " memory's."
    )


def backup_facts(done: Backup) -> dict[str, Any]:
    """Return a backup as a JSON object."""
    manifest = done.manifest
    return {
        "path": str(done.path),
        "bytes": done.bytes,
        "made_at": manifest.made_at,
        "made_by": manifest.made_by,
        "user_id": manifest.user_id,
        "mode": manifest.mode,
        "files": {
            name: {"bytes": each.bytes, "sha256": each.sha256}
            for name, each in manifest.files.items()
        },
        "counts": manifest.counts,
        "compared": done.n_compared,
        "not_compared": done.not_compared or None,
        "not_in_it": manifest.not_in_it,
    }
