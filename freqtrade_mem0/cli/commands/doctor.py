"""Check installation, config, journal and Mem0.

Each finding says what to do about a problem. Exit code 1 if a check fails.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import read_config
from freqtrade_mem0.cli.options import memory_options
from freqtrade_mem0.cli.output import print_json, print_lines
from freqtrade_mem0.errors import Mem0Error

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from freqtrade_mem0.views.health import Finding

NAME = "doctor"

add_options = memory_options


def run(arguments: argparse.Namespace) -> int:
    """Run all checks and print their findings."""
    from freqtrade_mem0.views.health import FAILED

    findings = list(_findings(arguments))
    has_failed = any(finding.state == FAILED for finding in findings)
    if arguments.json:
        facts = [asdict(finding) for finding in findings]
        print_json({"healthy": not has_failed, "findings": facts})
    else:
        print_lines(*(f"{each.state:>8}  {each.check}: {each.text}" for each in findings))
        print_lines("Something needs your attention." if has_failed else "Memory is in order.")
    return 1 if has_failed else 0


def _findings(arguments: argparse.Namespace) -> Iterator[Finding]:
    from freqtrade_mem0.views import health

    try:
        config = read_config(arguments)
    except Mem0Error as error:
        yield health.examine_installation()
        yield health.Finding(check="config", state=health.FAILED, text=str(error))
        return
    memory = config.memory()
    try:
        for finding in health.examine(memory):
            if finding.check == "config" and not config.has_block:
                yield health.Finding(
                    check="config",
                    state=health.FAILED if arguments.config else health.WARNING,
                    text='there is no "mem0" block: a strategy with Mem0Mixin does not start '
                    "without it",
                )
            else:
                yield finding
    finally:
        memory.close()
