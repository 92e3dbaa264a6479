from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from tests.tokens import CHROME, ORIGIN, STEEL, T0, Issue

from sealstead.lifecycle.policy import InvalidOverlapError
from sealstead.lifecycle.rotation import AlreadyRotatedError, NotRotatableError
from sealstead.secret import Secret
from sealstead.server.audit.models import Event
from sealstead.server.credentials.errors import (
    InvalidCredentialError,
    TokenRetiredError,
)
from sealstead.server.credentials.judge import judge_upload_token
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.revoke import revoke
from sealstead.server.credentials.rotate import REPEAT_WITHIN, rotate_upload_token

pytestmark = pytest.mark.django_db
T1 = T0 + timedelta(days=1)
WEEK = timedelta(days=7)


def rotate(row: Credential, **facts: Any) -> tuple[Credential, Secret[str]]:
    return rotate_upload_token(
        row,
        **{"actor": row.owner, "overlap": WEEK, "idempotency_key": "k1", "at": T1, "origin": ORIGIN} | facts,
    )


def judge(token: Secret[str], **facts: Any) -> Any:
    return judge_upload_token(token, **{"at": T1, "origin": ORIGIN} | facts)


def test_both_work_in_the_overlap_and_the_old_one_never_after(issue: Issue) -> None:
    row, old = issue()
    successor, new = rotate(row)
    row.refresh_from_db()
    assert row.retires_at == T1 + WEEK
    for moment in (T1, T1 + WEEK - timedelta(microseconds=1)):
        judge(old, at=moment)
        judge(new, at=moment)
    with pytest.raises(TokenRetiredError):
        judge(old, at=T1 + WEEK)
    judge(new, at=T1 + WEEK)
    assert (successor.name, successor.scope, successor.line) == (row.name, row.scope, row.line)
    assert successor.predecessor == row


def test_no_overlap_is_a_hand_over_at_once(issue: Issue) -> None:
    row, old = issue()
    rotate(row, overlap=timedelta(0))
    with pytest.raises(TokenRetiredError):
        judge(old, at=T1)


def test_overlap_ends_with_the_predecessor(issue: Issue) -> None:
    row, _ = issue(expires_at=T1 + timedelta(days=2))
    rotate(row)
    row.refresh_from_db()
    assert row.retires_at == row.expires_at


def test_the_successor_has_the_same_scope_and_as_long_a_life(issue: Issue) -> None:
    row, _ = issue(projects=[CHROME, STEEL])
    successor, new = rotate(row)
    assert successor.expires_at == (T1 + timedelta(days=30)).replace(microsecond=0)
    grant = judge(new)
    grant.require_project(*CHROME)
    grant.require_project(*STEEL)


def test_a_repeat_gets_the_same_token_while_it_is_fresh_and_unused(issue: Issue) -> None:
    row, _ = issue()
    first = rotate(row)
    again = rotate(row, at=T1 + REPEAT_WITHIN - timedelta(microseconds=1))
    assert again[0].pk == first[0].pk
    assert again[1].reveal() == first[1].reveal()
    assert Credential.objects.count() == 2
    assert Event.objects.filter(tag="upload-token:rotated").count() == 1


def test_a_repeat_after_use_shows_nothing(issue: Issue) -> None:
    row, _ = issue()
    _, new = rotate(row)
    judge(new)
    with pytest.raises(AlreadyRotatedError):
        rotate(row)


def test_a_successor_never_used_is_superseded(
    issue: Issue, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    row, _ = issue()
    first, lost = rotate(row)
    with django_capture_on_commit_callbacks(execute=True):
        second, new = rotate(row, idempotency_key="k2")
    with pytest.raises(InvalidCredentialError):
        judge(lost)
    judge(new)
    assert list(row.successors.filter(revoked_at=None)) == [second]
    event = Event.objects.filter(tag="upload-token:rotated").latest("id")
    assert event.details["superseded"] == [str(first.pk)]
    assert "earlier rotation" in mail.outbox[0].body


def test_a_second_rotation_is_refused_once_the_successor_was_used(
    issue: Issue, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    row, _ = issue()
    successor, new = rotate(row)
    judge(new)
    row.refresh_from_db()
    retires_at = row.retires_at
    with (
        django_capture_on_commit_callbacks(execute=True),
        pytest.raises(AlreadyRotatedError, match=str(successor.pk)) as caught,
    ):
        rotate(row, idempotency_key="k2", overlap=timedelta(days=30))
    assert caught.value.code == "already-rotated"
    row.refresh_from_db()
    assert row.retires_at == retires_at
    assert Credential.objects.count() == 2
    assert Event.objects.get(tag="upload-token:rotation-refused").code == "already-rotated"
    assert mail.outbox[0].subject == "Second rotation of an API token refused: ci"


def test_what_is_over_is_not_rotated(issue: Issue) -> None:
    expired, _ = issue(name="expired", expires_at=T1)
    revoked, _ = issue(name="revoked")
    revoke(revoked, actor=None, at=T0, origin=ORIGIN)
    retired, _ = issue(name="retired")
    rotate(retired, overlap=timedelta(0), at=T0)
    for row in (expired, revoked, retired):
        with pytest.raises(NotRotatableError):
            rotate(row, idempotency_key="k2")


@pytest.mark.parametrize("overlap", [timedelta(microseconds=-1), timedelta(days=30, microseconds=1)])
def test_overlap_has_bounds(issue: Issue, overlap: timedelta) -> None:
    row, _ = issue()
    with pytest.raises(InvalidOverlapError):
        rotate(row, overlap=overlap)
    assert Credential.objects.count() == 1
    rotate(row, overlap=timedelta(days=30))


def test_the_database_refuses_two_living_successors(issue: Issue) -> None:
    row, _ = issue()
    successor, _ = rotate(row)
    twin = Credential.objects.get(pk=successor.pk)
    twin.pk = CHROME[1]
    with pytest.raises(IntegrityError), transaction.atomic():
        twin.save(force_insert=True)
