from __future__ import annotations

import hashlib
import hmac

import pytest

from sealstead import primitives


@pytest.mark.parametrize("message", [b"", b"abc", bytes(1000)])
def test_they_are_what_the_standard_library_gives(message: bytes) -> None:
    assert primitives.blake2b(message).digest() == hashlib.blake2b(message).digest()
    assert (
        primitives.blake2b(message, digest_size=32).digest()
        == hashlib.blake2b(message, digest_size=32).digest()
    )
    assert primitives.sha256(message).hexdigest() == hashlib.sha256(message).hexdigest()
    for other in (message, message + b"x", b"abd"):
        assert primitives.compare_digest(message, other) is hmac.compare_digest(message, other)
