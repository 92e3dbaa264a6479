"""Judging an API key: one answer to whoever lacks the secret, the reason to whoever holds it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.api_keys import SIGNER, IssueKey, bearer
from tests.tokens import T0

from sealstead.errors import SealsteadError
from sealstead.formats.api_key_text import ApiKeyText, checksum_of, make_api_key
from sealstead.secret import Secret
from sealstead.server.accounts.models import User
from sealstead.server.audit.models import Event
from sealstead.server.credentials.api_keys import ApiGrant, Role, judge_api_key, write_key_uses
from sealstead.server.credentials.errors import TooManyFailuresError
from sealstead.server.credentials.key_errors import (
    ApiKeyDisabledError,
    ApiKeyExpiredError,
    ApiKeyOwnerDisabledError,
    ApiKeyRetiredError,
    InvalidApiKeyError,
    KeyRateExceededError,
    NetworkNotAllowedError,
    RoleMissingError,
    RotatorRoleMissingError,
)
from sealstead.server.credentials.models import AddressUse, Credential
from sealstead.server.credentials.seal import open_root, seal_root

pytestmark = pytest.mark.django_db
LATER = T0 + timedelta(hours=1)


def judge(text: Any, **facts: Any) -> ApiGrant:
    return judge_api_key(bearer(text), **{"at": LATER, "origin": SIGNER} | facts)


def set_and_seal(row: Credential, **columns: datetime | None) -> None:
    """Change sealed columns as a verb of the server does."""
    root = open_root(row)
    for name, value in columns.items():
        setattr(row, name, value)
    seal_root(row, root)
    row.save()


def test_a_good_key_says_who_acts_and_for_what(issue_key: IssueKey, alice: User) -> None:
    row, text = issue_key(labels=["Production", "naïve label"])
    grant = judge(text)
    assert (grant.owner, grant.owner.username, grant.owner.is_superuser) == (alice, "alice", False)
    assert (grant.credential_id, grant.handle, grant.name) == (row.pk, row.handle, "ci")
    assert grant.roles == {Role.STANDARD, Role.API_KEY_ROTATOR}
    assert grant.allows_label("  PRODUCTION ")
    assert not grant.allows_label("staging")
    assert not Event.objects.filter(accepted=False).exists()
    row.refresh_from_db()
    assert row.last_used_at is None, "its use is written with the event of what was done"


def test_the_row_holds_nothing_to_make_a_key_from(issue_key: IssueKey) -> None:
    row, text = issue_key()
    secret = text.reveal().split("_")[2]
    row.refresh_from_db()
    assert secret not in " ".join(map(str, vars(row).values()))
    assert len(open_root(row)) == 32


def with_secret_of(other: ApiKeyText, row: Credential) -> Secret[str]:
    """The text of a key with the id of `row` and somebody else's secret, checksum and all: ids are no secrets."""
    body = f"seal_{row.handle}_{other.secret.reveal()}"
    return Secret(f"{body}_{checksum_of(body)}")


def test_every_wrong_one_gets_the_same_answer(issue_key: IssueKey) -> None:
    row, text = issue_key()
    guessed = with_secret_of(make_api_key(os.urandom), issue_key(name="another")[0])
    other = make_api_key(os.urandom)
    mixed = make_api_key(lambda count: b"\1" * count)
    Credential.objects.filter(pk=row.pk).update(handle=mixed.id)
    presented = [
        None,
        "",
        "Basic abc",
        "Bearer",
        "Bearer x",
        bearer(other.text),
        bearer(text),
        bearer(mixed.text),
        bearer(guessed),
    ]
    answers = set()
    for one in presented:
        with pytest.raises(InvalidApiKeyError) as caught:
            judge_api_key(one, at=LATER, origin=SIGNER)
        answers.add((caught.value.code, caught.value.message, caught.value.hint))
    assert len(answers) == 1
    codes = list(Event.objects.filter(tag="api-key:refused").values_list("code", flat=True))
    assert set(codes) == {"api-key-shape", "unknown-api-key", "seal-broken", "wrong-secret"}
    assert not Event.objects.filter(tag="api-key:refused", user_id__isnull=False).exists()


@pytest.mark.parametrize(
    ("columns", "refusal"),
    [
        ({"expires_at": LATER}, ApiKeyExpiredError),
        ({"retires_at": LATER}, ApiKeyRetiredError),
        ({"disabled_at": LATER}, ApiKeyDisabledError),
    ],
)
def test_its_time_is_told_to_who_holds_it(
    issue_key: IssueKey, alice: User, columns: dict[str, datetime], refusal: type[SealsteadError]
) -> None:
    row, text = issue_key()
    set_and_seal(row, **columns)
    judge(text, at=LATER - timedelta(microseconds=1))
    with pytest.raises(refusal):
        judge(text)
    event = Event.objects.get(tag="api-key:refused")
    assert (event.code, event.user_id, event.credential_id) == (refusal.code, alice.pk, row.pk)
    wrong = make_api_key(os.urandom).text.reveal().split("_")
    with pytest.raises(InvalidApiKeyError):
        judge("_".join(text.reveal().split("_")[:2] + wrong[2:]))


