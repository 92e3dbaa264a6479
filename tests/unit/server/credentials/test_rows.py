"""The written-out statements say what the ORM would."""

from __future__ import annotations

from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from django.forms.models import model_to_dict
from tests.rows import NOW, ORIGIN, make_user

from sealstead.server.audit.record import Origin
from sealstead.server.credentials.issue import issue_upload_token
from sealstead.server.credentials.models import Credential, Kind
from sealstead.server.credentials.rows import find_token, write_use

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.database]


def make_token() -> Credential:
    row, _ = issue_upload_token(
        owner=make_user(), name="ci", projects=None, expires_at=None, at=NOW, origin=ORIGIN
    )
    return row


def test_a_token_with_its_owner_is_what_the_orm_reads() -> None:
    row = make_token()
    found = find_token(row.pk)
    assert found is not None
    expected = Credential.objects.select_related("owner").get(pk=row.pk)
    for field in Credential._meta.concrete_fields:
        read, wanted = getattr(found.row, field.attname), getattr(expected, field.attname)
        assert (bytes(read) if field.attname == "sealed_root" else read) == (
            bytes(wanted) if field.attname == "sealed_root" else wanted
        ), field.attname
    assert model_to_dict(found.row.owner) == model_to_dict(expected.owner)
    assert found.owner_has_verified_email


@pytest.mark.parametrize("change", [{"verified": False}, {"primary": False}])
def test_only_a_verified_primary_address_counts(change: dict[str, bool]) -> None:
    row = make_token()
    EmailAddress.objects.update(**change)
    found = find_token(row.pk)
    assert found is not None
    assert not found.owner_has_verified_email


def test_unknown_ids_and_other_kinds_are_not_found() -> None:
    row = make_token()
    assert find_token(uuid4()) is None
    Credential.objects.update(kind=Kind.API_KEY)
    assert find_token(row.pk) is None


@pytest.mark.parametrize("ip", [None, "192.0.2.7", "2001:db8::1"])
def test_a_use_is_written_as_the_orm_reads_it(ip: str | None) -> None:
    row, other = make_token(), make_token()
    write_use(row.pk, at=NOW, origin=Origin(ip=ip, user_agent="x" * 900))
    row.refresh_from_db()
    other.refresh_from_db()
    assert (row.last_used_at, row.last_used_ip, row.last_used_agent, row.use_count) == (NOW, ip, "x" * 400, 1)
    assert (other.last_used_at, other.use_count) == (None, 0)
