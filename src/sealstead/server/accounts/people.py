"""The accounts as administrators list them: searched, sorted, with what the list shows of each."""

from __future__ import annotations

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from django.db.models import Exists, F, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Concat, Lower, Trim

from sealstead.server.accounts.models import User

SORTS: dict[str, F | Lower] = {
    "username": Lower("username"),
    "name": Lower("full_name"),
    "email": Lower("email"),
    "created": F("date_joined"),
    "seen": F("last_login"),
}
"""Columns by which the list can be ordered."""
STATES = ("active", "disabled", "administrators")


def find_people(
    *, query: str = "", state: str = "", sort: str = "username", descending: bool = False
) -> QuerySet[User]:
    """Return the accounts whose user name, name or e-mail address holds `query`, in any case."""
    rows = User.objects.annotate(
        full_name=Trim(Concat("first_name", Value(" "), "last_name")),
        has_second_factor=Exists(Authenticator.objects.filter(user=OuterRef("pk"))),
    )
    if query:
        rows = rows.filter(
            Q(username__icontains=query)
            | Q(full_name__icontains=query)
            | Q(email__icontains=query)
            | Q(Exists(EmailAddress.objects.filter(user=OuterRef("pk"), email__icontains=query)))
        )
    match state:
        case "active":
            rows = rows.filter(is_active=True)
        case "disabled":
            rows = rows.filter(is_active=False)
        case "administrators":
            rows = rows.filter(is_superuser=True)
    column: F | Lower = SORTS.get(sort, SORTS["username"])
    # Who never signed in comes last either way; the name settles ties, so that pages do not overlap.
    order = column.desc(nulls_last=True) if descending else column.asc(nulls_last=True)
    return rows.order_by(order, Lower("username"))
