"""`Mem0Mixin`: the one line a strategy author writes.

    class MyStrategy(Mem0Mixin, IStrategy): ...

It derives from `IStrategy` because hyperopt pickles a strategy's bases by value up to the class of
that name, and would walk on into `object` past any other mixin. For the same reason this module has
no locks, connections or clients: they live with the runtime, which is never pickled. What is behind
it is imported when a strategy is really run, so that listing strategies costs nothing.
"""

from __future__ import annotations

from typing import Any

from freqtrade.exceptions import OperationalException
from freqtrade.strategy import IStrategy

from freqtrade_mem0.errors import Mem0Error


class Mem0Mixin(IStrategy):
    """Gives a strategy long-term memory, as the `"mem0"` block of the config says.

    Every closed trade is remembered, and every stake the strategy proposes is scaled by what is
    remembered about situations like the present one. Nothing else of the strategy changes.

    Raises
    ------
    OperationalException
        The `"mem0"` block is missing or wrong: Freqtrade shows the sentence and stops, before it
        trades. Nothing is ever raised later.
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
