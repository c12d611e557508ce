"""Entry point of `freqtrade-mem0`: parse, run one sub-command, turn errors into one sentence."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from freqtrade_mem0 import __version__
from freqtrade_mem0.cli.commands import (
    compact,
    compare,
    dead_letters,
    deliver,
    demo,
    doctor,
    importing,
    insights,
    preview,
    priors,
    rebuild,
    records,
    salvage,
    stats,
    wrap,
)
from freqtrade_mem0.errors import Mem0Error

if TYPE_CHECKING:
    from collections.abc import Sequence

EXIT_OK, EXIT_FAILED, EXIT_USAGE = 0, 1, 2


def build_parser() -> argparse.ArgumentParser:
    """Return the parser of all sub-commands; each names the function that runs it."""
    parser = argparse.ArgumentParser(
        prog="freqtrade-mem0",
        description="Look into the long-term memory of Freqtrade bots.",
        epilog="See 'freqtrade-mem0 COMMAND --help' for the options of a command.",
    )
    parser.add_argument("-V", "--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (
        demo,
        compare,
        doctor,
        stats,
        records,
        insights,
        preview,
        importing,
        priors,
        deliver,
        dead_letters,
        rebuild,
        compact,
        salvage,
        wrap,
    ):
        module.add_commands(commands)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return its exit code (0 done, 1 failed, 2 wrong usage)."""
    arguments = build_parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
    except Mem0Error as error:
        print(f"freqtrade-mem0: {error}", file=sys.stderr)  # noqa: T201 - this is the command line
        return EXIT_FAILED
    except KeyboardInterrupt:
        return EXIT_FAILED
    except BrokenPipeError:
        # The reader (head, a pager) has seen enough; nothing more may be written to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return EXIT_OK
    return code


if __name__ == "__main__":
    sys.exit(main())
