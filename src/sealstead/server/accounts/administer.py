"""What an administrator does to accounts: create, edit, disable, appoint, reset, delete.

- Only an active administrator may, and that is looked at under the lock in which the change is made: of two who end
  each other's rights at the same moment, one comes first.
- Nobody ends their own rights or account here, so the server always keeps an administrator.
- Whoever it concerns is told by mail, and each change is an event that names both.
- A password that an administrator has seen is temporary (`temporary.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from allauth.account.internal.userkit import filter_users_by_email
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db import transaction

from sealstead.errors import ConflictError, DeniedError, NotFoundError
from sealstead.secret import Secret
from sealstead.server.accounts import disable, mail, recovery, temporary
from sealstead.server.accounts.create import EmailTakenError, checked_email, create_user
from sealstead.server.accounts.models import User
from sealstead.server.accounts.sessions import end_sessions
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record


class NotAnAdministratorError(DeniedError):
    """The account may not look after others."""

    code = "not-an-administrator"


class OwnAccountError(ConflictError):
    """An administrator would end their own rights or account."""

    code = "own-account"


class AccountGoneError(NotFoundError):
    """The account was deleted meanwhile."""

    code = "account-gone"


class AccountNeededError(ConflictError):
    """Something would be left without anybody to look after it; the message names it."""

    code = "account-needed"


@dataclass(frozen=True, kw_only=True)
class Act:
    """Who does it, when and from where."""

    actor: User
    at: datetime
    origin: Origin


_keepers: list[Callable[[User], list[str]]] = []


def register_keeper(needs: Callable[[User], list[str]]) -> None:
    """Let another app name what only this account looks after: while there is any, the account is not deleted."""
    if needs not in _keepers:
        _keepers.append(needs)


def needed_by(user: User) -> list[str]:
    return [name for needs in _keepers for name in needs(user)]


def create(
    act: Act, *, username: str, email: str, is_admin: bool, first_name: str = "", last_name: str = ""
) -> tuple[User, Secret[str]]:
    """Create an account and return it with its temporary password, the only time that it can be shown.

    Raises:
        NotAnAdministratorError, and those of `create_user`.
    """
    password = temporary.make_password()
    with transaction.atomic():
        _require_administrator(act.actor)
        user = create_user(
            username=username,
            email=email,
            password=password.reveal(),
            is_admin=is_admin,
            origin=act.origin,
            actor=act.actor,
            first_name=first_name,
            last_name=last_name,
            temporary_password_until=act.at + temporary.LIFE,
        )
        _tell(act, user, "created", until=user.temporary_password_until)
    return user, password


def edit(act: Act, user_id: UUID, *, email: str, first_name: str, last_name: str) -> User:
    """Change names and the primary e-mail address; the administrator vouches for the new one.

    Raises:
        NotAnAdministratorError, AccountGoneError, BadEmailError, EmailTakenError
    """
    email = checked_email(email)
    with _held(act, user_id) as user:
        before = mail.address_of(user)
        changed = [
            name
            for name, value in (("first_name", first_name), ("last_name", last_name))
            if getattr(user, name) != value
        ]
        user.first_name, user.last_name = first_name, last_name
        if email != before:
            if any(other.pk != user.pk for other in filter_users_by_email(email)):
                raise EmailTakenError(f"another account has the e-mail address {email}")
            EmailAddress.objects.filter(user=user, email__in=[before, email]).delete()
            EmailAddress.objects.filter(user=user, primary=True).update(primary=False)
            EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
            user.email = email
            _record(act, tags.EMAIL_CHANGED, user, **{"from": before, "to": email})
            for address in {before, email} - {""}:
                _tell(act, user, "email", address=address, **{"from": before, "to": email})
        if changed:
            _record(act, tags.ACCOUNT_EDITED, user)
        user.save(update_fields=["first_name", "last_name", "email"])
    return user


def set_enabled(act: Act, user_id: UUID, *, enabled: bool) -> User:
    """Disable or enable an account; a second time changes nothing. Its keys and tokens are refused at once.

    Raises:
        NotAnAdministratorError, AccountGoneError, OwnAccountError
    """
    with _held(act, user_id, own=enabled) as user:
        if user.is_active != enabled:
            verb = disable.enable_user if enabled else disable.disable_user
            verb(user, at=act.at, origin=act.origin, actor=act.actor)
            _tell(act, user, "enabled" if enabled else "disabled")
    return user


def set_administrator(act: Act, user_id: UUID, *, administrator: bool) -> User:
    """Appoint or dismiss an administrator; a second time changes nothing.

    Raises:
        NotAnAdministratorError, AccountGoneError, OwnAccountError
    """
    with _held(act, user_id, own=administrator) as user:
        if user.is_superuser != administrator:
            user.is_superuser = user.is_staff = administrator
            user.save(update_fields=["is_superuser", "is_staff"])
            _record(act, tags.ADMINISTRATOR_GIVEN if administrator else tags.ADMINISTRATOR_TAKEN, user)
            _tell(act, user, "administrator" if administrator else "no-administrator")
    return user


def reset_password(act: Act, user_id: UUID) -> tuple[User, Secret[str]]:
    """Give the account a temporary password, end its sessions, and return the password: it can be shown now only.

    Raises:
        NotAnAdministratorError, AccountGoneError, OwnAccountError
    """
    password = temporary.make_password()
    with _held(act, user_id, own=False) as user:
        user.set_password(password.reveal())
        user.temporary_password_until = act.at + temporary.LIFE
        user.save(update_fields=["password", "temporary_password_until"])
        end_sessions(user.pk)
        _record(
            act, tags.TEMPORARY_PASSWORD_GIVEN, user, expires_at=user.temporary_password_until.isoformat()
        )
        _tell(act, user, "password", until=user.temporary_password_until)
    return user, password


def reset_second_factor(act: Act, user_id: UUID) -> User:
    """Remove every second factor and the recovery codes, and end the sessions.

    Raises:
        NotAnAdministratorError, AccountGoneError, OwnAccountError
    """
    with _held(act, user_id, own=False) as user:
        kinds = list(Authenticator.objects.filter(user=user).values_list("type", flat=True))
        Authenticator.objects.filter(user=user).delete()
        recovery.remove_codes(user)
        end_sessions(user.pk)
        for kind in kinds:
            _record(act, tags.SECOND_FACTOR_REMOVED, user, kind=kind, by="administrator")
        if kinds:
            _tell(act, user, "second-factor")
    return user


def delete(act: Act, user_id: UUID) -> str:
    """Delete the account with its sessions, keys and tokens, and return its name. Its events stay.

    Raises:
        NotAnAdministratorError, AccountGoneError, OwnAccountError
        AccountNeededError: a project would be left without an owner.
    """
    with _held(act, user_id, own=False) as user:
        needed = needed_by(user)
        if needed:
            raise AccountNeededError(
                f"only {user.username} looks after {', '.join(needed[:5])}",
                hint="make somebody else an owner first",
            )
        name, address = user.username, mail.address_of(user)
        _record(act, tags.ACCOUNT_DELETED, user, account=name)
        if address:
            _tell(act, user, "deleted", address=address)
        user.delete()
    return name


@contextmanager
def _held(act: Act, user_id: UUID, *, own: bool = True) -> Iterator[User]:
    """Hold the account for one change by an administrator; `own` tells whether it may be the administrator's."""
    with transaction.atomic():
        _require_administrator(act.actor)
        if not own and user_id == act.actor.pk:
            raise OwnAccountError(
                "this is your own account", hint="another administrator can do that for you"
            )
        user = User.objects.select_for_update().filter(pk=user_id).first()
        if user is None:
            raise AccountGoneError("this account does not exist any more")
        yield user


def _require_administrator(actor: User) -> None:
    """Hold all administrators, always in the same order, until the transaction ends; the actor must be one of them."""
    held = User.objects.select_for_update().filter(is_superuser=True, is_active=True).order_by("pk")
    if actor.pk not in {user.pk for user in held}:
        raise NotAnAdministratorError("only an administrator may do that")


def _record(act: Act, tag: str, user: User, **details: Any) -> None:
    record(
        tag,
        at=act.at,
        origin=act.origin,
        actor_id=act.actor.pk,
        actor_name=act.actor.username,
        user_id=user.pk,
        details=details,
    )


def _tell(act: Act, user: User, step: str, *, address: str = "", **facts: Any) -> None:
    values = {"user": user, "actor": act.actor.username, "step": step, "at": act.at, **facts}
    to = address or mail.address_of(user)
    if to:
        mail.send(to, "account_administered", values, language=user.language)
