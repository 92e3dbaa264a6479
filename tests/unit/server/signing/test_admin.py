"""What the operator's commands do with certificates: which one is meant, and what is printed of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from tests.certificates import NOW, YEAR, issuer, leaf, root
from tests.signing import make_certificate

from sealstead.server.accounts.find import NoSuchUserError
from sealstead.server.signing.admin import (
    CertificateSourceError,
    Created,
    Which,
    create,
    delete,
    export,
    list_all,
    load,
    missing_labels,
    set_enabled,
    set_granted,
)
from sealstead.server.signing.errors import (
    AmbiguousCertificateError,
    CertificateAwaitedError,
    CertificateNotFoundError,
)
from sealstead.server.signing.models import Certificate, Grant, Profile

if TYPE_CHECKING:
    from sealstead.server.accounts.models import User

pytestmark = pytest.mark.django_db


def made(source: str | None, **facts: Any) -> Created:
    return create(
        **{
            "label": "production",
            "alias": None,
            "profile": "authenticode",
            "subject": None,
            "algorithm": None if source in {"pfx", "pem", None} else "P-256",
            "expires": None,
            "source": source,
            "data": b"",
            "password": None,
            "at": NOW,
        }
        | facts
    )


def test_each_source_prints_what_it_is_for() -> None:
    test = made("test", expires="30d")
    assert test.text == test.facts["thumbprint"]
    assert test.facts["not_after"] == "2026-12-01T12:00:00Z"
    pem = made("pem", data=leaf().pem(chain=False))
    assert (pem.text, len(pem.warnings)) == (pem.facts["thumbprint"], 1)
    csr = made("csr", label="later")
    assert x509.load_pem_x509_csr(csr.text.encode()).subject.rfc4514_string() == "CN=later"
    minisign = made(None, profile="minisign", label="wheels")
    assert minisign.text == minisign.facts["public_key"]


@pytest.mark.parametrize(
    ("source", "profile"), [(None, "authenticode"), (None, "cms-detached"), ("test", "minisign")]
)
def test_a_source_that_the_profile_does_not_have(source: str | None, profile: str) -> None:
    with pytest.raises(CertificateSourceError):
        made(source, profile=profile)


def test_parts_are_exported_and_of_a_label_the_newest() -> None:
    make_certificate("production", alias="old")
    Certificate.objects.update(not_after=NOW)
    made("pem", data=leaf().pem())
    which = Which(label="Production")
    certificate, chain, top = (
        x509.load_pem_x509_certificates(export(which, part=part, at=NOW).encode())
        for part in ("certificate", "chain", "root")
    )
    assert certificate == [leaf().certificate]
    assert chain == [issuer().certificate, root().certificate]
    assert top == [root().certificate]


def test_a_minisign_key_is_exported_as_its_public_file() -> None:
    row = make_certificate("wheels", profile=Profile.MINISIGN)
    text = export(Which(label="wheels"), part="certificate", at=NOW)
    assert text.splitlines() == [f"untrusted comment: {row.subject}", row.public_key]
    with pytest.raises(CertificateSourceError):
        export(Which(label="wheels"), part="root", at=NOW)


def test_what_is_not_there_is_not_exported() -> None:
    made("csr", label="later")
    with pytest.raises(CertificateAwaitedError):
        export(Which(label="later"), part="certificate", at=NOW)
    with pytest.raises(CertificateNotFoundError):
        export(Which(label="nothing"), part="certificate", at=NOW)


@pytest.mark.parametrize("which", [Which(), Which(label="a", alias="b")])
def test_a_certificate_is_named_in_one_way(which: Which) -> None:
    with pytest.raises(CertificateSourceError):
        set_enabled(which, enabled=False, at=NOW)


@pytest.mark.parametrize("which", [Which(label=""), Which(thumbprint=""), Which(alias=" ")])
def test_an_empty_name_is_nobody_s(which: Which) -> None:
    make_certificate("")
    with pytest.raises(CertificateNotFoundError):
        delete(which, at=NOW)


def test_one_of_several_is_never_guessed() -> None:
    rows = [make_certificate("production") for _ in range(2)]
    for verb in (
        lambda: set_enabled(Which(label="production"), enabled=False, at=NOW),
        lambda: delete(Which(label="production"), at=NOW),
    ):
        with pytest.raises(AmbiguousCertificateError):
            verb()
    assert set_enabled(Which(alias=rows[1].alias), enabled=False, at=NOW)["enabled"] is False
    assert delete(Which(thumbprint=rows[0].thumbprint.lower()), at=NOW)["id"] == str(rows[0].pk)


def test_a_grant_by_label_covers_a_renewal(ada: User) -> None:
    for _ in range(2):
        make_certificate("production")
    assert len(set_granted(Which(label="production"), user="ada", granted=True, at=NOW)) == 2
    assert Grant.objects.filter(user=ada).count() == 2
    set_granted(Which(label="production"), user="ada", granted=False, at=NOW)
    assert not Grant.objects.exists()
    with pytest.raises(NoSuchUserError):
        set_granted(Which(label="production"), user="nobody", granted=True, at=NOW)


def test_labels_that_no_certificate_has_are_told_with_those_that_there_are() -> None:
    assert missing_labels(["nope"]) == [("nope", [])]
    make_certificate("Production")
    assert missing_labels(["PRODUCTION", "nope"]) == [("nope", ["Production"])]


def test_the_test_authority_is_listed_and_never_granted(ada: User) -> None:
    made("test")
    authority = next(one for one in list_all() if one["is_root"])
    with pytest.raises(CertificateNotFoundError):
        set_granted(Which(thumbprint=authority["thumbprint"]), user="ada", granted=True, at=NOW)


def test_an_issued_chain_goes_to_the_row_that_waits() -> None:
    make_certificate("later")
    with pytest.raises(CertificateNotFoundError):
        load(Which(label="nothing"), leaf().pem(key=False), at=NOW)
    made("csr", label="later")
    from tests.certificates import issue

    row = next(one for one in Certificate.objects.all() if one.awaits_chain)
    request = x509.load_der_x509_csr(bytes(row.csr or b""))

    class Public:
        public_key = staticmethod(request.public_key)

    issued = issue("later", by=issuer(), key=Public())
    facts, warnings = load(Which(label="later"), issued.pem(key=False), at=NOW)
    assert (facts["id"], facts["awaits_certificate"], warnings) == (str(row.pk), False, ())
    assert facts["not_after"] == f"{NOW + YEAR:%Y-%m-%dT%H:%M:%SZ}"
