"""Whatever is sent to any route with a key of any role, the answer is one that is described."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.core.failures import FailureGroup

from freqtrade_mem0.service.keys import Role
from freqtrade_mem0.service.rates import RateLimit
from freqtrade_mem0.service.routes import upkeep
from tests.support.served import Served, served

if TYPE_CHECKING:
    from collections.abc import Iterator

_REFUSED_BY_A_RULE = "RejectedPositiveData"
"""Schemathesis's name for a request that fits OpenAPI and is refused all the same. The library's
rules (a name without blanks, a price that fits the profit) say more than a schema can."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A service that starts no jobs, and lets everybody guess keys as often as they like."""
    block: Any = {"service": {"requests_per_minute": 10_000_000, "maintain_hours": None}}
    with (
        served(tmp_path_factory.mktemp("site"), **block) as running,
        pytest.MonkeyPatch.context() as patched,
    ):
        running.service.runner.stop()
        patched.setattr(upkeep, "FORGET_WAIT_S", 0.0)
        running.service.failures = RateLimit(1e9)
        yield running


@pytest.mark.parametrize("role", [role.name.lower() for role in Role])
def test_every_answer_is_described(site: Served, role: str) -> None:
    """No error of the server, no status, type or header that the description does not have."""
    headers = {"X-API-Key": site.key(role), "Host": "localhost"}
    schema = schemathesis.openapi.from_asgi("/openapi.json", site.app, headers=headers)
    n_routes = 0
    for found in schema.get_all_operations():
        n_routes += 1

        @settings(
            max_examples=3,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=found.ok().as_strategy())
        def ask(case: Any) -> None:
            try:
                case.call_and_validate(headers=headers)
            except FailureGroup as group:
                names = {type(each).__name__ for each in group.exceptions}
                if names != {_REFUSED_BY_A_RULE}:
                    raise

        ask()
    assert n_routes > 25
