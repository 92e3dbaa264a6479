from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from django.core import mail
from tests.rows import NOW, ORIGIN, make_project, make_user

from sealstead.server.accounts.models import User
from sealstead.server.audit.models import Event
from sealstead.server.index import members
from sealstead.server.index.members import Act
from sealstead.server.index.models import Invitation, Project, Role, RoleName
from sealstead.server.index.permissions import NotAllowedError

pytestmark = pytest.mark.django_db(transaction=True)


def act(user: User, *, later: timedelta = timedelta(0)) -> Act:
    return Act(actor=user, at=NOW + later, origin=ORIGIN)


def roles(project: Project) -> dict[str, str]:
    return dict(Role.objects.filter(project=project).values_list("user__username", "role"))


def test_invited_person_becomes_a_member_only_by_accepting() -> None:
    owner, guest = make_user("ada"), make_user("bob")
    project = make_project(owner=owner)
    invitation = members.invite(project, "bob", RoleName.MAINTAINER, act(owner))
    assert roles(project) == {"ada": "owner"}
    members.accept(invitation.pk, act(guest))
    assert roles(project) == {"ada": "owner", "bob": "maintainer"}
    assert not Invitation.objects.exists()
    assert list(Event.objects.values_list("tag", flat=True)) == ["role:invited", "role:accepted"]
    assert [sorted(address for message in mail.outbox for address in message.to)] == [
        ["ada@example.org", "ada@example.org", "bob@example.org", "bob@example.org"]
    ]


def test_invitation_can_be_declined_and_then_given_again() -> None:
    owner, guest = make_user("ada"), make_user("bob")
    project = make_project(owner=owner)
    members.decline(members.invite(project, "bob", RoleName.OWNER, act(owner)).pk, act(guest))
    assert roles(project) == {"ada": "owner"}
    members.invite(project, "bob", RoleName.OWNER, act(owner))


def test_somebody_else_cannot_accept() -> None:
    owner, thief = make_user(), make_user()
    make_user("bob")
    project = make_project(owner=owner)
    invitation = members.invite(project, "bob", RoleName.OWNER, act(owner))
    with pytest.raises(members.UnknownInvitationError):
        members.accept(invitation.pk, act(thief))
    assert not Role.objects.filter(user=thief).exists()


@pytest.mark.parametrize(("later", "accepted"), [(timedelta(0), True), (members.INVITATION_LIFE, False)])
def test_invitation_ends_at_its_moment(later: timedelta, accepted: bool) -> None:
    owner, guest = make_user(), make_user("bob")
    project = make_project(owner=owner)
    invitation = members.invite(project, "bob", RoleName.OWNER, act(owner))
    if accepted:
        last = members.INVITATION_LIFE - timedelta(microseconds=1)
        members.accept(invitation.pk, act(guest, later=last))
    else:
        with pytest.raises(members.UnknownInvitationError):
            members.accept(invitation.pk, act(guest, later=later))
        members.invite(project, "bob", RoleName.OWNER, act(owner, later=later))


def test_only_owners_decide_about_members() -> None:
    owner, maintainer, stranger = make_user(), make_user(), make_user("eve")
    project = make_project(owner=owner, maintainers=(maintainer,))
    for person in (maintainer, stranger):
        with pytest.raises(NotAllowedError):
            members.invite(project, "eve", RoleName.OWNER, act(person))
        with pytest.raises(NotAllowedError):
            members.change_role(project, maintainer.pk, RoleName.OWNER, act(person))
        with pytest.raises(NotAllowedError):
            members.remove(project, owner.pk, act(person))
    assert not Event.objects.exists()
    assert len(roles(project)) == 2


