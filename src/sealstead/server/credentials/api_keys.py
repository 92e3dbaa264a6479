"""Judge an API key that somebody presents.

Order, so that nothing is learnt without the secret:

 1. read the text; a damaged one never reaches the database;
 2. find the row by the id, open what is sealed in it, compare it with the SHA-256 of the secret. Malformed, unknown,
    wrong, changed and revoked ones get one identical answer;
 3. only now the moments of the row: expired, retired by a rotation, disabled;
 4. the owner's account;
 5. role, network, rate.

Each refusal is one event. Wrong keys are counted by address, over all workers; beyond the limit a wrong one gets
`TooManyFailuresError` and no further event. A valid one is accepted all the same, as with upload tokens (`judge.py`).
Nothing is written for an accepted one: whoever acts for it hands its use to `key_rows.write_key_uses` together with the event
of what was done, so that both are there or neither is.

Speed: one indexed read for each request, always, so that a revocation holds at once. What a row's sealed columns
come to is remembered as long as every one of them stays as it was read.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from sealstead.errors import ParseError, SealsteadError
from sealstead.formats.api_key_text import ApiKeyText, parse_api_key
from sealstead.lifecycle.states import Standing, standing_at
from sealstead.server.accounts.limits import hit, network_of
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record
from sealstead.server.credentials.errors import TooManyFailuresError
from sealstead.server.credentials.judge import FAILURE_WINDOW
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
from sealstead.server.credentials.key_rows import KeyUse, KnownKey, find_key, write_key_uses
from sealstead.server.credentials.key_scope import KeyScope, Role, normal_label
from sealstead.server.credentials.use import without_waiting

__all__ = [
    "ApiGrant",
    "KeyUse",
    "ProvedKey",
    "Role",
    "judge_api_key",
    "normal_label",
    "prove_api_key",
    "ready_api_key",
    "require_allowed",
    "require_good",
    "write_key_uses",
]

MAX_HEADER_CHARS = 1_000


@dataclass(frozen=True, kw_only=True)
class ApiGrant:
    """A judged key: who acts, with what, and what it is narrowed to."""

    owner: User
    """Only id, name, and whether the account is open and an administrator's have been read; the rest follows on demand."""
    credential_id: UUID
    handle: str
    """The public id in the key's text."""
    name: str
    roles: frozenset[Role]
    labels: frozenset[str] | None
    """Normalised (`normal_label`); None: not narrowed."""
    rotated: bool
    """Has a successor: its uses are counted by address."""
    at: datetime

    def allows_label(self, label: str) -> bool:
        return self.labels is None or normal_label(label) in self.labels

    def use(self, origin: Origin) -> KeyUse:
        """Return what `write_key_uses` is to write for a request that was carried out."""
        return KeyUse(credential_id=self.credential_id, rotated=self.rotated, at=self.at, origin=origin)


@dataclass(frozen=True, kw_only=True)
class ProvedKey:
    """A key whose secret holds. Nothing else is judged yet."""

    key: KnownKey
    owner: User
    at: datetime
    origin: Origin

    def refused(self, exc: SealsteadError) -> None:
        """Write the event of a refusal. It is on the owner's page: whoever was refused holds the secret."""
        _refused(self.key, exc.code, at=self.at, origin=self.origin, user_id=self.owner.pk)


def judge_api_key(
    authorization: str | None, *, at: datetime, origin: Origin, role: Role | None = Role.STANDARD
) -> ApiGrant:
    """Return what the key in the header `Authorization: Bearer seal_…` grants. Call it outside a transaction.

    `role` is what the request needs; None for what any key may do.

    Raises:
        InvalidApiKeyError: no key, malformed, unknown, wrong, revoked; never says which.
        TooManyFailuresError: the same, after too many from this address.
        ApiKeyExpiredError, ApiKeyRetiredError, ApiKeyDisabledError, ApiKeyOwnerDisabledError: it was good.
        RoleMissingError, RotatorRoleMissingError, NetworkNotAllowedError: it is good, but not for this.
        KeyRateExceededError: later again.
    """
    proved = prove_api_key(authorization, at=at, origin=origin)
    try:
        require_good(proved)
        require_allowed(proved, role)
    except SealsteadError as exc:
        proved.refused(exc)
        raise
    return _grant(proved)


def ready_api_key(authorization: str | None, *, at: datetime, origin: Origin, role: Role) -> ApiGrant | None:
    """Return what `judge_api_key` would, if judging has nothing to write: neither a refusal nor a use to count for a rate.

    None says nothing of the key. Whoever gets it asks `judge_api_key`.
    """
    try:
        presented = _read(authorization)
        found = find_key(presented.id)
        if found is None or found[0].scope.rate is not None or not _holds(presented, found[0]):
            return None
        proved = ProvedKey(key=found[0], owner=found[1], at=at, origin=origin)
        require_good(proved)
        require_allowed(proved, role)
    except SealsteadError:
        return None
    return _grant(proved)


