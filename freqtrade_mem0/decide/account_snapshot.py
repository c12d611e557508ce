"""Keeps what memory's account has computed in a file, so that a bot's start need not do it again.

The file is right for the trades whose hash it has, whatever journal they are in, and for one way to
compute it. Where it can not be used, everything is computed.
"""

from __future__ import annotations

import json
import logging
from dataclasses import astuple
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.decide.account import Checkpoint
from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.recall import checked_file

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.decide.account import AccountReader
    from freqtrade_mem0.records.base import Origin

logger = logging.getLogger(__name__)

FORMAT = 101
"""To be raised with every change of what the account, the response or an expert computes. The
formats of recall's own snapshot are below 100."""

WORTH_IT = 5_000
"""New trades from which another file is written, or a fiftieth of all where that is more."""


class AccountSnapshot:
    """The file of one bot, beside the journal.

    Parameters
    ----------
    folder
        The memory's folder.
    origin
        The bot.
    """

    def __init__(self, folder: Path, origin: Origin) -> None:
        owner = sha256(json.dumps(astuple(origin)).encode()).hexdigest()[:12]
        self._path = folder / f"recall-account-{owner}.snapshot"
        self._about: dict[str, Any] = {"user_id": origin.user_id}
        self._n_written = 0

    def restore(self, account: AccountReader, rule: str) -> None:
        """Let the account begin with the file; `rule` says all that its experts depend on."""
        self._about["rule"] = rule
        try:
            with checked_file.opened(self._path, FORMAT, self._about) as file:
                heading = file.heading
                parts = [file.take(size) for size in heading["sizes"]]
                file.finish()
                checkpoint = Checkpoint(**heading["checkpoint"], parts=parts)
            self._n_written = account.restore(checkpoint)
        except FileNotFoundError:
            return
        except (Mem0Error, OSError) as error:
            logger.info("%s is not used: %s.", self._path, str(error).rstrip("."))

    def save(self, account: AccountReader) -> None:
        """Write the file, if enough trades are new."""
        n_new = account.n_known - self._n_written
        if n_new < max(WORTH_IT, account.n_known // 50):
            return
        checkpoint = account.checkpoint()
        if checkpoint is None:
            return
        said = checkpoint._asdict()
        parts = said.pop("parts")
        heading = {"about": self._about, "checkpoint": said, "sizes": list(map(len, parts))}
        try:
            checked_file.replace(self._path, FORMAT, heading, parts)
        except OSError as error:
            logger.warning("%s can not be written (%s).", self._path, error)
        self._n_written = checkpoint.n
