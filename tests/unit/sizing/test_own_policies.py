"""Policies of other distributions: the one in the docs works, a bad one never hurts."""

from __future__ import annotations

import json
import logging
import re
import sys
from typing import TYPE_CHECKING

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.config.policies import fingerprint
from freqtrade_mem0.decide.guarded import guarded_policy
from freqtrade_mem0.errors import ConfigError
from tests.support.own_policies import install, install_the_documented_one
from tests.support.samples import TradeStandIn, at
from tests.support.session_stage import Stage, a_stage, proposal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.config.sizing import SizingSettings
    from freqtrade_mem0.run.bot.session import BotSession

BAD = """
class Bad:
    def __init__(self, answer):
        self._answer = answer

    def __call__(self, known):
        if known.form().losing_streak == 0:
            raise RuntimeError("never lost")
        return self._answer


def raises(settings):
    return Bad(None)


def can_not_be_made(settings):
    raise KeyError("threshold")


def no_policy(settings):
    return 0.7


def spoils(settings):
    def policy(known):
        known.differences["pair"] = 1e9
    return policy
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder of installed packages; what is imported from it is forgotten again."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        if str(tmp_path) in str(getattr(sys.modules[name], "__file__", "")):
            del sys.modules[name]


def install_bad_ones(site: Path) -> None:
    """Install policies that break their promises."""
    names = ("raises", "can_not_be_made", "no_policy", "spoils", "missing")
    points = {name: f"bad_policy:{name}" for name in names}
    install(site, "bad-policies", "bad_policy", BAD, points | {"bayes": "bad_policy:raises"})


def sizing_with(policy: str) -> SizingSettings:
    """Return the settings of a config that names a policy."""
    settings = load_settings({"mem0": {"sizing": {"policy": policy}}})
    assert settings is not None
    return settings.sizing


def refusal(policy: str) -> str:
    """Return the sentence with which a run is refused that names a policy."""
    with pytest.raises(ConfigError) as error:
        guarded_policy(sizing_with(policy))
    return str(error.value)


def losing(stage: Stage[BotSession], n_losses: int) -> None:
    """Let a bot lose so many trades, one an hour."""
    for number in range(n_losses):
        trade = TradeStandIn(id=number + 1, open_date=at(number).replace(tzinfo=None))
        trade.orders[0].order_id = f"dry_run_entry-{number}"
        stage.session.trade_closed(trade.close(-0.01, hours=0.5))


def test_the_documented_policy_decides_stakes(site: Path) -> None:
    """Installed from the page, named in the config, asked by a session."""
    install_the_documented_one(site)
    stage = a_stage(policy=guarded_policy(sizing_with("careful")))
    before = stage.session.decide(proposal(0))
    losing(stage, 3)
    after = stage.session.decide(proposal(5))

    assert (before.multiplier, before.policy) == (1.0, "careful")
    assert (after.multiplier, after.stake, after.policy) == (0.5, 50.0, "careful")
    assert [reason.text for reason in after.reasons] == ["3 losing trades in a row"]
    losing(stage, 9)
    assert stage.session.decide(proposal(20)).multiplier == 0.25


def test_a_name_that_is_nearly_right_is_refused_with_the_right_one(site: Path) -> None:
    """Own names are known names."""
    install_the_documented_one(site)

    assert refusal("carefull") == (
        "The config of memory is wrong. \"mem0.sizing.policy\" is 'carefull': must be one of "
        "'bayes', 'careful', 'kelly', 'off', 'response', 'rules', 'split'. Did you mean "
        '"careful"? See '
        "docs/reference/configuration.md for all keys."
    )


@pytest.mark.parametrize(
    ("policy", "parts"),
    [
        ("missing", ["bad_policy:missing of bad-policies 1.0 can not be loaded", "AttributeError"]),
        ("can_not_be_made", ["it can not be made from the settings", "KeyError: 'threshold'"]),
        ("no_policy", ["its entry point must return a policy", "it returned 0.7"]),
    ],
)
def test_what_can_not_be_made_stops_the_start(site: Path, policy: str, parts: list[str]) -> None:
    """Before anything is traded; the sentence names the key, the value and the trouble."""
    install_bad_ones(site)
    sentence = refusal(policy)

    assert sentence.startswith(f"\"mem0.sizing.policy\" is '{policy}': ")
    assert [part for part in parts if part not in sentence] == []


def test_the_doctor_sees_a_policy_that_can_not_be_made(
    site: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before a bot is started with it; one that can be made is in order."""
    install_bad_ones(site)
    monkeypatch.chdir(site)
    states = []
    for policy in ("can_not_be_made", "raises"):
        config = {"mem0": {"sizing": {"policy": policy}}, "user_data_dir": str(site / "user_data")}
        (site / "config.json").write_text(json.dumps(config), encoding="utf-8")
        main(["doctor", "--json", "-c", "config.json"])
        findings = json.loads(capsys.readouterr().out)["findings"]
        states += [finding["state"] for finding in findings if finding["check"] == "config"]

    assert states == ["failed", "ok"]


def test_one_name_of_two_distributions_is_refused(site: Path) -> None:
    """Which of them is meant, nobody can tell."""
    install_the_documented_one(site)
    install(site, "other", "other_policy", BAD, {"careful": "other_policy:raises"})

    assert "one distribution must offer it, careful-stakes 1.0 and other 1.0 does" in (
        refusal("careful")
    )


def test_our_own_names_can_not_be_taken(site: Path) -> None:
    """Whatever else is installed."""
    install_bad_ones(site)
    stage = a_stage(policy=guarded_policy(sizing_with("bayes")))

    assert stage.session.decide(proposal()).reasons[0].name == "no_evidence"


def test_a_policy_that_fails_leaves_the_proposal_and_is_logged_once(
    site: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Once per kind of trouble: here an exception of its own, then an answer that is none."""
    install_bad_ones(site)
    stage = a_stage(policy=guarded_policy(sizing_with("raises")))
    with caplog.at_level(logging.ERROR, logger="freqtrade_mem0"):
        first = [stage.session.decide(proposal(hours)) for hours in (0, 1)]
        losing(stage, 1)
        then = [stage.session.decide(proposal(hours)) for hours in (5, 6)]

    assert {(d.stake, d.multiplier, d.policy) for d in (*first, *then)} == {(100.0, 1.0, "raises")}
    assert {d.reasons[0].name for d in (*first, *then)} == {"policy_failed"}
    logged = [record.exc_info[0] for record in caplog.records if record.exc_info]
    assert logged == [RuntimeError, TypeError]


def test_a_policy_can_not_change_what_is_known(site: Path) -> None:
    """It is handed views; trying is a failure like any other."""
    install_bad_ones(site)
    stage = a_stage(policy=guarded_policy(sizing_with("spoils")))
    decision = stage.session.decide(proposal())

    assert decision.reasons[0].text == (
        "policy spoils could not be used (TypeError): the stake stays as proposed"
    )


def test_another_version_of_a_policy_is_another_fingerprint(site: Path) -> None:
    """So that Freqtrade does not serve results computed with the old one; ours have none."""
    install_the_documented_one(site)
    before = fingerprint("careful")
    with (site / "careful.py").open("a", encoding="utf-8") as file:
        file.write("# mended\n")

    assert re.fullmatch(r"careful-stakes 1\.0 careful:from_settings [0-9a-f]{12}", before)
    assert fingerprint("careful") not in {before, ""}
    assert fingerprint("kelly") == ""