def _grant(proved: ProvedKey) -> ApiGrant:
    key = proved.key
    return ApiGrant(
        owner=proved.owner,
        credential_id=key.credential_id,
        handle=key.handle,
        name=key.name,
        roles=key.scope.roles,
        labels=key.normal_labels,
        rotated=key.rotated,
        at=proved.at,
    )


def prove_api_key(authorization: str | None, *, at: datetime, origin: Origin) -> ProvedKey:
    """Return the key in the header, once its secret has held.

    Raises:
        InvalidApiKeyError, TooManyFailuresError: as `judge_api_key` says.
    """
    try:
        presented = _read(authorization)
    except ParseError as exc:
        _wrong(None, exc.code, at=at, origin=origin)
        raise InvalidApiKeyError from None
    found = find_key(presented.id)
    if found is None:
        _wrong(None, "unknown-api-key", at=at, origin=origin)
        raise InvalidApiKeyError
    key, owner = found
    # `flaw` names what the outside must not learn: revoked, or changed in the database.
    if not _holds(presented, key):
        _wrong(key, key.flaw or "wrong-secret", at=at, origin=origin)
        raise InvalidApiKeyError
    return ProvedKey(key=key, owner=owner, at=at, origin=origin)


def require_good(proved: ProvedKey) -> None:
    """Return if the key's time is now and its owner's account is open.

    Raises:
        ApiKeyExpiredError, ApiKeyRetiredError, ApiKeyDisabledError, ApiKeyOwnerDisabledError
    """
    match standing_at(proved.key.moments, proved.at):
        case Standing.ACTIVE | Standing.RETIRING | Standing.OVERDUE:
            pass
        case Standing.RETIRED:
            raise ApiKeyRetiredError
        case Standing.DISABLED:
            raise ApiKeyDisabledError
        case Standing.REVOKED:
            raise InvalidApiKeyError
        case _:
            raise ApiKeyExpiredError
    if not proved.owner.is_active:
        raise ApiKeyOwnerDisabledError


def require_allowed(proved: ProvedKey, role: Role | None) -> None:
    """Return if the key has the role and what it is narrowed to permits the request; counts it for the rate.

    Raises:
        RoleMissingError, RotatorRoleMissingError, NetworkNotAllowedError, KeyRateExceededError
    """
    scope: KeyScope = proved.key.scope
    if not scope.allows_address(proved.origin.ip):
        raise NetworkNotAllowedError(proved.origin.ip)
    if role is not None and role not in scope.roles:
        raise RotatorRoleMissingError if role is Role.API_KEY_ROTATOR else RoleMissingError
    if scope.rate is not None:
        with without_waiting():
            bucket = f"api-key-rate:{proved.key.credential_id}"
            verdict = hit(bucket, scope.rate.requests, scope.rate.window, proved.at)
        if not verdict.allowed:
            raise KeyRateExceededError(scope.rate.text, verdict.retry_after)


def _read(authorization: str | None) -> ApiKeyText:
    scheme, _, text = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer" or len(text) > MAX_HEADER_CHARS:
        text = ""
    return parse_api_key(text.strip())


def _holds(presented: ApiKeyText, key: KnownKey) -> bool:
    secret_hash = hashlib.sha256(presented.secret.reveal().encode()).digest()
    return key.secret_hash is not None and hmac.compare_digest(secret_hash, key.secret_hash)


def _wrong(key: KnownKey | None, code: str, *, at: datetime, origin: Origin) -> None:
    """Count a key whose secret does not hold, and write its event while the address is below the limit.

    The event stays off the owner's page: an id is no secret, and anybody could fill that page.

    Raises:
        TooManyFailuresError: instead of the plain refusal.
    """
    # The last one of the limit is told already: it is the one that makes too many.
    allowed = settings.SEALSTEAD.max_wrong_credentials - 1
    verdict = hit(f"api-key:{network_of(origin.ip)}", allowed, FAILURE_WINDOW, at)
    if not verdict.allowed:
        raise TooManyFailuresError(verdict.retry_after) from None
    _refused(key, code, at=at, origin=origin, user_id=None)


def _refused(key: KnownKey | None, code: str, *, at: datetime, origin: Origin, user_id: UUID | None) -> None:
    record(
        tags.API_KEY_REFUSED,
        at=at,
        origin=origin,
        accepted=False,
        code=code,
        user_id=user_id,
        credential_id=key.credential_id if key is not None else None,
    )
