"""Encrypt the files of a memory by the key that mem0.encryption.key names, or make them plain.

Set the key in the config first, and stop the bots and the service. Every file is copied and
compared before it is replaced. If the command is killed, no memory is lost: run it again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import read_config
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.archive.encrypting import Converted

NAME = "encrypt"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `encrypt`."""
    parser.add_argument(
        "--decrypt",
        action="store_true",
        help="Make the files plain again. The config still needs the key; take it out afterwards.",
    )
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Convert the files, and print which."""
    from freqtrade_mem0.archive.encrypting import decrypt, encrypt
    from freqtrade_mem0.config.load import folder
    from freqtrade_mem0.encryption.keyring import KEYRING

    config = read_config(arguments)
    secret = config.settings.encryption.secret()
    if secret is None:
        raise ConfigError(
            'The config names no key. Make one, such as with "openssl rand -base64 32", put it '
            "into an environment variable or a file, keep a copy elsewhere, and set "
            '"mem0.encryption.key" to "env:NAME" or "file:PATH".'
        )
    place = folder(config.settings, config.user_data_dir)
    if not place.is_dir():
        raise ConfigError(
            f"There is no memory in {place} yet. With the key in the config it is encrypted from "
            "its first record on."
        )
    if arguments.decrypt:
        KEYRING.offer(secret)
        done = decrypt(place)
    else:
        done = encrypt(place, secret)
    if arguments.json:
        print_json(
            {"folder": str(done.folder), "files": list(done.files), "plain": list(done.plain)}
        )
    else:
        print_lines(*_sentences(done, encrypts=not arguments.decrypt))
    return 0


def _sentences(done: Converted, *, encrypts: bool) -> list[str]:
    what = "encrypted" if encrypts else "made plain"
    files = counted(len(done.files), "file")
    lines = [f"{files} of {done.folder} {'were' if len(done.files) != 1 else 'was'} {what}"]
    lines[0] += f": {', '.join(done.files)}." if done.files else "; all of them are."
    if encrypts and done.plain:
        lines.append(
            f"Still plain: {', '.join(done.plain)}. They are copies or exports that were there "
            "before; delete them, or move them to a safe place."
        )
    if encrypts:
        lines.append(
            "Backups that were made before are plain. Without the key this memory can not be read: "
            "keep a copy of the key elsewhere."
        )
    else:
        lines.append('Take "mem0.encryption.key" out of the config before bots start again.')
    return lines
