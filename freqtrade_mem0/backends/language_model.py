"""A language model by Mem0's own factory, with a bound on how long it may take."""

from __future__ import annotations

import importlib
import threading
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.backends.in_process.mem0_setup import import_mem0
from freqtrade_mem0.config.secrets import resolved, without_secrets
from freqtrade_mem0.errors import BackendError, ConfigError
from freqtrade_mem0.words.visible import brief

if TYPE_CHECKING:
    from pathlib import Path

    from freqtrade_mem0.config.settings import ProviderSettings


def ask_model(
    provider: ProviderSettings,
    folder: Path,
    messages: list[dict[str, str]],
    *,
    max_tokens: int,
    timeout_s: float,
) -> str:
    """Return the text that the model of a provider answers.

    Parameters
    ----------
    provider
        `mem0.llm`.
    folder
        Where Mem0 may keep files of its own.
    messages
        Each with `role` and `content`.
    max_tokens
        Longest answer, where the provider's own config names none.
    timeout_s
        Longest wait. A provider that still hangs then is left to a thread that ends with the
        process.

    Raises
    ------
    ConfigError
        A variable that the block names is not set.
    BackendError
        The provider can not be used, does not answer in time, or answers no text.
    """
    block = resolved(provider.model_dump(), "mem0.llm")
    answers: list[Any] = []
    errors: list[Exception] = []

    def ask() -> None:
        try:
            import_mem0(folder)
            factory = importlib.import_module("mem0.utils.factory").LlmFactory
            config = {"max_tokens": max_tokens, **block["config"]}
            model = factory.create(provider.provider, config)
            try:
                answers.append(model.generate_response(messages))
            finally:
                close = getattr(getattr(model, "client", None), "close", None)
                if callable(close):
                    close()
        except Exception as error:  # noqa: BLE001 - every provider raises exceptions of its own
            errors.append(error)

    thread = threading.Thread(target=ask, name="freqtrade-mem0-model", daemon=True)
    thread.start()
    thread.join(timeout_s)
    name = f"The language model of mem0.llm ({provider.provider})"
    if errors:
        reason = without_secrets(f"{type(errors[0]).__name__}: {errors[0]}", {"llm": block})
        if isinstance(errors[0], ConfigError):
            raise errors[0]
        raise BackendError(f"{name} can not be used: {reason[:300]}") from None
    if not answers:
        raise BackendError(f"{name} did not answer within {timeout_s:g} s.")
    if not isinstance(answers[0], str):
        raise BackendError(f"{name} answered {brief(answers[0])} instead of a text.")
    return answers[0]
