"""What the running service has: the memory, its keys, its jobs; and who a request comes from."""

from __future__ import annotations

import hmac
import secrets
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from cachetools import LRUCache, TTLCache

from freqtrade_mem0.agents.memory import AgentMemory
from freqtrade_mem0.audit.log import AuditLog
from freqtrade_mem0.client.mem0_client import Mem0Client
from freqtrade_mem0.client.scoped import Bound, ScopedClient
from freqtrade_mem0.mcp_server.server import CallThreads
from freqtrade_mem0.service.beside import Beside, due_job
from freqtrade_mem0.service.file import ServiceFile
from freqtrade_mem0.service.jobs.queue import Jobs
from freqtrade_mem0.service.jobs.runner import JobRunner
from freqtrade_mem0.service.keys import BEGINNING, Keys, Role
from freqtrade_mem0.service.live.sources import Sources
from freqtrade_mem0.service.metrics import Metrics
from freqtrade_mem0.service.rates import RateLimit
from freqtrade_mem0.service.tokens import Tokens
from freqtrade_mem0.views.present import Market
from freqtrade_mem0.webhooks.file import WebhookFile
from freqtrade_mem0.webhooks.heard import Incoming
from freqtrade_mem0.webhooks.sender import worker_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from freqtrade_mem0.memory_folder import MemoryFolder
    from freqtrade_mem0.service.keys import Key

_MOST_AGENTS = 16
_MOST_MEMORIES = 64
_STOP_S = 10.0
_JOBS_TOLD = 20
"""Jobs that webhooks may tell of: more do not end between two looks."""