def test_revoking_and_closing_the_account_hold_at_once(issue_key: IssueKey, alice: User) -> None:
    row, text = issue_key()
    judge(text)
    User.objects.update(is_active=False)
    with pytest.raises(ApiKeyOwnerDisabledError):
        judge(text)
    User.objects.update(is_active=True)
    judge(text)
    Credential.objects.filter(pk=row.pk).update(revoked_at=T0, sealed_root=None)
    with pytest.raises(InvalidApiKeyError):
        judge(text)
    # Clearing the moment revives nothing.
    Credential.objects.filter(pk=row.pk).update(revoked_at=None)
    with pytest.raises(InvalidApiKeyError):
        judge(text)


def widened(row: Credential) -> dict[str, Any]:
    return {
        "scope": {"roles": ["Standard", "ApiKeyRotator"]},
        "expires_at": None,
        "retires_at": None,
        "overdue_at": T0,
        "disabled_at": None,
        "line_started_at": T0 + timedelta(days=1),
        "created_at": T0 + timedelta(days=1),
        "not_before": T0,
    }


@pytest.mark.parametrize("column", list(widened(Credential())))
def test_a_column_changed_by_hand_ends_the_key_and_moves_nothing(issue_key: IssueKey, column: str) -> None:
    row, text = issue_key(roles=["Standard"], labels=["a"])
    set_and_seal(row, retires_at=T0 + timedelta(days=2), disabled_at=T0 + timedelta(days=3))
    judge(text)
    Credential.objects.filter(pk=row.pk).update(**{column: widened(row)[column]})
    with pytest.raises(InvalidApiKeyError):
        judge(text)


def test_a_row_written_by_hand_is_no_key(issue_key: IssueKey, alice: User) -> None:
    """The sealed value of one key, copied to a row of another owner, id or scope."""
    row, text = issue_key()
    judge(text)
    made = make_api_key(os.urandom)
    copy = Credential.objects.get(pk=row.pk)
    copy.pk, copy.handle, copy.name = None, made.id, "copy"
    copy._state.adding = True
    copy.save(force_insert=True)
    for attempt in (made.text, text.reveal().replace(row.handle or "", made.id)):
        with pytest.raises(InvalidApiKeyError):
            judge(attempt)


def test_roles(issue_key: IssueKey) -> None:
    _, signer = issue_key(name="signer", roles=["Standard"])
    _, rotator = issue_key(name="rotator", roles=["ApiKeyRotator"])
    judge(signer)
    judge(rotator, role=Role.API_KEY_ROTATOR)
    judge(rotator, role=None)
    with pytest.raises(RoleMissingError):
        judge(rotator)
    with pytest.raises(RotatorRoleMissingError):
        judge(signer, role=Role.API_KEY_ROTATOR)


@pytest.mark.parametrize(
    ("ip", "allowed"),
    [
        ("192.0.2.9", True),
        ("192.0.3.9", False),
        ("2001:db8::5", True),
        ("::ffff:192.0.2.9", True),
        ("2001:db9::5", False),
        (None, False),
    ],
)
def test_networks(issue_key: IssueKey, ip: str | None, allowed: bool) -> None:
    _, text = issue_key(networks=["192.0.2.7/24", "2001:db8::/32"])
    if allowed:
        judge(text, origin=replace(SIGNER, ip=ip))
        return
    with pytest.raises(NetworkNotAllowedError):
        judge(text, origin=replace(SIGNER, ip=ip))


def test_a_rate_says_when_to_come_back(issue_key: IssueKey) -> None:
    _, text = issue_key(rate="2/m")
    judge(text)
    judge(text)
    with pytest.raises(KeyRateExceededError) as caught:
        judge(text, at=LATER + timedelta(seconds=20))
    assert caught.value.retry_after == timedelta(seconds=40)
    judge(text, at=LATER + timedelta(seconds=60))


def test_wrong_keys_are_counted_and_good_ones_accepted_all_the_same(issue_key: IssueKey) -> None:
    _, text = issue_key()
    for _ in range(19):
        with pytest.raises(InvalidApiKeyError):
            judge(make_api_key(os.urandom).text)
    with pytest.raises(TooManyFailuresError):
        judge(make_api_key(os.urandom).text)
    assert Event.objects.filter(tag="api-key:refused").count() == 19
    judge(text)


def test_one_read_and_no_write(issue_key: IssueKey) -> None:
    _, text = issue_key()
    with CaptureQueriesContext(
        connection,
    ) as queries:
        judge(text)
        judge(text)
    assert [query["sql"].split()[0] for query in queries] == ["SELECT", "SELECT"]


def test_uses_are_written_together_and_by_address_once_rotated(issue_key: IssueKey) -> None:
    row, text = issue_key()
    elsewhere = replace(SIGNER, ip="2001:db8::1")
    write_key_uses([judge(text).use(SIGNER), judge(text).use(elsewhere)])
    row.refresh_from_db()
    assert (row.use_count, row.last_used_at, row.last_used_ip) == (2, LATER, "2001:db8::1")
    assert not AddressUse.objects.exists()
    set_and_seal(row, retires_at=T0 + timedelta(days=2))
    write_key_uses([judge(text).use(SIGNER), judge(text).use(SIGNER), judge(text).use(elsewhere)])
    write_key_uses([judge(text, at=LATER + timedelta(hours=1)).use(SIGNER)])
    found = {one.address: (one.count, one.last_at) for one in row.address_uses.all()}
    assert found == {"192.0.2.9": (3, LATER + timedelta(hours=1)), "2001:db8::1": (1, LATER)}
