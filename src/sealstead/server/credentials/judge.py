"""Judge an upload token that somebody presents.

Order (DESIGN §5), so that nothing is learnt without a valid signature:

 1. read the macaroon; find its row by the identifier;
 2. open the root key and verify the signature. Unknown, revoked and changed rows do the same work with
    a root key nobody has, and get the same answer as a wrong signature;
 3. only now the moments of the row: not yet valid, expired, retired by a rotation;
 4. the owner: account open, primary e-mail address verified;
 5. the caveats that concern no project; those that do are judged by `UploadGrant.require_project`;
 6. move "last used", in a commit of its own: what the upload meets later does not undo it.

Each refusal is one event. Wrong credentials are counted by address, over all workers; beyond the limit a wrong one
gets `TooManyFailuresError` and no further event. A valid one is always accepted: many runners of a CI share an
address, and nobody guesses 256 bits in the meantime.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings

from sealstead.errors import KeyUnavailableError, ParseError, SealsteadError, VerificationError
from sealstead.formats.caveat_json import parse_caveat
from sealstead.formats.caveats import AccessContext, Caveat, OutsideLifetimeError, check_caveats
from sealstead.formats.macaroon import Macaroon, SignatureMismatchError, verify_macaroon
from sealstead.formats.token_text import parse_token
from sealstead.lifecycle.states import Standing
from sealstead.secret import Secret
from sealstead.server.accounts.limits import hit, network_of
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record
from sealstead.server.credentials.errors import (
    CaveatNotMetError,
    EmailNotVerifiedError,
    InvalidCredentialError,
    TokenExpiredError,
    TokenRetiredError,
    TooManyFailuresError,
)
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.present import read_credential
from sealstead.server.credentials.rows import PresentedToken, find_token, still_stands
from sealstead.server.credentials.seal import open_root
from sealstead.server.credentials.states import standing_of
from sealstead.server.credentials.use import mark_used

_NOBODYS_ROOT = os.urandom(32)
"""Verifies nothing: made anew in each process, told to nobody."""


FAILURE_WINDOW = timedelta(minutes=5)


@dataclass(frozen=True, kw_only=True)
class UploadGrant:
    """A judged token: who uploads, with which credential, and to what."""

    owner: User
    credential_id: UUID
    at: datetime
    caveats: tuple[Caveat, ...]

    def require_project(self, normalized_name: str, project_id: UUID | None) -> None:
        """Return if every caveat allows this project; `None` stands for a project not yet born.

        A token scoped to projects never passes for an unborn one. The caller records the refusal.

        Raises:
            CaveatNotMetError: with the text that twine prints.
        """
        _require_met(
            self.caveats,
            AccessContext(
                now=self.at,
                user_id=str(self.owner.pk),
                project_name=normalized_name,
                project_id=None if project_id is None else str(project_id),
            ),
        )

    def require_unrevoked(self) -> None:
        """Return if the credential and its owner's account still stand.

        The body comes after the judgement and takes as long as its sender likes: without this, whoever holds an open
        connection would upload after the revocation. The moments of the row stay judged at the beginning.

        Raises:
            InvalidCredentialError: revoked or closed meanwhile.
        """
        if not still_stands(self.credential_id):
            raise InvalidCredentialError


def judge_upload(authorization: str | None, *, at: datetime, origin: Origin) -> UploadGrant:
    """Judge the credential in an `Authorization` header: `read_credential` and `judge_upload_token` as one.

    Raises:
        PasswordNotSupportedError: and what `judge_upload_token` raises.
    """
    try:
        token = read_credential(authorization)
    except SealsteadError as exc:
        _wrong(None, exc.code, at=at, origin=origin)
        raise
    return judge_upload_token(token, at=at, origin=origin)


def judge_upload_token(token: Secret[str], *, at: datetime, origin: Origin) -> UploadGrant:
    """Return what the token grants. Call it outside a transaction: refusals and "last used" are commits of their own.

    Raises:
        InvalidCredentialError: malformed, unknown, tampered, revoked, owner's account closed; never says which.
        TooManyFailuresError: the same, after too many from this address.
        TokenExpiredError, TokenRetiredError: its time is over, or has not begun.
        EmailNotVerifiedError: the owner has no verified primary address.
        CaveatNotMetError: a caveat is unknown, malformed or not met.
    """
    try:
        macaroon = parse_token(token.reveal())
    except ParseError as exc:
        _wrong(None, exc.code, at=at, origin=origin)
        raise InvalidCredentialError from None
    found = _find(macaroon.identifier)
    row = found.row if found is not None else None
    # Step 2. Every branch works one seal and computes one chain.
    root, flaw = _root_of(row)
    try:
        verify_macaroon(macaroon, root)
    except SignatureMismatchError:
        # `flaw` names what the outside must not learn: revoked, changed in the database, or just a wrong signature.
        _wrong(row, flaw or "signature-mismatch", at=at, origin=origin)
        raise InvalidCredentialError from None
    assert row is not None and found is not None  # noqa: S101, PT018 - nobody's root verifies nothing; for the type checker
    try:
        caveats = _require_good(found, macaroon, at)
    except SealsteadError as exc:
        _refused(row, exc.code, at=at, origin=origin, user_id=row.owner_id)
        raise
    mark_used(row.pk, at=at, origin=origin)
    return UploadGrant(owner=row.owner, credential_id=row.pk, at=at, caveats=caveats)


def _find(identifier: bytes) -> PresentedToken | None:
    try:
        credential_id = UUID(identifier.decode())
    except ValueError:
        credential_id = UUID(int=0)
    return find_token(credential_id)


def _root_of(row: Credential | None) -> tuple[bytes, str]:
    """Return the root key and no flaw, or nobody's root key and the flaw that the log may name."""
    if row is None or row.sealed_root is None:
        # As long as opening one: the time of the answer must not tell which identifiers exist.
        settings.SEALSTEAD.ring.seal(_NOBODYS_ROOT, context=("nobody",))
        return _NOBODYS_ROOT, "unknown-token" if row is None else "token-revoked"
    try:
        return open_root(row), ""
    except (VerificationError, KeyUnavailableError) as exc:
        return _NOBODYS_ROOT, exc.code


