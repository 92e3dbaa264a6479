"""Rotation at the command line; the other verbs are tested through the commands."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.tokens import ORIGIN, T0, Issue

from sealstead.lifecycle.rotation import AlreadyRotatedError
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.models import Event
from sealstead.server.credentials.admin import rotate_token
from sealstead.server.credentials.errors import CredentialNotFoundError
from sealstead.server.credentials.judge import judge_upload_token
from sealstead.server.credentials.models import Credential

pytestmark = pytest.mark.django_db
T1 = T0 + timedelta(days=1)


def test_a_name_and_an_id_reach_the_same_token(issue: Issue, alice: User) -> None:
    row, _ = issue(name="ci")
    first = rotate_token(token="ci", user="alice", overlap=None, at=T1)
    assert first.facts["predecessor"] == str(row.pk)
    # The successor was never used, so naming the first one again replaces it.
    second = rotate_token(token=str(row.pk), user=None, overlap="2d", at=T1)
    assert second.facts["predecessor"] == str(row.pk)
    assert second.facts["predecessor_retires_at"] == (T1 + timedelta(days=2)).isoformat()
    assert Event.objects.filter(tag=tags.TOKEN_ROTATED, actor_id=None).count() == 2


def test_a_name_means_the_latest_link(issue: Issue, alice: User) -> None:
    issue(name="ci")
    first = rotate_token(token="ci", user="alice", overlap="7d", at=T1)
    second = rotate_token(token="ci", user="alice", overlap="7d", at=T1)
    assert second.facts["predecessor"] == first.facts["id"]


def test_a_used_successor_is_not_replaced(issue: Issue, alice: User) -> None:
    row, _ = issue(name="ci")
    made = rotate_token(token=str(row.pk), user=None, overlap="7d", at=T1)
    judge_upload_token(made.token, at=T1, origin=ORIGIN)
    with pytest.raises(AlreadyRotatedError):
        rotate_token(token=str(row.pk), user=None, overlap="7d", at=T1)
    assert Credential.objects.count() == 2


def test_a_name_needs_its_account(issue: Issue, bob: User) -> None:
    issue(name="ci")
    for user in (None, "bob"):
        with pytest.raises(CredentialNotFoundError):
            rotate_token(token="ci", user=user, overlap=None, at=T1)
    assert Credential.objects.count() == 1
