"""The changes of an account that administrators confirm on a page of their own: what each says, and its verb."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from sealstead.secret import Secret
from sealstead.server.accounts import administer
from sealstead.server.accounts.administer import Act
from sealstead.server.accounts.models import User


@dataclass(frozen=True, kw_only=True)
class Action:
    """`run` returns the account as it is now, and a password if one was made."""

    slug: str
    button: Promise
    question: Promise
    """With `%(name)s`."""
    explanation: Promise
    done: Promise
    """With `%(name)s`."""
    run: Callable[[Act, UUID], tuple[User | None, Secret[str] | None]]
    offered: Callable[[User], bool] = lambda _user: True
    own: bool = False
    """Whether administrators may do it to their own account."""
    danger: bool = True
    type_name: bool = False


def _delete(act: Act, user_id: UUID) -> tuple[None, None]:
    administer.delete(act, user_id)
    return None, None


ACTIONS: dict[str, Action] = {
    action.slug: action
    for action in (
        Action(
            slug="reset-password",
            button=_("Reset password"),
            question=_("Reset the password of %(name)s?"),
            explanation=_(
                "You are shown a temporary password, once. It works for 12 hours and must be changed at the first "
                "sign-in. The old password ends now, and the account is signed out everywhere."
            ),
            done=_("The password of %(name)s is reset."),
            run=administer.reset_password,
            danger=False,
        ),
        Action(
            slug="reset-second-factor",
            button=_("Reset second factor"),
            question=_("Remove the second factors of %(name)s?"),
            explanation=_(
                "The authenticator app, security keys and recovery codes are removed, and the account is signed out "
                "everywhere. Make sure first that it is really this person who asks."
            ),
            done=_("The second factors of %(name)s are removed."),
            run=lambda act, user_id: (administer.reset_second_factor(act, user_id), None),
            offered=lambda user: bool(getattr(user, "has_second_factor", False)),
        ),
        Action(
            slug="appoint",
            button=_("Make administrator"),
            question=_("Make %(name)s an administrator?"),
            explanation=_(
                "Administrators look after users, certificates and all projects, see all events, and may sign with "
                "every certificate."
            ),
            done=_("%(name)s is an administrator now."),
            run=lambda act, user_id: (administer.set_administrator(act, user_id, administrator=True), None),
            offered=lambda user: not user.is_superuser,
            own=True,
            danger=False,
        ),
        Action(
            slug="dismiss",
            button=_("Take administrator rights away"),
            question=_("Take the administrator rights of %(name)s away?"),
            explanation=_(
                "The account keeps its projects, keys and tokens, and the certificates granted to it."
            ),
            done=_("%(name)s is no administrator any more."),
            run=lambda act, user_id: (administer.set_administrator(act, user_id, administrator=False), None),
            offered=lambda user: user.is_superuser,
        ),
        Action(
            slug="disable",
            button=_("Disable"),
            question=_("Disable the account of %(name)s?"),
            explanation=_(
                "It cannot sign in, its sessions end, and its keys and tokens are refused, all at once. Enabling it "
                "again takes that back."
            ),
            done=_("The account of %(name)s is disabled."),
            run=lambda act, user_id: (administer.set_enabled(act, user_id, enabled=False), None),
            offered=lambda user: user.is_active,
        ),
        Action(
            slug="enable",
            button=_("Enable"),
            question=_("Enable the account of %(name)s?"),
            explanation=_(
                "It can sign in again, and those of its keys and tokens that have not ended work again."
            ),
            done=_("The account of %(name)s is enabled."),
            run=lambda act, user_id: (administer.set_enabled(act, user_id, enabled=True), None),
            offered=lambda user: not user.is_active,
            own=True,
            danger=False,
        ),
        Action(
            slug="delete",
            button=_("Delete account"),
            question=_("Delete the account of %(name)s?"),
            explanation=_(
                "Its keys and tokens end with it, and its memberships and certificate grants. What it did stays among "
                "the events. This cannot be taken back; disabling can."
            ),
            done=_("The account of %(name)s is deleted."),
            run=_delete,
            type_name=True,
        ),
    )
}


def offered_to(actor: User, user: User) -> list[Action]:
    """Return what `actor` may do to `user` as it is now."""
    return [
        action for action in ACTIONS.values() if action.offered(user) and (action.own or actor.pk != user.pk)
    ]
