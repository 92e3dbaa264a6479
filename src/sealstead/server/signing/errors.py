"""What can go wrong with signing keys and with a request to sign. Every class has a stable code of its own."""

from __future__ import annotations

from sealstead.errors import ConflictError, DeniedError, InputError, NotFoundError, VerificationError


class CertificateNotFoundError(NotFoundError):
    """No such certificate, or not granted: outward the two are one."""

    code = "certificate-not-found"

    def __init__(
        self,
        message: str = "there is no such certificate, or it is not granted to you",
        *,
        hint: str = "an administrator grants certificates",
    ) -> None:
        super().__init__(message, hint=hint)


class CertificateDisabledError(DeniedError):
    """The certificate is granted, and an administrator has switched it off."""

    code = "certificate-disabled"


class CertificateAwaitedError(ConflictError):
    """The request was made, and the issued certificate has not been loaded yet."""

    code = "certificate-awaited"


class CertificateNotAwaitedError(ConflictError):
    """A chain was given for a row that has its certificate."""

    code = "certificate-not-awaited"


class CertificateExistsError(ConflictError):
    """The certificate is there already."""

    code = "certificate-exists"


class AliasInUseError(ConflictError):
    """Another certificate has the alias."""

    code = "alias-in-use"


class KeyBoundError(ConflictError):
    """The key is here already, for another profile: a key makes one kind of signature."""

    code = "key-bound-to-profile"


class AmbiguousCertificateError(InputError):
    """Several certificates share the label, and one is needed."""

    code = "ambiguous-certificate"


class ProfileMismatchError(DeniedError):
    """The certificate makes signatures of another profile."""

    code = "profile-mismatch"


class KeyNotForProfileError(VerificationError):
    """A key of this algorithm makes no signature of this profile."""

    code = "key-not-for-profile"


class LabelNotAllowedError(DeniedError):
    """The API key is narrowed to other labels."""

    code = "label-not-allowed"


class InvalidCertificateNameError(InputError):
    """An alias or label that cannot be."""

    code = "invalid-certificate-name"


class InvalidSelectorError(InputError):
    """None or several of label, thumbprint and subject, or one that cannot be."""

    code = "invalid-selector"


class InvalidSignRequestError(InputError):
    """A request to sign of another shape than the protocol's."""

    code = "invalid-sign-request"


class InvalidItemError(InputError):
    """One item of a batch cannot be signed, so none is. `item` is its place, from 0."""

    code = "invalid-item"

    def __init__(self, index: int, message: str) -> None:
        super().__init__(f"item {index}: {message}")
        self.facts = {"item": index}


class IdempotencyKeyReusedError(ConflictError):
    """The idempotency key stood for another request."""

    code = "idempotency-key-reused"


class InvalidIdempotencyKeyError(InputError):
    """An idempotency key that is empty, too long, or not printable."""

    code = "invalid-idempotency-key"
