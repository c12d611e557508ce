"""Signatures of webhooks, as Standard Webhooks (version 1) defines them.

References
----------
https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets as random_bytes
from hashlib import sha256
from typing import TYPE_CHECKING

from freqtrade_mem0.errors import ConfigError, ScopeError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

BEGINNING = "whsec_"
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE_S = 300
"""How far the time of a webhook may be from ours."""

_VERSION = "v1"
_FEWEST_BYTES, _MOST_BYTES = 24, 64
_LONGEST_ID = 256
_MOST_SIGNATURES = 20


def new_secret() -> str:
    """Return a new random secret."""
    return BEGINNING + base64.b64encode(random_bytes.token_bytes(32)).decode()


def key_of(secret: str, name: str) -> bytes:
    """Return the key in a secret, `whsec_` and base64; `ConfigError`, with `name`, in any other."""
    text = secret.removeprefix(BEGINNING)
    try:
        key = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (ValueError, binascii.Error):
        key = b""
    if not secret.startswith(BEGINNING) or not _FEWEST_BYTES <= len(key) <= _MOST_BYTES:
        raise ConfigError(
            f'"{name}" must stand for {BEGINNING} and {_FEWEST_BYTES} to {_MOST_BYTES} bytes in '
            "base64. 'freqtrade-mem0 webhooks secret' makes one."
        )
    return key


def signature(keys: Sequence[bytes], message_id: str, timestamp_s: int, body: bytes) -> str:
    """Return the signatures of a message with each key, as the header has them.

    >>> key = key_of("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "secret")
    >>> signature([key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    'v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE='
    """
    signed = b".".join([message_id.encode(errors="replace"), str(timestamp_s).encode(), body])
    made = (base64.b64encode(hmac.digest(key, signed, sha256)).decode() for key in keys)
    return " ".join(f"{_VERSION},{each}" for each in made)


def verified_id(
    keys: Sequence[bytes], headers: Mapping[str, str], body: bytes, now_s: float
) -> str:
    """Return the id of a webhook that one of the keys has signed.

    Parameters
    ----------
    keys
        Of the secrets that are accepted.
    headers
        Of the request, found by names in small letters.
    body
        As it was sent.
    now_s
        Epoch seconds.

    Raises
    ------
    ScopeError
        A header is missing or wrong, the time is not within five minutes of ours, or no signature
        is right.
    """
    message_id, time_text = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if (
        not 0 < len(message_id) <= _LONGEST_ID
        or not time_text.isascii()
        or not (time_text.isdecimal() and len(time_text) <= len("9999999999"))
    ):
        raise ScopeError(
            f"A signed webhook needs the headers {ID} and {TIMESTAMP} (epoch seconds)."
        )
    if abs(now_s - int(time_text)) > TOLERANCE_S:
        raise ScopeError(
            f"The webhook's time is more than {TOLERANCE_S} s from this machine's: an old webhook "
            "is not taken again. Set the clocks, and send it anew."
        )
    given = headers.get(SIGNATURE, "").split(" ")[:_MOST_SIGNATURES]
    right = signature(keys, message_id, int(time_text), body).split(" ")
    # Every pair is compared, so that the time does not tell.
    matches = [
        hmac.compare_digest(a.encode(errors="replace"), b.encode()) for a in given for b in right
    ]
    if not any(matches):
        raise ScopeError("The webhook's signature is wrong: its sender has another secret.")
    return message_id
