"""Secrets of providers: refused in the config, looked up in the environment, never shown."""

from __future__ import annotations

from typing import Any

import pytest

from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.config.secrets import refuse_plain_secrets, resolved, without_secrets
from freqtrade_mem0.errors import ConfigError

HIDDEN = "s3cr3t"


@pytest.mark.parametrize("block", ["vector_store", "embedder", "llm", "reranker"])
@pytest.mark.parametrize(
    ("config", "key"),
    [
        ({"api_key": HIDDEN}, "api_key"),
        ({"API_KEY": HIDDEN}, "API_KEY"),
        ({"openai_api_key": HIDDEN}, "openai_api_key"),
        ({"password": HIDDEN}, "password"),
        ({"token": HIDDEN}, "token"),
        ({"aws_secret_access_key": HIDDEN}, "aws_secret_access_key"),
        ({"client_secret": HIDDEN}, "client_secret"),
        ({"azure_kwargs": {"api_key": HIDDEN}}, "azure_kwargs.api_key"),
        ({"headers": {"Authorization": f"Bearer {HIDDEN}"}}, "headers.Authorization"),
        ({"a": [{"b": {"password": HIDDEN}}]}, "a.b.password"),
        ({"api_keys": ["env:FIRST", HIDDEN]}, "api_keys"),
        ({"connection_string": f"postgresql://me:{HIDDEN}@db/mem0"}, "connection_string"),
        ({"url": f"https://me:{HIDDEN}@mem0.example.org:6333"}, "url"),
        ({"dsn": f"host=db user=me password={HIDDEN}"}, "dsn"),
        ({"dsn": f"postgresql://db/mem0?password={HIDDEN}"}, "dsn"),
        ({"url": f"postgresql://me:{HIDDEN}/x@db/mem0"}, "url"),
        ({"headers": {"X-Tenant": HIDDEN}}, "headers.X-Tenant"),
        ({"default_headers": {"x-api-key": HIDDEN}}, "default_headers.x-api-key"),
        ({"header": f"Bearer {HIDDEN}"}, "header"),
        ({"apiKey": HIDDEN}, "apiKey"),
        ({"auth": f"me:{HIDDEN}"}, "auth"),
        ({"auth": ["me", HIDDEN]}, "auth"),
        ({"http_auth": ["me", HIDDEN]}, "http_auth"),
        ({"auth_credentials": HIDDEN}, "auth_credentials"),
        ({"url": f"https://qdrant.example.org:6333?api_key={HIDDEN}"}, "url"),
        ({"url": f"qdrant.example.org/path?api-key={HIDDEN}"}, "url"),
        ({"url": f"https://qdrant.example.org/?a=1&sig={HIDDEN}"}, "url"),
        ({"url": f"https://{HIDDEN}@qdrant.example.org"}, "url"),
        ({"url": f"me:{HIDDEN}@qdrant.example.org"}, "url"),
        ({"url": f"redis://:{HIDDEN}@redis.example.org"}, "url"),
        ({"endpoint": f"Endpoint=x;AccountKey={HIDDEN}"}, "endpoint"),
        ({"project": f"sk-{HIDDEN}-0123456789abcdef"}, "project"),
    ],
)
def test_a_secret_is_refused_wherever_it_stands_and_not_shown(
    block: str, config: dict[str, Any], key: str
) -> None:
    """The sentence names the key and what to write instead."""
    with pytest.raises(ConfigError) as error:
        load_settings({"mem0": {block: {"provider": "some", "config": config}}})
    sentence = str(error.value)
    assert f'"mem0.{block}.config.{key}" must not hold a secret' in sentence
    assert '"env:' in sentence
    assert HIDDEN not in sentence


def test_a_password_of_figures_is_one() -> None:
    """JSON makes a number of it; a limit on tokens is none."""
    with pytest.raises(ConfigError, match="password") as error:
        refuse_plain_secrets({"config": {"password": 271828}}, "mem0.vector_store")
    assert "271828" not in str(error.value)
    refuse_plain_secrets({"config": {"max_tokens": 1_500, "token": 7}}, "mem0.llm")


