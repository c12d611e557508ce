"""Asks the model to word the findings, and keeps what passes the check as notes of origin `llm`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from freqtrade_mem0.agents.notes import add_note
from freqtrade_mem0.agents.reflection.budget import Budget
from freqtrade_mem0.agents.reflection.checking import DiscardedError, checked
from freqtrade_mem0.agents.reflection.findings import findings
from freqtrade_mem0.agents.reflection.prompt import messages
from freqtrade_mem0.backends.language_model import ask_model
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.records.base import Category

if TYPE_CHECKING:
    from datetime import datetime

    from freqtrade_mem0.client.mem0_client import Mem0Client

WRITER = "llm"


def reflect(
    client: Mem0Client, now: datetime, *, strategy: str | None = None, dry_run: bool = False
) -> dict[str, Any]:
    """Word the findings by the model of `mem0.llm`; return what was kept.

    Parameters
    ----------
    client
        The memory.
    now
        Aware UTC.
    strategy
        Only findings of this strategy; None for those of the newest run and all decisions.
    dry_run
        Return what would be sent, as `messages`, and send nothing.

    Returns
    -------
    dict
        `findings` given, `kept` (`id`, `text`, `cites` of each note), `discarded` (why the answer
        was not kept; "" where it was), `today` (calls, tokens, discarded answers by reason).

    Raises
    ------
    ConfigError
        Reflection is off, or there is no model.
    RecordError
        The day's budget has no room for the call.
    BackendError
        The model can not be used or does not answer in time; the call is counted.
    """
    memory, own = client.folder, client.folder.settings.reflection
    given, budget = findings(memory, strategy, now), Budget(memory, now)
    asked = messages(given)
    report: dict[str, Any] = {"findings": len(given), "kept": [], "discarded": ""}
    if dry_run:
        return report | {"messages": asked, "today": budget.today()}
    if not own.enabled or memory.settings.llm is None:
        wrong = '"mem0.llm" is not set' if own.enabled else '"mem0.reflection.enabled" is false'
        raise ConfigError(
            f"{wrong}, so nothing is sent to a language model. docs/how-to/reflect.md says how to "
            "set both; --dry-run shows what would be sent."
        )
    if given:
        budget.spend(asked)
        answer = ask_model(
            memory.settings.llm,
            memory.folder,
            asked,
            max_tokens=own.max_tokens,
            timeout_s=own.timeout_s,
        )
        try:
            report["kept"] = [
                {"id": _kept(client, each.text, each.cites), "text": each.text, "cites": each.cites}
                for each in checked(answer, given)
            ]
        except DiscardedError as error:
            report["discarded"] = str(error)
            budget.discard(str(error))
    return report | {"today": budget.today()}


def _kept(client: Mem0Client, text: str, cites: tuple[str, ...]) -> str:
    return add_note(client, WRITER, Category.LEARNING_INSIGHTS, text, {"cites": list(cites)})
