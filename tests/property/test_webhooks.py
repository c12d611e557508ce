"""Whatever endpoints answer, whenever processes end: no event is lost, none is sent out of turn."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given, settings
from hypothesis import strategies as st

from freqtrade_mem0.webhooks.post import Outcome
from tests.support.samples import a_trade, at
from tests.support.webhooks import Hooked, Scripted

TAKEN = Outcome(status=204, error="")
ANSWERS = {
    "taken": TAKEN,
    "down": Outcome(status=None, error="It did not answer."),
    "busy": Outcome(status=429, error="It answered 429.", retry_after_s=90.0),
    "broken": Outcome(status=500, error="It answered 500."),
    "refused": Outcome(status=400, error="It answered 400."),
    "moved": Outcome(status=302, error="It answered 302."),
    "gone": Outcome(status=410, error="It answered 410."),
}
STEPS = st.one_of(
    st.tuples(st.just("answer"), st.sampled_from(sorted(ANSWERS))),
    st.tuples(st.just("trade"), st.integers(1, 4)),
    st.tuples(st.just("wait"), st.sampled_from([1, 6, 400, 4_000])),
    st.tuples(st.just("restart"), st.just(0)),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(STEPS, max_size=25))
def test_every_event_arrives_once_in_its_turn(steps: list[tuple[str, int | str]]) -> None:
    """Under the id of its first attempt; versions of a trade in their order."""
    with TemporaryDirectory() as folder:
        endpoint = Scripted(TAKEN)
        hooked = Hooked(Path(folder), "http://n8n:5678/", post=endpoint)
        noted: dict[int, int] = {}
        for what, value in steps:
            if what == "answer":
                endpoint.outcome = ANSWERS[str(value)]
            elif what == "restart":
                hooked.restart()
            elif what == "wait":
                hooked.after(float(value))
            else:
                number = int(value)
                noted[number] = noted.get(number, 0) + 1
                version = 0.001 * noted[number]
                hooked.add(a_trade(number, closed_at=at(9), profit_ratio=version))
                hooked.run()
        hooked.queue.enable()
        endpoint.outcome = TAKEN
        for _ in range(20):
            hooked.after(86_400 / 20)
        rows = hooked.sender.file.rows(
            "SELECT id, about, state FROM messages ORDER BY about, number"
        )
        assert {state for _, _, state in rows} <= {"sent"}
        assert {about for _, about, _ in rows} == {a_trade(number).id for number in noted}
        last_sent = {message_id: place for place, message_id in enumerate(endpoint.ids)}
        for (first, about, _), (second, same, _) in pairwise(rows):
            if about == same:
                assert last_sent[first] < last_sent[second]
