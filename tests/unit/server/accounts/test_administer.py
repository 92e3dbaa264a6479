"""What an administrator does to accounts: each verb changes, is recorded and is told, or refuses and does nothing."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import connection, transaction
from tests.rows import make_project, make_user
from tests.tokens import T0, issue_token

from sealstead.server.accounts import administer, recovery, temporary
from sealstead.server.accounts.administer import Act, NotAnAdministratorError
from sealstead.server.accounts.create import BadEmailError, EmailTakenError, UserNameTakenError
from sealstead.server.accounts.models import Session, User
from sealstead.server.audit import tags
from sealstead.server.audit.models import Event
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.rotate import rotate_upload_token
from sealstead.server.signing.create import By, Named, create_minisign
from sealstead.server.signing.manage import grant
from sealstead.server.signing.models import Profile

pytestmark = pytest.mark.django_db

AT = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


@pytest.fixture
def boss() -> User:
    return make_user("boss", is_superuser=True, is_staff=True)


@pytest.fixture
def bob() -> User:
    user = make_user("bob")
    Session.objects.create(
        handle="0" * 64,
        sealed=b"",
        user=user,
        created_at=AT,
        last_seen_at=AT,
        expires_at=AT + timedelta(hours=1),
    )
    return user


@pytest.fixture
def act(boss: User) -> Act:
    return Act(actor=boss, at=AT, origin=Origin(ip="192.0.2.9"))


VERBS: dict[str, Callable[[Act, Any], object]] = {
    "edit": lambda act, pk: administer.edit(act, pk, email="x@example.org", first_name="", last_name=""),
    "disable": lambda act, pk: administer.set_enabled(act, pk, enabled=False),
    "enable": lambda act, pk: administer.set_enabled(act, pk, enabled=True),
    "appoint": lambda act, pk: administer.set_administrator(act, pk, administrator=True),
    "dismiss": lambda act, pk: administer.set_administrator(act, pk, administrator=False),
    "reset-password": administer.reset_password,
    "reset-second-factor": administer.reset_second_factor,
    "delete": administer.delete,
}


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("lost", ["is_superuser", "is_active"])
def test_only_an_active_administrator_may(verb: str, lost: str, act: Act, bob: User) -> None:
    # The rights were taken after the page had been opened: what counts is the row, not the visitor's copy of it.
    User.objects.filter(pk=act.actor.pk).update(**{lost: False})
    before = User.objects.filter(pk=bob.pk).values().get()
    with pytest.raises(administer.NotAnAdministratorError):
        VERBS[verb](act, bob.pk)
    assert User.objects.filter(pk=bob.pk).values().get() == before
    assert not Event.objects.exists()


@pytest.mark.parametrize("verb", ["disable", "dismiss", "reset-password", "reset-second-factor", "delete"])
def test_nobody_ends_their_own_rights(verb: str, act: Act, boss: User) -> None:
    with pytest.raises(administer.OwnAccountError):
        VERBS[verb](act, boss.pk)
    boss.refresh_from_db()
    assert boss.is_active
    assert boss.is_superuser


@pytest.mark.parametrize("verb", VERBS)
def test_a_deleted_account_is_gone(verb: str, act: Act) -> None:
    with pytest.raises(administer.AccountGoneError):
        VERBS[verb](act, uuid4())


def test_a_new_account_has_a_temporary_password(act: Act, mails: list[Any]) -> None:
    user, password = administer.create(
        act, username="carol", email="Carol@Example.org", is_admin=False, first_name="Carol"
    )
    user.refresh_from_db()
    assert user.check_password(password.reveal())
    assert user.temporary_password_until == AT + timedelta(hours=12)
    assert (user.email, user.first_name, user.is_superuser) == ("carol@example.org", "Carol", False)
    event = Event.objects.get(tag=tags.ACCOUNT_CREATED)
    assert (event.actor_name, event.user_id) == ("boss", user.pk)
    (mail,) = mails
    assert mail.to == ["carol@example.org"]
    assert "carol" in mail.body
    assert password.reveal() not in mail.body
    with pytest.raises(UserNameTakenError):
        administer.create(act, username="CAROL", email="c@example.org", is_admin=True)
    assert User.objects.count() == 2


def test_the_temporary_password_is_random_and_can_be_read_out() -> None:
    passwords = {temporary.make_password().reveal() for _ in range(50)}
    assert len(passwords) == 50
    assert all(len(one) == 23 and not set(one) & set("ilo01") for one in passwords)


def test_resetting_the_password_ends_sessions_and_tells_the_owner(
    act: Act, bob: User, mails: list[Any]
) -> None:
    _user, password = administer.reset_password(act, bob.pk)
    bob.refresh_from_db()
    assert bob.check_password(password.reveal())
    assert not bob.check_password("correct horse battery")
    assert temporary.must_change(bob)
    assert not Session.objects.filter(user=bob).exists()
    (mail,) = mails
    assert mail.to == ["bob@example.org"]
    assert password.reveal() not in mail.body
    event = Event.objects.get()
    assert (event.tag, event.actor_name) == (tags.TEMPORARY_PASSWORD_GIVEN, "boss")
    assert password.reveal() not in str(event.details)


def test_the_temporary_password_is_over_at_its_end_and_not_before(bob: User) -> None:
    bob.temporary_password_until = AT
    assert not temporary.is_over(bob, at=AT - timedelta(microseconds=1))
    assert temporary.is_over(bob, at=AT)
    bob.temporary_password_until = None
    assert not temporary.is_over(bob, at=AT)


def test_resetting_the_second_factor_leaves_none(act: Act, bob: User, mails: list[Any]) -> None:
    Authenticator.objects.create(user=bob, type=Authenticator.Type.TOTP, data={"secret": "x"})
    recovery.issue_codes(bob, at=AT)
    administer.reset_second_factor(act, bob.pk)
    assert not Authenticator.objects.filter(user=bob).exists()
    assert recovery.remaining(bob) == 0
    assert not Session.objects.filter(user=bob).exists()
    event = Event.objects.get()
    assert (event.tag, event.details) == (
        tags.SECOND_FACTOR_REMOVED,
        {"kind": "totp", "by": "administrator"},
    )
    assert len(mails) == 1


def test_disabling_and_enabling_are_told_once(act: Act, bob: User, mails: list[Any]) -> None:
    for enabled, tag in ((False, tags.ACCOUNT_DISABLED), (True, tags.ACCOUNT_ENABLED)):
        administer.set_enabled(act, bob.pk, enabled=enabled)
        administer.set_enabled(act, bob.pk, enabled=enabled)
        assert Event.objects.filter(tag=tag, actor_name="boss", user_id=bob.pk).count() == 1
        assert User.objects.get(pk=bob.pk).is_active is enabled
    assert len(mails) == 2


def test_appointing_and_dismissing(act: Act, bob: User, mails: list[Any]) -> None:
    for administrator in (True, False):
        administer.set_administrator(act, bob.pk, administrator=administrator)
        user = User.objects.get(pk=bob.pk)
        assert (user.is_superuser, user.is_staff) == (administrator, administrator)
    assert [event.tag for event in Event.objects.order_by("pk")] == [
        tags.ADMINISTRATOR_GIVEN,
        tags.ADMINISTRATOR_TAKEN,
    ]
    assert len(mails) == 2


def test_a_new_address_is_told_to_both(act: Act, bob: User, mails: list[Any]) -> None:
    administer.edit(act, bob.pk, email="Robert@Example.org", first_name="Robert", last_name="B")
    address = EmailAddress.objects.get(user=bob)
    assert (address.email, address.verified, address.primary) == ("robert@example.org", True, True)
    assert {one for mail in mails for one in mail.to} == {"bob@example.org", "robert@example.org"}
    assert {event.tag for event in Event.objects.all()} == {tags.EMAIL_CHANGED, tags.ACCOUNT_EDITED}
    make_user("carol")
    with pytest.raises(EmailTakenError):
        administer.edit(act, bob.pk, email="carol@example.org", first_name="", last_name="")
    with pytest.raises(BadEmailError):
        administer.edit(act, bob.pk, email="nowhere", first_name="", last_name="")
    bob.refresh_from_db()
    assert (bob.email, bob.first_name) == ("robert@example.org", "Robert")


def test_deleting_keeps_the_events(act: Act, bob: User, mails: list[Any]) -> None:
    assert administer.delete(act, bob.pk) == "bob"
    assert not User.objects.filter(pk=bob.pk).exists()
    event = Event.objects.get()
    assert (event.tag, event.user_id, event.details) == (tags.ACCOUNT_DELETED, bob.pk, {"account": "bob"})
    assert [mail.to for mail in mails] == [["bob@example.org"]]


def test_rotated_keys_and_grants_go_with_the_account(act: Act, bob: User) -> None:
    first, _ = issue_token(owner=bob)
    rotate_upload_token(
        first, actor=bob, overlap=timedelta(days=7), idempotency_key="k", at=T0, origin=act.origin
    )
    by = By(actor=None, at=AT, origin=act.origin)
    key = create_minisign(Named(label="wheels", profile=Profile.MINISIGN), by).row
    grant(key, bob, by)
    administer.delete(act, bob.pk)
    assert not Credential.objects.exists()
    assert not key.grants.exists()


def test_the_only_owner_of_a_project_stays(act: Act, bob: User) -> None:
    make_project("harbour", owner=bob)
    shared = make_project("shared", owner=bob)
    shared.roles.create(user=act.actor, role="owner", added_at=AT)
    with pytest.raises(administer.AccountNeededError) as refused:
        administer.delete(act, bob.pk)
    assert "harbour" in refused.value.message
    assert "shared" not in refused.value.message
    assert User.objects.filter(pk=bob.pk).exists()
    assert not Event.objects.exists()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("verb", ["disable", "dismiss", "delete"])
def test_of_two_who_end_each_other_at_once_one_remains(verb: str, tmp_path: Path) -> None:
    from tests.connections import own_connections

    first, second = (make_user(name, is_superuser=True, is_staff=True) for name in ("first", "second"))
    done, go_on = threading.Event(), threading.Event()

    def quicker() -> None:
        with transaction.atomic():
            VERBS[verb](Act(actor=first, at=AT, origin=Origin()), second.pk)
            done.set()
            assert go_on.wait(60)

    def later() -> None:
        assert done.wait(60)
        VERBS[verb](Act(actor=second, at=AT, origin=Origin()), first.pk)

    def left() -> set[str]:
        return set(User.objects.filter(is_superuser=True, is_active=True).values_list("username", flat=True))

    def each(job: Callable[[], Any]) -> Any:
        try:
            return job()
        finally:
            connection.close()

    with own_connections(tmp_path), ThreadPoolExecutor(2) as threads:
        ending, waiting = threads.submit(each, quicker), threads.submit(each, later)
        # It stands behind the lock; whoever looked without one would be through by now.
        assert not wait([waiting], timeout=0.3).done
        go_on.set()
        ending.result(60)
        with pytest.raises(NotAnAdministratorError):
            waiting.result(60)
        assert threads.submit(each, left).result(60) == {"first"}
