"""Run benchmarks one after another, keep each one's JSON, and print one table.

    python -m benchmarks.run                      # all of them
    python -m benchmarks.run backtest decision    # some; `make bench BENCH="backtest decision"`
    python -m benchmarks.run --table              # the table of what is kept, without running

Each runs in a process of its own with its default sizes, as figures of one must not depend on what
another left in memory. What it prints goes to `<folder>/<name>.json`, and the table to
`<folder>/table.md`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchmarks.measuring import ROOT, machine
from benchmarks.table import exceeded, render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = ROOT / ".bench"
PREFIX = "bench_"


def main() -> int:
    """Run, keep, print; the exit code is 1 when a benchmark failed or a budget was exceeded."""
    programs = benchmarks()
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"Of: {', '.join(programs)}.")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="Where results are kept.")
    parser.add_argument("--table", action="store_true", help="Print what is kept; run nothing.")
    asked = parser.parse_args()
    unknown = sorted(set(asked.names) - set(programs))
    if unknown:
        parser.error(f"no such benchmark: {', '.join(unknown)}; there are {', '.join(programs)}")
    names = asked.names or list(programs)
    asked.folder.mkdir(parents=True, exist_ok=True)
    facts = machine()
    wanted = [] if asked.table else names
    failed = [name for name in wanted if not run(programs[name], asked.folder / f"{name}.json")]
    results = read(asked.folder, [name for name in names if name not in failed])
    if asked.table and results:
        facts = next(iter(results.values())).get("machine", {})  # that of then, not that of now
    table = render(results, facts)
    (asked.folder / "table.md").write_text(f"{table}\n", encoding="utf-8")
    print(table)
    if failed:
        print(f"Failed: {', '.join(failed)}; what they said is above.", file=sys.stderr)
    over = [f"{name}: {each}" for name, result in results.items() for each in exceeded(result)]
    if over:
        print("Over budget:", *over, sep="\n  ", file=sys.stderr)
    return 1 if failed or over else 0


def benchmarks() -> dict[str, Path]:
    """Return the programs there are, by name."""
    found = sorted(Path(__file__).parent.glob(f"{PREFIX}*.py"))
    return {path.stem.removeprefix(PREFIX): path for path in found}


def run(program: Path, kept: Path, options: Sequence[str] = ()) -> bool:
    """Run one benchmark and keep its JSON; return whether it ended well.

    A failed one leaves nothing: a figure of an earlier run must not be taken for one of today.
    """
    print(f"{program.stem} ...", file=sys.stderr, flush=True)
    kept.unlink(missing_ok=True)
    # The root is where `tests` and `benchmarks` are found, also where the package is installed.
    path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))
    done = subprocess.run(
        [sys.executable, str(program), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
        check=False,
    )
    if done.returncode == 0:
        kept.write_bytes(done.stdout)
    return done.returncode == 0


def read(folder: Path, names: Sequence[str]) -> dict[str, Mapping[str, Any]]:
    """Return the results that are kept, by name."""
    kept = {name: folder / f"{name}.json" for name in names}
    return {
        name: json.loads(path.read_text(encoding="utf-8"))
        for name, path in kept.items()
        if path.exists()
    }


if __name__ == "__main__":
    sys.exit(main())
