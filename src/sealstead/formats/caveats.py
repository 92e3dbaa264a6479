"""Caveats of upload tokens: what each says, when it is met, and the text when it is not.

A caveat is written as an array `[tag, field...]` (`caveat_json`). Tags 0 to 4 are those of the reference index, so that
its clients (pypitoken) and its documentation apply; the texts are its texts. Our own have tags from 100 up.

Rules, binding for every class here:

* A tag is never given another meaning, and no field is removed, retyped or reordered. A field may be appended
  if it has a default that restricts nothing beyond what the older shape did.
* Everything unknown is refused, a surplus field too: what we do not understand may be the restriction somebody
  relied on. (The reference drops surplus fields.) Types are strict: `true` is no 1, `"1"` is no 1.
* `check` only refuses. No caveat permits anything, so adding one never widens.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Self

from sealstead.errors import ParseError, VerificationError


class MalformedCaveatError(ParseError):
    """A caveat that this server does not understand, and which is therefore not met."""

    code = "malformed-caveat"


class CaveatNotMetError(VerificationError):
    """The caveat forbids this use."""

    code = "caveat-unmet"


class OutsideLifetimeError(CaveatNotMetError):
    """The caveat's time is over, or has not begun: the reference says the same of both."""

    code = "caveat-lifetime"


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessContext:
    """What the caveats are held against: facts of the request, and none that the token claims itself."""

    now: datetime
    user_id: str | None
    """UUID as text."""
    project_name: str | None = None
    """Normalised; `None` if the request concerns no project."""
    project_id: str | None = None
    """UUID as text, or `None` for a project not yet born, which no list of ids contains."""
    project_pending: bool = False
    """The request's project is not known yet: what is said about projects is judged by a later call."""
    publisher_id: str | None = None
    """The trusted publisher that the request was identified with, and the ids of its projects."""
    publisher_projects: frozenset[str] = frozenset()
    revoked_copies: frozenset[str] = frozenset()


class Caveat(ABC):
    """One restriction. Subclasses are frozen values with a tag of their own."""

    __slots__ = ()

    tag: ClassVar[int]

    @classmethod
    @abstractmethod
    def from_fields(cls, fields: list[Any]) -> Self:
        """Return the caveat with these fields, what follows the tag.

        Raises:
            MalformedCaveatError: wrong number or types.
        """

    @abstractmethod
    def check(self, context: AccessContext) -> None:
        """Return if the caveat is met.

        Raises:
            CaveatNotMetError: it is not.
        """


@dataclass(frozen=True, slots=True)
class Expiration(Caveat):
    """`[0, expires_at, not_before]`, seconds since 1970 in UTC: from `not_before` (inclusive) to `expires_at`."""

    tag = 0
    expires_at: int
    not_before: int

    @classmethod
    def from_fields(cls, fields: list[Any]) -> Self:
        _require_count(fields, 2)
        # `type` and not `isinstance`: a bool is an int to the latter.
        if type(fields[0]) is not int or type(fields[1]) is not int:
            raise _invalid_fields()
        return cls(fields[0], fields[1])

    def check(self, context: AccessContext) -> None:
        if not self.not_before <= context.now.timestamp() < self.expires_at:
            raise OutsideLifetimeError("token is expired")


@dataclass(frozen=True, slots=True)
class ProjectNames(Caveat):
    """`[1, [normalised name...]]`: one of these projects. Holds for a name not yet born too."""

    tag = 1
    names: tuple[str, ...]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> Self:
        return cls(_texts(fields))

    def check(self, context: AccessContext) -> None:
        if context.project_pending:
            return
        if _project(context) not in self.names:
            raise _wrong_project(context)


@dataclass(frozen=True, slots=True)
class ProjectIds(Caveat):
    """`[2, [id...]]`: one of these projects, whatever it is called now. Never met by one not yet born."""

    tag = 2
    ids: tuple[str, ...]

    @classmethod
    def from_fields(cls, fields: list[Any]) -> Self:
        return cls(_texts(fields))

    def check(self, context: AccessContext) -> None:
        if context.project_pending:
            return
        _project(context)
        if context.project_id is None or context.project_id not in self.ids:
            raise _wrong_project(context)


