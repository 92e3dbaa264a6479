"""Disable and enable, regenerate, delete, clean up."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from tests.api_keys import SIGNER, IssueKey, bearer
from tests.tokens import ORIGIN, T0, Issue

from sealstead.errors import SealsteadError
from sealstead.lifecycle.policy import LifetimeRefusedError, LineTooOldError
from sealstead.lifecycle.rotation import AlreadyRotatedError
from sealstead.secret import Secret
from sealstead.server.accounts.models import User
from sealstead.server.audit.models import Event
from sealstead.server.credentials.api_keys import judge_api_key
from sealstead.server.credentials.change import (
    Ended,
    clean_up,
    count_ended,
    regenerate,
    remove,
    set_enabled,
)
from sealstead.server.credentials.errors import AlreadyRevokedError, TokenNameInUseError
from sealstead.server.credentials.key_errors import ApiKeyDisabledError, KeyEndedError
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.revoke import revoke
from sealstead.server.credentials.rotate_key import rotate_api_key_for

pytestmark = pytest.mark.django_db
LATER = T0 + timedelta(hours=1)


def accepted(key: Secret[str], at: Any = LATER) -> bool:
    try:
        judge_api_key(bearer(key), at=at, origin=SIGNER)
    except SealsteadError:
        return False
    return True


def rotate(row: Credential, key: str = "form") -> tuple[Credential, Secret[str]]:
    return rotate_api_key_for(
        row, actor=row.owner, overlap=timedelta(days=7), idempotency_key=key, at=LATER, origin=ORIGIN
    )


def test_a_disabled_key_is_refused_until_it_is_enabled_again(issue_key: IssueKey, alice: User) -> None:
    row, text = issue_key()
    assert set_enabled(row, False, actor=alice, at=LATER, origin=ORIGIN)
    assert not set_enabled(row, False, actor=alice, at=LATER, origin=ORIGIN)
    with pytest.raises(ApiKeyDisabledError):
        judge_api_key(bearer(text), at=LATER, origin=SIGNER)
    assert set_enabled(row, True, actor=None, at=LATER, origin=ORIGIN)
    assert accepted(text)
    changes = Event.objects.filter(tag__in=["api-key:disabled", "api-key:enabled"]).order_by("id")
    assert [(one.tag, one.actor_id, one.user_id) for one in changes] == [
        ("api-key:disabled", alice.pk, alice.pk),
        ("api-key:enabled", None, alice.pk),
    ]


def test_nothing_that_has_ended_is_enabled_again(issue_key: IssueKey, alice: User) -> None:
    row, text = issue_key()
    with pytest.raises(KeyEndedError):
        set_enabled(row, False, actor=alice, at=T0 + timedelta(days=90), origin=ORIGIN)
    revoke(row, actor=alice, at=LATER, origin=ORIGIN)
    with pytest.raises(KeyEndedError):
        set_enabled(row, True, actor=alice, at=LATER, origin=ORIGIN)
    assert not accepted(text)


class TestRegenerate:
    def regenerate(self, row: Credential, **facts: Any) -> tuple[Credential, Secret[str]]:
        return regenerate(
            row,
            **{"actor": row.owner, "at": LATER, "origin": ORIGIN, "expires_at": LATER + timedelta(days=9)}
            | facts,
        )

    def test_the_old_text_ends_at_once_and_the_expiry_is_the_new_one(self, issue_key: IssueKey) -> None:
        row, old = issue_key(labels=["a"])
        new, text = self.regenerate(row)
        assert (accepted(old), accepted(text)) == (False, True)
        assert (new.name, new.scope, new.line, new.holds_name) == (row.name, row.scope, row.line, True)
        assert new.expires_at == (LATER + timedelta(days=9)).replace(microsecond=0)
        row.refresh_from_db()
        assert (row.revoke_reason, row.sealed_root, row.holds_name) == ("regenerated", None, False)
        assert Event.objects.get(tag="api-key:regenerated").details["successor"] == new.handle

    def test_an_expired_key_can_be_regenerated_unless_its_name_is_gone(self, issue_key: IssueKey) -> None:
        row, _ = issue_key(expires_at=LATER)
        _, text = self.regenerate(row)
        assert accepted(text)
        row, _ = issue_key(name="x", expires_at=LATER)
        issue_key(name="x", at=LATER)
        with pytest.raises(TokenNameInUseError):
            self.regenerate(row)

    def test_what_cannot_be_is_refused_and_changes_nothing(self, issue_key: IssueKey, settings: Any) -> None:
        row, text = issue_key()
        settings.SEALSTEAD = replace(settings.SEALSTEAD, longest_life=timedelta(days=30))
        with pytest.raises(LifetimeRefusedError):
            self.regenerate(row, expires_at=LATER + timedelta(days=31))
        settings.SEALSTEAD = replace(settings.SEALSTEAD, line_max_age=timedelta(minutes=30))
        with pytest.raises(LineTooOldError):
            self.regenerate(row)
        assert accepted(text)
        settings.SEALSTEAD = replace(settings.SEALSTEAD, line_max_age=timedelta(days=2))
        assert self.regenerate(row)[0].expires_at == (T0 + timedelta(days=2)).replace(microsecond=0)
        with pytest.raises(AlreadyRevokedError):
            self.regenerate(row)

    def test_a_key_with_a_living_successor_is_not_forked(self, issue_key: IssueKey) -> None:
        row, _ = issue_key()
        successor, _ = rotate(row)
        with pytest.raises(AlreadyRotatedError):
            self.regenerate(row)
        again, text = self.regenerate(successor)
        assert accepted(text)
        revoke(row, actor=None, at=LATER, origin=ORIGIN)
        assert not accepted(text), "it belongs to the line"
        assert again.predecessor_id == successor.pk


class TestDeleting:
    def test_it_ends_and_leaves_its_successor_and_its_line(self, issue_key: IssueKey, alice: User) -> None:
        row, old = issue_key()
        successor, text = rotate(row)
        remove(row, actor=alice, at=LATER, origin=ORIGIN)
        assert (accepted(old), accepted(text)) == (False, True)
        row.refresh_from_db()
        assert (row.removed_at, row.sealed_root, row.holds_name) == (LATER, None, False)
        successor.refresh_from_db()
        assert successor.holds_name
        revoke(row, actor=alice, at=LATER, origin=ORIGIN)
        assert not accepted(text), "a revocation still reaches what was made from it"

    def test_an_expired_one_hands_the_name_to_its_successor(self, issue_key: IssueKey, alice: User) -> None:
        row, _ = issue_key(expires_at=LATER + timedelta(days=1))
        successor, _ = rotate(row)
        Credential.objects.filter(pk=successor.pk).update(expires_at=None)
        remove(row, actor=alice, at=LATER + timedelta(days=1), origin=ORIGIN)
        successor.refresh_from_db()
        assert successor.holds_name

    def test_its_name_is_free_again(self, issue_key: IssueKey, alice: User) -> None:
        row, _ = issue_key()
        remove(row, actor=alice, at=LATER, origin=ORIGIN)
        remove(row, actor=alice, at=LATER, origin=ORIGIN)
        issue_key(at=LATER)
        assert Event.objects.filter(tag="api-key:removed").count() == 1

    def test_clearing_the_moment_by_hand_revives_nothing(self, issue_key: IssueKey, alice: User) -> None:
        row, text = issue_key()
        remove(row, actor=alice, at=LATER, origin=ORIGIN)
        Credential.objects.update(removed_at=None, revoked_at=None)
        assert not accepted(text)


def test_cleaning_up_takes_what_was_chosen_of_all_kinds(
    issue_key: IssueKey, issue: Issue, alice: User, bob: User
) -> None:
    issue(name="expired token", expires_at=LATER)
    issue_key(name="expired", expires_at=LATER)
    revoked, _ = issue_key(name="revoked")
    revoke(revoked, actor=alice, at=LATER, origin=ORIGIN)
    retired, _ = issue_key(name="rotated", expires_at=None)
    successor, text = rotate(retired)
    rotate(successor, "form-2")
    regenerated, _ = issue_key(name="regenerated")
    regenerate(regenerated, actor=alice, at=LATER, origin=ORIGIN, expires_at=None)
    issue_key(name="foreign", owner=bob, expires_at=LATER)
    at = LATER + timedelta(days=8)
    assert count_ended(alice, at) == {Ended.EXPIRED: 2, Ended.REVOKED: 1, Ended.SUPERSEDED: 3}
    done = clean_up(alice, [Ended.EXPIRED, Ended.SUPERSEDED], actor=alice, at=at, origin=ORIGIN)
    assert done == {Ended.EXPIRED: 2, Ended.SUPERSEDED: 3}
    assert count_ended(alice, at) == {Ended.EXPIRED: 0, Ended.REVOKED: 1, Ended.SUPERSEDED: 0}
    assert count_ended(bob, at)[Ended.EXPIRED] == 1
    assert not accepted(text, at)
    kept = Credential.objects.filter(owner=alice, removed_at=None)
    assert sorted(kept.values_list("name", flat=True)) == ["regenerated", "revoked", "rotated"]
    assert {"upload-token:removed", "api-key:removed"} <= set(Event.objects.values_list("tag", flat=True))
