"""What an agent proposes to the owner: values of parameters, and rules for stakes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.agents.proposals import propose
from freqtrade_mem0.agents.rules import propose_rule
from freqtrade_mem0.client.mem0_client import MANUAL_STRATEGY, Mem0Client
from freqtrade_mem0.core_memory.parameters import current_parameters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from freqtrade_mem0.words.plain import Facts


class AgentProposals:
    """The part of `AgentMemory` that proposes. The owner decides."""

    client: Mem0Client
    agent_id: str
    _now: Callable[[], datetime]

    def propose_parameters(self, changes: Mapping[str, Any], reason: str, **details: Any) -> str:
        """Propose new values of parameters; return the id of the proposal.

        Nothing changes before the owner approves it (`freqtrade-mem0 agent approve`). The same
        proposal is kept once while it waits, and once a day.

        Parameters
        ----------
        changes
            New values by name: numbers, texts, truth values.
        reason
            Why.
        details
            `strategy` the parameters are of; `before`, the present values, by default those that
            hold; `evidence`, ids of records.

        Raises
        ------
        RecordError
            A name or value breaks its rule; nothing is kept.
        """
        return propose(self.client, self.agent_id, changes, reason, self._now(), **details)

    def propose_rule(self, rule: Mapping[str, Any]) -> str:
        """Propose a rule for the stakes of a bot; return the id of the proposal.

        It has no effect before the owner approves it (`freqtrade-mem0 agent approve`). The same
        conditions with the same effect are one rule, whoever proposes it.

        Parameters
        ----------
        rule
            `strategy`; `when`, a list of conditions such as "rsi < 30" that must all hold, or a
            mapping of features to values; `scale`, the factor on the stake, or `veto`: true, or
            neither; `note`; and where known `evidence`, ids of records, and `data_until`, up to
            when the data go from which it was drawn.

        Raises
        ------
        RecordError
            A key is missing or unknown, or its value breaks its rule; nothing is kept.
        """
        return propose_rule(self.client, self.agent_id, rule, self._now())

    def parameters(self, strategy: str = MANUAL_STRATEGY) -> Facts:
        """Return the approved values of parameters by name, without reverted ones."""
        memory = self.client.folder
        if not memory.journal.path.exists():
            return {}
        return current_parameters(memory, self.client.user_id, strategy)
