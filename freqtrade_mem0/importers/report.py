"""What an import did, file by file: what was new, what was known, what was skipped and why."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from freqtrade_mem0.errors import Mem0Error


class ImportFileError(Mem0Error):
    """A file can not be imported. The message says why; other files are not affected."""


class FileKind(StrEnum):
    """What a file is."""

    BACKTEST = "backtest"
    HYPEROPT = "hyperopt"
    DATABASE = "trade database"
    EXPORT = "export"
    BACKUP = "backup"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something that was not imported ("trade 17 in ETH/USDT"), and one sentence that says why."""

    what: str
    why: str
    is_bad: bool = False
    """Whether it breaks a rule of records; such ones are set aside."""


@dataclass(slots=True)
class FileReport:
    """The import of one file; filled while the file is read.

    Parameters
    ----------
    path
        The file.
    kind
        What it was recognised as.
    n_found
        Records in it, including the risk events that follow from its trades.
    n_new
        Records added to the journal, or corrected by this later result.
    n_known
        Records that the journal had already, and that stayed as they were.
    n_priors
        Runs promoted to priors.
    skipped
        What was left out.
    notes
        What was assumed, for example the mode of a trade database.
    """

    path: Path
    kind: FileKind = FileKind.UNKNOWN
    n_found: int = 0
    n_new: int = 0
    n_known: int = 0
    n_priors: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def skip(self, what: str, why: str, *, is_bad: bool = False) -> None:
        """Note that something was not imported."""
        self.skipped.append(Skipped(what, why, is_bad))


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The import of several files, in the order in which they were read."""

    files: tuple[FileReport, ...] = ()

    @property
    def n_found(self) -> int:
        """Records in all files."""
        return sum(file.n_found for file in self.files)

    @property
    def n_new(self) -> int:
        """Records that were added or corrected."""
        return sum(file.n_new for file in self.files)

    @property
    def n_known(self) -> int:
        """Records that the journal had already."""
        return sum(file.n_known for file in self.files)

    @property
    def n_priors(self) -> int:
        """Runs promoted to priors."""
        return sum(file.n_priors for file in self.files)
