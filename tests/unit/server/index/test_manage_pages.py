"""Pages of members, through Django's own client: who sees what, and what a form does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse
from tests.fakes.clock import FakeClock
from tests.rows import ORIGIN, make_project, make_release, make_user

from sealstead.server.accounts.models import User
from sealstead.server.audit import tags
from sealstead.server.audit.record import Origin, record
from sealstead.server.index import manage_pages, members
from sealstead.server.index.members import Act
from sealstead.server.index.models import File, Invitation, Project, Release, Role, RoleName

AT = datetime(2026, 5, 1, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


def client_of(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def urls_of(project: Project) -> list[str]:
    name = project.normalized_name
    version = Release.objects.get(project=project).version
    filename = File.objects.filter(release__project=project).values_list("filename", flat=True)[0]
    owner = Role.objects.get(project=project, role="owner").user_id
    return [
        reverse("manage-releases", args=[name]),
        reverse("manage-release", args=[name, version]),
        reverse("manage-release-delete", args=[name, version]),
        reverse("manage-file-delete", args=[name, version, filename]),
        reverse("manage-members", args=[name]),
        reverse("manage-events", args=[name]),
        reverse("manage-remove", args=[name, owner]),
        reverse("manage-settings", args=[name]),
        reverse("manage-state", args=[name, "archived"]),
        reverse("manage-project-delete", args=[name]),
    ]


def test_owner_sees_every_page() -> None:
    owner = make_user()
    project = make_project(owner=owner)
    make_release(project)
    client = client_of(owner)
    for url in urls_of(project):
        assert client.get(url).status_code == 200, url


def test_strangers_get_the_answer_of_a_project_that_does_not_exist() -> None:
    project = make_project("real", owner=make_user())
    make_release(project)
    client = client_of(make_user())
    for url in urls_of(project):
        for method in (client.get, client.post):
            real, unreal = method(url), method(url.replace("/real/", "/unreal/"))
            assert real.status_code == unreal.status_code, url
            assert real.status_code in {404, 405}, url
    assert Release.objects.filter(deleted_at=None).exists()


def test_visitors_are_sent_to_sign_in() -> None:
    project = make_project(owner=make_user())
    make_release(project)
    for url in urls_of(project):
        answer = Client().get(url)
        assert answer.status_code == 302
        assert "/login" in answer["Location"]


def test_maintainer_can_look_but_not_delete() -> None:
    maintainer = make_user()
    project = make_project(owner=make_user(), maintainers=(maintainer,))
    make_release(project)
    client = client_of(maintainer)
    looked = [client.get(url).status_code for url in urls_of(project)]
    assert looked == [200, 200, 404, 404, 200, 404, 404, 200, 404, 404]
    assert (
        b"Invite a member"
        not in client.get(reverse("manage-members", args=[project.normalized_name])).content
    )


def test_deleting_asks_for_the_name() -> None:
    owner = make_user()
    project = make_project("precious", owner=owner)
    make_release(project)
    client = client_of(owner)
    url = reverse("manage-project-delete", args=["precious"])
    client.post(url, {"confirm": "precios"})
    assert Project.objects.filter(deleted_at=None).exists()
    client.post(url, {"confirm": "precious"})
    assert not Project.objects.filter(deleted_at=None).exists()


def test_yank_from_the_page_and_back() -> None:
    owner = make_user()
    project = make_project(owner=owner)
    make_release(project)
    client = client_of(owner)
    url = reverse("manage-release", args=[project.normalized_name, "1.0"])
    client.post(url, {"do": "yank", "reason": "<script>alert(1)</script>"})
    assert Release.objects.get().yanked_at is not None
    assert b"<script>alert" not in client.get(url).content
    client.post(url, {"do": "unyank"})
    assert Release.objects.get().yanked_at is None


def test_invitation_is_answered_on_the_projects_page() -> None:
    owner, guest = make_user(), make_user("bob")
    project = make_project("shared", owner=owner)
    client_of(owner).post(
        reverse("manage-invite", args=["shared"]), {"username": "bob", "role": "maintainer"}
    )
    invitation = Invitation.objects.get()
    client = client_of(guest)
    assert b"shared" in client.get(reverse("manage-projects")).content
    client.post(reverse("answer-invitation", args=[invitation.pk]), {"answer": "accept"})
    assert Role.objects.get(project=project, user=guest).role == "maintainer"


@pytest.mark.parametrize("data", [{}, {"username": "bob"}, {"username": "bob", "role": "king"}])
def test_malformed_invitation_makes_nothing(data: dict[str, str]) -> None:
    owner = make_user()
    make_user("bob")
    project = make_project(owner=owner)
    answer = client_of(owner).post(reverse("manage-invite", args=[project.normalized_name]), data)
    assert answer.status_code == 404
    assert not Invitation.objects.exists()


def test_unknown_invitation_id_is_404() -> None:
    assert client_of(make_user()).post(reverse("answer-invitation", args=["x"])).status_code == 404


def test_forms_need_their_csrf_token() -> None:
    owner = make_user()
    project = make_project(owner=owner)
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    url = reverse("manage-project-delete", args=[project.normalized_name])
    assert client.post(url, {"confirm": project.name}).status_code == 403
    assert Project.objects.filter(deleted_at=None).exists()


def test_events_page_shows_own_events_and_hides_other_peoples_addresses() -> None:
    owner, guest = make_user("ada"), make_user("bob")
    project = make_project("shared", owner=owner)
    at = project.created_at + timedelta(days=1)
    members.invite(project, "bob", RoleName.MAINTAINER, Act(actor=owner, at=at, origin=ORIGIN))
    url = reverse("account-events")
    own, other = client_of(owner).get(url).content.decode(), client_of(guest).get(url).content.decode()
    assert "Member invited" in own
    assert ORIGIN.ip in own
    assert "Member invited" in other
    assert ORIGIN.ip not in other
    lines = b"".join(client_of(guest).get(url, {"format": "jsonl"}).streaming_content).decode()
    assert '"tag": "role:invited"' in lines
    assert ORIGIN.ip not in lines
    assert b"Member invited" not in client_of(make_user()).get(url).content


@pytest.mark.parametrize("before", ["", "x", "-1", "9" * 40, "١"])  # noqa: RUF001 - another script's digit
def test_events_page_tolerates_any_position(before: str) -> None:
    assert client_of(make_user()).get(reverse("account-events"), {"before": before}).status_code == 200


def test_nobody_is_flooded_with_invitations() -> None:
    owner, victim = make_user(), make_user()
    project = make_project(owner=owner)
    client = client_of(owner)
    invite = reverse("manage-invite", args=[project.normalized_name])
    form = {"username": victim.username, "role": "owner"}
    for _ in range(manage_pages.INVITATIONS_PER_HOUR):
        assert client.post(invite, form).status_code == 302
        Invitation.objects.all().delete()
    mail.outbox.clear()
    refused = client.post(invite, form)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert not Invitation.objects.exists()
    assert mail.outbox == []


def test_who_is_a_member_is_changed_by_somebody_who_has_just_proved_it(fake_clock: FakeClock) -> None:
    """Otherwise a stolen cookie lets its thief in for good, with a token of their own."""
    owner, guest, thief = make_user(), make_user(), make_user()
    project = make_project(owner=owner)
    Role.objects.create(project=project, user=guest, role="maintainer", added_at=fake_clock.now())
    client = client_of(owner)
    fake_clock.move(timedelta(minutes=31))
    name = project.normalized_name
    for url, form in (
        (reverse("manage-invite", args=[name]), {"username": thief.username, "role": "owner"}),
        (reverse("manage-role", args=[name, guest.pk]), {"role": "owner"}),
        (reverse("manage-remove", args=[name, guest.pk]), {}),
    ):
        answer = client.post(url, form)
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_reauthenticate") + "?next=")
    assert not Invitation.objects.exists()
    assert Role.objects.get(user=guest).role == "maintainer"


def test_only_the_last_owner_is_offered_no_way_out() -> None:
    owner, second = make_user(), make_user()
    project = make_project(owner=owner)
    url = reverse("manage-members", args=[project.normalized_name])
    leave = reverse("manage-remove", args=[project.normalized_name, owner.pk])
    alone = client_of(owner).get(url).content.decode()
    assert "The last owner stays." in alone
    assert leave not in alone
    Role.objects.create(project=project, user=second, role=RoleName.OWNER, added_at=project.created_at)
    assert leave in client_of(owner).get(url).content.decode()


def test_owners_see_what_happened_to_their_project_and_nobody_elses_address() -> None:
    owner, maintainer = make_user(), make_user()
    project, other = make_project("seen", owner=owner), make_project("unseen", owner=owner)
    Role.objects.create(project=project, user=maintainer, role=RoleName.MAINTAINER, added_at=AT)
    for subject, actor in ((project, maintainer), (project, owner), (other, owner)):
        record(
            tags.FILE_REFUSED,
            at=AT,
            origin=Origin(ip="192.0.2.1" if actor == owner else "198.51.100.9"),
            accepted=False,
            code="digest-mismatch",
            actor_id=actor.pk,
            actor_name=actor.get_username(),
            project=subject.normalized_name,
        )
    url = reverse("manage-events", args=["seen"])
    page = client_of(owner).get(url).content.decode()
    assert page.count("digest-mismatch") == 2
    assert "192.0.2.1" in page
    assert "198.51.100.9" not in page
    lines = b"".join(client_of(owner).get(url + "?format=jsonl")).decode()  # type: ignore[call-overload]
    assert lines.count("digest-mismatch") == 2
    assert "unseen" not in lines
    assert "198.51.100.9" not in lines
    assert client_of(maintainer).get(url).status_code == 404
