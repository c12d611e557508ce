"""Record ids as evidence stores them: a UUID in 16 bytes, any other id as its text."""

from __future__ import annotations

import re

SEQ_OF_ID = "SELECT seq FROM evidence WHERE id = ? AND is_current = 1"
"""Finds the row that counts under a stored id."""

_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def stored_id(record_id: str) -> bytes | str:
    """Return an id as it is stored.

    >>> stored_id("53f1de6e-4a1f-5864-a6aa-72a7933941fd").hex(), stored_id("mine")
    ('53f1de6e4a1f5864a6aa72a7933941fd', 'mine')
    """
    if _UUID.fullmatch(record_id) is None:
        return record_id
    return bytes.fromhex(record_id.replace("-", ""))


def id_of(stored: bytes | str) -> str:
    """Return the id that is stored.

    >>> id_of(stored_id("53f1de6e-4a1f-5864-a6aa-72a7933941fd"))
    '53f1de6e-4a1f-5864-a6aa-72a7933941fd'
    """
    if not isinstance(stored, bytes):
        return str(stored)  # in a damaged row it may be a number
    digits = stored.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
