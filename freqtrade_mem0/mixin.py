"""`Mem0Mixin`: the one line a strategy author writes.

    class MyStrategy(Mem0Mixin, IStrategy): ...

It derives from `IStrategy` because hyperopt pickles the bases of a strategy by value until it meets
a class of that name. So this module must have no locks, connections or clients; they belong to the
runtime, which is never pickled. Everything else is imported when a strategy is run, so that listing
strategies stays fast.
"""

from __future__ import annotations

from typing import Any

from freqtrade.exceptions import OperationalException
from freqtrade.strategy import IStrategy

from freqtrade_mem0.errors import Mem0Error


class Mem0Mixin(IStrategy):
    """Gives a strategy long-term memory, configured by the `"mem0"` block of the config.

    Every closed trade is remembered, and every proposed stake is scaled by what is remembered of
    similar situations. Nothing else of the strategy changes.

    Raises
    ------
    OperationalException
        The `"mem0"` block is missing or wrong: Freqtrade shows the message and stops before it
        trades. Nothing is raised later.
    """

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        from freqtrade_mem0.strategy import attach

        try:
            attach.prepare(self)
        except Mem0Error as error:
            raise OperationalException(str(error)) from error

    def ft_bot_start(self, **kwargs: Any) -> None:
        """Open memory, then let the strategy start."""
        from freqtrade_mem0.strategy import attach

        try:
            attach.start(self)
        except Mem0Error as error:
            raise OperationalException(str(error)) from error
        super().ft_bot_start(**kwargs)

    def ft_bot_cleanup(self) -> None:
        """Let the strategy clean up, then close memory."""
        from freqtrade_mem0.strategy import attach

        super().ft_bot_cleanup()
        attach.stop(self)

    def __getstate__(self) -> dict[str, Any]:
        from freqtrade_mem0.strategy import attach

        return attach.state_without_memory(self)

    def __setstate__(self, state: dict[str, Any]) -> None:
        from freqtrade_mem0.strategy import attach

        self.__dict__.update(state)
        attach.resume(self)
