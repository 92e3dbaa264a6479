"""Find the credential that somebody at the command line names: by an id, or by a name of one account."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db.models import Q

from sealstead.errors import InputError
from sealstead.server.accounts.find import get_user
from sealstead.server.credentials.errors import CredentialNotFoundError, NameNeedsUserError
from sealstead.server.credentials.models import Credential, Kind
from sealstead.server.credentials.states import is_living


class AmbiguousTokenError(InputError):
    """Several lines of credentials have the name; one id is needed."""

    code = "ambiguous-token"


def find_named(
    credential: str, user: str | None, at: datetime, *, kind: Kind, latest: bool = False
) -> Credential:
    """Return the credential that an id, or a name of the account `user`, stands for.

    A name stands for the first living link of its line, or the latest if `latest`.

    Raises:
        NameNeedsUserError, NoSuchUserError, CredentialNotFoundError, AmbiguousTokenError
    """
    rows = Credential.objects.select_related("owner").filter(kind=kind)
    if user is not None:
        rows = rows.filter(owner=get_user(user))
    by_id = rows.filter(_id_is(credential)).first()
    if by_id is not None:
        return by_id
    if user is None:
        if _is_uuid(credential):
            raise CredentialNotFoundError
        raise NameNeedsUserError
    bearers = list(rows.filter(name=credential, removed_at=None).order_by("created_at", "pk"))
    if not bearers:
        raise CredentialNotFoundError
    # Of a name that nothing living bears, its last line: the verb says what became of it.
    named = [row for row in bearers if is_living(row, at)] or [
        row for row in bearers if row.line == bearers[-1].line
    ]
    if len({row.line for row in named}) > 1:
        raise AmbiguousTokenError(f"several are named {credential!r}", hint="name one by its id")
    return named[-1 if latest else 0]


def _id_is(text: str) -> Q:
    return Q(pk=UUID(text)) if _is_uuid(text) else Q(handle=text)


def _is_uuid(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True
