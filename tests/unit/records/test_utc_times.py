"""Times: aware UTC inside, milliseconds in files, exact on the way there and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from freqtrade_mem0.records.base import as_utc, to_ms

INDIA = timezone(timedelta(hours=5, minutes=30))


def test_a_naive_time_is_taken_as_utc() -> None:
    """Freqtrade's database keeps UTC without saying so."""
    naive = datetime(2024, 3, 31, 2, 30)  # noqa: DTZ001 - the point of the test

    assert datetime(2024, 3, 31, 2, 30, tzinfo=UTC) == as_utc(naive)


def test_another_zone_is_converted() -> None:
    """The moment stays, and the zone becomes UTC."""
    converted = as_utc(datetime(2024, 1, 1, 5, 30, tzinfo=INDIA))

    assert (datetime(2024, 1, 1, tzinfo=UTC), UTC) == (converted, converted.tzinfo)


def test_a_zone_that_is_named_utc_becomes_utc_itself() -> None:
    """Freqtrade's dates have it."""
    converted = as_utc(datetime(2024, 1, 1, 5, 30, 1, 250, tzinfo=ZoneInfo("UTC")))

    assert (datetime(2024, 1, 1, 5, 30, 1, 250, tzinfo=UTC), UTC) == (converted, converted.tzinfo)


def test_milliseconds_do_not_depend_on_the_zone() -> None:
    """The same moment is the same number."""
    assert to_ms(datetime(2024, 1, 1, 5, 30, tzinfo=INDIA)) == 1_704_067_200_000


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (datetime(1970, 1, 1, tzinfo=UTC), 0),
        (datetime(2024, 1, 1, 0, 0, 0, 999, tzinfo=UTC), 1_704_067_200_000),
        (datetime(2024, 1, 1, 0, 0, 0, 1_000, tzinfo=UTC), 1_704_067_200_001),
        (datetime(1969, 12, 31, 23, 59, 59, 999_000, tzinfo=UTC), -1),
        (datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), -1),
        (datetime(1960, 1, 1, tzinfo=UTC), -315_619_200_000),
    ],
)
def test_milliseconds_are_whole_and_round_down(moment: datetime, expected: int) -> None:
    """What is finer than a millisecond is cut towards the past, also before 1970."""
    assert expected == to_ms(moment)
