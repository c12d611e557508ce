"""Pages of an SQLCipher file whose codes do not fit, made readable again as far as they can be.

SQLCipher refuses a page whose authentication code does not fit, and with it the connection. A page
that is partly damaged is readable but for the damage, as in a plain file, once its code fits.

A page has the encrypted data, an initialization vector of 16 bytes, and a code of 64 bytes:
HMAC-SHA512 of both and the page's number. The file begins with 16 bytes of salt, from which and
from the key the key of the codes is made. See https://www.zetetic.net/sqlcipher/design/.
"""

from __future__ import annotations

import hmac
from hashlib import pbkdf2_hmac
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.modes import CBC

PAGE_BYTES = 4096
_SALT = 16
_VECTOR = 16
_CODE = 64
_MASK = 0x3A
_MAGIC = b"SQLite format 3\x00"
_ROUNDS = 2


def mend(path: Path, data_key: bytes) -> None:
    """Give each whole page of a file, which nobody uses, the code that fits."""
    with path.open("r+b") as file:
        code_key = _code_key(file.read(_SALT), data_key)
        number = 1
        file.seek(0)
        while len(page := file.read(PAGE_BYTES)) == PAGE_BYTES:
            code = _code(page, number, code_key)
            if code != page[-_CODE:]:
                file.seek(number * PAGE_BYTES - _CODE)
                file.write(code)
            number += 1


def decrypted_first(page: bytes, data_key: bytes) -> bytes:
    """Return the first page of a file as a plain file has it."""
    data, vector = page[_SALT : -_VECTOR - _CODE], page[-_VECTOR - _CODE : -_CODE]
    cipher = _aes(data_key, vector).decryptor()
    return _MAGIC + cipher.update(data) + cipher.finalize() + page[-_VECTOR - _CODE :]


def encrypted_first(plain: bytes, page: bytes, data_key: bytes) -> bytes:
    """Return a plain first page, encrypted as another one is; its code does not fit."""
    vector = page[-_VECTOR - _CODE : -_CODE]
    cipher = _aes(data_key, vector).encryptor()
    data = cipher.update(plain[_SALT : -_VECTOR - _CODE]) + cipher.finalize()
    return page[:_SALT] + data + page[-_VECTOR - _CODE :]


def _code(page: bytes, number: int, code_key: bytes) -> bytes:
    data = page[_SALT if number == 1 else 0 : -_CODE]
    return hmac.digest(code_key, data + number.to_bytes(4, "little"), "sha512")


def _code_key(salt: bytes, data_key: bytes) -> bytes:
    return pbkdf2_hmac("sha512", data_key, bytes(each ^ _MASK for each in salt), _ROUNDS, 32)


def _aes(data_key: bytes, vector: bytes) -> Cipher[CBC]:
    from cryptography.hazmat.primitives.ciphers import Cipher
    from cryptography.hazmat.primitives.ciphers.algorithms import AES
    from cryptography.hazmat.primitives.ciphers.modes import CBC

    return Cipher(AES(data_key), CBC(vector))
