"""The `"mem0"` block: each kind of mistake ends in a sentence that says how to mend it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from freqtrade_mem0.config.load import bot_id, folder, load_settings
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.sizing.policies.rules import Settings as RuleSettings


def refusal(block: Any) -> str:
    """Return the sentence with which a block is refused."""
    with pytest.raises(ConfigError) as error:
        load_settings({"mem0": block})
    return str(error.value)


@pytest.mark.parametrize(
    ("block", "parts"),
    [
        ({"enabeld": True}, ['"mem0.enabeld" is not a key.', 'Did you mean "enabled"?']),
        ({"zzz": 1}, ['"mem0.zzz" is not a key.', "Known keys: agents, "]),
        (
            {"sizing": {"halflife_days": 3}},
            ['"mem0.sizing.halflife_days" is not a key.', 'Did you mean "half_life_days"?'],
        ),
        (
            {"retention": {"forever": 1}},
            ['"mem0.retention.forever" is not a key.', "Known keys: failures, "],
        ),
        ({"vector_store": {"provider": "qdrant", "url": "x"}}, ['"mem0.vector_store.url" is not']),
        (
            {"sizing": {"min_multiplier": 0}},
            ['"mem0.sizing.min_multiplier" is 0: ', "greater than 0"],
        ),
        ({"sizing": {"max_multiplier": 11}}, ["is 11: ", "less than or equal to 10"]),
        ({"sizing": {"half_life_days": float("nan")}}, ["half_life_days", "is nan: ", "finite"]),
        ({"sizing": {"levels": "pair"}}, ["\"mem0.sizing.levels\" is 'pair': ", "tuple"]),
        ({"sizing": {"levels": ["pair", 3]}}, ['"mem0.sizing.levels.1" is 3: ', "string"]),
        ({"sizing": {"shadow": "maybe"}}, ["\"mem0.sizing.shadow\" is 'maybe': ", "boolean"]),
        (
            {"sizing": {"levels": ["pair", "side*ADX(14)"]}},
            ["levels names 'ADX(14)', which is not in situation.indicators: there are none."],
        ),
        (
            {"situation": {"indicators": ["OBV", "OBV"]}},
            ['"mem0.situation.indicators"', "'OBV' is named twice"],
        ),
        ({"sizing": []}, ['"mem0.sizing" is []: ', "dictionary"]),
        ({"sizing": {"policy": "baye"}}, ["is 'baye': ", "'bayes'", 'Did you mean "bayes"?']),
        (
            {"sizing": {"policy": "zzz"}},
            [
                "\"mem0.sizing.policy\" is 'zzz': ",
                "must be one of 'bayes', 'kelly', 'off', 'response', 'rules', 'split'",
            ],
        ),
        ({"sizing": {"policy": 3}}, ['"mem0.sizing.policy" is 3: ', "string"]),
        ({"sizing": {"kelly": {"fraction": 0}}}, ['"mem0.sizing.kelly.fraction" is 0: ']),
        ({"sizing": {"kelly": {"edge": None}}}, ['"mem0.sizing.kelly.edge" is None: ', "number"]),
        (
            {"sizing": {"rules": {"low_winrate": 0.4}}},
            ['"mem0.sizing.rules.low_winrate" is not a key.', 'Did you mean "low_win_rate"?'],
        ),
        ({"sizing": {"rules": {"low_win_rate": 45}}}, ["low_win_rate", "is 45: ", "equal to 1"]),
        ({"sizing": {"rules": {"low_win_rate_factor": 1.2}}}, ["is 1.2: ", "equal to 1"]),
        ({"sizing": {"rules": {"high_win_rate_factor": 0.9}}}, ["is 0.9: ", "equal to 1"]),
        ({"sizing": {"rules": {"losing_streak": 2.5}}}, ["losing_streak", "is 2.5: ", "integer"]),
        (
            {"sizing": {"rules": {"win_rate_levels": ["par"]}}},
            ["mem0.sizing.rules", "win_rate_levels names 'par', which is not among", "pair, side"],
        ),
        ({"sizing": {"levels": ["pair", "pair"]}}, ["levels", "'pair' is named twice"]),
        ({"mode": "embeded"}, ["is 'embeded': ", "'local'", 'Did you mean "embedded"?']),
        ({"mode": 3}, ['"mem0.mode" is 3: ', "'embedded'"]),
        ({"sync_interval": "often"}, ["\"mem0.sync_interval\" is 'often': ", "number"]),
        ({"user_id": ""}, ["\"mem0.user_id\" is '': ", "at least 1 character"]),
        ({"user_id": "my name"}, ["\"mem0.user_id\" is 'my name': ", "must hold no blanks"]),
        ({"bot_id": " "}, ["\"mem0.bot_id\" is ' ': ", "must hold no blanks"]),
        ({"embedder": {"config": {}}}, ['"mem0.embedder.provider" is None: ', "required"]),
        ({"delivery": {"batch_size": 1.5}}, ['"mem0.delivery.batch_size" is 1.5: ', "integer"]),
        ({"retention": {"risk_profile": -1}}, ['"mem0.retention.risk_profile" is -1: ']),
    ],
    ids=lambda value: None if isinstance(value, list) else str(value),
)
def test_a_mistake_is_named_with_key_value_and_rule(block: Any, parts: list[str]) -> None:
    """Key, value, rule, and the key that was meant where one is near."""
    sentence = refusal(block)

    assert [part for part in parts if part not in sentence] == []


def test_all_mistakes_are_named_at_once() -> None:
    """One start of the bot shows everything there is to mend."""
    sizing = {"min_multiplier": 2, "policy": "x"}
    sentence = refusal({"enabeld": True, "sizing": sizing, "mode": "x"})

    keys = ["mem0.enabeld", "mem0.sizing.min_multiplier", "mem0.sizing.policy", "mem0.mode"]
    assert [key for key in keys if key not in sentence] == []


def test_null_switches_a_rule_off() -> None:
    """And only that one; factors stay as they are."""
    settings = load_settings({"mem0": {"sizing": {"rules": {"drawdown": None}}}})

    assert settings is not None
    rules = settings.sizing.block(RuleSettings)
    assert rules == RuleSettings(drawdown=None)
    assert (rules.drawdown, rules.losing_streak) == (None, 5)


@pytest.mark.parametrize(
    "key", ["api_key", "mem0_api_key", "m0_api_key", "token", "org_id", "project_id"]
)
def test_a_secret_in_the_config_is_refused_and_not_shown(key: str) -> None:
    """Freqtrade copies the config into every result file; the sentence says where it belongs."""
    sentence = refusal({key: "m0-s3cr3t"})

    assert f'"mem0.{key}" must not stand in the config' in sentence
    assert "M0_API_KEY" in sentence
    assert "s3cr3t" not in sentence


def test_blanks_in_freqtrades_bot_name_become_dashes() -> None:
    """Mem0 allows no blanks in a scope; a bot that is named with some remembers all the same."""
    named = Settings.model_validate({"bot_id": "mine"})
    assert bot_id(Settings(), {"bot_name": " My first  bot "}) == "My-first-bot"
    assert bot_id(named, {"bot_name": "My bot"}) == "mine"
    assert bot_id(Settings(), {}) == bot_id(Settings(), {"bot_name": " "}) == "freqtrade"


def test_a_misspelt_secret_is_not_shown() -> None:
    """Keys nobody knows are named without their value."""
    assert "s3cr3t" not in refusal({"apikey": "m0-s3cr3t"})


@pytest.mark.parametrize(
    ("config", "embedder", "why"),
    [
        ({"embedding_model_dims": 512}, None, "is 512, but the embedder makes vectors of 256"),
        (
            {"embedding_model_dims": 1536},
            {"provider": "openai", "config": {"embedding_dims": 768}},
            "is 1536, but the embedder makes vectors of 768",
        ),
        ({"embedding_model_dims": 0}, None, "is 0: it must be a whole number, at least 1"),
        ({"maxconn": 0}, None, "is 0: it must be a whole number, at least 1"),
        ({"maxconn": -3}, None, "is -3: it must be a whole number, at least 1"),
        ({"maxconn": True}, None, "is True: it must be a whole number, at least 1"),
        ({"maxconn": 2.5}, None, "is 2.5: it must be a whole number, at least 1"),
        ({"minconn": -1}, None, "is -1: it must be a whole number, at least 0"),
        ({"port": 0}, None, "is 0: it must be a whole number, at least 1"),
    ],
)
def test_sizes_of_a_vector_store_are_checked_at_the_start(
    config: dict[str, Any], embedder: dict[str, Any] | None, why: str
) -> None:
    """Not when the first record is to be delivered."""
    block = {"vector_store": {"provider": "pgvector", "config": config}, "embedder": embedder}
    sentence = refusal(block)
    assert f'"mem0.vector_store.config.{next(iter(config))}" {why}' in sentence


@pytest.mark.parametrize("key", ["user_id", "bot_id", "host", "path"])
def test_a_number_is_a_name(monkeypatch: pytest.MonkeyPatch, key: str) -> None:
    """Freqtrade makes numbers of variables; a truth value or fraction in the config is none."""
    settings = load_settings({"mem0": {key: 42}})
    assert str(getattr(settings, key)) == "42"
    for value in (True, 1.5):
        assert f'"mem0.{key}" is {value}: ' in refusal({key: value})

    for written, read in (("42", 42), ("007", 7), ("1e5", 1e5), ("true", True), ("t", True)):
        monkeypatch.setenv(f"FREQTRADE__MEM0__{key.upper()}", written)
        settings = load_settings({"mem0": {key: read}})
        assert str(getattr(settings, key)) == written


@pytest.mark.parametrize(
    "block",
    [
        "x" * 9_000,
        {"mode": "x" * 9_000},
        {"y" * 9_000: 1},
        {"sync_interval": ["x" * 9_000]},
        {"sizing": {"levels": "x" * 9_000}},
        {"sizing": {"policy": "x" * 9_000}},
    ],
    ids=["block", "mode", "key", "number", "levels", "policy"],
)
def test_a_long_value_is_cut(block: Any) -> None:
    """An error must fit a terminal and a log."""
    assert len(refusal(block)) < 1_200


@pytest.mark.parametrize("block", [True, "on", 1, []])
def test_a_block_that_is_none_is_refused(block: Any) -> None:
    """`"mem0": true` is not enough; the sentence shows what is."""
    assert f'must be a block of keys such as {{"enabled": true}}, got {block!r}' in refusal(block)


@pytest.mark.parametrize("config", [{}, {"mem0": None}])
def test_without_a_block_there_are_no_settings(config: dict[str, Any]) -> None:
    """Whether that is a mistake is for the caller to say."""
    assert load_settings(config) is None


def test_an_empty_block_has_the_defaults() -> None:
    """Nothing has to be set; defaults are valid by their own rules."""
    settings = load_settings({"mem0": {}})

    assert Settings() == settings
    assert Settings() == Settings.model_validate(Settings().model_dump())


def test_the_fixed_keys_are_accepted() -> None:
    """The keys users and other tools rely on."""
    settings = load_settings(
        {
            "mem0": {
                "enabled": True,
                "mode": "embedded",
                "path": "somewhere",
                "user_id": "me",
                "bot_id": "bot-1",
                "sync_interval": 30,
                "categories": {
                    "user_preferences": True,
                    "market_conditions": False,
                    "strategy_performance": True,
                    "risk_profile": True,
                    "portfolio_patterns": False,
                    "learning_insights": True,
                },
                "sizing": {
                    "policy": "bayes",
                    "shadow": True,
                    "live": False,
                    "min_multiplier": 0.5,
                    "max_multiplier": 1.5,
                    "half_life_days": 90,
                },
                "retention": {"market_conditions": 90, "risk_profile": None},
            }
        }
    )

    assert settings is not None
    assert (
        settings.sync_interval,
        settings.categories.market_conditions,
        settings.sizing.max_multiplier,
        settings.retention.market_conditions,
        settings.retention.risk_profile,
    ) == (30.0, False, 1.5, 90.0, None)


def test_values_from_the_environment_are_accepted() -> None:
    """Freqtrade's own override gives text for what it can not take for a number."""
    settings = load_settings({"mem0": {"enabled": "false", "sizing": {"min_multiplier": "0.5"}}})

    assert settings is not None
    assert (settings.enabled, settings.sizing.min_multiplier) == (False, 0.5)


def test_reading_the_block_leaves_it_alone() -> None:
    """Freqtrade goes on using the config."""
    block = {"sizing": {"levels": ["pair"]}}
    load_settings({"mem0": block})

    assert block == {"sizing": {"levels": ["pair"]}}


def test_the_folder_is_below_user_data_unless_set() -> None:
    """`mem0.path` replaces it altogether."""
    assert folder(Settings(), Path("ud")) == Path("ud/mem0")
    assert folder(Settings(path=Path("elsewhere")), Path("ud")) == Path("elsewhere")


@pytest.mark.parametrize("n", [1, 5, 6, 400])
def test_no_message_is_longer_than_people_read(n: int) -> None:
    """However many keys are wrong, and however long their names and values."""
    block = {f"{number}{'x' * 900}": "y" * 9_000 for number in range(n)}
    with pytest.raises(ConfigError) as error:
        load_settings({"mem0": block | {"mode": "z" * 9_000}})
    message = str(error.value)
    assert len(message) < 1_100
    n_named = message.count('"mem0.')
    (more,) = re.findall(r"(\d+) more keys? can not be used", message) or ["0"]
    assert n_named + int(more) == n + 1
