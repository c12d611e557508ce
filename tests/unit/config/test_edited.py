"""Keys are set in the text of a config, and nothing else of it changes."""

from __future__ import annotations

from typing import Any

import pytest
import rapidjson
from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.config.edited import PARSE_MODE, with_keys
from freqtrade_mem0.errors import ConfigError

COMMENTED = """{
    // of mine
    "dry_run": true, /* for now */
    "exchange": {"name": "binance", "pairs": ["A/B", "}"]} // no comma
}
"""
SETTING = {"mem0.enabled": True, "mem0.sizing.live": True}


def read(text: str) -> Any:
    """Read a config as Freqtrade does."""
    return rapidjson.loads(text, parse_mode=PARSE_MODE)


def test_comments_and_format_stay() -> None:
    """Each line of before is there, the last one with the comma it needs now."""
    assert with_keys(COMMENTED, SETTING) == COMMENTED.replace("]} //", "]}, //").replace(
        "\n}\n",
        '\n    "mem0": {\n        "enabled": true,\n        "sizing": {\n'
        '            "live": true\n        }\n    }\n}\n',
    )


def test_an_existing_block_keeps_its_comments() -> None:
    """A value is replaced where it stands, a missing key is added."""
    text = '{"mem0": {\n  // why\n  "enabled": false, // off\n  "mode": "local",\n}}'
    assert with_keys(text, SETTING) == (
        '{"mem0": {\n  // why\n  "enabled": true, // off\n  "mode": "local",\n'
        '  "sizing": {\n    "live": true\n  },\n}}'
    )


def test_the_same_again_changes_nothing() -> None:
    """Not a byte."""
    once = with_keys(COMMENTED, SETTING)
    assert with_keys(once, SETTING) == once


def test_windows_lines_stay() -> None:
    """All of them."""
    changed = with_keys(COMMENTED.replace("\n", "\r\n"), SETTING)
    assert changed == with_keys(COMMENTED, SETTING).replace("\n", "\r\n")


values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=8,
)
blanks = st.sampled_from(["", " ", "\n", "\n\t", ' // a } comment, with "quotes"\n', "/* { */"])


@given(st.dictionaries(st.text(max_size=4), values, max_size=4), st.lists(blanks, min_size=60))
def test_any_config_gains_just_these_keys(config: dict[str, Any], between: list[str]) -> None:
    """However it is written; a config that is not understood is refused, never damaged."""
    rest = iter(between)

    def written(value: Any) -> str:
        gap = next(rest, "")
        if isinstance(value, dict):
            members = (
                f"{next(rest, '')}{rapidjson.dumps(k)}:{written(v)}" for k, v in value.items()
            )
            return f"{gap}{{{','.join(members)}{next(rest, '')}}}"
        if isinstance(value, list):
            return f"{gap}[{','.join(map(written, value))}{next(rest, '')}]"
        return f"{gap}{rapidjson.dumps(value)}"

    expected = {**config, "mem0": {"enabled": True, "sizing": {"live": True}}}
    if isinstance(config.get("mem0"), dict):
        return
    text = written(config)
    assert read(text) == config
    if "mem0" in config:
        with pytest.raises(ConfigError):
            with_keys(text, SETTING)
    else:
        assert read(with_keys(text, SETTING)) == expected


@pytest.mark.parametrize("text", ["", "[]", "{", '{"mem0": 3}', '{"a": 1} {'])
def test_what_is_no_config_is_refused(text: str) -> None:
    """With what to do instead."""
    with pytest.raises(ConfigError, match="--to FILE"):
        with_keys(text, SETTING)
