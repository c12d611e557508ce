"""A kind of record is one module: put into the package, it is known everywhere."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest

from freqtrade_mem0.cli.main import main
from freqtrade_mem0.config.settings import Settings
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.memory_folder import MemoryFolder
from freqtrade_mem0.records import kinds
from freqtrade_mem0.records.codec import content_hash, decode, encode, hash_of
from freqtrade_mem0.records.kinds import record_types
from freqtrade_mem0.records.mapping import from_memory, to_memory
from tests.support.samples import NOTED, ORIGIN, a_trade, at

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from freqtrade_mem0.records.base import Record

DREAM = """
from dataclasses import dataclass
from typing import ClassVar

from freqtrade_mem0.records.base import Category, Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Dream(Record):
    kind: ClassVar[str] = "dream"
    default_category: ClassVar[Category] = Category.PORTFOLIO_PATTERNS
    added_later: ClassVar[tuple[str, ...]] = (',"is_good":false',)

    about: str
    is_good: bool = False

    def sentence(self) -> str:
        return f"A dream about {self.about}"

    def filter_keys(self):
        return {"about": self.about}
"""


@pytest.fixture
def dream(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Record]:
    """A record of a kind that nothing but its own module names."""
    (tmp_path / "dream.py").write_text(DREAM, encoding="utf-8")
    monkeypatch.setattr(kinds, "__path__", [*kinds.__path__, str(tmp_path)])
    record_types.cache_clear()
    made: Any = import_module(f"{kinds.__name__}.dream")
    yield made.Dream(id="1", origin=ORIGIN, known_at=at(), recorded_at=NOTED, about="profit")
    del sys.modules[made.__name__]
    record_types.cache_clear()


def test_a_module_of_its_own_is_all_a_kind_needs(dream: Record, tmp_path: Path) -> None:
    """It is encoded, described, mapped to Mem0 and back, appended and read."""
    memory = to_memory(dream)
    journal = Journal(tmp_path)
    journal.append([a_trade(), dream])

    assert (dream, dream) == (decode("dream", encode(dream)), from_memory(memory))
    assert memory.text == "A dream about profit"
    assert {"kind": "dream", "about": "profit", "category": "portfolio_patterns"}.items() <= (
        memory.metadata.items()
    )
    assert [(2, dream)] == list(journal.records(Scope(kind="dream")))
    assert journal.counts()["dream", "portfolio_patterns", "dry_run"] == 1
    journal.close()


def test_the_commands_know_it(
    dream: Record,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`records --kind` offers it, `stats` counts it."""
    monkeypatch.chdir(tmp_path)
    config = tmp_path / "config.json"
    config.write_text(json.dumps({"mem0": {"user_id": "me"}}), encoding="utf-8")
    store = MemoryFolder(Settings.model_validate({"user_id": "me"}), tmp_path)
    store.journal.append([dream])
    store.close()
    options = ["--userdir", str(tmp_path), "-c", str(config), "--json"]

    assert main(["records", "--kind", "dream", *options]) == 0
    (listed,) = json.loads(capsys.readouterr().out)
    assert (listed["kind"], listed["text"]) == ("dream", "A dream about profit")
    assert main(["stats", *options]) == 0
    assert json.loads(capsys.readouterr().out)["journal"]["by_kind"] == {"dream": 1}


def test_a_field_added_later_leaves_old_hashes(dream: Record) -> None:
    """A record without it says the same as before the field was there; one with it does not."""
    old = encode(dream).replace(',"is_good":false', "")

    assert hash_of(old, added_later=()) == content_hash(dream)
    assert content_hash(replace(dream, is_good=True)) != content_hash(dream)  # type: ignore[call-arg]


def test_fields_of_two_later_versions_leave_the_hashes_of_each() -> None:
    """Only the fields at the end that are at their default are left out, the last ones first."""
    body = '{"recorded_at":"x","a":1,"b":false,"c":null}'
    added = (',"b":false', ',"c":null')

    assert hash_of(body, added) == hash_of('{"recorded_at":"x","a":1}', ())
    kept = body.replace("false", "true")
    assert hash_of(kept, added) == hash_of('{"recorded_at":"x","a":1,"b":true}', ())
    whole = body.replace("null", "3")
    assert hash_of(whole, added) == hash_of(whole, ())


def test_two_classes_of_one_kind_are_refused(dream: Record, tmp_path: Path) -> None:
    """Else which of them decodes a row would depend on the names of files."""
    (tmp_path / "nightmare.py").write_text(DREAM, encoding="utf-8")
    record_types.cache_clear()

    with pytest.raises(TypeError, match=f"both of kind {dream.kind}"):
        record_types()
    del sys.modules[f"{kinds.__name__}.nightmare"]


def test_every_kind_is_complete() -> None:
    """Each has a sentence of its own and a category."""
    for name, record_type in record_types().items():
        assert "sentence" in vars(record_type), name
        assert record_type.default_category
