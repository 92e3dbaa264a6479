from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from tests.tokens import CHROME, ORIGIN, STEEL, T0, Issue

from sealstead.lifecycle.policy import LifetimeRefusedError
from sealstead.server.accounts.models import User
from sealstead.server.audit.models import Event
from sealstead.server.credentials.errors import (
    InvalidTokenNameError,
    InvalidTokenScopeError,
    TokenNameInUseError,
)
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.scope import MAX_PROJECTS

pytestmark = pytest.mark.django_db


def test_the_row_holds_what_was_picked_and_no_secret(issue: Issue) -> None:
    row, token = issue(projects=[STEEL, CHROME])
    row.refresh_from_db()
    assert token.reveal().startswith("pypi-")
    assert row.scope == {"projects": {"chrome": str(CHROME[1]), "steel": str(STEEL[1])}}
    assert row.expires_at == (T0 + timedelta(days=30)).replace(microsecond=0)
    assert (row.line, row.line_started_at, row.predecessor) == (row.pk, T0, None)
    everything = repr(Credential.objects.filter(pk=row.pk).values().get())
    assert token.reveal() not in everything
    assert "pypi-" not in repr(token)


def test_one_event_that_names_the_credential(issue: Issue, alice: User) -> None:
    row, _ = issue()
    event = Event.objects.get(tag="upload-token:issued")
    assert (event.credential_id, event.actor_id, event.user_id) == (row.pk, alice.pk, alice.pk)
    assert (event.ip, event.at) == (ORIGIN.ip, T0)
    assert event.details["projects"] == ["chrome"]


def test_the_owner_is_told_without_the_secret(
    issue: Issue, settings: Any, django_capture_on_commit_callbacks: Any
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        row, token = issue(name="release & co")
    (message,) = mail.outbox
    assert message.to == ["alice@example.org"]
    assert message.subject == "API token added: release & co"
    assert str(row.pk) in message.body
    assert "Scope: chrome" in message.body
    assert token.reveal() not in message.body


@pytest.mark.parametrize("name", ["", "  ", "a\x00b", "a\u200bb", "n" * 101])
def test_a_bad_name_writes_nothing(issue: Issue, name: str) -> None:
    with pytest.raises(InvalidTokenNameError):
        issue(name=name)
    assert not Credential.objects.exists()
    assert not Event.objects.exists()


def test_names_are_settled_before_they_are_compared(issue: Issue) -> None:
    row, _ = issue(name=" my   ci ")
    assert row.name == "my ci"
    with pytest.raises(TokenNameInUseError):
        issue(name="my ci")
    assert Credential.objects.count() == 1
    assert Event.objects.count() == 1


def test_a_name_is_an_owners_own(issue: Issue, bob: User) -> None:
    issue()
    issue(owner=bob)


def test_the_name_of_a_dead_line_is_free(issue: Issue) -> None:
    issue(expires_at=T0 + timedelta(days=1))
    with pytest.raises(TokenNameInUseError):
        issue(at=T0 + timedelta(days=1, seconds=-1))
    row, _ = issue(at=T0 + timedelta(days=1))
    assert list(Credential.objects.filter(holds_name=True)) == [row]


def test_no_projects_never_reads_as_all(issue: Issue) -> None:
    with pytest.raises(InvalidTokenScopeError):
        issue(projects=[])
    with pytest.raises(InvalidTokenScopeError):
        issue(projects=[(f"p{n}", CHROME[1]) for n in range(MAX_PROJECTS + 1)])
    assert not Credential.objects.exists()


def test_an_expiry_must_lie_ahead(issue: Issue) -> None:
    with pytest.raises(LifetimeRefusedError):
        issue(expires_at=T0)
    assert not Credential.objects.exists()
