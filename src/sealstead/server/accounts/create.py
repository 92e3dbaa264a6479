"""Create an account for somebody, as the operator does. Registration by visitors is allauth's form, with the same rules."""

from __future__ import annotations

from typing import Any

from allauth.account.internal.userkit import filter_users_by_email
from allauth.account.models import EmailAddress
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from sealstead.errors import ConflictError, InputError
from sealstead.server.accounts.models import User
from sealstead.server.accounts.names import user_name
from sealstead.server.accounts.origin import now
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record


class BadUserNameError(InputError):
    """Not a user name: letters, digits and a few signs."""

    code = "bad-user-name"


class BadEmailError(InputError):
    """Not an e-mail address."""

    code = "bad-email"


class WeakPasswordError(InputError):
    """The password does not meet the rules."""

    code = "weak-password"


class UserNameTakenError(ConflictError):
    """Another account has the name."""

    code = "user-name-taken"


class EmailTakenError(ConflictError):
    """Another account has the address."""

    code = "email-taken"


def create_user(
    *,
    username: str,
    email: str,
    password: str,
    is_admin: bool = False,
    origin: Origin | None = None,
    actor: User | None = None,
    **profile: Any,
) -> User:
    """Create an account whose e-mail address counts as verified: the operator vouches for it.

    `profile` holds other columns of the row, such as names. `actor` is None for the operator at the command line.

    Raises:
        BadUserNameError, BadEmailError, WeakPasswordError: not acceptable; the message says why.
        UserNameTakenError, EmailTakenError: another account has it, in whatever case.
    """
    email = email.strip().lower()
    check_name_and_email(username, email)
    try:
        validate_password(password, User(username=username, email=email))
    except ValidationError as exc:
        raise WeakPasswordError("the password is too weak", hint=" ".join(exc.messages)) from exc
    try:
        with transaction.atomic():
            user = User.objects.create_user(
                username, email, password, is_staff=is_admin, is_superuser=is_admin, **profile
            )
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
            record(
                tags.ACCOUNT_CREATED,
                at=now(),
                origin=origin or Origin(),
                actor_id=actor.pk if actor else None,
                actor_name=actor.username if actor else "",
                user_id=user.pk,
                details={"admin": is_admin},
            )
    except IntegrityError as exc:
        # Somebody else was first, between the check and the row.
        raise UserNameTakenError(f"the user name or e-mail address of {username!r} is taken") from exc
    return user


def check_name_and_email(username: str, email: str) -> None:
    """Return if an account may have this name and this address; asked before anybody types a password.

    Raises:
        BadUserNameError, BadEmailError: not acceptable.
        UserNameTakenError, EmailTakenError: another account has it, in whatever case.
    """
    try:
        user_name(username)
    except ValidationError as exc:
        raise BadUserNameError(
            f"{username[:60]!r} cannot be a user name", hint=" ".join(exc.messages)
        ) from exc
    email = checked_email(email)
    if User.objects.filter(username__iexact=username).exists():
        raise UserNameTakenError(f"there already is an account {username!r}")
    if filter_users_by_email(email):
        raise EmailTakenError(f"another account has the e-mail address {email}")


def checked_email(email: str) -> str:
    """Return the address as accounts hold it.

    Raises:
        BadEmailError
    """
    email = email.strip().lower()
    try:
        validate_email(email)
    except ValidationError as exc:
        raise BadEmailError(f"{email[:60]!r} is not an e-mail address") from exc
    return email
