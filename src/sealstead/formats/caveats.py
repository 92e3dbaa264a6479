"""Caveats of upload tokens: what a token may not do. Wire compatible with the reference index, tags 0-4.

A caveat is a JSON array `[tag, field, ...]`. Compatibility rule: a tag, once given, keeps its meaning; fields
are only appended, with a default. Own tags start at 100. An unknown tag, a missing or surplus field, or a field
of another type refuses the token: a caveat that is not understood cannot be kept.

No caveat widens. A token with none of them may upload to what its owner may, and nothing else.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Protocol

from sealstead.errors import VerificationError


class MalformedCaveatError(VerificationError):
    """A caveat we do not understand; the token is refused whole."""

    code = "malformed-caveat"


class CaveatNotMetError(VerificationError):
    """The token is authentic, and forbids this use."""

    code = "caveat-unmet"


class OutsideLifetimeError(CaveatNotMetError):
    """Expired, or not valid yet: the reference index says the same of both."""

    code = "caveat-lifetime"


@dataclass(frozen=True, kw_only=True)
class AccessContext:
    """What is being asked for. `project_name` is None until a project is known; `project_id` also while the
    project is yet to be made.
    """

    now: datetime
    user_id: str | None
    project_name: str | None = None
    project_id: str | None = None
    publisher_id: str | None = None
    revoked_copies: frozenset[str] = frozenset()


class Caveat(Protocol):
    needs_project: ClassVar[bool]
    """Can only be judged once the project is known."""

    def check(self, context: AccessContext) -> None: ...


@dataclass(frozen=True)
class Expiration:
    """Tag 0, `[0, expires_at, not_before]`: POSIX seconds, `not_before` inclusive, `expires_at` exclusive."""

    tag: ClassVar[int] = 0
    needs_project: ClassVar[bool] = False
    expires_at: int
    not_before: int

    def check(self, context: AccessContext) -> None:
        if not self.not_before <= context.now.timestamp() < self.expires_at:
            raise OutsideLifetimeError("token is expired")


@dataclass(frozen=True)
class ProjectNames:
    """Tag 1, `[1, [name, ...]]`: normalised names (PEP 503)."""

    tag: ClassVar[int] = 1
    needs_project: ClassVar[bool] = True
    names: tuple[str, ...]

    def check(self, context: AccessContext) -> None:
        if context.project_name is None:
            raise CaveatNotMetError("project-scoped token used outside of a project context")
        if context.project_name not in self.names:
            raise CaveatNotMetError(_foreign_project(context))


@dataclass(frozen=True)
class ProjectIds:
    """Tag 2, `[2, [uuid, ...]]`: beside tag 1, so that a name given to another project revives no token."""

    tag: ClassVar[int] = 2
    needs_project: ClassVar[bool] = True
    ids: tuple[str, ...]

    def check(self, context: AccessContext) -> None:
        if context.project_name is None:
            raise CaveatNotMetError("project-scoped token used outside of a project context")
        if context.project_id is None or context.project_id not in self.ids:
            raise CaveatNotMetError(_foreign_project(context))


@dataclass(frozen=True)
class RequestUser:
    """Tag 3, `[3, uuid]`: only on behalf of this account."""

    tag: ClassVar[int] = 3
    needs_project: ClassVar[bool] = False
    user_id: str

    def check(self, context: AccessContext) -> None:
        if context.user_id is None:
            raise CaveatNotMetError("token with user restriction without a user")
        if context.user_id != self.user_id:
            raise CaveatNotMetError("current user does not match user restriction in token")


@dataclass(frozen=True)
class Publisher:
    """Tag 4, `[4, uuid, claims or null]`: minted for a trusted publisher. The claims are for the log alone."""

    tag: ClassVar[int] = 4
    needs_project: ClassVar[bool] = False
    publisher_id: str

    def check(self, context: AccessContext) -> None:
        if context.publisher_id is None:
            raise CaveatNotMetError("OIDC scoped token used outside of an OIDC identified request")
        if context.publisher_id != self.publisher_id:
            raise CaveatNotMetError("current OIDC publisher does not match publisher restriction in token")


@dataclass(frozen=True)
class CopyId:
    """Tag 100, `[100, 32 hex digits]`: names one copy of a token, so that it can be revoked alone."""

    tag: ClassVar[int] = 100
    needs_project: ClassVar[bool] = False
    copy_id: str

    def check(self, context: AccessContext) -> None:
        if self.copy_id in context.revoked_copies:
            raise CaveatNotMetError("this copy of the token has been revoked")


def _foreign_project(context: AccessContext) -> str:
    return f"project-scoped token is not valid for project: {context.project_name!r}"


def parse_caveat(data: bytes, *, token_owner: str) -> Caveat:
    """Read one caveat. `token_owner` is who the token was issued to: the legacy "user" form means that account.

    Raises:
        MalformedCaveatError: not understood; the message is the reference index's.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise MalformedCaveatError("unknown error") from None
    if isinstance(value, dict):
        return _parse_legacy(value, token_owner)
    if not isinstance(value, list):
        raise MalformedCaveatError("caveat must be an array")
    if not value:
        raise MalformedCaveatError("caveat array cannot be empty")
    tag, *fields = value
    reader = _READERS.get(tag) if type(tag) is int else None
    if reader is None:
        raise MalformedCaveatError(f"caveat has unknown tag: {str(tag)[:40]}")
    return reader(fields)


