"""Several at once: all that is meant ends, with what was made from it, and the owner hears of it once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.tokens import ORIGIN, T0, Issue, issue_token

from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.models import Event
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.revoke_many import revoke_many
from sealstead.server.credentials.rotate import rotate_upload_token

pytestmark = pytest.mark.django_db

T1 = T0 + timedelta(days=1)


def test_each_ends_with_its_descendants_and_once(
    alice: User, bob: User, issue: Issue, django_capture_on_commit_callbacks: object, mailoutbox: list[object]
) -> None:
    first, _ = issue(name="first")
    successor, _ = rotate_upload_token(
        first, actor=alice, overlap=timedelta(days=7), idempotency_key="k", at=T1, origin=ORIGIN
    )
    second, _ = issue(name="second")
    kept, _ = issue(name="kept")
    others, _ = issue_token(owner=bob, name="first")
    Event.objects.all().delete()
    mailoutbox.clear()
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        ended = revoke_many([first, second], actor=bob, at=T1, origin=ORIGIN, reason="the laptop is gone")
    assert {one.pk for one in ended} == {first.pk, successor.pk, second.pk}
    living = set(Credential.objects.filter(revoked_at=None).values_list("pk", flat=True))
    assert living == {kept.pk, others.pk}
    assert not Credential.objects.filter(revoked_at=T1).exclude(sealed_root=None).exists()
    events = Event.objects.filter(tag=tags.TOKEN_REVOKED)
    assert {event.credential_id for event in events} == {one.pk for one in ended}
    assert {(event.actor_name, event.user_id) for event in events} == {("bob", alice.pk)}
    (mail,) = mailoutbox
    assert mail.to == ["alice@example.org"]  # type: ignore[attr-defined]
    for word in ("first", "second", str(successor.pk), "bob", "the laptop is gone"):
        assert word in mail.body  # type: ignore[attr-defined]


def test_what_has_ended_is_left_alone(alice: User, bob: User, issue: Issue) -> None:
    row, _ = issue()
    revoke_many([row, row], actor=bob, at=T1, origin=ORIGIN, reason="first time")
    Event.objects.all().delete()
    assert revoke_many([row], actor=bob, at=T1 + timedelta(days=1), origin=ORIGIN, reason="again") == []
    row.refresh_from_db()
    assert (row.revoked_at, row.revoke_reason) == (T1, "first time")
    assert not Event.objects.exists()