@dataclass(frozen=True, slots=True)
class RequestUser(Caveat):
    """`[3, user id]`: this user."""

    tag = 3
    user_id: str

    @classmethod
    def from_fields(cls, fields: list[Any]) -> Self:
        _require_count(fields, 1)
        if type(fields[0]) is not str:
            raise _invalid_fields()
        return cls(fields[0])

    def check(self, context: AccessContext) -> None:
        if context.user_id is None:
            raise CaveatNotMetError("token with user restriction without a user")
        if context.user_id != self.user_id:
            raise CaveatNotMetError("current user does not match user restriction in token")


@dataclass(frozen=True, slots=True)
class Publisher(Caveat):
    """`[4, publisher id, claims or null]`: this trusted publisher, and a project of its own.

    The claims are informational and may be missing. Without a publisher in the context it is never met.
    """

    tag = 4
    publisher_id: str
    claims: Mapping[str, Any] | None = None

    @classmethod
    def from_fields(cls, fields: list[Any]) -> Self:
        _require_count(fields, 1, optional=1)
        publisher_id, claims = (*fields, None)[:2]
        if type(publisher_id) is not str or (claims is not None and type(claims) is not dict):
            raise _invalid_fields()
        return cls(publisher_id, claims)

    def check(self, context: AccessContext) -> None:
        if context.publisher_id is None:
            raise CaveatNotMetError("OIDC scoped token used outside of an OIDC identified request")
        if context.publisher_id != self.publisher_id:
            raise CaveatNotMetError("current OIDC publisher does not match publisher restriction in token")
        if context.project_pending:
            return
        if context.project_name is None:
            raise CaveatNotMetError("OIDC scoped token used outside of a project context")
        if context.project_id not in context.publisher_projects:
            raise CaveatNotMetError(f"OIDC scoped token is not valid for project '{context.project_name}'")


@dataclass(frozen=True, slots=True)
class CopyId(Caveat):
    """`[100, 32 hex digits]`: names one copy of a token, so that it can be revoked alone.

    Added, with 16 random bytes, when a holder narrows a token. A copy made from the copy ends with it.
    """

    tag = 100
    copy_id: str

    @classmethod
    def from_fields(cls, fields: list[Any]) -> Self:
        _require_count(fields, 1)
        text = fields[0]
        if type(text) is not str or len(text) != _COPY_ID_CHARS or not set(text) <= _HEX:
            raise _invalid_fields()
        return cls(text)

    def check(self, context: AccessContext) -> None:
        if self.copy_id in context.revoked_copies:
            raise CaveatNotMetError("this copy of the token was revoked")


_COPY_ID_CHARS = 32
_HEX = frozenset("0123456789abcdef")


def check_caveats(caveats: Iterable[Caveat], context: AccessContext) -> None:
    """Return if every caveat is met.

    Raises:
        CaveatNotMetError: for the first that is not.
    """
    for caveat in caveats:
        caveat.check(context)


def _require_count(fields: list[Any], count: int, *, optional: int = 0) -> None:
    if len(fields) < count:
        raise MalformedCaveatError("Not enough values")
    if len(fields) > count + optional:
        raise _invalid_fields()


def _texts(fields: list[Any]) -> tuple[str, ...]:
    _require_count(fields, 1)
    values = fields[0]
    if type(values) is not list:
        raise _invalid_fields()
    for value in values:
        if type(value) is not str:
            raise _invalid_fields()
    return tuple(values)


def _project(context: AccessContext) -> str:
    if context.project_name is None:
        raise CaveatNotMetError("project-scoped token used outside of a project context")
    return context.project_name


def _wrong_project(context: AccessContext) -> CaveatNotMetError:
    return CaveatNotMetError(f"project-scoped token is not valid for project: {context.project_name!r}")


def _invalid_fields() -> MalformedCaveatError:
    return MalformedCaveatError("invalid values for fields")