def _require_met(caveats: Iterable[Caveat], context: AccessContext) -> None:
    try:
        check_caveats(caveats, context)
    except OutsideLifetimeError as exc:
        raise TokenExpiredError from exc
    except VerificationError as exc:
        raise CaveatNotMetError(exc.message) from exc


def _require_good(found: PresentedToken, macaroon: Macaroon, at: datetime) -> tuple[Caveat, ...]:
    row = found.row
    match standing_of(row, at):
        case Standing.PENDING | Standing.EXPIRED:
            raise TokenExpiredError
        case Standing.RETIRED:
            raise TokenRetiredError
        case Standing.REVOKED | Standing.DISABLED:
            raise InvalidCredentialError
        case _:
            pass
    if not row.owner.is_active:
        raise InvalidCredentialError
    owner = str(row.owner_id)
    try:
        caveats = tuple(parse_caveat(caveat, token_owner=owner) for caveat in macaroon.caveats)
    except ParseError as exc:
        raise CaveatNotMetError(exc.message) from exc
    _require_met(caveats, AccessContext(now=at, user_id=owner, project_pending=True))
    if not found.owner_has_verified_email:
        raise EmailNotVerifiedError(row.owner.get_username())
    return caveats


def _wrong(row: Credential | None, code: str, *, at: datetime, origin: Origin) -> None:
    """Count a credential without a valid signature, and write its event while the address is below the limit.

    The event stays off the owner's page: an identifier is no secret, and anybody could fill that page.

    Raises:
        TooManyFailuresError: instead of the plain refusal.
    """
    # The last one of the limit is told already: it is the one that makes too many.
    allowed = settings.SEALSTEAD.max_wrong_credentials - 1
    verdict = hit(f"upload-credential:{network_of(origin.ip)}", allowed, FAILURE_WINDOW, at)
    if not verdict.allowed:
        raise TooManyFailuresError(verdict.retry_after) from None
    _refused(row, code, at=at, origin=origin, user_id=None)


def _refused(
    row: Credential | None, code: str, *, at: datetime, origin: Origin, user_id: UUID | None
) -> None:
    record(
        tags.TOKEN_REFUSED,
        at=at,
        origin=origin,
        accepted=False,
        code=code,
        user_id=user_id,
        credential_id=row.pk if row is not None else None,
    )
