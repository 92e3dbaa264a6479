"""What can go wrong with an API key: at issue, at use, at rotation.

Without a valid secret there is one answer (`InvalidApiKeyError`), whatever the reason. The others are said only to
whoever holds, or held, the key.
"""

from __future__ import annotations

from datetime import timedelta

from sealstead.errors import ConflictError, DeniedError, ExpiredError, InputError


class InvalidApiKeyError(DeniedError):
    """Missing, malformed, unknown, wrong or revoked."""

    code = "invalid-api-key"

    def __init__(self) -> None:
        super().__init__("the API key is missing or not valid")


class ApiKeyExpiredError(ExpiredError):
    """Its end has come."""

    code = "api-key-expired"

    def __init__(self) -> None:
        super().__init__("the API key has expired", hint="make a new one on your account page")


class ApiKeyRetiredError(ExpiredError):
    """Its rotation's overlap is over."""

    code = "api-key-retired"

    def __init__(self) -> None:
        super().__init__(
            "the API key was revoked automatically by rotation", hint="use the key that took its place"
        )


class ApiKeyDisabledError(DeniedError):
    """Its owner or an administrator has disabled it for now."""

    code = "api-key-disabled"

    def __init__(self) -> None:
        super().__init__("the API key is disabled", hint="its owner can enable it on the account page")


class ApiKeyOwnerDisabledError(DeniedError):
    """The account that the key belongs to is disabled."""

    code = "api-key-owner-disabled"

    def __init__(self) -> None:
        super().__init__("the account of the API key is disabled", hint="ask an administrator of the server")


class RoleMissingError(DeniedError):
    """The key may not sign: it has the role for rotation alone."""

    code = "role-missing"

    def __init__(self) -> None:
        super().__init__(
            "the API key may not sign: it lacks the role Standard", hint="use a key with the role Standard"
        )


class RotatorRoleMissingError(DeniedError):
    """The key may not rotate itself."""

    code = "rotator-role-missing"

    def __init__(self) -> None:
        super().__init__(
            "the API key may not rotate itself: it lacks the role ApiKeyRotator",
            hint="make a key with this role on your account page, or rotate it there",
        )


class NetworkNotAllowedError(DeniedError):
    """The key is narrowed to networks, and the request comes from elsewhere."""

    code = "network-not-allowed"

    def __init__(self, address: str | None) -> None:
        super().__init__(f"the API key is not accepted from the address {address or 'it is used at'}")


class KeyRateExceededError(DeniedError):
    """The key is narrowed to a rate, and this request is beyond it."""

    code = "key-rate-exceeded"

    def __init__(self, rate: str, retry_after: timedelta) -> None:
        super().__init__(f"the API key is limited to {rate} requests", hint="wait a little, then try again")
        self.retry_after = retry_after


class InvalidKeyRolesError(InputError):
    """No role, or one that does not exist."""

    code = "invalid-key-roles"


class InvalidNarrowingError(InputError):
    """A label, a network or a rate that a key was to be narrowed to cannot be read."""

    code = "invalid-narrowing"


class InvalidKeyHashError(InputError):
    """The id or the hash of a successor made by a client is malformed."""

    code = "invalid-key-hash"


class IdempotencyKeyMissingError(InputError):
    """A rotation must carry an idempotency key, so that a lost answer can be had again."""

    code = "idempotency-key-missing"

    def __init__(self) -> None:
        super().__init__("the header Idempotency-Key is missing, or longer than 200 characters")


class KeyIdInUseError(ConflictError):
    """The id that a client chose for its new key is taken."""

    code = "key-id-in-use"

    def __init__(self) -> None:
        super().__init__("the id of the new API key is taken", hint="make another key and try again")


class KeyEndedError(ConflictError):
    """The API key is over: there is nothing to disable or to enable."""

    code = "api-key-ended"

    def __init__(self, name: str) -> None:
        super().__init__(f"the API key {name!r} has ended", hint="make a new one")