def test_last_owner_stays() -> None:
    owner, maintainer = make_user("ada"), make_user("bob")
    project = make_project(owner=owner, maintainers=(maintainer,))
    with pytest.raises(members.LastOwnerError):
        members.leave(project, act(owner))
    with pytest.raises(members.LastOwnerError):
        members.change_role(project, owner.pk, RoleName.MAINTAINER, act(owner))
    with pytest.raises(members.LastOwnerError):
        members.remove(project, owner.pk, act(owner))
    assert roles(project) == {"ada": "owner", "bob": "maintainer"}
    members.change_role(project, maintainer.pk, RoleName.OWNER, act(owner))
    members.leave(project, act(owner))
    assert roles(project) == {"bob": "owner"}


def test_a_disabled_co_owner_does_not_count_as_an_owner() -> None:
    owner = make_user()
    project = make_project(owner=owner)
    gone = make_user(is_active=False)
    Role.objects.create(project=project, user=gone, role=RoleName.OWNER, added_at=NOW)
    with pytest.raises(members.LastOwnerError):
        members.leave(project, act(owner))


def test_removed_person_is_told_and_has_no_right_left() -> None:
    owner, maintainer = make_user("ada"), make_user("bob")
    project = make_project(owner=owner, maintainers=(maintainer,))
    members.remove(project, maintainer.pk, act(owner))
    assert roles(project) == {"ada": "owner"}
    assert {address for message in mail.outbox for address in message.to} == {
        "ada@example.org",
        "bob@example.org",
    }


@pytest.mark.parametrize("name", ["nobody", "", "x" * 5000, "a\x00b"])
def test_unknown_names_are_refused(name: str) -> None:
    owner = make_user()
    with pytest.raises(members.UnknownMemberError):
        members.invite(make_project(owner=owner), name, RoleName.OWNER, act(owner))
    assert not Invitation.objects.exists()


def test_nobody_is_invited_twice_or_when_a_member() -> None:
    owner, guest = make_user(), make_user("bob")
    project = make_project(owner=owner)
    invitation = members.invite(project, "bob", RoleName.MAINTAINER, act(owner))
    with pytest.raises(members.AlreadyInvitedError):
        members.invite(project, "bob", RoleName.OWNER, act(owner))
    members.accept(invitation.pk, act(guest))
    with pytest.raises(members.AlreadyMemberError):
        members.invite(project, "bob", RoleName.OWNER, act(owner))


def test_unknown_member_and_foreign_invitation_are_refused() -> None:
    owner, other = make_user(), make_user()
    project, foreign = make_project(owner=owner), make_project(owner=other)
    make_user("bob")
    invitation = members.invite(foreign, "bob", RoleName.OWNER, act(other))
    with pytest.raises(members.UnknownInvitationError):
        members.withdraw(invitation.pk, project, act(owner))
    with pytest.raises(members.UnknownMemberError):
        members.remove(project, uuid4(), act(owner))
    members.withdraw(invitation.pk, foreign, act(other))
    assert not Invitation.objects.exists()


def test_invitation_mail_links_to_a_page_its_reader_may_see() -> None:
    owner = make_user("ada")
    make_user("bob")
    project = make_project("shared", owner=owner)
    members.invite(project, "bob", RoleName.MAINTAINER, act(owner))
    bodies = {message.to[0].partition("@")[0]: str(message.body) for message in mail.outbox}
    assert "/manage/projects/" in bodies["bob"]
    assert "/members/" not in bodies["bob"]
    assert "/manage/project/shared/members/" in bodies["ada"]
    assert all("The invitation ends on" in body for body in bodies.values())


def test_who_was_removed_gets_no_link_to_the_members_page() -> None:
    owner, guest = make_user("ada"), make_user("bob")
    project = make_project("shared", owner=owner)
    members.accept(members.invite(project, "bob", RoleName.MAINTAINER, act(owner)).pk, act(guest))
    mail.outbox.clear()
    members.remove(project, guest.pk, act(owner))
    bodies = {message.to[0].partition("@")[0]: str(message.body) for message in mail.outbox}
    assert "/members/" in bodies["ada"]
    assert "/members/" not in bodies["bob"]
