"""Hyperopt results: the best epochs are kept, the others counted."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from freqtrade_mem0.importers.hyperopt import read_epochs
from freqtrade_mem0.importers.report import ImportFileError
from tests.support.samples import NOTED
from tests.unit.importers.result_files import OLD_EPOCHS


def test_the_best_epochs_become_records() -> None:
    """With Freqtrade's metrics, the loss and the parameters that were tried."""
    records, _ = read_epochs(OLD_EPOCHS, "me", NOTED)

    assert [record.origin.run_id for record in records] == [
        "strategy_Tuned_2021-05-12_04-18-27:2",
        "strategy_Tuned_2021-05-12_04-18-27:4",
    ]
    assert [record.metrics["loss"] for record in records] == [2.18, 1.75]
    assert json.loads(records[1].parameters)["buy"] == {"rsi-value": "24"}
    assert records[1].origin.strategy == "Tuned"
    assert records[1].known_at == datetime(2021, 3, 9, 23, 55, tzinfo=UTC)
    assert records[1].sentence().startswith("Hyperopt epoch of Tuned on 2 pairs, 5m")
    assert len({record.id for record in records}) == 2


def test_what_is_not_taken_is_counted() -> None:
    """Worse epochs, and a last line that was never finished."""
    _, skipped = read_epochs(OLD_EPOCHS, "me", NOTED)

    assert [skip.what for skip in skipped] == ["2 of 5 epochs", "line 5"]
    assert "no complete JSON" in skipped[1].why


def test_another_file_is_another_run(tmp_path: Path) -> None:
    """Epoch 2 of one file is not epoch 2 of the other; blanks in names do no harm."""
    copy = Path(shutil.copy(OLD_EPOCHS, tmp_path / "my tuning.fthypt"))
    ids = {record.id for path in (OLD_EPOCHS, copy) for record in read_epochs(path, "me", NOTED)[0]}

    assert len(ids) == 4
    assert read_epochs(copy, "me", NOTED)[0][0].origin.run_id == "my_tuning:2"


def test_an_epoch_without_metrics_is_skipped(tmp_path: Path) -> None:
    """The next one is still read."""
    path = tmp_path / "strategy_X_2024-01-01_00-00-00.fthypt"
    good = OLD_EPOCHS.read_text(encoding="utf-8").splitlines()[1]
    path.write_text('{"is_best": true}\n' + good + "\n", encoding="utf-8")
    records, skipped = read_epochs(path, "me", NOTED)

    assert len(records) == 1
    assert [skip.why for skip in skipped] == ["it has no metrics."]


def test_something_else_is_refused(tmp_path: Path) -> None:
    """JSON lines without the mark that all epochs have."""
    path = tmp_path / "other.fthypt"
    path.write_text('{"a": 1}\n', encoding="utf-8")
    with pytest.raises(ImportFileError, match="no hyperopt result"):
        read_epochs(path, "me", NOTED)
