"""The `"backup"` block: where backups are kept, how often they are made, and how many are kept."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from freqtrade_mem0.config.block import Block


class BackupSettings(Block):
    """Backups of the memory."""

    path: Path | None = Field(
        None,
        description="Folder of backups; default the memory's folder with `_backups` at its end,"
        " such as `user_data/mem0_backups`. Another disk is better.",
    )
    every_days: float | None = Field(
        None,
        gt=0,
        le=3650,
        description="`freqtrade-mem0 backup --rotate` makes a backup if the newest one is older."
        " null: only by hand. Days, (0, 3650]",
    )
    keep: int = Field(
        7,
        ge=1,
        le=10_000,
        description="How many of the newest backups in that folder `--rotate` keeps; it deletes"
        " older ones after a new one was made and checked. [1, 10000]",
    )
