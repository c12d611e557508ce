from __future__ import annotations

import importlib.util
import io
import json
import re
import tomllib
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from freqtrade.commands.arguments import Arguments
from pydantic import BaseModel

import freqtrade_mem0
from freqtrade_mem0.cli.main import build_parser
from freqtrade_mem0.config.credentials import KEY_NAMES, find_credentials
from freqtrade_mem0.config.load import load_settings
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.config.webhook_settings import EVENTS
from tests.support.doc_commands import commands

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def generator() -> ModuleType:
    """Return docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate", ROOT / "docs" / "generate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_files_are_up_to_date(generator: ModuleType) -> None:
    """A key, option or event that changes without its reference page fails here."""
    for path, page in generator.PAGES.items():
        assert page() == path.read_text(encoding="utf-8"), path


def test_every_command_and_option_has_help(generator: ModuleType) -> None:
    """No command or option is left unexplained."""
    for name, parser in generator.commands().items():
        assert parser.description, name
        for action in parser._actions:
            assert action.help, (name, action.dest)


def test_example_config_loads_and_has_every_key() -> None:
    """config.example.json is valid, complete, and shows the defaults."""
    config = json.loads((ROOT / "config.example.json").read_text(encoding="utf-8"))
    keys = set(_paths(Settings)) - {"knowledge"}
    # The names of experts are the user's.
    assert keys == {re.sub(r"(\.experts)\..*", r"\1", key) for key in _keys(config["mem0"])}
    assert load_settings(config) == Settings()


def test_example_environment_file_can_be_read(tmp_path: Path) -> None:
    """.env.mem0.example is in the form that is read, and sets nothing as it stands."""
    text = (ROOT / ".env.mem0.example").read_text(encoding="utf-8")
    (tmp_path / ".env.mem0").write_text(text, encoding="utf-8")
    assert find_credentials(environ={}, folder=tmp_path) is None
    filled = text.replace(f"#{KEY_NAMES[0]}=", f"{KEY_NAMES[0]}=a-key")
    (tmp_path / ".env.mem0").write_text(filled, encoding="utf-8")
    credentials = find_credentials(environ={}, folder=tmp_path)
    assert credentials is not None
    assert credentials.api_key == "a-key"


def test_links_in_the_docs_lead_somewhere() -> None:
    """Relative links of README and docs name files that exist."""
    for page in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_files_that_the_docs_name_are_there() -> None:
    """A module or test that moves takes its name in the docs along."""
    pages = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
    named = re.compile(
        r"`((?:tests|docs|freqtrade_mem0|benchmarks|user_data/strategies)/[\w./-]+\.\w+)`"
    )
    found = [(page, name) for page in pages for name in named.findall(page.read_text("utf-8"))]
    assert len(found) > 5
    assert [f"{page.name}: {name}" for page, name in found if not (ROOT / name).exists()] == []


def test_the_architecture_names_every_package_and_only_files_that_exist() -> None:
    """A package that is added, moved or removed changes the page, and so does a file it names."""
    package = ROOT / "freqtrade_mem0"
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w./-]+/[\w./-]*|\w+\.py)`", page)
    parts = {path.parent.name for path in package.glob("*/__init__.py")}
    parts |= {path.name for path in package.glob("[!_]*.py")}
    rows = re.findall(r"^\| `([\w.]+)` \|", page, flags=re.MULTILINE)

    assert [name for name in named if not any((at / name).exists() for at in (package, ROOT))] == []
    assert set(rows) == parts


def test_each_page_has_its_place_in_the_navigation() -> None:
    """A new page is named once under `nav` in mkdocs.yml; decisions are listed by themselves."""
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    named = sorted(_named_pages(config["nav"]))
    pages = {path.relative_to(DOCS).as_posix() for path in DOCS.rglob("*.md")}
    of_themselves = {each for each in pages if re.match(r"decisions/\d|how-to/skill/", each)}
    assert named == sorted((pages - of_themselves) | {"changelog.md"})


def test_decisions_are_numbered_in_a_row() -> None:
    """No number stands twice, and each file's title begins with its number."""
    found = sorted((DOCS / "decisions").glob("[0-9]*.md"))
    titled = [int(each.read_text(encoding="utf-8").split("# ")[1].split(".")[0]) for each in found]
    assert [int(each.name[:4]) for each in found] == titled == list(range(1, len(found) + 1))


