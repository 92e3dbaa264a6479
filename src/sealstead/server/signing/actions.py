"""The changes of a certificate that administrators confirm on a page of their own."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sealstead.server.signing import manage
from sealstead.server.signing.create import By
from sealstead.server.signing.models import Certificate


@dataclass(frozen=True, kw_only=True)
class Action:
    slug: str
    button: Promise
    question: Promise
    """With `%(name)s`."""
    explanation: Promise
    done: Promise
    """With `%(name)s`."""
    run: Callable[[Certificate, By], object]
    offered: Callable[[Certificate], bool] = lambda _row: True
    danger: bool = True
    type_name: bool = False


ACTIONS: dict[str, Action] = {
    action.slug: action
    for action in (
        Action(
            slug="disable",
            button=_("Disable"),
            question=_("Disable the certificate %(name)s?"),
            explanation=_(
                "From this moment on nothing is signed with it; signatures that exist stay as they are. Enabling it "
                "again takes that back."
            ),
            done=_("The certificate %(name)s is disabled."),
            run=lambda row, by: manage.switch(row, by, enabled=False),
            offered=lambda row: row.enabled and not row.is_root,
        ),
        Action(
            slug="enable",
            button=_("Enable"),
            question=_("Enable the certificate %(name)s?"),
            explanation=_("Whom it is granted to can sign with it again."),
            done=_("The certificate %(name)s is enabled."),
            run=lambda row, by: manage.switch(row, by, enabled=True),
            offered=lambda row: not row.enabled,
            danger=False,
        ),
        Action(
            slug="delete",
            button=_("Delete"),
            question=_("Delete the certificate %(name)s?"),
            explanation=_(
                "Its private key is destroyed, for good: if this is the only copy, nobody can ever sign with it again. "
                "Signatures that exist stay valid, and events keep its names. Disabling can be taken back; this cannot."
            ),
            done=_("The certificate %(name)s is deleted."),
            run=manage.remove,
            type_name=True,
        ),
    )
}


def offered_for(row: Certificate) -> list[Action]:
    return [action for action in ACTIONS.values() if action.offered(row)]