@pytest.mark.parametrize(
    "config",
    [
        {"api_key": "env:OPENAI_API_KEY"},
        {"api_key": ""},
        {"model": "gpt-4o-mini", "max_tokens": 1_500, "temperature": 0.1},
        {"url": "http://localhost:6333"},
        {"url": "https://mem0.example.org:6333/path@home"},
        {"password_file": "/run/secrets/db"},
        {"headers": {"Content-Type": "application/json", "X-Tenant": "env:TENANT"}},
        {"model": "llama3:8b@sha256", "url": "qdrant.example.org:6333/path?timeout=3"},
        {"host": "db1,db2", "sslmode": "require"},
        {"connection_string": "postgresql://me@db/mem0"},
    ],
)
def test_what_is_no_secret_is_taken(config: dict[str, Any]) -> None:
    """The name of a variable, and everything a provider needs besides."""
    settings = load_settings({"mem0": {"llm": {"provider": "openai", "config": config}}})
    assert settings is not None
    assert settings.llm is not None
    assert settings.llm.config == config


@pytest.mark.parametrize(
    "block",
    [
        {"llm": {"provider": "openai", "config": f"sk-{HIDDEN}"}},
        {"llm": {"provider": "openai", "config": [f"sk-{HIDDEN}"]}},
        {"llm": f"sk-{HIDDEN}"},
        {"host": f"https://me:{HIDDEN}@mem0.example.org"},
        {"host": f"https://me:{HIDDEN}@mem0.example.org", "mode": "platform"},
        {"host": f"me:{HIDDEN}@mem0.example.org", "mode": "server", "enabled": False},
        {"host": f"mem0.example.org:{HIDDEN}", "mode": "server"},
        {"host": f"mem0.example.org/path?api_key={HIDDEN}", "mode": "server"},
        {"mode": f"https://me:{HIDDEN}@mem0.example.org"},
        {"sizing": f"Bearer {HIDDEN}"},
        f"sk-{HIDDEN}-0123456789abcdef",
    ],
)
def test_a_secret_in_a_wrong_place_is_not_shown_either(block: Any) -> None:
    """Whatever else is wrong with the block."""
    with pytest.raises(ConfigError) as error:
        load_settings({"mem0": block})
    assert HIDDEN not in str(error.value)


def test_names_are_replaced_by_what_the_environment_holds() -> None:
    """At any depth; all else stays as it is, and the block itself is left alone."""
    block = {
        "provider": "pgvector",
        "config": {"password": "env:DB", "ports": [1, "env:DB"], "deep": {"token": "env:T"}},
    }
    environ = {"DB": HIDDEN, "T": "t"}
    assert resolved(block, "mem0.vector_store", environ) == {
        "provider": "pgvector",
        "config": {"password": HIDDEN, "ports": [1, HIDDEN], "deep": {"token": "t"}},
    }
    assert "env:DB" in str(block)


@pytest.mark.parametrize(
    ("name", "value", "used"),
    [
        ("api_key", " key\r\n", "key"),
        ("url", "\thttps://qdrant.lan ", "https://qdrant.lan"),
        ("password", " my password \n", " my password "),
    ],
)
def test_a_line_end_after_a_secret_is_left_out(name: str, value: str, used: str) -> None:
    """A file or a shell left it; a password may begin or end with a blank."""
    assert resolved({name: "env:NAME"}, "x", {"NAME": value}) == {name: used}


def test_a_providers_message_does_not_show_the_secrets_it_was_given() -> None:
    """Some providers repeat the key they refuse."""
    blocks = {"llm": {"provider": "openai", "config": {"api_key": HIDDEN, "model": "gpt"}}}
    assert without_secrets(f"wrong key {HIDDEN} for gpt", blocks) == "wrong key *** for gpt"


def test_the_process_is_asked_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """As a bot does it."""
    monkeypatch.setenv("A_SECRET_OF_THIS_TEST", HIDDEN)
    assert resolved({"password": "env:A_SECRET_OF_THIS_TEST"}, "x") == {"password": HIDDEN}


@pytest.mark.parametrize("environ", [{}, {"DB": ""}])
def test_a_variable_that_is_not_set_is_named(environ: dict[str, str]) -> None:
    """With the key that asks for it; an empty one is not set."""
    with pytest.raises(ConfigError, match="environment variable DB, which is not set") as error:
        resolved({"config": {"password": "env:DB"}}, "mem0.vector_store", environ)
    assert '"mem0.vector_store.config.password"' in str(error.value)
