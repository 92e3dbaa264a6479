"""Threat: a holder of a good API key makes the server sign something other than a file.

A key is handed one of three messages and no other, whatever was sent: attributes of an SpcIndirectDataContent, attributes of
detached data, or (minisign) 64 bytes and a comment of ours. So nothing it signs can pass for a certificate, a TLS handshake,
a mail, a time-stamp, a token, or a statement about an identity key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.api_keys import issue_key
from tests.fakes.clock import FakeClock
from tests.signing import OPERATOR, Client, b64, item, make_certificate
from tests.tokens import T0, make_account

from sealstead.custody.signers import SoftwareSigner
from sealstead.formats.authenticode import SPC_INDIRECT_DATA
from sealstead.formats.cms import ID_DATA
from sealstead.formats.der import oid
from sealstead.formats.statement import TAG
from sealstead.server.signing.create import Named, create_test
from sealstead.server.signing.manage import grant
from sealstead.server.signing.models import Certificate, Profile

pytestmark = pytest.mark.django_db

CONTENT_TYPE = oid("1.2.840.113549.1.9.3")


class Handed:
    """Every message that a key was handed."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []

    def clear(self) -> None:
        self.messages.clear()


@pytest.fixture
def handed() -> Iterator[Handed]:
    seen = Handed()
    real = SoftwareSigner.sign

    def sign(self: SoftwareSigner, data: bytes, hash_name: str = "") -> bytes:
        seen.messages.append(data)
        return real(self, data, hash_name)

    with patch.object(SoftwareSigner, "sign", sign):
        yield seen


@pytest.fixture
def client(fake_clock: FakeClock) -> Client:
    """A holder with a certificate of each profile, under labels of the same names."""
    fake_clock.moment = T0
    mallory = make_account("mallory")
    for profile in Profile:
        grant(make_certificate(profile.value, profile=profile), mallory, OPERATOR)
    return Client(issue_key(owner=mallory)[1])


ORDERS: dict[str, dict[str, Any]] = {
    "authenticode": {"label": "authenticode", "profile": "authenticode", "algorithm": "SHA256"},
    "cms-detached": {"label": "cms-detached", "profile": "cms-detached", "algorithm": "SHA256"},
    "minisign": {"label": "minisign", "profile": "minisign", "algorithm": "BLAKE2b-512"},
}
KIND = {"authenticode": "pe", "cms-detached": "file", "minisign": "file"}
HASH = {"authenticode": "sha256", "cms-detached": "sha256", "minisign": "blake2b"}

CERTIFICATE_TO_BE = bytes.fromhex("3082010a0201") + bytes(200)
"""How a TBSCertificate begins: what a forger of certificates would have signed."""
HANDSHAKE = b" " * 64 + b"TLS 1.3, server CertificateVerify\0" + bytes(32)
STATEMENT = b"sealstead statement: rotate"


SMUGGLED_INTO_AN_ITEM: tuple[dict[str, Any], ...] = (
    *({"digest": b64(message)} for message in (CERTIFICATE_TO_BE, HANDSHAKE, STATEMENT, b"")),
    *(
        {name: b64(CERTIFICATE_TO_BE)}
        for name in ("content", "attributes", "data", "signed_attrs", "message")
    ),
    *({"content_type": ID_DATA}, {"kind": "raw"}, {"kind": "hash"}, {"kind": "certificate"}),
    *({"digest": {"raw": ""}}, {"digest": [1, 2]}, {"digest": 2**256}),
)
SMUGGLED_INTO_THE_REQUEST: tuple[dict[str, Any], ...] = (
    *({name: b64(CERTIFICATE_TO_BE)} for name in ("content", "attributes", "signed_attributes", "message")),
    *({"content_type": "1.2.3"}, {"padding": "none"}, {"prehashed": True}, {"trusted_comment": TAG}),
    *({"algorithm": name} for name in ("none", "SHA1", "MD5", "NONE", "RAW", "")),
    *({"profile": name} for name in ("raw", "", "x509", "timestamp", "AUTHENTICODE")),
)


