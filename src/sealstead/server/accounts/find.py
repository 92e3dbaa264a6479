"""Find the account that somebody means when they type a user name or an e-mail address."""

from __future__ import annotations

from allauth.account.internal.userkit import filter_users_by_email, get_user_by_username

from sealstead.errors import NotFoundError
from sealstead.server.accounts.models import User


class NoSuchUserError(NotFoundError):
    """No account has this name or address."""

    code = "no-such-user"


def find_user(login: str) -> User | None:
    """Return the account of that user name or verified address, else None. Case does not matter."""
    login = login.strip()
    if not login or "\0" in login:
        return None
    user = get_user_by_username(login)
    if user is None and "@" in login:
        user = next(iter(filter_users_by_email(login, prefer_verified=True, for_login=True)), None)
    return user if isinstance(user, User) else None


def get_user(login: str) -> User:
    """Return the account of that user name or verified address.

    Raises:
        NoSuchUserError: there is none.
    """
    user = find_user(login)
    if user is None:
        raise NoSuchUserError(
            f"there is no account {login[:80]!r}", hint="sealstead admin list-users shows all accounts"
        )
    return user
