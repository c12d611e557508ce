"""The memory that an agent consults: it asks before a trade, and logs what it decided."""

from __future__ import annotations

import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

from freqtrade_mem0.agents.answers import NEAREST, answer, nothing
from freqtrade_mem0.agents.commands import read_command
from freqtrade_mem0.agents.decisions import DecisionLog, checked_agent
from freqtrade_mem0.agents.known import KnownTrades
from freqtrade_mem0.agents.proposing import AgentProposals
from freqtrade_mem0.agents.signal import named_strategy, read_signal
from freqtrade_mem0.client.described import described
from freqtrade_mem0.client.mem0_client import Mem0Client
from freqtrade_mem0.core_memory.live_files import LiveFiles
from freqtrade_mem0.core_memory.log import n_unresolved
from freqtrade_mem0.core_memory.outcomes import StoredCandles
from freqtrade_mem0.journal.scope import Scope
from freqtrade_mem0.session_memory.opening import open_session_store
from freqtrade_mem0.session_memory.session import Session
from freqtrade_mem0.views.entries import features_of
from freqtrade_mem0.views.present import Market
from freqtrade_mem0.words.numbers import counted
from freqtrade_mem0.words.visible import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from freqtrade_mem0.agents.signal import Signal
    from freqtrade_mem0.views.present import Present
    from freqtrade_mem0.views.values import Facts

logger = logging.getLogger(__name__)

DEFAULT_AGENT = "agent"
_RESOLVE_EVERY = timedelta(minutes=1)


