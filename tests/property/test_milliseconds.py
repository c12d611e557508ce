"""Times and their milliseconds, over all of Python's calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from freqtrade_mem0.records.base import as_utc, from_ms, to_ms, utc_ms


@given(st.integers(-62_135_596_800_000, 253_402_300_799_999))
def test_every_millisecond_comes_back(milliseconds: int) -> None:
    """Each number of Python's calendar is a time and the same number again."""
    moment = from_ms(milliseconds)

    assert (milliseconds, UTC) == (to_ms(moment), moment.tzinfo)


@given(st.datetimes(timezones=st.just(UTC)))
def test_a_time_loses_less_than_a_millisecond(moment: datetime) -> None:
    """There and back loses the microseconds, never more."""
    assert timedelta(0) <= moment - from_ms(to_ms(moment)) < timedelta(milliseconds=1)


@given(
    st.datetimes(timezones=st.sampled_from([None, UTC, ZoneInfo("UTC"), ZoneInfo("Asia/Tokyo")]))
)
def test_the_short_way_is_the_long_way(moment: datetime) -> None:
    """In the zones of Freqtrade, and in any other."""
    assert utc_ms(moment) == to_ms(moment if moment.tzinfo else as_utc(moment))