@pytest.mark.parametrize("profile", ORDERS)
def test_what_is_smuggled_in_signs_nothing(client: Client, handed: Handed, profile: str) -> None:
    good = item(kind=KIND[profile], algorithm=HASH[profile])
    for smuggled in SMUGGLED_INTO_AN_ITEM:
        assert client.sign(good, good | smuggled, good, **ORDERS[profile]).status == 400, smuggled
    for smuggled in SMUGGLED_INTO_THE_REQUEST:
        assert client.sign(good, **(ORDERS[profile] | smuggled)).status == 400, smuggled
    assert handed.messages == []


def test_a_key_signs_under_its_own_profile_alone(client: Client, handed: Handed) -> None:
    for key in ORDERS:
        for profile, order in ORDERS.items():
            handed.clear()
            good = item(kind=KIND[profile], algorithm=HASH[profile])
            answer = client.sign(good, **(order | {"label": key}))
            assert answer.status == (200 if key == profile else 403), (key, profile)
            assert bool(handed.messages) == (key == profile)


def test_a_comment_of_minisign_is_ours(client: Client, handed: Handed) -> None:
    """minisign signs the trusted comment: it must not become a statement about a key, nor two lines."""
    good = item(kind="file", algorithm="blake2b")
    for name in (TAG, f"x {TAG.upper()}:v1:revoke", "a\ntrusted comment: x", "a\tfile:b", "a\r"):
        assert client.sign(good | {"file_name": name}, **ORDERS["minisign"]).status == 400, name
    answer = client.sign(good | {"file_name": "a.whl"}, **ORDERS["minisign"])
    assert answer.status == 200
    digest, comment = handed.messages[-2:]
    assert digest == hashlib.blake2b(b"MZ").digest()
    assert comment[64:].startswith(b"timestamp:")


def test_the_test_authority_s_key_signs_nothing_for_anybody(client: Client, handed: Handed) -> None:
    create_test("", Named(label="t"), OPERATOR, algorithm="P-256")
    authority = Certificate.objects.get(is_root=True)
    client_owner = Certificate.objects.get(label="authenticode").grants.get().user
    grant(authority, client_owner, OPERATOR)
    for superuser in (False, True):
        client_owner.is_superuser = superuser
        client_owner.save()
        for profile, order in ORDERS.items():
            chosen = order | {"label": None, "thumbprint": authority.thumbprint}
            good = item(kind=KIND[profile], algorithm=HASH[profile])
            assert client.sign(good, **chosen).status == 404
    assert handed.messages == []


TEXT = st.text(max_size=40)
VALUE = st.one_of(TEXT, st.integers(), st.none(), st.booleans(), st.lists(TEXT, max_size=2))


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    profile=st.sampled_from(sorted(ORDERS)),
    change=st.dictionaries(
        st.sampled_from(["description", "description_url", "algorithm", "items", "profile", "label", "x"]),
        VALUE,
        max_size=2,
    ),
    facts=st.dictionaries(
        st.sampled_from(["kind", "digest", "file_name", "file_size", "file_version", "x"]), VALUE, max_size=2
    ),
    digest=st.binary(min_size=0, max_size=70),
)
def test_whatever_is_sent_a_key_is_handed_one_of_three_messages(
    client: Client,
    handed: Handed,
    profile: str,
    change: dict[str, Any],
    facts: dict[str, Any],
    digest: bytes,
) -> None:
    handed.clear()
    order = ORDERS[profile] | change
    thing = {"kind": KIND[profile], "digest": b64(digest)} | facts
    good = item(kind=KIND[profile], algorithm=HASH[profile])
    answer = client.ask("POST", "/api/v1/sign", {"items": [good, thing]} | order)
    assert answer.status in {200, 400, 403, 404}
    if answer.status != 200:
        assert handed.messages == []
    for message in handed.messages:
        if profile == "minisign":
            assert len(message) == 64 or message[64:].startswith(b"timestamp:")
            continue
        wanted = SPC_INDIRECT_DATA if profile == "authenticode" else ID_DATA
        assert message[0] == 0x31, "a SET, as nothing else that is signed begins"
        assert CONTENT_TYPE + b"\x31" in message
        assert oid(wanted) in message
