from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db.models import RestrictedError
from tests.tokens import ORIGIN, T0, Issue

from sealstead.secret import Secret
from sealstead.server.accounts.models import User
from sealstead.server.audit.models import Event
from sealstead.server.credentials.errors import AlreadyRevokedError, InvalidCredentialError
from sealstead.server.credentials.judge import judge_upload_token
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.revoke import revoke
from sealstead.server.credentials.rotate import rotate_upload_token

pytestmark = pytest.mark.django_db
LATER = T0 + timedelta(hours=1)


def accepted(token: Secret[str]) -> bool:
    try:
        judge_upload_token(token, at=LATER, origin=ORIGIN)
    except InvalidCredentialError:
        return False
    return True


def line(issue: Issue, alice: User) -> list[tuple[Credential, Secret[str]]]:
    links = [issue()]
    for number in (1, 2):
        judge_upload_token(links[-1][1], at=T0 + timedelta(minutes=number), origin=ORIGIN)
        links.append(
            rotate_upload_token(
                links[-1][0],
                actor=alice,
                overlap=timedelta(days=7),
                idempotency_key=f"k{number}",
                at=T0 + timedelta(minutes=number),
                origin=ORIGIN,
            )
        )
    return links


def test_the_end_destroys_the_root_key_and_frees_the_name(issue: Issue, alice: User) -> None:
    row, token = issue()
    other = issue(name="other")
    revoke(row, actor=alice, at=T0, origin=ORIGIN, reason="lost laptop")
    row.refresh_from_db()
    assert (row.sealed_root, row.revoked_at, row.revoke_reason) == (None, T0, "lost laptop")
    assert not accepted(token)
    assert accepted(other[1])
    issue()


def test_a_line_ends_from_the_named_link_down(issue: Issue, alice: User) -> None:
    first, second, third = line(issue, alice)
    ended = revoke(second[0], actor=alice, at=T0, origin=ORIGIN)
    assert [link.pk for link in ended] == [second[0].pk, third[0].pk]
    assert [accepted(token) for _, token in (first, second, third)] == [True, False, False]
    assert Event.objects.filter(tag="upload-token:revoked").count() == 2


def test_one_link_alone_when_named(issue: Issue, alice: User) -> None:
    first, second, third = line(issue, alice)
    revoke(first[0], actor=alice, at=T0, origin=ORIGIN, only_this=True)
    assert [accepted(token) for _, token in (first, second, third)] == [False, True, True]
    # The line lives on and keeps its name.
    assert Credential.objects.get(holds_name=True).pk == second[0].pk


def test_twice_is_told(issue: Issue, alice: User) -> None:
    row, _ = issue()
    revoke(row, actor=alice, at=T0, origin=ORIGIN)
    with pytest.raises(AlreadyRevokedError):
        revoke(row, actor=alice, at=LATER, origin=ORIGIN)
    assert Event.objects.filter(tag="upload-token:revoked").count() == 1
    row.refresh_from_db()
    assert row.revoked_at == T0


def test_the_owner_is_told_once_for_the_line(
    issue: Issue, alice: User, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    links = line(issue, alice)
    with django_capture_on_commit_callbacks(execute=True):
        revoke(links[0][0], actor=None, at=T0, origin=ORIGIN)
    (message,) = mail.outbox
    assert message.subject == "API token revoked: ci"
    assert all(str(row.pk) in message.body for row, _ in links)


def test_a_line_goes_with_its_owners_account_and_otherwise_stays_whole(issue: Issue, alice: User) -> None:
    first, _, _ = line(issue, alice)
    with pytest.raises(RestrictedError):
        first[0].delete()
    assert Credential.objects.count() == 3
    events = Event.objects.count()
    alice.delete()
    assert not Credential.objects.exists()
    assert Event.objects.count() == events
