"""What pages say, in the visitor's language: states, kinds, and errors by their stable code."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sealstead.errors import SealsteadError
from sealstead.server.credentials.models import Kind
from sealstead.server.credentials.states import State

STATES: dict[State, tuple[Promise, str]] = {
    State.PENDING: (_("not valid yet"), "badge--pre-activation"),
    State.ACTIVE: (_("active"), "badge--active"),
    State.RETIRING: (_("being replaced"), "badge--retiring"),
    State.RETIRED: (_("replaced"), "badge--expired"),
    State.EXPIRED: (_("expired"), "badge--expired"),
    State.REVOKED: (_("revoked"), "badge--revoked"),
}
"""State to its words and the class of its badge."""

KINDS: dict[str, Promise] = {
    Kind.UPLOAD_TOKEN: _("Upload token"),
    Kind.API_KEY: _("Signing API key"),
    Kind.IDENTITY_KEY: _("Identity key"),
    Kind.READ_TOKEN: _("Read token"),
}

_ERRORS: dict[str, Promise] = {
    "invalid-token-name": _("This name cannot be used."),
    "invalid-token-scope": _("Specify the token scope"),
    "token-name-in-use": _("API token name already in use"),
    "lifetime-refused": _("This server does not allow that time: choose another one."),
    "not-rotatable": _("This token is not accepted any more: add a new one instead."),
    "already-rotated": _(
        "This token was rotated before and its successor is in use, or another rotation was first. "
        "Rotate the successor, or revoke it if it is not yours."
    ),
    "already-revoked": _("This token is revoked already."),
    "seal-broken": _(
        "This token was changed outside of this server and is not accepted any more: revoke it and add a new one."
    ),
}


def error_text(exc: SealsteadError) -> str:
    """Return the translated text; errors of other parts keep their own words."""
    text = _ERRORS.get(exc.code)
    return exc.message if text is None else str(text)
