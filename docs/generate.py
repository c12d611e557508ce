"""Write the reference pages and the example config: `python docs/generate.py`.

With `--demo` it also runs the demo, writes the example of `why` into README and tutorial, and draws
their picture. Tests compare all of them with what this would write.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args, get_origin

from pydantic import BaseModel
from rich.console import Console

from freqtrade_mem0.cli.main import build_parser
from freqtrade_mem0.config.settings import ProviderSettings, Settings
from freqtrade_mem0.demo.run import run_demo
from freqtrade_mem0.frames import insights, ledger, situations, trades
from freqtrade_mem0.frames.columns import INSIGHTS, LEDGER, SITUATIONS, TRADES
from freqtrade_mem0.query.fields import ALIASES, FIELDS, Place
from freqtrade_mem0.risk.events import EVENT_TYPES
from freqtrade_mem0.service.app import routes as service_routes
from freqtrade_mem0.service.routes.docs import example_of
from freqtrade_mem0.words import mission

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FRAMES = {trades: TRADES, ledger: LEDGER, insights: INSIGHTS, situations: SITUATIONS}
FOLDER = Path(__file__).parent / "reference"
EXAMPLE = FOLDER.parents[1] / "config.example.json"
PAGES_WITH_WHY = (FOLDER.parents[1] / "README.md", FOLDER.parent / "tutorial.md")

_WHY = re.compile(r"^    (?:long|short) .* a stake of .*\n(?:    .*\n)*", re.MULTILINE)
_CHARS = 100

_CONFIG_INTRO = """\
# Configuration

<!-- Written by docs/generate.py. -->

All keys are in the `"mem0"` block of the Freqtrade config. An unknown key, or a value that breaks
its rule, stops Freqtrade at its start with a message that names key and rule. As in Freqtrade, the
environment overrides any key: `FREQTRADE__MEM0__SIZING__SHADOW=true`. For some keys there are short
[variables](words.md), such as `MEM0_ENABLED`, in the environment or in `.env.mem0`.

Keys of servers (`api_key` and the like) do not belong here, because Freqtrade copies the config
into every backtest result. Put them into the environment or into `.env.mem0`.

`config.example.json` has every key with its default.

| key | default | meaning |
|---|---|---|
"""

_FRAMES_INTRO = """\
# Frames

<!-- Written by docs/generate.py. -->

`freqtrade_mem0.frames` gives a memory as pandas DataFrames, for notebooks and scripts:

    from freqtrade_mem0 import frames

    trades = frames.trades("config.json", mode="live")

The first argument is the path of a Freqtrade config or a config itself; without it the config
is found as on the command line. `userdir` is Freqtrade's user data folder, `path` the memory's
own folder, and `strategy`, `mode`, `run_id` and `pair` select a part. Bots may go on meanwhile;
nothing is written.

An empty frame has the same columns and dtypes. The notebook
`user_data/notebooks/memory_analysis_example.ipynb` uses all four; copy it into the `notebooks`
folder of your user data, beside Freqtrade's `strategy_analysis_example.ipynb`.
"""

_CLI_INTRO = """\
# Command line

<!-- Written by docs/generate.py. -->

Options have the names that Freqtrade uses. Every command that prints facts has `--json`. The exit
code is 0 when the command is done, 1 when it failed, with one sentence on standard error, and 2 for
wrong usage.
"""

_EVENTS_INTRO = """\
# Risk events

<!-- Written by docs/generate.py. -->

What an event is, and what it does: [risk](../concepts/risk.md). The severity is the default of
`mem0.risk.damping.severity.<event>`; nothing is damped unless `mem0.risk.damping.enabled` is true.

| event | noted when | concerns | severity |
|---|---|---|---|
"""

_ROUTES_INTRO = """\
# Routes of the service

<!-- Written by docs/generate.py. -->

How to start it, and what the keys are: [serve](../how-to/serve.md). A key is sent in the header
`X-API-Key`, or as `Authorization: Bearer`. Errors are problem details (RFC 9457): 401 without a
valid key, 403 out of its reach, 422 for a value that breaks a rule, 429 with `Retry-After`, 503
where the journal or Mem0 can not be used.
"""

_QUERIES_INTRO = """\
# Queries

<!-- Written by docs/generate.py. -->

The query language of `freqtrade-mem0 search`, of `--where` in `search`, `records` and `ledger`, and
of `client.recall(where=...)`:

| written | finds |
|---|---|
| `strategy:MyStrategy` | the value is this; upper and lower case differ |
| `enter_tag:"big dip"` | any text, also with blanks or brackets; `\\"` is a quote in it |
| `profit:>10.0` (`>=`, `<`, `<=`) | numbers and times on one side of a bound |
| `timestamp:[2024-01-01 TO 2024-06-27]` | a range; `{a TO b}` leaves out its ends |
| `profit:[* TO 5}` | `*` is an open end, `[` and `}` differ for each end |
| `pair:BTC*`, `enter_tag:d?p` | any text for `*`, one character for `?`, in either case |
| `pair:*` | any value at all |
| `a AND b`, `a b` | both; conditions that stand beside each other must all hold |
| `a OR b`, `NOT a`, `-a`, `( )` | one of them; the opposite; AND binds closer than OR |
| `strategy:(A OR B)` | one field, several values |
| `strategy:A stop after a crash` | of these, the best matches for the free words, by meaning |

