"""Reads the `"mem0"` block; a wrong one is refused with a sentence that says what to correct."""

from __future__ import annotations

import os
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel, ValidationError

from freqtrade_mem0.config.address import check_address
from freqtrade_mem0.config.encryption_check import check_encryption
from freqtrade_mem0.config.environment import named_by, with_variables
from freqtrade_mem0.config.providers import check_providers
from freqtrade_mem0.config.secrets import cut, refuse_plain_secrets, shown
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.config.variables import variables
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

BLOCK = "mem0"
DOCS = "docs/reference/configuration.md"

_PROVIDERS = ("vector_store", "embedder", "llm", "reranker")
_LONGEST = 800
"""Characters in which one message names wrong keys; the others are counted."""

_NAMES = ("user_id", "bot_id", "host", "path")
SECRETS = ("api_key", "mem0_api_key", "m0_api_key", "token", "org_id", "project_id")


def load_settings(config: Mapping[str, Any]) -> Settings | None:
    """Return the settings in a Freqtrade config, or None where there is no `"mem0"` block.

    Parameters
    ----------
    config
        The complete Freqtrade config, environment overrides (`FREQTRADE__MEM0__...`) merged in.

    Raises
    ------
    ConfigError
        A key is unknown or a value breaks its rule; all of them are named.
    """
    block = config.get(BLOCK)
    if block is None:
        return None
    if not isinstance(block, dict):
        raise ConfigError(
            f'"{BLOCK}" in the config must be a block of keys such as {{"enabled": true}}, '
            f"got {shown(block)}."
        )
    block = with_variables(block, variables())
    _refuse_secrets(block)
    block = _with_names_as_text(block, os.environ)
    try:
        settings = Settings.model_validate(block)
    except ValidationError as error:
        problems = [_explain(problem, block) for problem in error.errors(include_url=False)]
        raise ConfigError(
            f"The config of memory is wrong. {_joined(problems)} See {DOCS} for all keys."
        ) from None
    if settings.enabled:
        check_address(settings)
        check_providers(settings)
        check_encryption(settings)
    return settings


def folder(settings: Settings, user_data_dir: Path) -> Path:
    """Return the folder of journal and memories; `path` may be relative to the working folder."""
    return settings.path if settings.path is not None else user_data_dir / "mem0"


def bot_id(settings: Settings, config: Mapping[str, Any]) -> str:
    """Return the bot's name in memory: `bot_id`, else Freqtrade's `bot_name` without blanks.

    Mem0 allows no blanks in a scope; they become dashes.
    """
    return settings.bot_id or "-".join(str(config.get("bot_name") or "").split()) or "freqtrade"


def _with_names_as_text(block: Mapping[str, Any], environ: Mapping[str, str]) -> Mapping[str, Any]:
    """Return the block with names such as 42 as text.

    Freqtrade makes a number or a truth value of a variable's text where it can: 007 becomes 7. The
    variable has the name as it was written.
    """
    wrong = {key: block[key] for key in _NAMES if not isinstance(block.get(key), str | Path | None)}
    names: dict[str, Any] = {}
    for key, value in wrong.items():
        variables = [f"FREQTRADE__{BLOCK}__{key}".upper(), f"FREQTRADE__{BLOCK}__{key}"]
        written = next((environ[each] for each in variables if each in environ), None)
        if written is not None:
            names[key] = written
        elif isinstance(value, int) and not isinstance(value, bool):
            names[key] = str(value)
    return {**block, **names}


def _refuse_secrets(block: Mapping[str, Any]) -> None:
    for key in SECRETS:
        if key in block:
            raise ConfigError(
                f'"{BLOCK}.{key}" must not stand in the config: Freqtrade copies the config into '
                "every backtest result. Put it into the environment (M0_API_KEY, M0_ORG_ID, "
                "M0_PROJECT_ID) or into a file .env.mem0, and delete it here."
            )
    for name in (*_PROVIDERS, "trust"):
        refuse_plain_secrets(block.get(name), f"{BLOCK}.{name}")
    if set("@?#") & set(str(block.get("host"))):
        raise ConfigError(
            f'"{BLOCK}.host" (or MEM0_URL) must be an address without user, password and query: '
            "Freqtrade copies the config into every backtest result. Put the key into M0_API_KEY."
        )


def _joined(problems: list[str]) -> str:
    text, *others = problems
    while others and len(text) + len(others[0]) < _LONGEST:
        text += f" {others.pop(0)}"
    return text if not others else f"{text} {counted(len(others), 'more key')} can not be used."


def _explain(problem: Any, block: Mapping[str, Any]) -> str:
    path = [str(part) for part in problem["loc"]]
    key = ".".join([BLOCK, *path])
    value = _value_at(block, problem["loc"])
    if problem["type"] == "extra_forbidden":
        known = sorted(_model_at(path[:-1]).model_fields)
        close = get_close_matches(path[-1], known, n=1)
        hint = f'Did you mean "{close[0]}"?' if close else f"Known keys: {', '.join(known)}."
        return f'"{cut(key)}" is not a key. {hint}'
    rule = problem["msg"].removeprefix("Value error, ")
    is_hidden = value and (
        path[0] in (*_PROVIDERS, "webhooks", "encryption") or path[-1] == "password"
    )
    found = f"of type {type(value).__name__}" if is_hidden else shown(value)
    end = "" if rule.endswith("?") else "."
    found += named_by(".".join(path), variables())
    return f'"{cut(key)}" is {found}: {cut(rule[0].lower() + rule[1:])}{end}'


def _model_at(path: list[str]) -> type[BaseModel]:
    model: type[BaseModel] = Settings
    for name in path:
        if name not in model.model_fields:
            continue  # the name of an entry, as in service.bots
        annotation = model.model_fields[name].annotation
        options = [annotation, *get_args(annotation)]
        model = next(
            option
            for option in options
            if isinstance(option, type) and issubclass(option, BaseModel)
        )
    return model


def _value_at(block: Mapping[str, Any], path: tuple[str | int, ...]) -> Any:
    value: Any = block
    for part in path:
        try:
            value = value[part]
        except (KeyError, IndexError, TypeError):
            return None
    return value
