"""The reads and the one write of judging a token, as SQL written out.

They run before every upload, and composing them anew each time takes the ORM longer than the database needs to
answer. Every statement is a constant; values are parameters. A test compares them with what the ORM would say.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import cast
from uuid import UUID

from django.db import connection

from sealstead.server.accounts.models import User
from sealstead.server.audit.record import Origin
from sealstead.server.credentials.models import Credential, Kind
from sealstead.server.table_rows import select

_TOKEN = "SELECT * FROM credentials_credential WHERE id = %s AND kind = %s"  # noqa: S105 - a statement
_OWNER = """
    SELECT u.*, EXISTS (
        SELECT 1 FROM account_emailaddress e WHERE e.user_id = u.id AND e."primary" AND e.verified
    ) AS has_verified_email
    FROM accounts_user u WHERE u.id = %s
"""
_STANDS = """
    SELECT 1 FROM credentials_credential c JOIN accounts_user u ON u.id = c.owner_id
    WHERE c.id = %s AND c.revoked_at IS NULL AND u.is_active
"""
_USED = """
    UPDATE credentials_credential
    SET last_used_at = %s, last_used_ip = %s, last_used_agent = %s, use_count = use_count + 1
    WHERE id = %s
"""


@dataclass(frozen=True, kw_only=True)
class PresentedToken:
    """The row of a token, with `row.owner` read, and what judging asks of the owner beside."""

    row: Credential
    owner_has_verified_email: bool


def find_token(credential_id: UUID) -> PresentedToken | None:
    rows = select(Credential, _TOKEN, [database_id(credential_id), Kind.UPLOAD_TOKEN.value])
    if not rows:
        return None
    (row,) = rows
    (row.owner,) = select(User, _OWNER, [database_id(row.owner_id)])
    return PresentedToken(
        row=row, owner_has_verified_email=bool(getattr(row.owner, "has_verified_email", False))
    )


def still_stands(credential_id: UUID) -> bool:
    """Whether the credential is not revoked and its owner's account is open."""
    with connection.cursor() as cursor:
        cursor.execute(_STANDS, [database_id(credential_id)])
        return cursor.fetchone() is not None


def write_use(credential_id: UUID, *, at: datetime, origin: Origin) -> None:
    """Count one use. The caller decides about the commit."""
    moment = connection.ops.adapt_datetimefield_value(at)
    address = connection.ops.adapt_ipaddressfield_value(origin.ip)
    with connection.cursor() as cursor:
        cursor.execute(_USED, [moment, address, origin.user_agent[:400], database_id(credential_id)])


def database_id(value: UUID) -> str | UUID:
    """An id as this database holds it: PostgreSQL has a type for it, SQLite 32 hex digits."""
    return cast("str | UUID", Credential._meta.pk.get_db_prep_value(value, connection))  # noqa: SLF001 - Django's documented name
