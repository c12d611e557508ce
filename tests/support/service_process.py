"""A real `freqtrade-mem0 serve` in a process of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.forked_python import ForkedPython
from tests.support.wait import HANG_S

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Self

ROOT = Path(__file__).parents[2]
PROGRAM = (sys.executable, "-m", "freqtrade_mem0.cli.main")
EMPTY: Mapping[str, str] = {}
_ADDRESS = re.compile(r"https?://[\w.:\[\]]+:(\d+)")


class ServiceProcess:
    """Started at once; `port` is known when it listens.

    Parameters
    ----------
    folder
        Of the config, which is written, and of the memory.
    options
        Of the command.
    block
        Keys of the `"mem0"` block.
    """

    def __init__(self, folder: Path, *options: str, **block: Any) -> None:
        self._start([*command(folder, "serve", **block), "--port", "0", *options], folder)

    @classmethod
    def of(cls, arguments: Sequence[str], folder: Path, variables: Mapping[str, str]) -> Self:
        """Start one with arguments of its own, in a folder that has its config."""
        service = cls.__new__(cls)
        service._start([*PROGRAM, *arguments, "--port", "0"], folder, variables)
        return service

    def _start(
        self, words: Sequence[str], folder: Path, variables: Mapping[str, str] = EMPTY
    ) -> None:
        self.output: list[str] = []
        self.process = ForkedPython(
            words, cwd=folder, env={**environment(), **variables}, stderr=subprocess.PIPE, text=True
        )
        self.port = self._read_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._reader = threading.Thread(target=self._read_rest, daemon=True)
        self._reader.start()

    def stop(self) -> int:
        """End it as a service manager does; return its exit code."""
        self.process.terminate()
        code = self.process.wait(HANG_S)
        self._reader.join(HANG_S)
        return code

    def kill(self) -> None:
        """End it at once."""
        self.process.kill()
        self.process.wait(HANG_S)
        self._reader.join(HANG_S)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        if self.process.poll() is None:
            self.kill()

    def _read_port(self) -> int:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.output.append(line)
            found = _ADDRESS.search(line)
            if found is not None:
                return int(found[1])
        raise AssertionError("".join(self.output))

    def _read_rest(self) -> None:
        assert self.process.stderr is not None
        with self.process.stderr as stream:
            self.output += stream


def command(folder: Path, name: str, **block: Any) -> list[str]:
    """Return a command line with a config for a memory in a folder, which is written."""
    config = folder / "config.json"
    mine = {"path": str(folder / "mem0"), "service": {"maintain_hours": None}} | block
    config.write_text(json.dumps({"mem0": mine}), encoding="utf-8")
    return [*PROGRAM, name, "-c", str(config)]


def environment() -> dict[str, str]:
    """Return the environment of such a process."""
    return os.environ | {"PYTHONPATH": str(ROOT)}
