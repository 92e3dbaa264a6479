"""New signing keys: what is stored, and what is refused with nothing stored."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from tests.certificates import NOW, TLS, YEAR, issue, issuer, leaf, new_key, root
from tests.signing import OPERATOR, ORIGIN, make_certificate

from sealstead.custody.authority import TEST_MARK
from sealstead.custody.key_import import WrongKeyFilePasswordError
from sealstead.custody.sealed import SealBrokenError
from sealstead.custody.signers import load_signer
from sealstead.errors import SealsteadError
from sealstead.formats.minisign import parse_public_key
from sealstead.formats.signing_certificate import (
    CertificateKeyMismatchError,
    CertificatePeriodError,
    UnsuitableCertificateError,
)
from sealstead.secret import Secret
from sealstead.server.audit.models import Event
from sealstead.server.signing.create import (
    By,
    Named,
    chain_of,
    create_minisign,
    create_test,
    import_pem,
    import_pfx,
    request_certificate,
)
from sealstead.server.signing.errors import (
    AliasInUseError,
    CertificateExistsError,
    CertificateNotAwaitedError,
    InvalidCertificateNameError,
    KeyBoundError,
    KeyNotForProfileError,
)
from sealstead.server.signing.manage import load_certificate
from sealstead.server.signing.models import Certificate, Profile
from sealstead.server.signing.seal import open_key

if TYPE_CHECKING:
    from sealstead.server.accounts.models import User

pytestmark = pytest.mark.django_db

NAMED = Named(label="Production")


def test_an_imported_key_is_sealed_and_its_certificate_described(admin: User) -> None:
    made = import_pfx(leaf().pfx("pw"), Secret("pw"), NAMED, By(actor=admin, at=NOW, origin=ORIGIN))
    row = Certificate.objects.get(pk=made.row.pk)
    assert made.warnings == ()
    assert (row.label, row.label_key, row.profile) == ("Production", "production", "authenticode")
    assert (row.subject, row.algorithm) == ("CN=Harbour Ltd", "P-256")
    assert row.alias == f"Harbour Ltd ({NOW + YEAR:%Y-%m-%d})"
    assert chain_of(row) == (issuer().der, root().der)
    assert load_signer(open_key(row)).public_key_der == leaf().public_key_der
    event = Event.objects.get(tag="certificate:created")
    assert (event.actor_id, event.details["source"], event.details["thumbprint"]) == (
        admin.pk,
        "pfx",
        row.thumbprint,
    )


def test_the_private_key_is_nowhere_in_the_row() -> None:
    row = import_pem(leaf().pem(), None, NAMED, OPERATOR).row
    number = leaf().key.private_numbers().private_value.to_bytes(32, "big")
    assert number in load_signer(open_key(row)).private_bytes().reveal()
    for field in Certificate._meta.concrete_fields:
        value = getattr(row, field.attname)
        assert number not in (bytes(value) if isinstance(value, bytes | memoryview) else str(value).encode())


@pytest.mark.parametrize(
    ("facts", "refusal"),
    [
        ({"purposes": TLS}, UnsuitableCertificateError),
        ({"purposes": None}, UnsuitableCertificateError),
        ({"ca": True}, UnsuitableCertificateError),
        ({"end": NOW}, CertificatePeriodError),
        ({"begin": NOW + timedelta(seconds=1)}, CertificatePeriodError),
    ],
)
def test_a_flawed_certificate_is_not_stored(facts: dict[str, Any], refusal: type[SealsteadError]) -> None:
    made = issue("Flawed", by=issuer(), **facts)
    with pytest.raises(refusal):
        import_pem(made.pem(), None, NAMED, OPERATOR)
    assert not Certificate.objects.exists()
    assert not Event.objects.exists()


def test_a_certificate_of_another_key_is_not_stored() -> None:
    with pytest.raises(CertificateKeyMismatchError):
        import_pem(leaf().pem(key=False) + issue("other").key_pem, None, NAMED, OPERATOR)


def test_a_wrong_password_stores_nothing() -> None:
    with pytest.raises(WrongKeyFilePasswordError):
        import_pfx(leaf().pfx("right"), Secret("wrong"), NAMED, OPERATOR)
    assert not Certificate.objects.exists()


def test_what_verifiers_will_miss_is_said() -> None:
    alone = issue("Alone", by=issuer())
    assert "issuer is missing" in import_pem(alone.pem(chain=False), None, NAMED, OPERATOR).warnings[0]
    self_signed = issue("Itself")
    assert "self-signed" in import_pem(self_signed.pem(), None, NAMED, OPERATOR).warnings[0]


def test_the_same_certificate_is_not_there_twice() -> None:
    import_pem(leaf().pem(), None, NAMED, OPERATOR)
    with pytest.raises(CertificateExistsError):
        import_pem(leaf().pem(), None, NAMED, OPERATOR)


def test_a_key_is_never_bound_to_two_profiles() -> None:
    key = new_key()
    first, renewed = (issue(name, by=issuer(), key=key) for name in ("First", "Renewed"))
    import_pem(first.pem(), None, NAMED, OPERATOR)
    with pytest.raises(KeyBoundError):
        import_pem(renewed.pem(), None, Named(label="x", profile=Profile.CMS_DETACHED), OPERATOR)
    assert import_pem(renewed.pem(), None, NAMED, OPERATOR).row.pk


def test_of_one_key_s_certificates_the_newest_is_taken() -> None:
    key = new_key()
    old = issue("Old", by=issuer(), key=key, end=NOW + timedelta(days=3))
    new = issue("New", by=issuer(), key=key)
    row = import_pem(old.pem() + new.pem(key=False), None, NAMED, OPERATOR).row
    assert row.subject == "CN=New"


def test_names_are_checked_and_aliases_are_unique() -> None:
    make_certificate("a", alias="The one")
    for named, refusal in (
        (Named(label="x", alias="The one"), AliasInUseError),
        (Named(label="x\x1b[2J"), InvalidCertificateNameError),
        (Named(label="x" * 101), InvalidCertificateNameError),
        (Named(label="ﷺ" * 20), InvalidCertificateNameError),
        (Named(label="x", alias="y" * 201), InvalidCertificateNameError),
    ):
        with pytest.raises(refusal):
            make_certificate(named.label, alias=named.alias)
    first, second = (make_certificate("same") for _ in range(2))
    assert second.alias == first.alias + " 2"


def test_a_request_waits_for_its_chain_and_then_signs() -> None:
    row = request_certificate("CN=Harbour Ltd", NAMED, OPERATOR, algorithm="P-256").row
    request = x509.load_der_x509_csr(bytes(row.csr or b""))
    assert row.awaits_chain
    assert row.certificate is None
    issued = issue("Harbour Ltd", by=issuer(), key=_Public(request))
    made = load_certificate(row, issued.pem(key=False), OPERATOR)
    loaded = Certificate.objects.get(pk=row.pk)
    assert (loaded.awaits_chain, loaded.csr, made.warnings) == (False, None, ())
    assert loaded.alias == f"Harbour Ltd ({NOW + YEAR:%Y-%m-%d})"
    assert chain_of(loaded) == (issuer().der, root().der)
    assert load_signer(open_key(loaded)).algorithm == "P-256"
    with pytest.raises(CertificateNotAwaitedError):
        load_certificate(loaded, issued.pem(key=False), OPERATOR)


class _Public:
    """A requester's key, as far as an authority sees it."""

    def __init__(self, request: x509.CertificateSigningRequest) -> None:
        self.public_key = request.public_key


