"""My certificates: what one may sign with, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography import x509
from django.test import Client
from tests.rows import make_user

from sealstead.server.accounts.models import User
from sealstead.server.audit.record import Origin
from sealstead.server.signing import manage
from sealstead.server.signing.create import By, Named, create_minisign, create_test, request_certificate
from sealstead.server.signing.models import Certificate

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_clock")]

OWN = "/manage/account/certificates/"
BY = By(actor=None, at=datetime(2026, 1, 1, tzinfo=UTC), origin=Origin())


@pytest.fixture
def bob() -> User:
    return make_user("bob")


@pytest.fixture
def client(bob: User) -> Client:
    client = Client()
    client.force_login(bob)
    return client


@pytest.fixture
def row() -> Certificate:
    return create_test("Harbour Ltd", Named(label="production"), BY, algorithm="P-256").row


def page(client: Client) -> str:
    return client.get(OWN).content.decode()


def test_only_what_is_granted_is_shown(client: Client, bob: User, row: Certificate) -> None:
    assert row.thumbprint not in page(client)
    manage.grant(row, bob, BY)
    assert row.thumbprint in page(client)
    assert "production" in page(client)
    bob.is_superuser = True
    bob.save()
    assert str(Certificate.objects.get(is_root=True).pk) not in page(client)


def test_public_parts_are_downloaded(client: Client, bob: User, row: Certificate) -> None:
    manage.grant(row, bob, BY)
    answer = client.get(f"{OWN}{row.pk}/certificate/")
    assert answer["Content-Disposition"] == 'attachment; filename="production.pem"'
    found = x509.load_pem_x509_certificate(answer.content)
    assert "Harbour Ltd" in found.subject.rfc4514_string()
    (authority,) = x509.load_pem_x509_certificates(client.get(f"{OWN}{row.pk}/root/").content)
    found.verify_directly_issued_by(authority)
    key = create_minisign(Named(label="wheels", profile="minisign"), BY).row  # type: ignore[arg-type]
    manage.grant(key, bob, BY)
    assert client.get(f"{OWN}{key.pk}/public-key/").content.decode().splitlines()[1] == key.public_key


def test_no_part_holds_a_private_key(client: Client, bob: User) -> None:
    for made in (
        create_test("Harbour Ltd", Named(label="production"), BY, algorithm="P-256"),
        request_certificate("Harbour Ltd", Named(label="next"), BY, algorithm="P-256"),
    ):
        manage.grant(made.row, bob, BY)
        for part in ("certificate", "chain", "root", "request", "public-key", "key", "sealed_key"):
            answer: Any = client.get(f"{OWN}{made.row.pk}/{part}/")
            assert answer.status_code in {200, 404}
            assert b"PRIVATE" not in answer.content


def test_not_granted_answers_like_unknown(client: Client, row: Certificate) -> None:
    answers = []
    for pk in (str(row.pk), "00000000-0000-4000-8000-000000000000"):
        answer = client.get(f"{OWN}{pk}/certificate/")
        assert answer.status_code == 404
        answers.append(answer.content.decode().replace(pk, "id"))
    assert answers[0] == answers[1]
