"""The kinds of mail that can be switched off: by the operator for everybody (`mails_off`), by each person for themselves.

All other mails tell of something that was done with an account or a credential, and are always sent: whoever took an
account over would switch them off first.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from django.conf import settings
from django.db import transaction
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sealstead.server.accounts.models import MailSwitch, User


class MailKind(StrEnum):
    """The values stand in settings files and in the database: `sealstead.server.config` lists them too."""

    KEY_EXPIRY = "key-expiry"
    OLD_KEY_IN_USE = "old-key-in-use"
    SECOND_ROTATION = "second-rotation"
    CERTIFICATE_EXPIRY = "certificate-expiry"
    CERTIFICATE_GRANT = "certificate-grant"


TEXTS: dict[MailKind, Promise] = {
    MailKind.KEY_EXPIRY: _("An API key or token expires within 7 days, and again within a day"),
    MailKind.OLD_KEY_IN_USE: _("A replaced API key ends within a day and is still in use"),
    MailKind.SECOND_ROTATION: _("An API key or token is rotated a second time, which may be a thief"),
    MailKind.CERTIFICATE_EXPIRY: _("A signing certificate expires within 30 days, 7 days, a day"),
    MailKind.CERTIFICATE_GRANT: _("A signing certificate is granted to you, or taken back"),
}

_FOR_ADMINISTRATORS = frozenset({MailKind.CERTIFICATE_EXPIRY})


def kinds_for(user: User) -> list[MailKind]:
    """Return the kinds that this person can get at all."""
    return [
        kind
        for kind in MailKind
        if not is_off_for_all(kind) and (user.is_superuser or kind not in _FOR_ADMINISTRATORS)
    ]


def is_off_for_all(kind: MailKind) -> bool:
    return kind in settings.SEALSTEAD.mails_off


def wants(user: User, kind: MailKind) -> bool:
    return (
        not is_off_for_all(kind) and not MailSwitch.objects.filter(user_id=user.pk, kind=kind.value).exists()
    )


def choose(user: User, wanted: Iterable[str]) -> None:
    """Remember which of the kinds that the person can get they want."""
    kept = set(wanted)
    with transaction.atomic():
        for kind in kinds_for(user):
            if kind.value in kept:
                MailSwitch.objects.filter(user=user, kind=kind.value).delete()
            else:
                MailSwitch.objects.get_or_create(user=user, kind=kind.value)
