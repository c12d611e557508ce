"""Show what agents decided, and decide on the parameters and rules that they propose.

`log` shows decisions with what became of them, `parameters` proposed changes of parameters, `rules`
learned rules for stakes. `propose` adds the rules of a file of JSON. `approve`, `reject`, `apply`
and `revert` take a step with a change; `approve`, `reject` and `retire` one with a rule, which
bots follow from its approval on. `export` writes log and parameters as files. Outcomes that are
known by now, from bots' closed trades and from stored candles, are filled in first.
"""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.cli import rules
from freqtrade_mem0.cli.context import opened_memory, stored_candles
from freqtrade_mem0.cli.options import count, limit_of, memory_options
from freqtrade_mem0.cli.output import print_json, print_lines, print_table, title, when
from freqtrade_mem0.errors import ConfigError
from freqtrade_mem0.words.numbers import counted, percent

if TYPE_CHECKING:
    import argparse

    from freqtrade_mem0.memory_folder import MemoryFolder

NAME = "agent"

_STEPS = {"approve": "approved", "reject": "rejected", "apply": "applied", "revert": "reverted"}
_WITH_ID = (*_STEPS, "retire", "propose")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `agent`."""
    parser.add_argument(
        "what",
        choices=["log", "parameters", "rules", *_WITH_ID, "export"],
        metavar="WHAT",
        help="log, parameters, rules, approve, reject, apply, revert, retire, propose or export.",
    )
    parser.add_argument(
        "id",
        nargs="?",
        help="Id of a proposed change or rule, or its first characters, for a step; the file of "
        "`propose`, or - for standard input.",
    )
    parser.add_argument(
        "--untried",
        action="store_true",
        help="Approve a rule that `compare --rule` has not tried.",
    )
    parser.add_argument("--reason", default="", metavar="TEXT", help="Why the step is taken.")
    parser.add_argument(
        "--to",
        type=Path,
        metavar="PATH",
        help="Folder of the files of `export`; default: memory's.",
    )
    parser.add_argument(
        "--agent-id", metavar="NAME", help="Only decisions of this agent. With `propose`: who does."
    )
    parser.add_argument(
        "--open", action="store_true", help="Only decisions whose outcome is not known."
    )
    parser.add_argument(
        "-n", "--limit", type=count, metavar="N", help="Show at most N: the newest."
    )
    parser.add_argument(
        "--memory-path", type=Path, metavar="PATH", help="Folder of the memory, as of the agent."
    )
    memory_options(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show or do what was asked."""
    what: str = arguments.what
    if (arguments.id is not None) != (what in _WITH_ID):
        need = "needs the id of a proposal" if what in _WITH_ID else "takes no id"
        need = "needs a file of rules" if what == "propose" else need
        lists = "'agent parameters' and 'agent rules' list them."
        raise ConfigError(f"'agent {what}' {need}. {lists}")
    with opened_memory(arguments) as memory:
        if what == "rules":
            return rules.show(memory, arguments)
        if what == "propose":
            return rules.propose(memory, arguments)
        if what in _WITH_ID:
            return _step(memory, arguments)
        if what == "parameters":
            return _parameters(memory, arguments)
        _resolve(memory, arguments)
        if what == "export":
            return _export(memory, arguments)
        return _log(memory, arguments)


def _resolve(memory: MemoryFolder, arguments: argparse.Namespace) -> None:
    from freqtrade_mem0.client import Mem0Client
    from freqtrade_mem0.core_memory.outcomes import Outcomes

    client = Mem0Client(memory)
    outcomes = Outcomes(memory.journal, client.user_id, stored_candles(arguments))
    outcomes.resolve(datetime.now(UTC), lambda found: client.append(*found))


def _log(memory: MemoryFolder, arguments: argparse.Namespace) -> int:
    from freqtrade_mem0.core_memory.log import agent_log, n_unresolved

    owner = memory.settings.user_id
    rows = agent_log(
        memory,
        owner,
        agent=arguments.agent_id,
        only_open=arguments.open,
        limit=limit_of(arguments),
    )
    if arguments.json:
        print_json(rows)
        return 0
    waiting = n_unresolved(memory, owner)
    print_table(
        title(rows, "decision", arguments),
        ["decided at (UTC)", "agent", "action", "pair", "Confidence", "Outcome", "by", "reason"],
        [_cells(row) for row in rows],
        optional=["agent"],
        empty="Agents log decisions by log_decision(), over HTTP or MCP; see "
        "docs/how-to/ask-from-an-agent.md. The decisions about stakes are in 'freqtrade-mem0 "
        "ledger'.",
    )
    if rows or waiting:
        print_lines(
            f"The outcome of {counted(waiting, 'decision')} is not known. What agents write never "
            "counts as evidence for a stake."
        )
    return 0


