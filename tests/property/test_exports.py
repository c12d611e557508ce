"""Whatever is in an export: what is sound is taken, the rest is named, nothing is changed."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from hypothesis import given, settings
from hypothesis import strategies as st

from freqtrade_mem0.archive.export import Wanted, export
from freqtrade_mem0.importers.importer import import_files
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.records.codec import content_hash
from freqtrade_mem0.records.mapping import to_memory
from tests.support.hostile_values import anything, extremes, nested
from tests.support.samples import NOTED, a_note, a_risk_event, a_trade
from tests.unit.importers.result_files import a_store

if TYPE_CHECKING:
    from freqtrade_mem0.importers.report import FileReport
    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.records.base import Record

FORMS = st.sampled_from(["a.jsonl", "a.jsonl.gz", "a.jsonl.zst", "a.parquet"])
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
NUMBERS = st.floats(-1e30, 1e30)


def records(words: list[str], numbers: list[float]) -> list[Record]:
    """Return records of three kinds with these values."""
    made: list[Record] = [a_note(n, content=each) for n, each in enumerate(words)]
    made += [a_risk_event(n, impact=each) for n, each in enumerate(numbers)]
    made += [
        a_trade(n, situation={f"f{word}": number, "w": word})
        for n, (word, number) in enumerate(zip(words, numbers, strict=False))
    ]
    return made


def written(store: MemoryFolder, path: Path) -> Path:
    """Export all records of the user "me"."""
    form = "parquet" if path.suffix == ".parquet" else "jsonl"
    export(store, path, Wanted(scope=Scope(user_id="me")), NOTED, form=form)
    return path


def taken(folder: Path, path: Path) -> tuple[FileReport, dict[str, str]]:
    """Import a file into an empty memory; all that was taken can be read back and told to Mem0."""
    store = a_store(folder, user_id="me")
    report = import_files(store, [path]).files[0]
    found = [record for _, record in store.journal.records()]
    for record in found:
        to_memory(record)
    store.close()
    return report, {record.id: content_hash(record) for record in found}


@settings(max_examples=20)
@given(st.lists(WORDS, max_size=4), st.lists(NUMBERS, max_size=4), FORMS)
def test_any_records_come_back(words: list[str], numbers: list[float], name: str) -> None:
    """With the same ids and content, and the file of the copy is the same."""
    with TemporaryDirectory() as folder:
        store = a_store(Path(folder) / "one", user_id="me")
        made = records(words, numbers)
        store.journal.append(made)
        report, found = taken(Path(folder) / "two", written(store, Path(folder) / name))
        assert found == {record.id: content_hash(record) for record in made}
        assert report.skipped == []
        store.close()


@settings(max_examples=30)
@given(
    st.sampled_from(["kind", "record", "hash", "signature", "line", "field"]),
    anything | extremes | nested,
    st.integers(1, 8),
)
def test_any_value_in_any_line(place: str, value: object, number: int) -> None:
    """The other lines are taken; the odd one is taken as it is, or named."""
    with TemporaryDirectory() as folder:
        store = a_store(Path(folder) / "one", user_id="me")
        made = records(["a", "b", "c"], [1.0, 2.0])
        store.journal.append(made)
        path = written(store, Path(folder) / "a.jsonl")
        lines = path.read_text().splitlines()
        odd = json.loads(lines[number % len(made) + 1])
        lost = odd["record"]["id"]
        if place == "field":
            names = list(odd["record"])
            odd["record"][names[number % len(names)]] = value
        else:
            odd = value if place == "line" else odd | {place: value}
        lines[number % len(made) + 1] = json.dumps(odd)
        path.write_text("\n".join(lines))
        report, found = taken(Path(folder) / "two", path)
        good = {record.id: content_hash(record) for record in made}
        assert found.items() <= good.items()
        assert set(good) - set(found) <= {lost}
        assert len(found) == len(made) or report.skipped
        store.close()


@settings(max_examples=30)
@given(FORMS, st.binary(max_size=100), st.integers(0, 3_000))
def test_any_bytes_in_an_export(name: str, noise: bytes, position: int) -> None:
    """Nothing that was not exported is taken, and what is missing is said."""
    with TemporaryDirectory() as folder:
        store = a_store(Path(folder) / "one", user_id="me")
        made = records(["a", "b", "c"], [1.0, 2.0])
        store.journal.append(made)
        path = written(store, Path(folder) / name)
        content = path.read_bytes()
        position %= len(content)
        path.write_bytes(content[:position] + noise + content[position + len(noise) :])
        report, found = taken(Path(folder) / "two", path)
        good = {record.id: content_hash(record) for record in made}
        assert found.items() <= good.items()
        assert len(found) == len(made) or report.skipped
        assert "not known" not in str(report.skipped)
        store.close()
