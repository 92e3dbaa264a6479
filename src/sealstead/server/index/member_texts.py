"""What a page says for the typed errors of membership, removal and states, in the visitor's language."""

from __future__ import annotations

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sealstead.errors import SealsteadError
from sealstead.server.index import members, removal
from sealstead.server.index.permissions import NotAllowedError

_TEXTS: dict[type[SealsteadError], Promise] = {
    members.LastOwnerError: _(
        "A project always keeps an owner: the last one can neither leave, nor be demoted, nor be removed. "
        "Make another member an owner first."
    ),
    members.AlreadyMemberError: _("This person is a member already."),
    members.AlreadyInvitedError: _("This person has been invited already and has not answered yet."),
    members.UnknownMemberError: _("There is no account of that name."),
    members.UnknownInvitationError: _("This invitation does not exist any more."),
    removal.UnknownReleaseError: _("There is no such release any more."),
    removal.UnknownFileError: _("There is no such file any more."),
    NotAllowedError: _("You are not allowed to do that on this project."),
}


def error_text(exc: SealsteadError) -> str:
    for kind, text in _TEXTS.items():
        if isinstance(exc, kind):
            return str(text)
    return exc.message
