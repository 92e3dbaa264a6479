"""Rotation of API keys: one successor, a repeat that finds it, and nobody locked out."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from tests.api_keys import SIGNER, IssueKey, bearer
from tests.tokens import ORIGIN, T0

from sealstead.errors import SealsteadError
from sealstead.formats.api_key_text import ApiKeyText, make_api_key
from sealstead.lifecycle.policy import InvalidOverlapError
from sealstead.lifecycle.rotation import AlreadyRotatedError, NotRotatableError
from sealstead.secret import Secret
from sealstead.server.accounts.models import User
from sealstead.server.api_request import ApiRequest
from sealstead.server.audit.models import Event
from sealstead.server.credentials.api import ROUTES
from sealstead.server.credentials.api_keys import judge_api_key, write_key_uses
from sealstead.server.credentials.change import regenerate, set_enabled
from sealstead.server.credentials.key_errors import (
    ApiKeyDisabledError,
    ApiKeyExpiredError,
    ApiKeyRetiredError,
    IdempotencyKeyMissingError,
    InvalidApiKeyError,
    InvalidKeyHashError,
    KeyIdInUseError,
    RotatorRoleMissingError,
)
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.revoke import revoke
from sealstead.server.credentials.rotate_key import rotate_api_key_for

pytestmark = pytest.mark.django_db
LATER = T0 + timedelta(hours=1)
WEEK = 7 * 86_400
TICK = timedelta(microseconds=1)


class Body:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def read(self, size: int, /) -> bytes:
        taken, self._content = self._content[:size], self._content[size:]
        return taken


def post(
    key: Secret[str] | str, body: Any, *, at: datetime = LATER, idempotency_key: str | None = "run-1"
) -> Any:
    import json

    content = json.dumps(body).encode()
    return ROUTES["POST", "/api/v1/key/rotate"](
        ApiRequest(
            method="POST",
            path="/api/v1/key/rotate",
            at=at,
            origin=SIGNER,
            authorization=bearer(key),
            idempotency_key=idempotency_key,
            body_length=len(content),
            stream=Body(content),
        )
    )


def rotate(
    key: Secret[str], new: ApiKeyText, *, overlap: object = WEEK, at: datetime = LATER, **rest: Any
) -> Any:
    body = {"id": new.id, "secret_sha256": new.secret_sha256, "overlap_seconds": overlap}
    body |= {name: rest.pop(name) for name in ("auto_revoke",) if name in rest}
    return post(key, body, at=at, **rest)


def shown(key: Secret[str], *, at: datetime = LATER) -> Any:
    return ROUTES["GET", "/api/v1/key"](
        ApiRequest(method="GET", path="/api/v1/key", at=at, origin=SIGNER, authorization=bearer(key))
    )


def accepted(key: Secret[str], at: datetime) -> bool:
    try:
        judge_api_key(bearer(key), at=at, origin=SIGNER)
    except SealsteadError:
        return False
    return True


def use(key: Secret[str], at: datetime = LATER) -> None:
    write_key_uses([judge_api_key(bearer(key), at=at, origin=SIGNER).use(SIGNER)])


@pytest.fixture
def new() -> Callable[[], ApiKeyText]:
    return lambda: make_api_key(os.urandom)


New = Callable[[], ApiKeyText]


def test_old_and_new_are_accepted_for_the_overlap_and_then_only_the_new_one(
    issue_key: IssueKey, new: New, django_capture_on_commit_callbacks: Any
) -> None:
    row, old = issue_key(labels=["a"], networks=["192.0.2.0/24"])
    made = new()
    with django_capture_on_commit_callbacks(execute=True) as mails:
        answer = rotate(old, made)
    assert not mails, "a key that rotates itself as planned writes no mails"
    assert (answer["repeated"], answer["key"]["id"], answer["key"]["name"]) == (False, made.id, "ci")
    assert (answer["key"]["labels"], answer["key"]["networks"]) == (["a"], ["192.0.2.0/24"])
    assert answer["key"]["expires_at"] == "2027-01-30T13:00:00Z", "as long a life again"
    assert answer["predecessor"] == {
        "id": row.handle,
        "name": "ci",
        "state": "retiring",
        "state_text": "retiring",
        "retires_at": "2026-11-08T13:00:00.250000Z",
        "overdue_at": None,
        "rotated_at": "2026-11-01T13:00:00.250000Z",
        "uses_since_rotation": [],
    }
    end = LATER + timedelta(days=7)
    for at, old_is in ((LATER, True), (end - TICK, True), (end, False)):
        assert (accepted(old, at), accepted(made.text, at)) == (old_is, True)
    gone = shown(made.text, at=end)["predecessor"]
    assert (gone["state"], gone["state_text"]) == ("retired", "revoked automatically by rotation")
    with pytest.raises(ApiKeyRetiredError, match="revoked automatically by rotation"):
        judge_api_key(bearer(old), at=end, origin=SIGNER)


@pytest.mark.parametrize("overlap", [0, WEEK])
def test_a_lost_answer_is_had_again_with_the_old_key_and_with_the_new_one(
    issue_key: IssueKey, new: New, overlap: int
) -> None:
    _, old = issue_key()
    made = new()
    first = rotate(old, made, overlap=overlap)
    for at in (LATER, LATER + timedelta(days=8)):
        for proof in (old, made.text):
            again = rotate(proof, made, overlap=overlap, at=at)
            assert again["repeated"] is True
            assert again["key"]["id"] == first["key"]["id"] == made.id
    assert Credential.objects.count() == 2
    assert not Event.objects.filter(accepted=False).exists()


def test_an_expired_key_still_learns_that_its_rotation_was_done(issue_key: IssueKey, new: New) -> None:
    _, old = issue_key(expires_at=LATER + timedelta(days=1))
    made = new()
    rotate(old, made)
    assert rotate(old, made, at=LATER + timedelta(hours=24))["repeated"]
    with pytest.raises(SealsteadError) as caught:
        rotate(old, new(), at=LATER + timedelta(hours=24))
    assert caught.value.code == "api-key-expired"


@pytest.mark.parametrize("change", ["id", "hash", "key"])
def test_a_different_second_rotation_supersedes_a_successor_never_used(
    issue_key: IssueKey, new: New, alice: User, change: str, django_capture_on_commit_callbacks: Any
) -> None:
    row, old = issue_key()
    first, second = new(), new()
    if change == "hash":
        second = replace(first, id=second.id)
    rotate(old, first)
    use(old)
    with_key = {"idempotency_key": "run-2"} if change == "key" else {}
    with django_capture_on_commit_callbacks(execute=True):
        answer = rotate(old, second, at=LATER + timedelta(minutes=1), **with_key)
    assert answer["key"]["id"] == second.id
    assert not accepted(first.text, LATER + timedelta(minutes=2)) or change == "hash"
    assert Credential.objects.get(handle=first.id).revoke_reason == "superseded"
    assert answer["predecessor"]["uses_since_rotation"] == [], "counted since the rotation that holds"
    event = Event.objects.get(tag="api-key:second-rotation")
    assert (event.user_id, event.credential_id, event.ip) == (alice.pk, row.pk, "192.0.2.9")
    (told,) = mail.outbox
    assert told.to == ["alice@example.org"]
    assert first.id in told.body
    assert second.id in told.body
    assert first.secret.reveal() not in told.body


def test_a_second_rotation_is_refused_once_the_successor_was_used(
    issue_key: IssueKey, new: New, alice: User, django_capture_on_commit_callbacks: Any
) -> None:
    """A thief rotates first, and uses what they got: the owner is told, and ends the whole line."""
    row, old = issue_key()
    thiefs = new()
    rotate(old, thiefs)
    use(thiefs.text)
    with (
        django_capture_on_commit_callbacks(execute=True),
        pytest.raises(AlreadyRotatedError) as caught,
    ):
        rotate(old, new(), idempotency_key="holder")
    assert caught.value.code == "already-rotated"
    assert caught.value.facts == {"successor": thiefs.id}
    assert caught.value.message == f"it has a successor in use: {thiefs.id}"
    event = Event.objects.get(tag="api-key:rotation-refused")
    assert (event.accepted, event.code, event.user_id) == (False, "already-rotated", alice.pk)
    assert [told.to for told in mail.outbox] == [["alice@example.org"]]
    revoke(row, actor=alice, at=LATER, origin=ORIGIN)
    assert not accepted(old, LATER)
    assert not accepted(thiefs.text, LATER)


def test_a_successor_that_rotated_counts_as_used(issue_key: IssueKey, new: New) -> None:
    _, old = issue_key()
    second, third = new(), new()
    rotate(old, second)
    rotate(second.text, third, idempotency_key="run-2")
    with pytest.raises(AlreadyRotatedError):
        rotate(old, new(), idempotency_key="thief")
    assert accepted(third.text, LATER)


def test_nothing_in_use_ends_with_a_successor_that_rotated_on_the_page(
    issue_key: IssueKey, new: New, alice: User
) -> None:
    _, old = issue_key()
    second = new()
    rotate(old, second)
    _, third = rotate_api_key_for(
        Credential.objects.get(handle=second.id),
        actor=alice,
        overlap=timedelta(0),
        idempotency_key="",
        at=LATER,
        origin=ORIGIN,
    )
    with pytest.raises(AlreadyRotatedError):
        rotate(old, new(), idempotency_key="thief")
    assert accepted(third, LATER)


@pytest.mark.parametrize("end", ["regenerate", "revoke alone"])
def test_a_line_that_moved_on_behind_an_ended_link_is_not_forked(
    issue_key: IssueKey, new: New, alice: User, end: str
) -> None:
    """Or whoever holds the first key, within its overlap, could rotate it again without an alarm."""
    _, old = issue_key()
    second = new()
    rotate(old, second)
    row = Credential.objects.get(handle=second.id)
    if end == "regenerate":
        heir, text = regenerate(row, expires_at=None, actor=alice, at=LATER, origin=ORIGIN)
        handle = heir.handle
    else:
        third = new()
        rotate(second.text, third, idempotency_key="run-2")
        revoke(row, actor=alice, at=LATER, origin=ORIGIN, only_this=True)
        handle, text = third.id, third.text
    with pytest.raises(AlreadyRotatedError) as caught:
        rotate(old, new(), idempotency_key="thief")
    assert caught.value.facts == {"successor": handle}
    assert Event.objects.filter(tag="api-key:rotation-refused", user_id=alice.pk).exists()
    assert accepted(text, LATER)


def test_an_ended_new_key_proves_no_repeat(issue_key: IssueKey, new: New) -> None:
    _, old = issue_key(expires_at=LATER + timedelta(days=1))
    made = new()
    rotate(old, made)
    with pytest.raises(ApiKeyExpiredError):
        rotate(made.text, made, at=LATER + timedelta(days=2))


def test_who_has_shown_the_new_key_is_not_superseded(issue_key: IssueKey, new: New) -> None:
    _, old = issue_key()
    made = new()
    rotate(old, made)
    rotate(made.text, made)
    with pytest.raises(AlreadyRotatedError):
        rotate(old, new(), idempotency_key="thief")


def test_without_automatic_revocation_the_old_key_stays_and_is_overdue(issue_key: IssueKey, new: New) -> None:
    row, old = issue_key()
    made = new()
    answer = rotate(old, made, auto_revoke=False)
    assert (answer["predecessor"]["retires_at"], answer["predecessor"]["overdue_at"]) == (
        None,
        "2026-11-08T13:00:00.250000Z",
    )
    assert accepted(old, LATER + timedelta(days=60))
    assert shown(old, at=LATER + timedelta(days=60))["state"] == "overdue"
    assert not accepted(old, row.expires_at or LATER)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"overlap_seconds": 31 * 86_400}, InvalidOverlapError),
        ({"overlap_seconds": -1}, InvalidOverlapError),
        ({"overlap_seconds": 10**400}, InvalidOverlapError),
        ({"overlap_seconds": "abc"}, InvalidOverlapError),
        ({"overlap_seconds": True}, InvalidOverlapError),
        ({"overlap_seconds": None}, InvalidOverlapError),
        ({"id": "short"}, InvalidKeyHashError),
        ({"id": None}, InvalidKeyHashError),
        ({"id": ["0123456789ab"]}, InvalidKeyHashError),
        ({"secret_sha256": "A" * 64}, InvalidKeyHashError),
        ({"secret_sha256": "a" * 63}, InvalidKeyHashError),
        ({"auto_revoke": "yes"}, InvalidKeyHashError),
        ({"roles": ["Standard"]}, InvalidKeyHashError),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    issue_key: IssueKey, body: dict[str, Any], refusal: type[SealsteadError]
) -> None:
    _, old = issue_key()
    with pytest.raises(refusal):
        post(old, {"id": "0123456789ab", "secret_sha256": "a" * 64} | body)
    assert Credential.objects.count() == 1
    assert accepted(old, LATER + timedelta(days=30))


def test_an_idempotency_key_is_needed(issue_key: IssueKey, new: New) -> None:
    _, old = issue_key()
    for missing in (None, "", " ", "x" * 201):
        with pytest.raises(IdempotencyKeyMissingError):
            rotate(old, new(), idempotency_key=missing)


def test_a_key_needs_the_role_to_rotate_itself(issue_key: IssueKey, new: New) -> None:
    _, signer = issue_key(roles=["Standard"])
    with pytest.raises(RotatorRoleMissingError):
        rotate(signer, new())
    assert Event.objects.get(accepted=False).code == "rotator-role-missing"


def test_ids_that_are_taken(issue_key: IssueKey, new: New) -> None:
    _, old = issue_key()
    other, other_text = issue_key(name="other")
    taken = replace(new(), id=other.handle or "")
    with pytest.raises(KeyIdInUseError):
        rotate(old, taken)
    with pytest.raises(KeyIdInUseError):
        rotate(old, replace(new(), id=old.reveal().split("_")[1]))
    assert accepted(other_text, LATER)


def test_disabled_and_revoked_keys_rotate_nothing_not_even_again(
    issue_key: IssueKey, new: New, alice: User
) -> None:
    row, old = issue_key()
    made = new()
    rotate(old, made)
    set_enabled(row, False, actor=alice, at=LATER, origin=ORIGIN)
    with pytest.raises(ApiKeyDisabledError):
        rotate(old, made)
    set_enabled(row, True, actor=alice, at=LATER, origin=ORIGIN)
    assert rotate(old, made)["repeated"]
    revoke(row, actor=alice, at=LATER, origin=ORIGIN)
    with pytest.raises(InvalidApiKeyError):
        rotate(old, made)
    with pytest.raises(InvalidApiKeyError):
        rotate(made.text, made)


def test_a_line_has_a_greatest_age(issue_key: IssueKey, new: New, settings: Any) -> None:
    settings.SEALSTEAD = replace(settings.SEALSTEAD, line_max_age=timedelta(days=30))
    _, old = issue_key()
    made = new()
    assert rotate(old, made)["key"]["expires_at"] == "2026-12-01T12:00:00Z"
    again = rotate(made.text, new(), at=T0 + timedelta(days=29), idempotency_key="run-2")
    assert again["key"]["expires_at"] == "2026-12-01T12:00:00Z", "rotating never lengthens a line"


def test_self_info_shows_where_the_old_key_is_still_used(issue_key: IssueKey, new: New) -> None:
    row, old = issue_key()
    use(old)
    made = new()
    rotate(old, made)
    use(old, LATER + timedelta(hours=1))
    facts = shown(made.text)
    assert facts["predecessor"]["uses_since_rotation"] == [
        {"address": "192.0.2.9", "count": 1, "last_at": "2026-11-01T14:00:00.250000Z"}
    ]
    assert (facts["owner"], facts["roles"], facts["state"]) == (
        "alice",
        ["ApiKeyRotator", "Standard"],
        "active",
    )
    assert facts["expires_in_seconds"] == 90 * 86_400 - 1
    assert facts["line"] == {"id": str(row.pk), "started_at": "2026-11-01T12:00:00.250000Z"}
    before = Credential.objects.get(handle=made.id)
    assert before.last_used_at is None, "asking is no use"
    assert shown(old)["successor"] == {
        "id": made.id,
        "state": "active",
        "state_text": "active",
        "used": False,
        "created_at": "2026-11-01T13:00:00.250000Z",
    }


def test_without_an_overlap_the_policy_s_is_taken(issue_key: IssueKey, new: New, settings: Any) -> None:
    for proposed, longest, expected in ((7, 30, "08"), (3, 30, "04"), (7, 2, "03")):
        settings.SEALSTEAD = replace(
            settings.SEALSTEAD,
            default_overlap=timedelta(days=proposed),
            longest_overlap=timedelta(days=longest),
        )
        _, old = issue_key(name=f"key {proposed} {longest}")
        made = new()
        answer = post(old, {"id": made.id, "secret_sha256": made.secret_sha256})
        assert answer["predecessor"]["retires_at"] == f"2026-11-{expected}T13:00:00.250000Z"


class TestOnThePage:
    def rotate(self, row: Credential, alice: User, **facts: Any) -> tuple[Credential, Secret[str]]:
        return rotate_api_key_for(
            row,
            **{
                "actor": alice,
                "overlap": timedelta(days=7),
                "idempotency_key": "form-1",
                "at": LATER,
                "origin": ORIGIN,
            }
            | facts,
        )

    def test_the_owner_is_shown_a_new_key(self, issue_key: IssueKey, alice: User) -> None:
        row, old = issue_key()
        _, text = self.rotate(row, alice)
        assert accepted(old, LATER)
        assert accepted(text, LATER)
        assert not accepted(old, LATER + timedelta(days=7))

    def test_a_double_click_shows_the_same_key_and_later_none(self, issue_key: IssueKey, alice: User) -> None:
        row, _ = issue_key()
        _, text = self.rotate(row, alice)
        _, again = self.rotate(row, alice, at=LATER + timedelta(minutes=1))
        assert text.reveal() == again.reveal()
        with pytest.raises(AlreadyRotatedError):
            self.rotate(row, alice, at=LATER + timedelta(minutes=10))

    def test_another_form_and_another_master_key_make_other_keys(
        self, issue_key: IssueKey, alice: User, settings: Any
    ) -> None:
        from sealstead.custody.sealed import KeyRing

        row, _ = issue_key()
        _, text = self.rotate(row, alice)
        _, other = self.rotate(row, alice, idempotency_key="form-2")
        assert text.reveal() != other.reveal()
        assert not accepted(text, LATER)
        ring = settings.SEALSTEAD.ring
        newer = KeyRing.generate()
        both = KeyRing.parse(ring.dump(), source="test")
        both._keys |= newer._keys
        both.active = newer.active
        settings.SEALSTEAD = replace(settings.SEALSTEAD, ring=both)
        with pytest.raises(AlreadyRotatedError):
            self.rotate(row, alice, idempotency_key="form-2")

    def test_a_disabled_key_is_not_rotated(self, issue_key: IssueKey, alice: User) -> None:
        row, _ = issue_key()
        set_enabled(row, False, actor=alice, at=T0, origin=ORIGIN)
        with pytest.raises(NotRotatableError, match="disabled"):
            self.rotate(row, alice)
