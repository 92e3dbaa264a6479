"""What can go wrong with a credential: at issue, at use, at rotation.

Texts that clients print are those of the reference index, so that its documentation and search
results apply. Unknown, malformed, tampered and revoked credentials share one class, one code and
one text: whoever holds no valid signature learns nothing. The audit log knows better.
"""

from __future__ import annotations

from datetime import timedelta

from sealstead.errors import ConflictError, DeniedError, ExpiredError, InputError, NotFoundError


class InvalidCredentialError(DeniedError):
    """Missing, malformed, unknown, tampered, revoked, or its owner's account is closed."""

    code = "invalid-credential"

    def __init__(self) -> None:
        super().__init__("Invalid or non-existent authentication information.")


class PasswordNotSupportedError(DeniedError):
    """A user name and password, or the user name `@token` of 2019, instead of `__token__` and a token."""

    code = "password-not-supported"

    def __init__(self) -> None:
        super().__init__(
            "Username/Password authentication is no longer supported. "
            "Migrate to API Tokens or Trusted Publishers instead."
        )


class TokenExpiredError(ExpiredError):
    """Expired, or not valid yet: the reference index says the same of both."""

    code = "token-expired"

    def __init__(self) -> None:
        super().__init__("Invalid API Token: token is expired")


class TokenRetiredError(ExpiredError):
    """Replaced by a rotation whose overlap is over."""

    code = "token-retired"

    def __init__(self) -> None:
        super().__init__("Invalid API Token: token was replaced by a newer one")


class CaveatNotMetError(DeniedError):
    """The signature holds, but a caveat of the token forbids this use."""

    code = "caveat-not-met"

    def __init__(self, reason: str) -> None:
        super().__init__(f"Invalid API Token: {reason}")


class EmailNotVerifiedError(DeniedError):
    """The owner of the token has no verified primary address."""

    code = "email-not-verified"

    def __init__(self, username: str) -> None:
        super().__init__(
            f"User {username!r}, associated with the API token used, "
            "does not have a verified primary email address."
        )


class TooManyFailuresError(DeniedError):
    """Too many wrong credentials in a row from one address. Valid ones are still accepted."""

    code = "too-many-failures"

    def __init__(self, retry_after: timedelta) -> None:
        super().__init__("Too many wrong credentials from this address. Try again later.")
        self.retry_after = retry_after


class CredentialNotFoundError(NotFoundError):
    """No such credential, or somebody else's: the two are never told apart."""

    code = "credential-not-found"

    def __init__(self) -> None:
        super().__init__(
            "no such credential", hint="list the tokens or API keys of the account to see their ids"
        )


class NameNeedsUserError(InputError):
    """A name stands for a credential of one account, and no account was given."""

    code = "name-needs-user"

    def __init__(self) -> None:
        super().__init__(
            "a name needs --user: it stands for a credential of one account", hint="give --user, or the id"
        )


class InvalidTokenNameError(InputError):
    """A token's name is blank, too long, or holds control characters."""

    code = "invalid-token-name"


class InvalidTokenScopeError(InputError):
    """The scope names no project, or one that cannot be."""

    code = "invalid-token-scope"


class TooManyProjectsError(InvalidTokenScopeError):
    """More projects than the text of one token holds."""

    code = "too-many-projects"

    def __init__(self, count: int) -> None:
        super().__init__(
            f"{count} projects do not fit into one token", hint="choose all projects, or make several tokens"
        )


class TokenNameInUseError(ConflictError):
    """A name stands for one line of descent of an owner until that line has ended."""

    code = "token-name-in-use"

    def __init__(self, name: str, *, word: str = "token") -> None:
        super().__init__(
            f"{'API ' if word == 'token' else ''}{word} name already in use: {name}",
            hint="choose another name",
        )


class AlreadyRevokedError(ConflictError):
    """The token was revoked before; nothing was left to end."""

    code = "already-revoked"
