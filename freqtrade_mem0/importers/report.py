"""What an import did, file by file: what was taken, what was there already, what was left out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class FileKind(StrEnum):
    """What a file is."""

    BACKTEST = "backtest"
    HYPEROPT = "hyperopt"
    DATABASE = "trade database"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """Something that was not taken.

    Parameters
    ----------
    what
        For example "trade 17 in ETH/USDT".
    why
        One sentence.
    """

    what: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FileReport:
    """What became of one file.

    Parameters
    ----------
    path
        The file.
    kind
        What it was taken for.
    n_found
        Records it holds, risk events that follow from its trades included.
    n_new
        Records that are in the journal now and were not before, or were from an older result.
    n_known
        Records the journal had already; they stayed as they were.
    n_priors
        Runs promoted to priors.
    skipped
        What was left out, and why.
    notes
        What was assumed, for example the mode of a trade database.
    """

    path: Path
    kind: FileKind
    n_found: int = 0
    n_new: int = 0
    n_known: int = 0
    n_priors: int = 0
    skipped: tuple[Skipped, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What became of all files.

    Parameters
    ----------
    files
        In the order in which they were read.
    """

    files: tuple[FileReport, ...] = ()

    @property
    def n_found(self) -> int:
        """Records in all files."""
        return sum(file.n_found for file in self.files)

    @property
    def n_new(self) -> int:
        """Records that were added."""
        return sum(file.n_new for file in self.files)

    @property
    def n_known(self) -> int:
        """Records that were there already."""
        return sum(file.n_known for file in self.files)

    @property
    def n_priors(self) -> int:
        """Runs promoted to priors."""
        return sum(file.n_priors for file in self.files)