AND, OR, NOT and TO are written in capital letters. Free words cannot stand under OR or NOT, and
`records` and `ledger` take none; `text:word` asks for the word itself. `NOT side:short` also finds
what has no side.

A time is UTC and means the whole span that it names: `2024-06-27` is the whole day, `2024-06` the
month, `2024` the year, `"2024-06-27 10:00"` the minute. `now-7d` is seven days ago (`s`, `m` for
minutes, `h`, `d`, `w`).

A query has at most 2,000 characters, 64 conditions and words, and 20 levels. A mistake is shown
with its column.

## Fields

| field | value | meaning | where |
|---|---|---|---|
"""

_QUERIES_END = """
`at_` and the name of a feature is the situation at the entry, as in `at_regime:"calm uptrend"` or
`at_rsi:<30`. Keys of your own metadata are `metadata.topic`; those with dots, such as
`metrics.sharpe`, stand as they are.
"""

_WORDS_INTRO = """\
# From the mission's words to ours

<!-- Written by docs/generate.py. -->

This project's mission comes from several memory systems for traders and agents, which have names of
their own. Most of them work here as they are; for the others this page says what to type. The code
reads the same table.
"""

_WORDS_END = """
`M0_API_KEY`, `MEM0_API_KEY`, `M0_ORG_ID` and `M0_PROJECT_ID` are the key and the scopes of the Mem0
platform. `QDRANT_URL` is a Qdrant that Mem0 uses in mode `server`. `CONTROLLER_URL` and
`N8N_WEBHOOK_URL` are where [events are sent](../how-to/webhooks.md). A variable that begins with
`MEM0_` and is unknown is named in the log.
"""


def configuration() -> str:
    """Return the page of all configuration keys."""
    return _CONFIG_INTRO + "".join(_rows("", Settings))


def command_line() -> str:
    """Return the page of all commands and options."""
    pages = [_CLI_INTRO]
    for name, parser in sorted(commands().items()):
        pages.append(f"\n## {name}\n\n{parser.description}\n\n| option | meaning |\n|---|---|\n")
        pages.extend(_option_row(action) for action in parser._actions)  # noqa: SLF001
    return "".join(pages)


def risk_events() -> str:
    """Return the page of all types of risk events."""
    rows = (
        f"| `{name}` | {event.when} | {event.concerns} |"
        f" {'damps nothing' if event.is_drift else f'{event.severity:g}'} |\n"
        for name, event in EVENT_TYPES.items()
    )
    return _EVENTS_INTRO + "".join(rows)


def routes() -> str:
    """Return the page of the routes of the service."""
    schema = service_routes().openapi()
    pages = [_ROUTES_INTRO]
    for path, methods in schema["paths"].items():
        for method, route in methods.items():
            pages.append(f"\n## {method.upper()} {path}\n\n{route['description']}\n")
            pages.append(f"\nKey: {route['x-key']}.\n")
            rows = [_parameter_row(each) for each in route.get("parameters", ())]
            if rows:
                pages += ["\n| parameter | in | meaning |\n|---|---|---|\n", *rows]
            example = example_of(schema, route)
            if example is not None:
                pages.append(f"\n{textwrap.indent(json.dumps(example, indent=2), '    ')}\n")
    return "".join(pages)


def _parameter_row(parameter: Mapping[str, Any]) -> str:
    needed = ", needed" if parameter["required"] else ""
    meaning = parameter.get("description", "").replace("|", "\\|")
    return f"| `{parameter['name']}` | {parameter['in']}{needed} | {meaning} |\n"


def queries() -> str:
    """Return the page of the query language and its fields."""
    rows = []
    for name, field in FIELDS.items():
        others = [f"`{said}`" for said, ours in ALIASES.items() if ours == name]
        also = f"; also {', '.join(others)}" if others else ""
        choices = f": {', '.join(field.choices)}" if field.choices else ""
        where = "everywhere" if len(field.places) == len(Place) else str(*field.places)
        rows.append(f"| `{name}` | {field.unit} | {field.meaning}{choices}{also} | {where} |\n")
    return "".join([_QUERIES_INTRO, *rows, _QUERIES_END])


def frames() -> str:
    """Return the page of the pandas frames."""
    pages = [_FRAMES_INTRO]
    for function, columns in FRAMES.items():
        text = " ".join((function.__doc__ or "").split())
        pages.append(f"\n## {function.__name__}\n\n{text}\n\n| column | dtype |\n|---|---|\n")
        pages.extend(f"| `{name}` | {dtype} |\n" for name, dtype in columns.items())
    return "".join(pages)


def words() -> str:
    """Return the page of the mission's words and ours."""
    variables = {
        name: f"`mem0.{'`, `mem0.'.join(each.keys)}`. {each.note}".rstrip()
        for name, each in mission.ENVIRONMENT.items()
    }
    kept = ", ".join(f"`{key}`" for key in mission.KEPT_KEYS)
    return "".join(
        [
            _WORDS_INTRO,
            _words("Calls", mission.CALLS),
            _words("Names that cannot be imported", mission.NAMES),
            _words("Methods that a client does not have", mission.METHODS),
            _words("Categories", _quoted(mission.CATEGORIES)),
            _words("Kinds, in filters", _quoted(mission.KINDS)),
            _words("Keys of a trade", _quoted(mission.TRADE_KEYS)),
            f"\nOther keys, such as {kept}, are kept as metadata under their own names.\n",
            _words("What opened a trade", _quoted(mission.SIDES)),
            _words("Variables, in the environment and in `.env.mem0`", variables),
            _WORDS_END,
        ]
    )


