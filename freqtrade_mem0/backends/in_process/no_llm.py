"""What Mem0 gets as its language model where none is configured.

Nothing of ours calls one. Of Mem0's own, even the one that needs neither key nor network costs half
a second to import.
"""

from __future__ import annotations

from typing import Any, NoReturn

from freqtrade_mem0.errors import BackendError


class NoLanguageModel:
    """Stands in the place of a language model, and says so to whoever asks it.

    Parameters
    ----------
    config
        Mem0's `BaseLlmConfig`; nothing in it matters.
    """

    def __init__(self, config: Any = None) -> None:
        self.config = config

    def generate_response(self, *_: Any, **__: Any) -> NoReturn:
        """Refuse.

        Raises
        ------
        BackendError
            Always, and permanent.
        """
        raise BackendError(
            "Mem0 was asked for something that needs a language model, and none is configured. Set "
            "'mem0.llm', or write with infer=False.",
            permanent=True,
        )