def test_a_foreign_chain_is_not_loaded() -> None:
    row = request_certificate("CN=Harbour Ltd", NAMED, OPERATOR, algorithm="P-256").row
    with pytest.raises(CertificateKeyMismatchError):
        load_certificate(row, leaf().pem(key=False), OPERATOR)
    assert Certificate.objects.get(pk=row.pk).awaits_chain


def test_the_test_authority_is_made_once_and_marked() -> None:
    rows = [create_test("", Named(label=label), OPERATOR, algorithm="P-256").row for label in ("one", "two")]
    (authority,) = Certificate.objects.filter(is_root=True)
    for row in rows:
        assert row.is_test
        assert TEST_MARK in row.subject
        assert chain_of(row) == (bytes(authority.certificate or b""),)
        assert row.not_after == NOW + YEAR
    assert "CN=one" in rows[0].subject


def test_a_minisign_key_has_a_public_key_and_no_certificate() -> None:
    row = create_minisign(Named(label="wheels", profile=Profile.MINISIGN), OPERATOR).row
    public = parse_public_key(row.public_key.encode())
    assert load_signer(open_key(row)).public_key_der.endswith(public.key)
    assert public.id in row.subject
    assert (row.certificate, row.not_after, row.thumbprint) == (None, None, "")


def test_a_profile_takes_only_keys_that_its_verifiers_know() -> None:
    with pytest.raises(KeyNotForProfileError):
        request_certificate("CN=x", NAMED, OPERATOR, algorithm="Ed25519")


@pytest.mark.parametrize(
    "change",
    [
        {"profile": "cms-detached"},
        {"is_root": True},
        {"certificate": b"\x30\x00"},
    ],
    ids=str,
)
def test_a_row_changed_by_hand_opens_no_key(change: dict[str, Any]) -> None:
    row = import_pem(leaf().pem(), None, NAMED, OPERATOR).row
    Certificate.objects.filter(pk=row.pk).update(**change)
    with pytest.raises(SealBrokenError):
        open_key(Certificate.objects.get(pk=row.pk))


def test_a_sealed_key_moved_to_another_row_does_not_open() -> None:
    first, second = make_certificate("a"), make_certificate("b")
    Certificate.objects.filter(pk=second.pk).update(sealed_key=bytes(first.sealed_key or b""))
    with pytest.raises(SealBrokenError):
        open_key(Certificate.objects.get(pk=second.pk))
