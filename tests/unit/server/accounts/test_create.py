from __future__ import annotations

import pytest
from allauth.account.models import EmailAddress

from sealstead.server.accounts import create
from sealstead.server.accounts.create import create_user
from sealstead.server.accounts.email import has_verified_email
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.models import Event

pytestmark = pytest.mark.django_db

GOOD = {"username": "alice", "email": "alice@example.org", "password": "correct horse battery"}


def test_the_operator_vouches_for_the_address() -> None:
    user = create_user(**GOOD)
    assert has_verified_email(user)
    event = Event.objects.get()
    assert (event.tag, event.user_id, event.actor_id) == (tags.ACCOUNT_CREATED, user.pk, None)
    assert "correct horse" not in user.password


@pytest.mark.parametrize(
    ("bad", "error", "code"),
    [
        ({"username": "-alice"}, create.BadUserNameError, "bad-user-name"),
        ({"username": "alice@example.org"}, create.BadUserNameError, "bad-user-name"),
        ({"username": "a" * 51}, create.BadUserNameError, "bad-user-name"),
        ({"username": "аlice"}, create.BadUserNameError, "bad-user-name"),  # noqa: RUF001 - a Cyrillic a
        ({"username": "alice\n"}, create.BadUserNameError, "bad-user-name"),
        ({"email": "alice"}, create.BadEmailError, "bad-email"),
        ({"password": "elevenchars"}, create.WeakPasswordError, "weak-password"),
        ({"password": "x" * 4097}, create.WeakPasswordError, "weak-password"),
        ({"password": "password1234"}, create.WeakPasswordError, "weak-password"),
        (
            {"username": "alice-of-wonder", "password": "alice-of-wonder"},
            create.WeakPasswordError,
            "weak-password",
        ),
    ],
)
def test_what_is_not_acceptable_creates_nothing(
    bad: dict[str, str], error: type[Exception], code: str
) -> None:
    with pytest.raises(error) as refused:
        create_user(**(GOOD | bad))
    assert refused.value.code == code  # type: ignore[attr-defined]
    assert bad.get("password", "no password") not in str(refused.value)
    assert not User.objects.exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("taken", "error", "code"),
    [
        ({"email": "other@example.org"}, create.UserNameTakenError, "user-name-taken"),
        ({"username": "ALICE", "email": "other@example.org"}, create.UserNameTakenError, "user-name-taken"),
        ({"username": "bob", "email": "Alice@Example.org"}, create.EmailTakenError, "email-taken"),
    ],
)
def test_names_and_addresses_are_taken_in_any_case(
    taken: dict[str, str], error: type[Exception], code: str
) -> None:
    create_user(**GOOD)
    with pytest.raises(error) as refused:
        create_user(**(GOOD | taken))
    assert refused.value.code == code  # type: ignore[attr-defined]
    assert User.objects.count() == EmailAddress.objects.count() == 1


def test_the_database_refuses_a_name_that_differs_by_case() -> None:
    from django.db import IntegrityError

    User.objects.create_user("alice")
    with pytest.raises(IntegrityError):
        User.objects.create_user("Alice")
