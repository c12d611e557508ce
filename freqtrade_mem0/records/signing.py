"""Signatures of records in Mem0: only who has the owner's key can make one.

The signature is an HMAC-SHA256 (RFC 2104) over the kind of the record and its JSON in one form:
keys sorted, no blanks.
"""

from __future__ import annotations

import hmac
import json
from dataclasses import replace
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import RecordError

if TYPE_CHECKING:
    from freqtrade_mem0.records.memory import Memory

SIGNATURE = "signature"
"""The key of a memory's metadata."""


def signed(memory: Memory, key: bytes) -> Memory:
    """Return the memory of a record with its signature."""
    return replace(memory, metadata={**memory.metadata, SIGNATURE: _signature(memory, key)})


def refuse_unsigned(memory: Memory, key: bytes) -> None:
    """Raise `RecordError` for the memory of a record without the signature of the owner's key."""
    given = memory.metadata.get(SIGNATURE)
    if given is None:
        raise RecordError(
            f"Memory {memory.id} is not signed, and mem0.trust.key asks for signatures; the record "
            "is not used. If it is yours, run 'freqtrade-mem0 deliver --again' on the machine that "
            "recorded it."
        )
    expected = _signature(memory, key)
    if not hmac.compare_digest(str(given).encode(errors="replace"), expected.encode()):
        raise RecordError(
            f"Memory {memory.id} is signed with another key than mem0.trust.key, or was changed "
            "after it was signed; the record is not used."
        )


def _signature(memory: Memory, key: bytes) -> str:
    content = json.loads(str(memory.metadata["record"]))
    canonical = json.dumps(
        [memory.metadata["kind"], content], sort_keys=True, separators=(",", ":")
    )
    return hmac.new(key, canonical.encode(), "sha256").hexdigest()
