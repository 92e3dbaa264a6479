"""Members of a project: invite, accept, decline, change a role, remove, leave.

Rules:
  * Only an owner invites, changes or removes; anybody may leave.
  * A person becomes a member by accepting, never by somebody else's act alone.
  * The last owner can neither leave, nor be demoted, nor be removed.
  * Each step is one event and one mail to all owners, and to the person concerned.

Every verb locks the project's row first, so that two owners who demote each other at the same moment
are one after the other (on SQLite the IMMEDIATE transaction does the same).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from sealstead.errors import ConflictError, NotFoundError
from sealstead.server.accounts.mail import notify
from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record
from sealstead.server.index.models import Invitation, Project, Role, RoleName
from sealstead.server.index.permissions import Permission, require
from sealstead.server.index.serial import bump

INVITATION_LIFE = timedelta(days=7)


class LastOwnerError(ConflictError):
    """The last owner can neither leave nor be given another role."""

    code = "last-owner"


class AlreadyMemberError(ConflictError):
    """The account has a role on this project."""

    code = "already-member"


class AlreadyInvitedError(ConflictError):
    """The account has an open invitation to this project."""

    code = "already-invited"


class UnknownMemberError(NotFoundError):
    """The account has no role on this project."""

    code = "unknown-member"


class UnknownInvitationError(NotFoundError):
    """No such invitation, somebody else's, or its time is over: the answer is the same."""

    code = "unknown-invitation"


@dataclass(frozen=True, kw_only=True)
class Act:
    """Who acts, when, and from where."""

    actor: User
    at: datetime
    origin: Origin


def invite(project: Project, username: str, role: RoleName, act: Act) -> Invitation:
    """Invite the account named `username`; an invitation whose time is over is replaced.

    Raises:
        NotAllowedError: the actor is not an owner.
        UnknownMemberError: no such account, or it is disabled.
        AlreadyMemberError, AlreadyInvitedError: as they say.
    """
    with transaction.atomic():
        project = _locked(project)
        require(act.actor, project, Permission.MANAGE_MEMBERS)
        # PostgreSQL takes no NUL in text.
        named = User.objects.filter(username=username.strip().replace("\0", " "), is_active=True)
        user = named.first()
        if user is None:
            raise UnknownMemberError(f"there is no account named {username.strip()[:150]!r}")
        if Role.objects.filter(project=project, user=user).exists():
            raise AlreadyMemberError(f"{user.username} is a member of {project.name} already")
        Invitation.objects.filter(project=project, user=user, expires_at__lte=act.at).delete()
        if Invitation.objects.filter(project=project, user=user).exists():
            raise AlreadyInvitedError(f"{user.username} has been invited to {project.name} already")
        invitation = Invitation.objects.create(
            project=project,
            user=user,
            role=role,
            invited_by=act.actor,
            created_at=act.at,
            expires_at=act.at + INVITATION_LIFE,
        )
        _tell(tags.ROLE_INVITED, project, user, role, act, ends=invitation.expires_at)
    return invitation


def withdraw(invitation_id: UUID, project: Project, act: Act) -> None:
    """Take an invitation back before it was answered."""
    with transaction.atomic():
        project = _locked(project)
        require(act.actor, project, Permission.MANAGE_MEMBERS)
        invitation = (
            Invitation.objects.filter(pk=invitation_id, project=project).select_related("user").first()
        )
        if invitation is None:
            raise UnknownInvitationError("this invitation does not exist any more")
        invitation.delete()
        _tell(tags.ROLE_WITHDRAWN, project, invitation.user, RoleName(invitation.role), act)


def accept(invitation_id: UUID, act: Act) -> Role:
    """Become a member. Only the invited account can, while the invitation lasts."""
    with transaction.atomic():
        project = _locked(_own_invitation(invitation_id, act).project)
        # Read again under the lock: it may have been withdrawn, or the project deleted, meanwhile.
        invitation = _own_invitation(invitation_id, act)
        role, _ = Role.objects.get_or_create(
            project=project, user=act.actor, defaults={"role": invitation.role, "added_at": act.at}
        )
        invitation.delete()
        bump(project)
        _tell(tags.ROLE_ACCEPTED, project, act.actor, RoleName(role.role), act)
    return role


