"""Metrics for Prometheus, read when it asks. Their labels are bounded: no pair, user or strategy.

What has to be counted is counted now and then beside the requests, as it takes a second at a
million records.
"""

from __future__ import annotations

import time
from contextlib import suppress
from statistics import fmean
from typing import TYPE_CHECKING, Any

from freqtrade_mem0 import __version__
from freqtrade_mem0.journal.journal import Journal
from freqtrade_mem0.journal.outbox import Outbox, OutboxState
from freqtrade_mem0.lifecycle.tiers import counted
from freqtrade_mem0.service.bots import MOST_BOTS, Bot, BotCounts
from freqtrade_mem0.views.webhooks import Totals, webhook_totals

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from prometheus_client.core import Metric

    from freqtrade_mem0.memory_folder import MemoryFolder

NAMESPACE = "freqtrade_mem0"
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_COUNT_EVERY_S = 60.0
_LEAST_PAUSE = 50
"""Pause between counts, as a multiple of what one takes."""

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)


class Metrics:
    """What Prometheus reads of one service.

    Parameters
    ----------
    memory
        The memory.
    """

    def __init__(self, memory: MemoryFolder) -> None:
        from prometheus_client import CollectorRegistry, Counter, Histogram

        self._memory = memory
        self._journal = Journal(memory.folder)  # its own connection: no request waits for a count
        self._outbox = Outbox(self._journal)
        self._webhooks = Totals()
        self._bots = BotCounts(memory, self._journal)
        self._state = OutboxState(pending=0, dead=0, last_error="")
        self._memories: Mapping[tuple[str, str], int] = {}
        self._n_asked = 0
        self._count_at_s = 0.0
        self._registry = CollectorRegistry(auto_describe=False)
        self._operations = Counter(
            "operations",
            "Requests that were answered.",
            ("operation", "backend", "outcome"),
            namespace=NAMESPACE,
            registry=self._registry,
        )
        self._durations = Histogram(
            "operation_duration_seconds",
            "How long answers took.",
            ("operation",),
            namespace=NAMESPACE,
            buckets=_BUCKETS,
            registry=self._registry,
        )
        self._registry.register(self)

    def answered(self, operation: str, status: int, seconds: float) -> None:
        """Count an answer; `operation` is the name of a route."""
        self._operations.labels(operation, self._memory.settings.mode, _outcome(status)).inc()
        self._durations.labels(operation).observe(seconds)

    def count(self) -> None:
        """Count what waits; and what is in the journal, if that was not done lately.

        It is called beside the requests, as both take long where there is much.
        """
        began_s = time.monotonic()
        if not self._journal.path.exists():
            return
        self._webhooks = webhook_totals(self._memory.folder)
        if self._memory.delivers:
            self._state = self._outbox.state()
        self._bots.look()
        if began_s < self._count_at_s:
            return
        self._memories = counted(self._journal)
        (self._n_asked,) = self._journal.connection.row("SELECT coalesce(sum(n), 0) FROM asked")
        took_s = time.monotonic() - began_s
        self._count_at_s = began_s + max(_COUNT_EVERY_S, _LEAST_PAUSE * took_s)

    @property
    def memories(self) -> Mapping[tuple[str, str], int]:
        """How many records there are by tier and category, as they were counted last."""
        return self._memories

    def close(self) -> None:
        """Release files."""
        self._journal.close()

    def text(self) -> bytes:
        """Return everything in Prometheus's text format."""
        from prometheus_client import generate_latest

        text: bytes = generate_latest(self._registry)
        return text

    def collect(self) -> Iterator[Metric]:
        """Yield what is read when Prometheus asks."""
        memory = self._memory
        state = self._state
        yield _gauge("build_info", "The version, as a label.", {(__version__,): 1}, ("version",))
        waiting = {("pending",): state.pending, ("dead",): state.dead}
        yield _gauge("outbox_records", "Records that wait for Mem0.", waiting, ("state",))
        since = state.waiting_since
        lag_s = 0.0 if since is None else max(0.0, time.time() - since.timestamp())
        yield _gauge("delivery_lag_seconds", "Age of the oldest record that waits.", {(): lag_s})
        yield _gauge("delivery_failures", "Failed deliveries in a row.", {(): state.failures})
        yield _gauge("store_bytes", "Size of a file.", _sizes(memory), ("store",))
        hooks = self._webhooks
        messages = {("waiting",): hooks.waiting, ("dead",): hooks.dead}
        yield _gauge(
            "webhook_messages", "Events that wait, or were given up.", messages, ("state",)
        )
        tried = {("sent",): hooks.n_sent, ("failed",): hooks.n_failed}
        text = "Attempts to send events."
        yield _family("counter", "webhook_attempts", text, tried, ("outcome",))
        text = "Records, counted now and then."
        yield _gauge("memories", text, self._memories, ("tier", "category"))
        text = "How often memories were answers."
        yield _family("counter", "recall_hits", text, {(): self._n_asked}, ())
        is_away = state.failures >= memory.settings.delivery.breaker_failures
        yield from bot_metrics(self._bots, time.time(), is_away=is_away)