def test_commands_in_the_docs_are_accepted() -> None:
    """Each call of `freqtrade-mem0` and `freqtrade` has a command and options that exist."""
    parser = build_parser()
    refused, n_commands = [], 0
    for page in [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]:
        for each in commands(page.read_text(encoding="utf-8")):
            n_commands += 1
            said = io.StringIO()
            try:
                with redirect_stderr(said), redirect_stdout(io.StringIO()):
                    if each.program == "freqtrade-mem0":
                        parser.parse_args(each.arguments)
                    else:
                        Arguments(list(each.arguments)).get_parsed_arg()
            except SystemExit as ended:
                if ended.code:
                    refused.append(f"{page.name}: {each.line}: {said.getvalue().splitlines()[-1]}")
    assert refused == []
    assert n_commands > 70


def test_extras_that_are_named_exist() -> None:
    """`pip install ".[postgres]"` and the like name an extra of pyproject.toml."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"][
        "optional-dependencies"
    ]
    pages = [ROOT / "README.md", ROOT / "Dockerfile", *DOCS.rglob("*.md")]
    named = set()
    for page in pages:
        for found in re.findall(r"\"\.\[([a-z0-9,]+)\]\"", page.read_text(encoding="utf-8")):
            named |= set(found.split(","))
    for module in (ROOT / "freqtrade_mem0").rglob("*.py"):
        text = module.read_text(encoding="utf-8")
        named |= set(re.findall(r"how_to_install\(['\"](\w+)['\"]\)", text))
        # This package is on no index yet, so a message names the packages that are missing.
        assert re.search(r"freqtrade-mem0\[\w", text) is None, module
    assert len(named) > 5
    assert named <= set(extras)


def test_keys_that_the_docs_name_exist() -> None:
    """A key of the config that is renamed or removed takes its name in the docs along."""
    keys = set(_paths(Settings)) | {"sizing.split.experts.response"}
    blocks = {key.rpartition(".")[0] for key in keys} - {""}
    named, unknown = 0, []
    for page in [ROOT / "README.md", *sorted(DOCS.glob("[!d]*/*.md")), *sorted(DOCS.glob("*.md"))]:
        for key in re.findall(r"`(?:mem0\.)?([a-z_]+(?:\.[a-z_]+)+)`", page.read_text("utf-8")):
            if key.split(".")[0] in blocks and not key.endswith(
                (".py", ".md", ".sqlite", ".zip", ".json")
            ):
                named += 1
                if key not in keys | blocks | set(EVENTS):
                    unknown.append(f"{page.name}: {key}")
    assert unknown == []
    assert named > 100


def test_versions_agree() -> None:
    """Of the package, its metadata, and the newest release in the changelog."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    first, *released = re.findall(r"^## \[(.+?)\]", changelog, re.MULTILINE)
    assert project["version"] == freqtrade_mem0.__version__
    assert first == "Unreleased"
    assert released[:1] in ([], [project["version"]])


def test_figures_for_newcomers_are_those_of_the_benchmarks() -> None:
    """The page "Is this for me?" has no figure in its table that the benchmarks lack."""
    measured = (DOCS / "benchmarks.md").read_text(encoding="utf-8")
    page = (DOCS / "is-this-for-me.md").read_text(encoding="utf-8")
    table = re.search(r"^\| mean gain .*?\n\n", page, re.MULTILINE | re.DOTALL)
    assert table is not None
    figures = re.findall(r"[-+]?\d+(?:\.\d+| %)", table[0])
    assert len(figures) > 20
    assert [each for each in figures if each not in measured] == []


def test_no_index_address_is_pinned() -> None:
    """The constraints name packages and versions, nothing else."""
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    assert lines
    assert [line for line in lines if not re.fullmatch(r"[A-Za-z0-9._-]+==[^\s@/]+", line)] == []


def _named_pages(nav: list[Any]) -> Iterator[str]:
    for entry in nav:
        for target in entry.values() if isinstance(entry, dict) else [entry]:
            yield from [target] if isinstance(target, str) else _named_pages(target)


def _paths(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        annotation = field.annotation
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from _paths(annotation, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"


def _keys(block: dict[str, Any], prefix: str = "") -> Iterator[str]:
    for name, value in block.items():
        if isinstance(value, dict) and value:
            yield from _keys(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}"
