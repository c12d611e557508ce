"""Whether a search finds notes that were asked for in other words.

    python benchmarks/bench_retrieval.py            # about ten seconds

`retrieval/notes.tsv` holds notes of the kinds that are stored, and for most of them two questions
in other words: one in plain words, one as a trader's short name for the matter. The parts:

* `development`: the weights of the search and the table of terms (`words/trading.py`) were chosen
  with these questions. The short names shaped the table, so their figure is too good.
* `test`: notes and questions that were written after all that was fixed, and used for nothing else.
* `beside`: notes that nobody asks for.

All notes are in one store, so that each is in the way of all others; with `--trades`, memories of
closed trades are there as well. Figures are the mean reciprocal rank (1 when the note always comes
first, 0.5 when it always comes second) and the share of questions whose note is among the first
five; `by_shared_words` says the first for questions that share none, one, or more words with their
note, both parts and styles together. `hashing_alone` ranks by the cosine of hashed words, without
keywords and other names.
"""

from __future__ import annotations

import argparse
import csv
import logging
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import numpy as np

from benchmarks.bench_embedded_store import make_memories
from benchmarks.measuring import print_result, readable
from freqtrade_mem0.backends.in_process.backend import EmbeddedBackend
from freqtrade_mem0.backends.in_process.embedder import HashingEmbedder
from freqtrade_mem0.backends.sqlite.keywords import content_words
from freqtrade_mem0.records.memory import Memory

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from freqtrade_mem0.backends.port import Filters

NOTES = Path(__file__).parent / "retrieval" / "notes.tsv"
PARTS = ("development", "test")
STYLES = ("in_plain_words", "in_slang")
MINE: Filters = {"user_id": "me"}
DEPTH = 1_000  # a note that is not among so many counts as not found
GOALS = {
    "wordllama.test.in_plain_words.mrr": ">= 0.55",
    "times_hashing_alone.test.in_plain_words": ">= 3",
}


def read_notes() -> list[dict[str, str]]:
    """Return the rows of the file."""
    with NOTES.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def memory_of(number: int, row: dict[str, str]) -> Memory:
    """Return a note as a memory."""
    return Memory(
        id=str(UUID(int=10**9 + number)),
        text=row["note"],
        user_id="me",
        agent_id="agent",
        run_id="notes",
        created_at=datetime(2026, 1, 1, tzinfo=UTC),
        metadata={"kind": row["kind"]},
    )


def ranks_of(
    rows: Sequence[dict[str, str]], search: Callable[[str], list[str]]
) -> dict[tuple[str, str, int], list[int]]:
    """Ask all questions; return ranks by part, style and number of shared words."""
    ranks: dict[tuple[str, str, int], list[int]] = {}
    for number, row in enumerate(rows):
        wanted, words = memory_of(number, row).id, set(content_words(row["note"]))
        for style in STYLES if row["part"] != "beside" else ():
            ids = search(row[style])
            shared = min(2, len(words & set(content_words(row[style]))))
            rank = 1 + ids.index(wanted) if wanted in ids else DEPTH
            ranks.setdefault((row["part"], style, shared), []).append(rank)
    return ranks


def figures(ranks: dict[tuple[str, str, int], list[int]]) -> dict[str, Any]:
    """Return the measures of all ranks, by part and style and by shared words."""

    def all_with(part: str | None, style: str | None, shared: int | None) -> dict[str, float]:
        wanted = (part, style, shared)
        chosen = [
            rank
            for key, some in ranks.items()
            if all(want in {None, has} for want, has in zip(wanted, key, strict=True))
            for rank in some
        ]
        return {
            "mrr": readable(sum(1 / rank for rank in chosen) / len(chosen)),
            "recall_at_5": readable(sum(rank <= 5 for rank in chosen) / len(chosen)),
            "questions": len(chosen),
        }

    return {
        **{part: {style: all_with(part, style, None) for style in STYLES} for part in PARTS},
        "by_shared_words": {
            name: all_with(None, None, number)
            for number, name in enumerate(("none", "one", "more"))
        },
        "all": all_with(None, None, None),
    }


def measure(embedder: str, memories: list[Memory], rows: list[dict[str, str]]) -> dict[str, Any]:
    """Fill a store with an embedder's vectors and ask."""
    with tempfile.TemporaryDirectory() as folder:
        backend = EmbeddedBackend(Path(folder), embedder={"provider": embedder})
        backend.write(memories)

        def search(question: str) -> list[str]:
            return [each.id for each in backend.search(question, filters=MINE, limit=DEPTH)]

        answers = figures(ranks_of(rows, search))
        backend.close()
    return answers


def hashing_alone(memories: list[Memory], rows: list[dict[str, str]]) -> dict[str, Any]:
    """Rank by the cosine of hashed words only."""
    embedder = HashingEmbedder()
    matrix = embedder.embed_matrix([each.text for each in memories])

    def search(question: str) -> list[str]:
        cosines = matrix @ embedder.embed(question)
        return [memories[at].id for at in np.argsort(-cosines, kind="stable")]

    return figures(ranks_of(rows, search))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--trades", type=int, default=1_000, help="Closed trades beside the notes.")
    n_trades = parser.parse_args().trades
    logging.disable(logging.WARNING)
    rows = read_notes()
    memories = [memory_of(number, row) for number, row in enumerate(rows)]
    results = {
        "hashing_alone": hashing_alone(memories, rows),
        "hashing": measure("hashing", memories, rows),
        "wordllama": measure("wordllama", memories, rows),
    }
    times = {
        name: readable(results["wordllama"][name]["mrr"] / results["hashing_alone"][name]["mrr"])
        for name in ("all",)
    } | {
        part: {
            style: readable(
                results["wordllama"][part][style]["mrr"]
                / results["hashing_alone"][part][style]["mrr"]
            )
            for style in STYLES
        }
        for part in PARTS
    }
    among = [*memories, *make_memories(n_trades)]
    print_result(
        "retrieval",
        asked={"notes": len(rows), "trades": n_trades},
        figures={
            **results,
            "times_hashing_alone": times,
            "wordllama_among_trades": measure("wordllama", among, rows),
        },
        goals=GOALS,
    )


if __name__ == "__main__":
    main()
