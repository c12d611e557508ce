"""The dashboard and the alert rules ask for metrics that there are, with labels that they have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from freqtrade_mem0.records.base import Mode, Origin
from tests.support.samples import a_decision, a_trade
from tests.support.served import served

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = Path(__file__).parents[3] / "docs" / "monitoring"
_SELECTOR = re.compile(r"(freqtrade_mem0_\w+)(?:{([^}]*)})?")
_LABEL = re.compile(r"(\w+)=")
_BY = re.compile(r"by \(([^)]*)\)")


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The labels of each metric of a service, as Prometheus reads them."""
    with served(tmp_path_factory.mktemp("site")) as site, site.as_("admin") as client:
        client.post("/memory", json={"messages": "no leverage"})
        bot = Origin(user_id="ann", strategy="Trend", mode=Mode.LIVE, run_id="bot-1")
        site.service.memory.journal.append([a_decision(1, origin=bot), a_trade(1, origin=bot)])
        site.service.metrics._count_at_s = 0.0
        site.service.metrics._bots._look_at_s = 0.0
        site.service.metrics.count()
        text = client.get("/metrics").text
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


def expressions() -> Iterator[tuple[str, str]]:
    """Yield what is asked of Prometheus, and where."""
    dashboard: Any = json.loads((FOLDER / "grafana.json").read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    rules: Any = yaml.safe_load((FOLDER / "alerts.yml").read_text(encoding="utf-8"))
    for rule in rules["groups"][0]["rules"]:
        assert rule["annotations"]["summary"]
        yield rule["alert"], rule["expr"]


def test_they_ask_for_what_there_is(known: dict[str, set[str]]) -> None:
    """Metrics and labels by their names; everything but the version and one sum is shown."""
    asked = set()
    for where, expression in expressions():
        for name, labels in _SELECTOR.findall(expression):
            asked.add(name)
            assert name in known, (where, name)
            assert set(_LABEL.findall(labels)) <= known[name], where
        grouped = {each.strip() for text in _BY.findall(expression) for each in text.split(",")}
        assert grouped <= {label for labels in known.values() for label in labels}, where
    families = {re.sub("_(bucket|count|sum|created)$", "", name) for name in known}
    shown = {re.sub("_(bucket|count|sum)$", "", name) for name in asked}
    assert families - shown <= {"freqtrade_mem0_build_info", "freqtrade_mem0_operations"}


def test_there_are_few_series(known: dict[str, set[str]]) -> None:
    """No label has the name of what grows without bound."""
    labels = {label for each in known.values() for label in each}
    bounded = {"operation", "backend", "outcome", "le", "state", "store", "tier", "category"}
    assert labels <= bounded | {"version", "bot", "mode", "kind"}
