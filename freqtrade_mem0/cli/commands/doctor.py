"""Check installation, config, journal and Mem0.

Every row of the journal is decoded and compared with its hash. A probe, a memory of the user
freqtrade-mem0-doctor, is written into Mem0, read, searched for and deleted. Each finding says what
to do about a problem; at the end stands what was not checked. Exit code 1 if a check fails.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, NamedTuple

from freqtrade_mem0.cli.context import read_config
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.cli.progress import progress_bar
from freqtrade_mem0.errors import Mem0Error
from freqtrade_mem0.words.numbers import counted

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.views.glance import Finding

NAME = "doctor"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `doctor`."""
    parser.add_argument(
        "--test-alert",
        action="store_true",
        help="Also send a test alert through those of Freqtrade's channels (Telegram, webhook, "
        "Discord) that are on in the config, and say which of them accepted it.",
    )
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run all checks and print their findings, then what was not checked."""
    from freqtrade_mem0.views.glance import FAILED, OK

    report = _examined(arguments)
    states = [finding.state for finding in report.findings]
    has_failed = FAILED in states
    if arguments.json:
        print_json(
            {
                "healthy": not has_failed,
                "enabled": report.is_enabled,
                "findings": [asdict(finding) for finding in report.findings],
                "not_checked": report.not_checked,
            }
        )
        return 1 if has_failed else 0
    if report.is_enabled is False:
        print_lines(
            'Memory is switched off: "mem0" has "enabled": false. No bot or backtest uses it.'
        )
    print_lines(*(f"{each.state:>8}  {each.check}: {each.text}" for each in report.findings))
    if report.not_checked:
        print_lines("Not checked:", *(f"  {each}." for each in report.not_checked))
    n_attention = len(states) - states.count(OK)
    print_lines(
        "Something needs your attention."
        if has_failed
        else f"What was checked works; {counted(n_attention, 'warning')}."
        if n_attention
        else "Memory is in order."
        if report.is_enabled
        else "What was checked works; memory is switched off."
    )
    return 1 if has_failed else 0


class _Report(NamedTuple):
    findings: list[Finding]
    is_enabled: bool | None
    """None where the config could not be read."""
    not_checked: list[str]


def _examined(arguments: argparse.Namespace) -> _Report:
    from freqtrade_mem0.views import glance, health

    try:
        config = read_config(arguments)
    except Mem0Error as error:
        wrong = glance.Finding(check="config", state=glance.FAILED, text=str(error))
        rest = ["everything that depends on the config"]
        return _Report([health.examine_installation(), wrong], None, rest)
    memory = config.memory()
    try:
        with progress_bar() as bar:
            task = bar.add_task("Checking the journal", total=None)
            findings = list(
                health.examine(
                    memory,
                    config.channels,
                    lambda done, total: bar.update(task, completed=done, total=total),
                )
            )
        if arguments.test_alert:
            from freqtrade_mem0.views.alert_trial import send_test_alert

            findings += send_test_alert(config.freqtrade, config.channels)
        if not config.has_block:
            missing = glance.Finding(
                check="config",
                state=glance.FAILED if arguments.config else glance.WARNING,
                text='there is no "mem0" block: a strategy with Mem0Mixin does not start '
                "without it",
            )
            findings = [missing if each.check == "config" else each for each in findings]
        return _Report(
            findings,
            memory.settings.enabled,
            health.not_checked(memory, with_alert=arguments.test_alert),
        )
    finally:
        memory.close()