_SESSION_LASTS_S = 12 * 3_600
_MOST_SESSIONS = 1_000
_FAILURES_PER_MINUTE = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Who asks: a key, a token of it, a person with a cookie, or anybody with `--no-auth`."""

    id: str
    name: str
    role: Role
    bound: Bound = field(default_factory=Bound)
    is_key: bool = False
    """Whether the key itself was shown, and not a token of it."""


_NOBODY = Identity(id="no-auth", name="no-auth", role=Role.ADMIN)
_PERSON = Identity(id="person", name="person", role=Role.ADMIN)
WEBHOOK = Identity(id="webhook", name="webhook", role=Role.WRITER)
"""Whoever sends webhooks with the right signature or secret."""


class Service:
    """The memory and what the service keeps beside it; made once, closed once.

    Parameters
    ----------
    memory
        The memory, which is closed with the service.
    config
        Freqtrade's config: where its candles are.
    user_data_dir
        Freqtrade's user data folder.
    no_auth
        Whether everybody may do everything.
    """

    def __init__(
        self,
        memory: MemoryFolder,
        config: Mapping[str, Any],
        user_data_dir: Path,
        *,
        no_auth: bool = False,
    ) -> None:
        self.memory = memory
        self.no_auth = no_auth
        self.client = Mem0Client(memory)
        self.file = ServiceFile(memory.folder)
        self.keys = Keys(self.file)
        self.tokens = Tokens(self.file)
        self.jobs = Jobs(self.file)
        self.runner = JobRunner(memory, user_data_dir, self.jobs, self._read_anew)
        self.requests = RateLimit(memory.settings.service.requests_per_minute)
        self.failures = RateLimit(_FAILURES_PER_MINUTE)
        self.tool_calls = CallThreads()
        self.metrics = Metrics(memory)
        self.hooks = WebhookFile(memory.folder)
        self.incoming = Incoming(memory.settings.webhooks.incoming, self.hooks)
        self._webhooks = worker_of(memory, lambda: self.jobs.newest(_JOBS_TOLD))
        self.pages = Sources(memory, config)
        self.beside = Beside(
            self.client, (self.note_used_keys, self.keep_schedule, self.metrics.count)
        )
        self.started_at = time.time()
        self.market = Market(memory=memory, config=config, user_data_dir=user_data_dir)
        self._config = config
        self._user_data_dir = user_data_dir
        self._used_ms: dict[str, int] = {}
        self._memories: LRUCache[tuple[Bound, str | None], ScopedClient] = LRUCache(_MOST_MEMORIES)
        self._finding = threading.Lock()
        self._agents: LRUCache[tuple[Bound, str, str], AgentMemory] = LRUCache(_MOST_AGENTS)
        self._making = threading.Lock()
        self._link_code: str | None = None
        self._sessions: TTLCache[str, str | None] = TTLCache(_MOST_SESSIONS, _SESSION_LASTS_S)

    def identified(self, credential: str) -> Identity | None:
        """Return whose key or token a text is, or None."""
        is_key = credential.startswith(BEGINNING)
        if is_key:
            key = self.keys.found(credential)
        else:
            key_id = self.tokens.key_id(credential)
            key = None if key_id is None else self.keys.by_id(key_id)
        if key is None:
            return None
        return self._used(key, is_key=is_key)

    def _used(self, key: Key, *, is_key: bool = False) -> Identity:
        self._used_ms[key.id] = self.file.now_ms()
        return Identity(id=key.id, name=key.name, role=key.role, bound=key.bound, is_key=is_key)

    def anybody(self) -> Identity | None:
        """Return who asks without a key; None where a key is needed."""
        return _NOBODY if self.no_auth else None

    def make_link(self) -> str:
        """Return the code of a link that lets one person in, once."""
        self._link_code = secrets.token_urlsafe(24)
        return self._link_code

    def opened_by(self, code: str) -> str | None:
        """Return a new session for the code of the link, which is used up; None for a wrong one."""
        with self._making:
            known = self._link_code
            if known is None or not hmac.compare_digest(known.encode(), code.encode()):
                return None
            self._link_code = None
            return self._new_session(None)

    def opened_with(self, key: str) -> str | None:
        """Return a new session that may what a key may, as long as the key is valid, or None."""
        who = self.identified(key)
        if who is None or not who.is_key:
            return None
        with self._making:
            return self._new_session(who.id)

    def _new_session(self, key_id: str | None) -> str:
        session = secrets.token_urlsafe(32)
        self._sessions[session] = key_id
        return session

    def person(self, session: str) -> Identity | None:
        """Return who has a session's cookie, or None."""
        with self._making:
            if session not in self._sessions:
                return None
            key_id = self._sessions[session]
        if key_id is None:
            return _PERSON
        key = self.keys.by_id(key_id)
        return None if key is None else self._used(key)

    def end_session(self, session: str) -> None:
        """Forget a session."""
        with self._making:
            self._sessions.pop(session, None)

    def memory_of(self, bound: Bound, user_id: str | None = None) -> ScopedClient:
        """Return the memory within bounds, of one user; `ScopeError` where that is out of them."""
        asked = bound, user_id
        with self._finding:
            found = self._memories.get(asked)
            if found is None:
                self._memories[asked] = found = ScopedClient(self.client, bound, user_id)
            return found

    def agent(self, memory: ScopedClient, name: str | None) -> AgentMemory:
        """Return what answers an agent, within the bounds of a client."""
        agent_id = memory.bound.bot_id or name or self.memory.settings.bot_id or "agent"
        with self._making:
            asked = memory.bound, memory.user_id, agent_id
            made = self._agents.get(asked)
            if made is None:
                made = AgentMemory(
                    agent_id,
                    config=self._config,
                    user_data_dir=self._user_data_dir,
                    client=memory,
                )
                self._agents[asked] = made
            return made

    def _read_anew(self) -> None:
        """Keep nothing of what a job may have changed or deleted."""
        self.client.read_anew()
        with self._making:
            self._agents.clear()

    def note_used_keys(self) -> None:
        """Write when keys were used last."""
        used, self._used_ms = self._used_ms, {}
        self.keys.used(used)
        for key_id in used:
            AuditLog(self.memory.folder).note(f"service key {key_id}", action="used")

    def keep_schedule(self) -> None:
        """Ask for the job that is due."""
        due = due_job(self.memory, self.jobs, self.file.now_ms())
        if due is not None:
            self.jobs.ask(*due, "schedule")
            self.runner.wake()

    def start(self) -> None:
        """Begin to deliver, to run jobs and to keep the schedule."""
        self.memory.journal.open()
        self.beside.start()
        self.runner.start()
        if self._webhooks is not None:
            self._webhooks.start()

    def stop(self) -> None:
        """End what `start` began, and release files and connections."""
        self.runner.stop()
        if self._webhooks is not None:
            self._webhooks.stop(_STOP_S)
        self.pages.close()
        self.beside.stop(_STOP_S)
        self.close()

    def close(self) -> None:
        """Release files and connections."""
        self.note_used_keys()
        self.tool_calls.close()
        self.file.close()
        self.hooks.close()
        self.metrics.close()
        self.client.close()
