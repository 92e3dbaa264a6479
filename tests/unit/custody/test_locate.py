"""The URI of a key chooses its back end, and nothing is opened for another."""

from __future__ import annotations

import pytest

from sealstead.custody.locate import SEALED, UnknownKeyUriError, locate_signer
from sealstead.custody.signers import generate_signer
from sealstead.secret import Secret


def test_a_sealed_key_is_opened_and_signs() -> None:
    made = generate_signer("P-256")
    found = locate_signer(SEALED, open_sealed=made.private_bytes)
    assert found.public_key_der == made.public_key_der


@pytest.mark.parametrize("uri", ["", "pkcs11:token=x", "file:/etc/key.pem", "SEALED:"])
def test_an_unknown_kind_opens_nothing(uri: str) -> None:
    def never() -> Secret[bytes]:
        raise AssertionError

    with pytest.raises(UnknownKeyUriError):
        locate_signer(uri, open_sealed=never)
