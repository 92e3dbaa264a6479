"""What the operator does to tokens at the command line: values in, plain facts out.

The operator acts for the account that is named. Events and mails say so: the actor is nobody, the address blank.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from sealstead.durations import LONGEST, parse_duration
from sealstead.errors import DeniedError, InputError
from sealstead.lifecycle.states import end_of, words_of
from sealstead.secret import Secret
from sealstead.server.accounts.find import get_user
from sealstead.server.accounts.models import User
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.find import find_named
from sealstead.server.credentials.issue import issue_upload_token
from sealstead.server.credentials.models import Credential, Kind
from sealstead.server.credentials.policy import default_life, default_overlap
from sealstead.server.credentials.projects import project_directory
from sealstead.server.credentials.revoke import revoke
from sealstead.server.credentials.rotate import rotate_upload_token
from sealstead.server.credentials.scope import project_names
from sealstead.server.credentials.states import moments_of, standing_of

OPERATOR = Origin(user_agent="sealstead admin")


class NotAMemberError(DeniedError):
    """The account has no role on the project."""

    code = "not-a-member"


class ScopeChoiceError(InputError):
    """Neither or both of all projects and some projects were chosen."""

    code = "scope-choice"


@dataclass(frozen=True, kw_only=True)
class NewToken:
    facts: dict[str, Any]
    token: Secret[str]
    reserved: tuple[str, ...]
    """Names that became projects for this token."""


def now() -> datetime:
    return settings.SEALSTEAD.clock.now()


def create_token(
    *, user: str, name: str, projects: Sequence[str], all_projects: bool, expires: str | None, at: datetime
) -> NewToken:
    """Issue a token for the account `user`. A project that does not exist yet is reserved for the account.

    `expires` is a duration, `never`, or None for the policy's default.

    Raises:
        NoSuchUserError, NotAMemberError, ScopeChoiceError, and those of `issue_upload_token` and `reserve`.
    """
    if all_projects and projects:
        raise ScopeChoiceError(
            "--project and --all-projects exclude each other", hint="choose one of the two"
        )
    if not all_projects and not projects:
        raise ScopeChoiceError(
            "a token needs a scope", hint="name its projects with --project, or choose --all-projects"
        )
    owner = get_user(user)
    expires_at = chosen_expiry(expires, at)
    with transaction.atomic():
        reserved: list[str] = []
        chosen = None
        if not all_projects:
            chosen = [_project(project, owner, reserved, at) for project in dict.fromkeys(projects)]
        row, token = issue_upload_token(
            owner=owner, name=name, projects=chosen, expires_at=expires_at, at=at, origin=OPERATOR
        )
    return NewToken(facts=facts_of(row, at), token=token, reserved=tuple(reserved))


def list_tokens(*, user: str | None, at: datetime) -> list[dict[str, Any]]:
    """Return every token, or those of one account, oldest first.

    Raises:
        NoSuchUserError
    """
    rows = (
        Credential.objects.select_related("owner")
        .exclude(kind=Kind.API_KEY)
        .order_by("owner__username", "created_at", "pk")
    )
    if user is not None:
        rows = rows.filter(owner=get_user(user))
    return [facts_of(row, at) for row in rows.iterator()]


def rotate_token(*, token: str, user: str | None, overlap: str | None, at: datetime) -> NewToken:
    """Make the successor of the token that an id, or a name of the account `user`, stands for.

    A name stands for the latest link of its line. `overlap` is a duration, or None for the policy's default.

    Raises:
        NameNeedsUserError, NoSuchUserError, CredentialNotFoundError, AmbiguousTokenError, and those of `rotate_upload_token`.
    """
    row = find_named(token, user, at, kind=Kind.UPLOAD_TOKEN, latest=True)
    successor, text = rotate_upload_token(
        row,
        actor=None,
        overlap=default_overlap() if overlap is None else parse_duration(overlap),
        # Each run is a rotation of its own: its answer is on the operator's terminal.
        idempotency_key="",
        at=at,
        origin=OPERATOR,
    )
    row.refresh_from_db()
    facts = {**facts_of(successor, at), "predecessor_retires_at": iso(row.retires_at)}
    return NewToken(facts=facts, token=text, reserved=())


def revoke_token(
    *, token: str, user: str | None, only_this: bool, reason: str, at: datetime
) -> list[dict[str, Any]]:
    """Revoke the token that an id, or a name of the account `user`, stands for; return what ended.

    A name stands for the whole line of rotations that holds it.

    Raises:
        NameNeedsUserError, NoSuchUserError, CredentialNotFoundError, AmbiguousTokenError, AlreadyRevokedError
    """
    row = find_named(token, user, at, kind=Kind.UPLOAD_TOKEN)
    ended = revoke(row, actor=None, at=at, origin=OPERATOR, reason=reason, only_this=only_this)
    return [facts_of(link, at) for link in ended]


def facts_of(row: Credential, at: datetime) -> dict[str, Any]:
    """Return what lists show, ready for JSON."""
    return {
        "id": str(row.pk),
        "kind": row.kind,
        "user": row.owner.get_username(),
        "name": row.name,
        "projects": project_names(row.scope),
        "state": str(standing_of(row, at)),
        "state_text": words_of(standing_of(row, at)),
        "created_at": row.created_at.isoformat(),
        "expires_at": iso(row.expires_at),
        "retires_at": iso(row.retires_at),
        "ends_at": iso(end_of(moments_of(row))),
        "revoked_at": iso(row.revoked_at),
        "last_used_at": iso(row.last_used_at),
        "last_used_ip": row.last_used_ip,
        "use_count": row.use_count,
        "predecessor": str(row.predecessor_id) if row.predecessor_id else None,
    }


def chosen_expiry(expires: str | None, at: datetime) -> datetime | None:
    if expires is None:
        return at + default_life()
    if expires.strip().lower() == "never":
        return None
    return at + parse_duration(expires, shortest=timedelta(minutes=1), longest=LONGEST)


def _project(name: str, owner: User, reserved: list[str], at: datetime) -> tuple[str, UUID]:
    directory = project_directory()
    found = directory.find(name)
    if found is None:
        found = directory.reserve(name, owner=owner, at=at, origin=OPERATOR)
        reserved.append(found.normalized_name)
    elif found.id not in {one.id for one in directory.uploadable_by(owner)}:
        raise NotAMemberError(
            f"the account {owner.get_username()} has no role on the project {found.name}",
            hint="an owner of the project can invite it",
        )
    return found.normalized_name, found.id


def iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
