"""Every error this package raises, and who has to act on it.

All derive from `Mem0Error`, so that a caller at the edge catches one class. A message always names
what was wrong (key, record or file), the rule, the value that broke it and what to do.
"""

from __future__ import annotations

from freqtrade_mem0.words.visible import visible_lines


class Mem0Error(Exception):
    """Root of all errors of freqtrade_mem0; their text shows control characters as codes."""

    def __str__(self) -> str:
        """Return the message; what it quotes of others can not act on a terminal or a log."""
        return visible_lines(super().__str__())


class ConfigError(Mem0Error):
    """The `"mem0"` block or a credential is wrong. The person who wrote it acts; the bot stops."""


class RecordError(Mem0Error):
    """A record handed to us breaks a rule of its schema. The caller acts; nothing is stored."""


class ScopeError(Mem0Error):
    """A key does not reach what was asked for. The caller acts; nothing is read or stored."""


class JournalError(Mem0Error):
    """The journal file can not be used. The operator acts; trading goes on with proposed stakes."""


class BackendError(Mem0Error):
    """Mem0 did not take or give memories. Delivery tries again; records stay in the journal.

    Parameters
    ----------
    message
        What happened, where, and what happens next.
    permanent
        True when trying the same memory again can not help (it would be refused again).
    retry_after_s
        How long Mem0 asked to be left alone, in seconds; None where it did not say.
    """

    def __init__(
        self, message: str, *, permanent: bool = False, retry_after_s: float | None = None
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after_s = retry_after_s


class ArchiveError(Mem0Error):
    """A backup or export can not be made, or one can not be used. Memory is unchanged."""