def check_caveats(caveats: Iterable[Caveat], context: AccessContext) -> None:
    """Return if every caveat is met; those that need a project wait while `context.project_name` is None.

    Raises:
        CaveatNotMetError: the first one that is not.
    """
    for caveat in caveats:
        if context.project_name is not None or not caveat.needs_project:
            caveat.check(context)


def serialize_caveat(*value: object) -> bytes:
    """Return the compact JSON of `[tag, field, ...]`."""
    return json.dumps(value, separators=(",", ":")).encode()


def _exactly(fields: list[object], *kinds: Callable[[object], bool], optional: int = 0) -> list[object]:
    if len(fields) < len(kinds) - optional:
        raise MalformedCaveatError("Not enough values")
    if len(fields) > len(kinds) or not all(kind(value) for kind, value in zip(kinds, fields, strict=False)):
        raise MalformedCaveatError("invalid values for fields")
    return fields


def _is_int(value: object) -> bool:
    return type(value) is int  # a bool is an int to isinstance, and is none here


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_claims(value: object) -> bool:
    return value is None or isinstance(value, dict)


@dataclass(frozen=True)
class _Reader:
    make: Callable[..., Caveat]
    kinds: tuple[Callable[[object], bool], ...]
    optional: int = 0
    used: int = field(default=2)

    def __call__(self, fields: list[object]) -> Caveat:
        values = _exactly(fields, *self.kinds, optional=self.optional)
        return self.make(*(tuple(v) if isinstance(v, list) else v for v in values[: self.used]))


_READERS: dict[int, _Reader] = {
    Expiration.tag: _Reader(Expiration, (_is_int, _is_int)),
    ProjectNames.tag: _Reader(ProjectNames, (_is_texts,)),
    ProjectIds.tag: _Reader(ProjectIds, (_is_texts,)),
    RequestUser.tag: _Reader(RequestUser, (_is_text,)),
    Publisher.tag: _Reader(Publisher, (_is_text, _is_claims), optional=1, used=1),
    CopyId.tag: _Reader(CopyId, (_is_text,)),
}


def _parse_legacy(value: dict[str, object], token_owner: str) -> Caveat:
    """Read the object forms of before 2022, which pypitoken still writes on request."""
    match value:
        case {"version": 1, "permissions": "user"} if len(value) == 2:  # noqa: PLR2004 - no other member
            return RequestUser(token_owner)
        case {"version": 1, "permissions": {"projects": list() as names}} if len(value) == 2:  # noqa: PLR2004
            return _READERS[ProjectNames.tag]([names])
        case {"exp": expires_at, "nbf": not_before} if len(value) == 2:  # noqa: PLR2004
            return _READERS[Expiration.tag]([expires_at, not_before])
        case {"project_ids": list() as ids} if len(value) == 1:
            return _READERS[ProjectIds.tag]([ids])
    raise MalformedCaveatError("caveat must be an array")
