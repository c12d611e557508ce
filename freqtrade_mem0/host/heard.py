"""Hears what Freqtrade logs instead of raising it."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def heard(name: str) -> Iterator[list[str]]:
    """Collect the warnings and errors of a logger of Freqtrade, which then go nowhere else."""
    complaints: list[str] = []
    logger = logging.getLogger(name)
    handler = logging.Handler(logging.WARNING)
    handler.emit = lambda record: complaints.append(record.getMessage())  # type: ignore[method-assign]
    before = logger.propagate, logger.level
    logger.addHandler(handler)
    logger.propagate = False
    logger.setLevel(logging.WARNING)
    try:
        yield complaints
    finally:
        logger.propagate, logger.level = before
        logger.removeHandler(handler)
