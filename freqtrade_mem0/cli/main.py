"""Entry point of `freqtrade-mem0`: parse the options, run one command, report errors.

Every module in `cli/commands/` is a command. It imports heavy modules only in functions, so that
`--help` and small commands answer at once.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING, Any, Protocol, cast

from freqtrade_mem0 import __version__
from freqtrade_mem0.cli import commands
from freqtrade_mem0.cli.output import escape_what_can_not_be_printed, print_error
from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.words.visible import visible_lines

if TYPE_CHECKING:
    from collections.abc import Container, Sequence

EXIT_OK, EXIT_FAILED, EXIT_STOPPED = 0, 1, 130

_NICENESS = 10
_OF_THE_DISK = (
    *(errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO),
    *(errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR),
)


class Command(Protocol):
    """What a module in `cli/commands/` defines.

    The first line of its docstring is the line in `--help`, the whole docstring is the description.
    A module with the constant `GIVES_WAY = True` runs at a lower priority than bots.
    """

    NAME: str

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the options of the command."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Run the command and return the exit code."""


class _Parser(argparse.ArgumentParser):
    """Shows wrong words as they are, never obeying their control characters."""

    def _print_message(self, message: str, file: Any = None) -> None:
        super()._print_message(visible_lines(message), file)


def build_parser(
    wanted: Container[str] | None = None, only: str | None = None
) -> argparse.ArgumentParser:
    """Return the parser of the command line.

    Parameters
    ----------
    wanted
        Names of the commands whose options are needed; None for all of them.
    only
        The module of the one command that is called, so that no other is imported. None, or a
        name that no module has, imports all of them.
    """
    parser = _Parser(
        prog="freqtrade-mem0",
        description="Inspect and manage the long-term memory of Freqtrade bots.",
        epilog="See 'freqtrade-mem0 COMMAND --help' for the options of a command.",
    )
    parser.add_argument("-V", "--version", action="version", version=f"%(prog)s {__version__}")
    group = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    names = [module.name for module in iter_modules(commands.__path__)]
    for name in names if only is None or only not in names else [only]:
        command = cast("Command", import_module(f"{commands.__name__}.{name}"))
        text = command.__doc__ or ""
        added = group.add_parser(
            command.NAME, help=text.partition("\n")[0], description=" ".join(text.split())
        )
        added.set_defaults(run=command.run, gives_way=getattr(command, "GIVES_WAY", False))
        if wanted is None or command.NAME in wanted:
            command.add_options(added)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code (0 done, 1 failed, 2 wrong usage, 130 stopped)."""
    escape_what_can_not_be_printed()
    words = sys.argv[1:] if argv is None else argv
    called = words[0].replace("-", "_") if words and "_" not in words[0] else None
    arguments = build_parser(wanted=words, only=called).parse_args(words)
    if arguments.gives_way and argv is None:
        os.nice(_NICENESS)  # only in a process of its own: a priority can not be raised again
    try:
        code: int = arguments.run(arguments)
    except Mem0Error as error:
        print_error(f"freqtrade-mem0: {error}")
        return EXIT_FAILED
    except UnicodeEncodeError as error:
        # Python puts surrogates in place of bytes of an argument that it can not decode. Names of
        # files may have them; SQLite and JSON refuse them.
        undecoded = error.object[error.start : error.end]
        if not any(undecoded in word for word in words):
            raise
        print_error(
            f"freqtrade-mem0: The argument {error.object!r} can not be decoded with this "
            "terminal's encoding. Set PYTHONUTF8=1 and try again."
        )
        return EXIT_FAILED
    except KeyboardInterrupt:
        print_error("freqtrade-mem0: stopped.")
        return EXIT_STOPPED
    except BrokenPipeError:
        # The reader (head, a pager) has closed the pipe. Python flushes standard output once more
        # when it exits, which must not fail.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    except OSError as error:
        if error.errno not in _OF_THE_DISK:
            raise  # a mistake of ours, which its traceback shows
        where = "" if error.filename is None else f"{error.filename}: "
        print_error(
            f"freqtrade-mem0: {where}{error.strerror}. Free some space, or choose a folder that "
            "this user may write to, and try again."
        )
        return EXIT_FAILED
    return code


if __name__ == "__main__":
    sys.exit(main())
