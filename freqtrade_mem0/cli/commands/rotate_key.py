"""Change the key of an encrypted memory. Bots and the service go on meanwhile.

The files keep their data key; only its envelope, encryption.json, is written anew. Old backups keep
the old key. Afterwards the config must name the new key, for the next start of bots and commands.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import read_config
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.errors import ConfigError

if TYPE_CHECKING:
    import argparse

NAME = "rotate-key"

_KEY = "mem0.encryption.key"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `rotate-key`."""
    parser.add_argument(
        "--old",
        metavar="KEY",
        help=f"Where the present key is, env:NAME or file:PATH. Default: as {_KEY} says.",
    )
    parser.add_argument(
        "--new",
        metavar="KEY",
        help=f"Where the new key is, env:NAME or file:PATH. Default: as {_KEY} says.",
    )
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Write the envelope anew, and say what the config must name."""
    from freqtrade_mem0.audit.log import AuditLog
    from freqtrade_mem0.config.encryption_settings import secret_at
    from freqtrade_mem0.config.load import folder
    from freqtrade_mem0.encryption.rotation import rotate_key

    config = read_config(arguments)
    own = config.settings.encryption.key
    old, new = arguments.old or own, arguments.new or own
    if own is None and (old is None or new is None):
        raise ConfigError(
            f'The config names no key, so there is none to change. Set "{_KEY}"; '
            "'freqtrade-mem0 encrypt' then encrypts a memory that is there."
        )
    if old is None or new is None or old == new:
        raise ConfigError(
            "rotate-key needs two keys: give --new KEY, where the new one is, or --old KEY, if "
            f'"{_KEY}" in the config names the new one already.'
        )
    place = folder(config.settings, config.user_data_dir)
    rotate_key(place, secret_at(old, "--old"), secret_at(new, "--new"))
    AuditLog(place).note(_KEY, new, "changed")
    if arguments.json:
        print_json({"folder": str(place), "key": new})
        return 0
    print_lines(f"The memory in {place} now has the key that {new} names.")
    if new != own:
        print_lines(f'Set "{_KEY}" to "{new}" before the next bot or command starts.')
    print_lines("Backups made before need the old key: keep it as long as you keep them.")
    return 0
