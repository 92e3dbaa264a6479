"""What pages say, in the visitor's language: states, kinds, and errors by their stable code."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sealstead.errors import SealsteadError
from sealstead.lifecycle.states import Standing
from sealstead.server.credentials.models import Kind

STATES: dict[Standing, tuple[Promise, str]] = {
    Standing.PENDING: (_("not valid yet"), "badge--pre-activation"),
    Standing.ACTIVE: (_("active"), "badge--active"),
    Standing.RETIRING: (_("being replaced"), "badge--retiring"),
    Standing.OVERDUE: (_("to be ended by hand"), "badge--caution"),
    Standing.DISABLED: (_("disabled"), "badge--caution"),
    Standing.RETIRED: (_("revoked automatically by rotation"), "badge--expired"),
    Standing.EXPIRED: (_("expired"), "badge--expired"),
    Standing.REVOKED: (_("revoked"), "badge--revoked"),
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
    "too-many-projects": _(
        "These are too many projects for one token: choose all projects, or make several tokens."
    ),
    "token-name-in-use": _("API token name already in use"),
    "lifetime-refused": _("This server does not allow that time: choose another one."),
    "invalid-overlap": _("This server does not allow that overlap: choose another one."),
    "line-too-old": _("This one has been rotated for too long: add a new one instead."),
    "not-rotatable": _("This one is not accepted any more: add a new one instead."),
    "already-rotated": _(
        "This one was rotated before and its successor is in use, or another rotation was first. "
        "Rotate the successor, or revoke it if it is not yours."
    ),
    "api-key-ended": _("This API key has ended: add a new one instead."),
    "already-revoked": _("This one is revoked already."),
    "seal-broken": _(
        "This one was changed outside of this server and is not accepted any more: revoke it and add a new one."
    ),
}


def error_text(exc: SealsteadError) -> str:
    """Return the translated text; errors of other parts keep their own words."""
    text = _ERRORS.get(exc.code)
    return exc.message if text is None else str(text)