def _cells(row: dict[str, Any]) -> list[str]:
    outcome = row["outcome"] or {}
    ratio = outcome.get("profit_ratio")
    by = outcome.get("source") or row["state"]
    if outcome.get("is_disputed"):
        by = f"{by}, the agent said {percent(outcome['told_ratio'])}"
    elif row["is_hindsight"]:
        by = f"{by}, logged afterwards"
    return [
        when(row["decided_at"]),
        row["agent"],
        row["action"],
        row["pair"],
        "" if row["confidence"] is None else f"{row['confidence']:g}",
        "" if ratio is None else percent(ratio),
        by,
        row["reason"],
    ]


def _parameters(memory: MemoryFolder, arguments: argparse.Namespace) -> int:
    from freqtrade_mem0.core_memory.parameters import parameter_updates

    rows = parameter_updates(memory, memory.settings.user_id, limit=limit_of(arguments))
    if arguments.json:
        print_json(rows)
        return 0
    print_table(
        title(rows, "parameter update", arguments),
        ["id", "proposed at (UTC)", "by", "strategy", "change", "state", "reason"],
        [_update_cells(row) for row in rows],
        empty="Agents propose parameters by propose_update(), and bots that drift from their "
        "backtest do; see docs/concepts/drift.md.",
    )
    return 0


def _step(memory: MemoryFolder, arguments: argparse.Namespace) -> int:
    from freqtrade_mem0.core_memory.live_files import LiveFiles
    from freqtrade_mem0.core_memory.parameters import parameter_updates, take_step
    from freqtrade_mem0.core_memory.rules import find_rule
    from freqtrade_mem0.records.kinds.parameter_update import UpdateState

    life, owner = find_rule(memory, arguments.id), memory.settings.user_id
    if life is not None:
        if any(row["id"].startswith(arguments.id) for row in parameter_updates(memory, owner)):
            raise ConfigError(
                f"A rule and a parameter update begin with {arguments.id!r}. Write more of the id."
            )
        return rules.step(memory, life, arguments)
    if arguments.what not in _STEPS:
        raise ConfigError(f"No rule begins with {arguments.id!r}. 'agent rules' lists them.")
    state = UpdateState(_STEPS[arguments.what])
    row = take_step(memory, arguments.id, state, datetime.now(UTC), arguments.reason)
    with suppress(OSError):  # who writes next tries it again, and says why not
        LiveFiles(memory, owner).update()
    if arguments.json:
        print_json(row)
    else:
        name, _, by, strategy, change, _, _ = _update_cells(row)
        print_lines(f"The update {name} of {strategy} by {by} is {row['state']}: {change}.")
    return 0


def _update_cells(row: dict[str, Any]) -> list[str]:
    changes = (f"{name} {row['from'].get(name, '-')} -> {new}" for name, new in row["to"].items())
    proposed_at, change = when(row["proposed_at"]), ", ".join(changes)
    shown = [row["id"][:8], proposed_at, row["agent"], row["strategy"], change, row["state"]]
    return [*shown, row["reason"]]


def _export(memory: MemoryFolder, arguments: argparse.Namespace) -> int:
    from freqtrade_mem0.core_memory.files import CORE_LOG, PARAMETERS, write_agent_files
    from freqtrade_mem0.core_memory.live_files import LiveFiles

    folder: Path = arguments.to or memory.folder
    live, paths = (
        LiveFiles(memory, memory.settings.user_id),
        [folder / CORE_LOG, folder / PARAMETERS],
    )
    try:
        if live.is_on and folder.resolve() == memory.folder.resolve():
            live.update()  # they are there already, and only appended to
        else:
            paths = write_agent_files(memory, memory.settings.user_id, folder)
    except OSError as error:
        raise ConfigError(f"The files can not be written into {folder}: {error}") from error
    if arguments.json:
        print_json({"files": [str(path) for path in paths]})
    else:
        print_lines(*(f"Written: {path}" for path in paths))
    return 0
