"""Serve memory to assistants and agents over the Model Context Protocol (MCP).

It speaks on standard input and output, and ends with its input; a client such as Claude Desktop or
Cursor starts it. Logs go to standard error. It offers tools that ask (`analyze_signal`,
`similar_trades`, `why`, `performance`, `patterns`, `search`) and two that keep a decision or a note
(`log_decision`, `add_note`), which never count as evidence for a stake.
"""

from __future__ import annotations

import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from freqtrade_mem0.cli.context import read_config
from freqtrade_mem0.cli.options import config_options
from freqtrade_mem0.cli.output import print_error

if TYPE_CHECKING:
    import argparse

NAME = "mcp"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of `mcp`."""
    parser.add_argument(
        "--agent-id",
        metavar="NAME",
        help="Label of what the client writes, without blanks. Default: `mem0.bot_id`, else agent.",
    )
    parser.add_argument(
        "--memory-path", type=Path, metavar="PATH", help="Folder of the memory; default: as config."
    )
    parser.add_argument("-v", "--verbose", action="store_true", help="Log what is done.")
    config_options(parser.add_argument_group("which memory"))


def run(arguments: argparse.Namespace) -> int:
    """Serve until the input ends."""
    import asyncio

    from freqtrade_mem0.agents import AgentMemory
    from freqtrade_mem0.mcp_server.server import Calls, CallThreads, serve_stdio

    logging.basicConfig(
        level=logging.INFO if arguments.verbose else logging.WARNING,
        stream=sys.stderr,
        format="%(levelname)s %(message)s",
    )
    config = read_config(arguments)
    with AgentMemory(
        arguments.agent_id,
        arguments.memory_path,
        config=config.freqtrade,
        user_data_dir=config.user_data_dir,
    ) as memory:
        if sys.stdin.isatty():
            print_error("Waiting for an MCP client on standard input; Ctrl+C ends this.")
        threads = CallThreads()
        try:
            asyncio.run(serve_stdio(Calls(memory, threads)))
        finally:
            threads.close()
    return 0
