"""Answers an agent's commands: a line of JSON on standard input, its answer on standard output.

A line is `{"command": "analyze_signal", "params": {"symbol": "BTCUSDT", "action": "BUY"}}`. What
can not be done is answered with `{"error": ...}`. The process ends with its input.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from typing import TYPE_CHECKING, Any

from freqtrade_mem0.agents.commands import COMMANDS
from freqtrade_mem0.agents.memory import AgentMemory
from freqtrade_mem0.errors import Mem0Error, RecordError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TextIO


def main(argv: Sequence[str] | None = None) -> int:
    """Serve the commands on standard input; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m freqtrade_mem0.agents", description=__doc__)
    parser.add_argument("--agent-id", metavar="NAME", help="Name of the agent, without blanks.")
    parser.add_argument(
        "--memory-path", metavar="PATH", help="Folder of the memory; default: that of the config."
    )
    parser.add_argument("-c", "--config", metavar="PATH", help="Freqtrade's config file.")
    parser.add_argument("--userdir", metavar="PATH", help="Freqtrade's user data folder.")
    parser.add_argument("-v", "--verbose", action="store_true", help="Log what is done.")
    arguments = parser.parse_args(argv)
    level = logging.INFO if arguments.verbose else logging.WARNING
    logging.basicConfig(level=level, stream=sys.stderr, format="%(levelname)s %(message)s")
    try:
        with AgentMemory(
            arguments.agent_id,
            arguments.memory_path,
            config=arguments.config,
            user_data_dir=arguments.userdir,
        ) as memory:
            facts = memory.initialize()
            if arguments.verbose or sys.stdin.isatty():
                sys.stderr.write(f"{facts['text']}\nCommands: {', '.join(COMMANDS)}.\n")
            serve(memory, sys.stdin, sys.stdout)
    except Mem0Error as error:
        sys.stderr.write(f"freqtrade-mem0: {error}\n")
        return 1
    except KeyboardInterrupt:
        return 0
    return 0


def serve(memory: AgentMemory, lines: Iterable[str], out: TextIO) -> None:
    """Answer each line that is not blank; an error is an answer, too."""
    for line in lines:
        if line.strip():
            out.write(f"{json.dumps(_answer(memory, line), allow_nan=False)}\n")
            out.flush()


def _answer(memory: AgentMemory, line: str) -> dict[str, Any]:
    try:
        asked = json.loads(line)
        if not isinstance(asked, dict) or "command" not in asked:
            raise RecordError('A line must be JSON such as {"command": "analyze_signal"}.')
        return memory.send_command(asked["command"], asked.get("params"))
    except (ValueError, RecursionError) as error:
        return {"error": f"This line is no JSON: {error}"}
    except Mem0Error as error:
        return {"error": str(error)}


if __name__ == "__main__":
    sys.exit(main())
