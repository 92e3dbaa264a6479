"""PKCS#12 and PEM files: read whole, or refused without quoting them."""

from __future__ import annotations

import base64

import pytest
from tests.certificates import Issued, issuer, leaf, new_key, private_pem, root
from tests.key_files import SCRYPT, hidden, key, pfx, shrouded

from sealstead.custody import key_import
from sealstead.custody.key_import import (
    MAX_BYTES,
    CostlyKeyFileError,
    MalformedKeyFileError,
    WrongKeyFilePasswordError,
    read_certificates,
    read_pem,
    read_pfx,
)
from sealstead.errors import SealsteadError
from sealstead.formats.der import seq
from sealstead.formats.key_work import rounds_of
from sealstead.secret import Secret

PASSWORD = Secret("correct horse")


@pytest.mark.parametrize("password", ["", "correct horse"])
def test_a_pfx_gives_key_and_chain(password: str) -> None:
    found = read_pfx(leaf().pfx(password), Secret(password) if password else None)
    assert found.signer.public_key_der == leaf().public_key_der
    assert found.certificates[0] == leaf().der
    assert set(found.certificates[1:]) == {issuer().der, root().der}


@pytest.mark.parametrize("password", [None, Secret("wrong"), Secret("")])
def test_a_pfx_needs_its_password(password: Secret[str] | None) -> None:
    with pytest.raises(WrongKeyFilePasswordError) as refused:
        read_pfx(leaf().pfx("correct horse"), password)
    assert refused.value.__cause__ is None


def test_pem_gives_key_and_certificates_in_any_order() -> None:
    for data in (leaf().pem(), leaf().pem(key=False) + leaf().key_pem, b"Bag Attributes\n" + leaf().pem()):
        found = read_pem(data, None)
        assert found.signer.public_key_der == leaf().public_key_der
        assert found.certificates == (leaf().der, issuer().der, root().der)


def test_an_encrypted_pem_needs_its_password() -> None:
    data = private_pem(leaf().key, "correct horse") + leaf().pem(key=False)
    assert read_pem(data, PASSWORD).signer.public_key_der == leaf().public_key_der
    for password in (None, Secret("wrong")):
        with pytest.raises(WrongKeyFilePasswordError):
            read_pem(data, password)


def test_a_password_that_nothing_needs_does_no_harm() -> None:
    assert read_pem(leaf().pem(), PASSWORD).certificates


def bad_pem(made: Issued) -> list[bytes]:
    return [
        b"",
        made.pem(key=False),
        made.pem() + private_pem(new_key()),
        made.key_pem,
        made.key_pem + made.pem(key=False).replace(b"MII", b"QUF", 1),
        made.key_pem + made.pem(key=False).replace(b"MII", b"QUF"),
        made.pfx(),
        made.pem() + b" " * MAX_BYTES,
        # Whoever looks for the end anew after each beginning is busy for half an hour.
        b"-----BEGIN PRIVATE KEY-----\n" * (MAX_BYTES // 28),
    ]


@pytest.mark.parametrize("data", bad_pem(leaf()), ids=range(9))
def test_other_pem_is_refused(data: bytes) -> None:
    with pytest.raises(SealsteadError) as refused:
        read_pem(data, None)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize("data", [b"", leaf().pem(), leaf().pfx() + b"\0" * MAX_BYTES])
def test_other_files_are_no_pfx(data: bytes) -> None:
    with pytest.raises(MalformedKeyFileError):
        read_pfx(data, None)


def test_a_damaged_pfx_is_refused() -> None:
    data = bytearray(leaf().pfx("correct horse"))
    data[len(data) // 2] ^= 1
    with pytest.raises(SealsteadError):
        read_pfx(bytes(data), PASSWORD)


def test_a_pfx_that_asks_for_endless_work_is_refused_before_any() -> None:
    hostile = pfx(shrouded(key(2**31)), 2048)
    with pytest.raises(CostlyKeyFileError) as refused:
        read_pfx(hostile, PASSWORD)
    assert f"{2**31 + 2048} rounds" in refused.value.message
    for data in (pfx(seq(), 2**31), pfx(shrouded(key(2**20, 8, 1, function=SCRYPT)))):
        with pytest.raises(CostlyKeyFileError):
            read_pfx(data, PASSWORD)


def test_work_that_cannot_be_counted_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_import, "_TRIAL_SECONDS", 1.0)
    data = hidden(key(2**31 - 1), PASSWORD.reveal())
    assert rounds_of(data) == 1
    with pytest.raises(CostlyKeyFileError) as refused:
        read_pfx(data, PASSWORD)
    assert refused.value.__cause__ is None


def test_an_encrypted_pem_that_asks_for_endless_work_is_refused_before_any() -> None:
    body = base64.encodebytes(key(2**31)).decode()
    block = f"-----BEGIN ENCRYPTED PRIVATE KEY-----\n{body}-----END ENCRYPTED PRIVATE KEY-----\n".encode()
    with pytest.raises(CostlyKeyFileError):
        read_pem(block + leaf().pem(key=False), PASSWORD)


def test_certificates_come_as_pem_or_as_one_der() -> None:
    assert read_certificates(leaf().pem(key=False)) == (leaf().der, issuer().der, root().der)
    assert read_certificates(leaf().der) == (leaf().der,)
    for data in (b"", b"\x30\x00", leaf().key_pem):
        with pytest.raises(MalformedKeyFileError):
            read_certificates(data)