class AgentMemory(AgentProposals):
    """Answers an agent's questions from the memory of the bots, and keeps its decisions.

    It places no orders. What an agent writes is labelled as an agent's, and never counts as
    evidence for a stake. Safe to share between threads; `MemoryConnector` is the same for
    asynchronous code.

    Parameters
    ----------
    agent_id
        Name of the agent, without blanks; None for `mem0.bot_id`, else "agent".
    memory_path
        Folder of the memory; None for that of the config, see `get_mem0_client`.
    config, user_data_dir
        As in `get_mem0_client`. The config also says where Freqtrade stores candles.
    client
        An open client to use instead, which is closed with this.
    now
        Returns the time, aware UTC.

    Raises
    ------
    ConfigError
        The config is wrong.
    RecordError
        `agent_id` has blanks or is "*".

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder, AgentMemory("trader_1", folder) as memory:
    ...     found = memory.analyze_signal({"symbol": "BTCUSDT", "action": "BUY"})
    ...     print(found["multiplier"], found["is_known"], found["pair"])
    1.0 False BTC/USDT
    """

    def __init__(
        self,
        agent_id: str | None = None,
        memory_path: Path | str | None = None,
        *,
        config: Mapping[str, Any] | Path | str | None = None,
        user_data_dir: Path | str | None = None,
        client: Mem0Client | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        found = described(config, user_data_dir=user_data_dir, path=memory_path)
        self.client = client or Mem0Client(found.memory)
        self._memory = memory = self.client.folder
        self.agent_id = checked_agent(agent_id or memory.settings.bot_id or DEFAULT_AGENT)
        self._now = now
        self._market = Market(memory=memory, config=found.config, user_data_dir=found.user_data_dir)
        self._trades = KnownTrades(memory, self.client.reach, self.client.place)
        self._lock = threading.Lock()  # of `_trades`
        self._resolve_at = now()
        self._session: Session | None = None
        self._files = LiveFiles(found.memory, self.client.user_id)
        candles = StoredCandles(found.config, found.user_data_dir)
        self.log = DecisionLog(self.client, self.agent_id, candles, self._trades.pairs, now)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.agent_id!r}; {self._memory!r})"

    def initialize(self) -> Facts:
        """Open the memory and fill in known outcomes; return what it knows.

        That is `agent_id`, `folder`, `pairs` that are known, `unresolved` decisions, and `text`.
        `JournalError`: the journal can not be used.
        """
        self._memory.journal.open()
        self.log.resolve()
        pairs, waiting = self._trades.pairs(), n_unresolved(self._memory, self.client.user_id)
        known = f"trades of {counted(len(pairs), 'pair')}" if pairs else "no trades yet"
        return {
            "agent_id": self.agent_id,
            "folder": str(self._memory.folder),
            "pairs": pairs,
            "unresolved": waiting,
            "text": f"Agent {self.agent_id}: {known} in {self._memory.folder}; outcomes of "
            f"{counted(waiting, 'decision')} are not known.",
        }

    def send_command(self, command: str, params: Mapping[str, Any] | None = None) -> Facts:
        """Run a command by its name and return its answer.

        Parameters
        ----------
        command
            `analyze_market`, `analyze_signal`, `log_decision`, `propose_rule`,
            `propose_parameters`, `parameters`.
        params
            The market, signal or rule; of `log_decision` the decision itself, or `decision` and
            `result`; of the others the arguments of the method.

        Raises
        ------
        RecordError
            There is no such command, or the decision can not be kept.
        """
        name, args, named = read_command(command, params)
        found: Facts | str = getattr(self, name)(*args, **named)
        return {"id": found} if isinstance(found, str) else found

    def analyze_signal(self, signal: Mapping[str, Any], shown: slice = NEAREST) -> Facts:
        """Return what memory would make of an entry now.

        The multiplier is computed as for a bot's stake, from the trades of the strategy's dry-run
        bot, else its live bot, else its newest backtest, and accepted priors.

        Parameters
        ----------
        signal
            `symbol` (or `pair`), `action` (or `side`), and where known `strategy`, `enter_tag` and
            features of the situation. Without features, the situation is that of the newest candle
            that Freqtrade has stored. Other keys have no effect.

        Returns
        -------
        dict
            `multiplier` of the proposed stake; `confidence`, the probability that such entries gain
            on average (0.5 where nothing is known); `reason`, in words; `expected_ratio` with its
            95 % `interval` (None where unknown); `n_effective`, the effective number of trades
            behind it; `nearest_trades`, losses first; `is_known`; `is_vetoed`, whether a bot would
            refuse the entry; `problems`, what was wrong in the signal (`key`, `value`, `rule`),
            which is never raised; `guesses`.

        Raises
        ------
        JournalError
            The journal can not be read.
        """
        self._resolve_now_and_then()
        with self._lock:
            return self._analyzed(signal, shown=shown)

    def analyze_market(self, market: Mapping[str, Any]) -> Facts:
        """Return what memory knows about a market now.

        Parameters
        ----------
        market
            `symbol` (or `pair`), and where known `timeframe` and `strategy`.

        Returns
        -------
        dict
            `pair`, `market` (its situation in words), `situation`, `is_known`, and `sides`: for
            each side that the known trades have, the answer of `analyze_signal`; `problems`,
            `guesses`.
        """
        with self._lock:
            given = dict(market) if isinstance(market, dict) else {"symbol": market}
            timeframe = given.pop("timeframe", None)
            timeframe = timeframe if isinstance(timeframe, str) else ""
            signal = self._read(given)
            present = self._present(signal, timeframe)
            asked = self._trades.of(signal.strategy)
            sides = [signal.side] if signal.action or asked is None else sorted(asked.sides)
            answers = {
                side: self._analyzed(given | {"side": side}, present) for side in sides if side
            }
        return {
            "pair": visible(signal.pair),
            "market": None if present is None else visible(present.text),
            "situation": {} if present is None else dict(present.situation),
            "is_known": any(each["is_known"] for each in answers.values()),
            "sides": answers,
            "problems": list(signal.problems),
            "guesses": [visible(text) for text in signal.guesses if not text.startswith("No side")],
        }

    def log_decision(self, decision: Mapping[str, Any] | str, result: Any = None) -> str:
        """Keep a decision, and what came of it where that is known; return its id.

        See `DecisionLog.log`.
        """
        self._resolve_now_and_then()
        kept = self.log.log(decision, result)
        self._write_files()
        return kept

    @property
    def session(self) -> Session:
        """Values that end after a time, as `mem0.session` says; see `Session`."""
        settings = self._memory.settings.session
        if self._session is None:
            store = open_session_store(settings, self._memory.folder)
            self._session = Session(
                store,
                f"{self.client.user_id} {self.agent_id}",
                ttl_s=settings.ttl_s,
                refresh_on_read=settings.refresh_on_read,
            )
        return self._session

    def close(self) -> None:
        """Release files and connections. Closing twice is harmless."""
        if self._session is not None:
            self._session.store.close()
        self.client.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def _resolve_now_and_then(self) -> None:
        """Fill in known outcomes if that was not done lately; not for a client of a part."""
        now = self._now()
        if self.client.reach != Scope(user_id=self.client.user_id):
            return
        if self._trades.exists and now >= self._resolve_at:
            self._resolve_at = now + _RESOLVE_EVERY
            self.log.resolve()
            self._write_files()

    def _write_files(self) -> None:
        """Write what is new into the files, if the config asks for it; the journal has it too."""
        try:
            self._files.update()
        except OSError as error:
            logger.warning("The files in %s can not be written: %s", self._files.folder, error)

    def _analyzed(
        self, given: Any, present: Present | None = None, *, shown: slice = NEAREST
    ) -> Facts:
        signal = self._read(given)
        if not signal.pair or not signal.side:
            return nothing(signal, "the signal can not be read (see problems).")
        asked = self._trades.of(signal.strategy)
        if asked is None:
            return nothing(signal, self._trades.why_nothing(signal.strategy))
        if present is None and not signal.situation:
            present = self._present(signal, "")
        return answer(signal, asked, self._now(), self._trades.levels, present, shown=shown)

    def _read(self, given: Any) -> Signal:
        asked = self._trades.of(named_strategy(given))
        features = features_of(self._trades.levels) if asked is None else list(asked.features)
        sides = [] if asked is None else sorted(asked.sides)
        return read_signal(given, self._trades.pairs(), features, sides)

    def _present(self, signal: Signal, timeframe: str) -> Present | None:
        if not signal.pair:
            return None
        asked = self._trades.of(signal.strategy)
        strategy = signal.strategy or ("" if asked is None else asked.run.origin.strategy)
        return self._market.with_timeframe(timeframe).look_up(strategy, signal.pair, self._now())