def decline(invitation_id: UUID, act: Act) -> None:
    with transaction.atomic():
        invitation = _own_invitation(invitation_id, act)
        invitation.delete()
        _tell(tags.ROLE_DECLINED, invitation.project, act.actor, RoleName(invitation.role), act)


def change_role(project: Project, user_id: UUID, role: RoleName, act: Act) -> None:
    """Give a member another role; giving the one it has changes nothing and tells nobody.

    Raises:
        LastOwnerError: it would leave the project without an owner.
    """
    with transaction.atomic():
        project = _locked(project)
        require(act.actor, project, Permission.MANAGE_MEMBERS)
        membership = _membership(project, user_id)
        if membership.role == role:
            return
        _keep_an_owner(project, membership, "be made a maintainer")
        membership.role = role
        membership.save(update_fields=["role"])
        bump(project)
        _tell(tags.ROLE_CHANGED, project, membership.user, role, act)


def remove(project: Project, user_id: UUID, act: Act) -> None:
    """End a membership. Tokens the person made stop working for this project at once: rights are
    looked up at each upload, not when a token is made.
    """
    with transaction.atomic():
        project = _locked(project)
        require(act.actor, project, Permission.MANAGE_MEMBERS)
        membership = _membership(project, user_id)
        _keep_an_owner(project, membership, "be removed")
        owners = _owners(project)
        membership.delete()
        bump(project)
        _tell(tags.ROLE_REMOVED, project, membership.user, RoleName(membership.role), act, owners=owners)


def leave(project: Project, act: Act) -> None:
    with transaction.atomic():
        project = _locked(project)
        membership = _membership(project, act.actor.pk)
        _keep_an_owner(project, membership, "leave")
        owners = _owners(project)
        membership.delete()
        bump(project)
        _tell(tags.ROLE_LEFT, project, act.actor, RoleName(membership.role), act, owners=owners)


def _locked(project: Project) -> Project:
    return Project.objects.select_for_update().get(pk=project.pk)


def _membership(project: Project, user_id: UUID) -> Role:
    membership = Role.objects.filter(project=project, user_id=user_id).select_related("user").first()
    if membership is None:
        raise UnknownMemberError(f"no such member of {project.name}")
    return membership


def _own_invitation(invitation_id: UUID, act: Act) -> Invitation:
    invitation = (
        Invitation.objects.filter(
            pk=invitation_id, user=act.actor, expires_at__gt=act.at, project__deleted_at__isnull=True
        )
        .select_related("project")
        .first()
    )
    if invitation is None:
        raise UnknownInvitationError("this invitation does not exist any more")
    return invitation


def _owners(project: Project) -> list[User]:
    return list(User.objects.filter(roles__project=project, roles__role=RoleName.OWNER, is_active=True))


def _keep_an_owner(project: Project, membership: Role, what: str) -> None:
    if membership.role != RoleName.OWNER:
        return
    others = Role.objects.filter(project=project, role=RoleName.OWNER, user__is_active=True)
    if not others.exclude(pk=membership.pk).exists():
        raise LastOwnerError(
            f"the last owner of {project.name} cannot {what}", hint="make another member an owner first"
        )


def _tell(
    tag: str,
    project: Project,
    user: User,
    role: RoleName,
    act: Act,
    *,
    owners: Iterable[User] | None = None,
    ends: datetime | None = None,
) -> None:
    """One event, and after the commit one mail to every owner and the person concerned."""
    record(
        tag,
        at=act.at,
        origin=act.origin,
        actor_id=act.actor.pk,
        actor_name=act.actor.username,
        user_id=user.pk,
        project=project.normalized_name,
        details={"user": user.username, "role": role.value},
    )
    recipients = {owner.pk: owner for owner in (_owners(project) if owners is None else owners)} | {
        user.pk: user
    }
    context = {
        "step": tag.partition(":")[2],
        "project": project,
        "member": user.username,
        "role": role.value,
        "actor": act.actor.username,
        "ends": ends,
    }
    transaction.on_commit(lambda: notify(recipients.values(), "project_member", context))