def bot_metrics(bots: BotCounts, now_s: float, *, is_away: bool) -> Iterator[Metric]:
    """Yield what bots did; `is_away` is whether Mem0 can not be reached."""
    shown = bots.shown
    for name, text in {
        "decisions": "Decisions on entries that were made.",
        "trades": "Trades that were closed.",
        "risk_events": "Risk events.",
    }.items():
        numbers = {key: getattr(bot, f"n_{name}") for key, bot in shown.items()}
        yield _family("counter", f"bot_{name}", text, numbers, Bot._fields)
    means = {key: fmean(bot.multipliers) for key, bot in shown.items() if bot.multipliers}
    text = "Mean stake multiplier of the newest 50 decisions."
    yield _gauge("bot_multiplier_mean", text, means, Bot._fields)
    known = {key: fmean(bot.hits) for key, bot in shown.items() if bot.hits}
    text = "Share of the newest 50 decisions for which recall knew trades to go by."
    yield _gauge("bot_recall_hit_ratio", text, known, Bot._fields)
    ages = {key: max(0.0, now_s - bot.last_ms / 1_000) for key, bot in shown.items()}
    text = "Age of the newest record or decision."
    yield _gauge("bot_last_record_age_seconds", text, ages, Bot._fields)
    running = {key: min(1, bot.n_running) for key, bot in shown.items()}
    yield _gauge("bot_up", "Whether the bot gave a sign of life lately.", running, Bot._fields)
    waiting: dict[tuple[str, ...], int] = {}
    lags: dict[tuple[str, ...], float] = {}
    troubles: dict[tuple[str, ...], int] = {}
    for key, bot in shown.items():
        waiting |= {(*key, "pending"): bot.n_pending, (*key, "dead"): bot.n_dead}
        since_ms = bot.waiting_since_ms
        lags[key] = 0.0 if since_ms is None else max(0.0, now_s - since_ms / 1_000)
        troubles[*key, "away"] = int(is_away and bot.n_pending > 0)
        troubles[*key, "refused"] = int(bot.n_dead > 0)
        troubles[*key, "namesake"] = int(bot.has_namesake)
    text = "Records of the bot that wait for Mem0."
    yield _gauge("bot_outbox_records", text, waiting, (*Bot._fields, "state"))
    text = "Age of the bot's oldest record that waits."
    yield _gauge("bot_delivery_lag_seconds", text, lags, Bot._fields)
    text = "1: Mem0 is away, refused records, or another bot has the same name."
    yield _gauge("bot_memory_trouble", text, troubles, (*Bot._fields, "kind"))
    left_out = {(): bots.n_left_out}
    yield _gauge("bots_left_out", f"Bots beyond {MOST_BOTS}, without series.", left_out)


def _gauge(name: str, text: str, values: Mapping[Any, float], labels: Iterable[str] = ()) -> Metric:
    return _family("gauge", name, text, values, labels)


def _family(
    kind: str, name: str, text: str, values: Mapping[Any, float], labels: Iterable[str]
) -> Metric:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    families = {"gauge": GaugeMetricFamily, "counter": CounterMetricFamily}
    family = families[kind](f"{NAMESPACE}_{name}", text, labels=tuple(labels))
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _outcome(status: int) -> str:
    kinds = {2: "ok", 3: "ok", 4: "refused", 5: "failed"}
    return kinds.get(status // 100, "failed")


def _sizes(memory: MemoryFolder) -> dict[tuple[str, ...], float]:
    """Return the bytes of the known files; a file that is not there has none."""
    files = {"journal": "journal.sqlite", "mem0": "memories.sqlite", "service": "service.sqlite"}
    sizes: dict[tuple[str, ...], float] = {}
    for store, name in files.items():
        with suppress(OSError):
            sizes[(store,)] = float((memory.folder / name).stat().st_size)
    return sizes
