"""The language model that Mem0 gets where none is configured.

We call no model. Mem0's lightest own one takes half a second to import.
"""

from __future__ import annotations

from typing import Any, NoReturn

from freqtrade_mem0.errors import BackendError


class NoLanguageModel:
    """Refuses every question; `config` is Mem0's, and not used."""

    def __init__(self, config: Any = None) -> None:
        self.config = config

    def generate_response(self, *_: Any, **__: Any) -> NoReturn:
        """Raise `BackendError` (permanent)."""
        raise BackendError(
            "Mem0 was asked for something that needs a language model, and none is configured. Set "
            "'mem0.llm', or write with infer=False.",
            permanent=True,
        )