def _words(title: str, table: Mapping[str, str]) -> str:
    rows = (f"| `{said}` | {ours} |\n" for said, ours in table.items())
    return f"\n## {title}\n\n| word | here |\n|---|---|\n" + "".join(rows)


def example_config() -> str:
    """Return the example config with every key of memory at its default."""
    config = json.loads(EXAMPLE.read_text(encoding="utf-8"))
    config["mem0"] = Settings().model_dump(exclude={"knowledge"})
    return json.dumps(config, indent=4) + "\n"


def demo_why(folder: Path) -> str:
    """Run the demo in a folder; return what it prints about the smallest stake multiplier.

    The line with the situation is left out, and long lines are wrapped.
    """
    output = io.StringIO()
    console = Console(file=output, width=400)
    if run_demo(datadir=None, folder=folder, timerange=None, console=console) != 0:
        raise RuntimeError(output.getvalue())
    _, _, rest = output.getvalue().partition("The smallest stake multiplier\n")
    lines: list[str] = []
    for line in rest.partition("\n\n")[0].splitlines():
        text = line.lstrip()
        if not text.startswith("situation:"):
            indent = " " * (4 + len(line) - len(text))
            lines += textwrap.wrap(
                text,
                _CHARS,
                initial_indent=indent,
                subsequent_indent=f"{indent}  ",
                break_on_hyphens=False,
            )
    return "".join(f"{line}\n" for line in lines)


def with_why(page: str, example: str) -> str:
    """Return a page with its example of `why` replaced."""
    return _WHY.sub(lambda _: example, page)


def commands() -> dict[str, argparse.ArgumentParser]:
    """Return the sub-commands by name."""
    for action in build_parser()._actions:  # noqa: SLF001 - argparse has no public way
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            return dict(action.choices)
    return {}


def _quoted(table: Mapping[str, str]) -> dict[str, str]:
    return {said: f"`{ours}`" for said, ours in table.items()}


def _rows(prefix: str, model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if name == "knowledge":
            continue  # the mixin's own mark
        key = f"{prefix}{name}"
        block = _block(field.annotation)
        if block is None:
            default = "" if field.is_required() else field.get_default(call_default_factory=True)
            yield f"| `{key}` | `{_shown(default)}` | {field.description} |\n"
        else:
            yield f"| `{key}` | | {field.description} |\n"
            named = ".NAME" if get_origin(field.annotation) is dict else ""
            yield from _rows(f"{key}{named}.", block)


def _block(annotation: Any) -> type[BaseModel] | None:
    for option in (annotation, *get_args(annotation)):
        if isinstance(option, type) and issubclass(option, BaseModel):
            return None if option is ProviderSettings else option
    return None


def _shown(default: Any) -> str:
    if default is None:
        return "null"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple):
        return ", ".join(default)
    return str(default)


def _option_row(action: argparse.Action) -> str:
    if action.option_strings:
        value = "" if action.nargs == 0 else f" {action.metavar or action.dest.upper()}"
        name = ", ".join(f"`{option}{value}`" for option in action.option_strings)
    else:
        name = f"`{action.dest}`"
    choices = f" One of {', '.join(map(str, action.choices))}." if action.choices else ""
    return f"| {name} | {action.help}{choices} |\n"


PAGES = {
    FOLDER / "configuration.md": configuration,
    FOLDER / "command-line.md": command_line,
    FOLDER / "risk-events.md": risk_events,
    FOLDER / "routes.md": routes,
    FOLDER / "queries.md": queries,
    FOLDER / "frames.md": frames,
    FOLDER / "words.md": words,
    EXAMPLE: example_config,
}


if __name__ == "__main__":
    for path, page in PAGES.items():
        path.write_text(page(), encoding="utf-8")
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--demo", action="store_true", help="run the demo for its example")
    if arguments.parse_args().demo:
        sys.path.insert(0, str(FOLDER.parents[1]))
        from docs.picture import FILE, demo_picture

        with tempfile.TemporaryDirectory() as parent:
            folder = Path(parent) / "demo"
            example = demo_why(folder)
            FILE.write_text(demo_picture(folder), encoding="utf-8")
        for path in PAGES_WITH_WHY:
            path.write_text(with_why(path.read_text(encoding="utf-8"), example), encoding="utf-8")
