"""What the operator does at the command line."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from tests.rows import make_project, make_user
from tests.tokens import ORIGIN, T0

from sealstead.durations import InvalidDurationError
from sealstead.lifecycle.rotation import NotRotatableError
from sealstead.secret import Secret
from sealstead.server.accounts.find import NoSuchUserError
from sealstead.server.accounts.models import User
from sealstead.server.audit.models import Event
from sealstead.server.credentials.admin import (
    NewToken,
    NotAMemberError,
    ScopeChoiceError,
    create_token,
    list_tokens,
    revoke_token,
    rotate_token,
)
from sealstead.server.credentials.errors import (
    AlreadyRevokedError,
    CredentialNotFoundError,
    InvalidCredentialError,
    NameNeedsUserError,
    TokenNameInUseError,
)
from sealstead.server.credentials.find import AmbiguousTokenError
from sealstead.server.credentials.judge import judge_upload_token
from sealstead.server.credentials.models import Credential
from sealstead.server.index.models import Project, Role

pytestmark = pytest.mark.django_db


@pytest.fixture
def ada() -> User:
    return make_user("ada")


def create(**facts: Any) -> NewToken:
    return create_token(
        **{"user": "ada", "name": "ci", "projects": [], "all_projects": True, "expires": "90d", "at": T0}
        | facts
    )


def judge(token: Secret[str]) -> Any:
    return judge_upload_token(token, at=T0 + timedelta(minutes=1), origin=ORIGIN)


def test_a_token_for_projects_that_are_and_one_that_is_not_yet(ada: User) -> None:
    chrome = make_project("chrome", owner=ada)
    made = create(projects=["Chrome", "Un.Born", "chrome"], all_projects=False)
    assert made.reserved == ("un-born",)
    assert made.facts["projects"] == ["chrome", "un-born"]
    assert Role.objects.get(project__normalized_name="un-born").user == ada
    judge(made.token).require_project("chrome", chrome.pk)
    event = Event.objects.get(tag="upload-token:issued")
    assert (event.ip, event.user_agent) == (None, "sealstead admin")


def test_somebody_elses_project_is_refused_and_nothing_is_made(ada: User) -> None:
    make_project("chrome", owner=make_user())
    with pytest.raises(NotAMemberError):
        create(projects=["unborn", "chrome"], all_projects=False)
    assert not Credential.objects.exists()
    assert not Project.objects.filter(normalized_name="unborn").exists()
    assert not Event.objects.exists()


@pytest.mark.parametrize(("projects", "all_projects"), [([], False), (["a-project"], True)])
def test_the_scope_is_chosen_on_purpose(ada: User, projects: list[str], all_projects: bool) -> None:
    with pytest.raises(ScopeChoiceError):
        create(projects=projects, all_projects=all_projects)
    assert not Project.objects.exists()


def test_expiry_as_people_type_it(ada: User) -> None:
    def ends(name: str, expires: str | None) -> Any:
        create(name=name, expires=expires)
        return Credential.objects.get(name=name).expires_at

    whole = T0.replace(microsecond=0)
    assert ends("hours", "12h") == whole + timedelta(hours=12)
    assert ends("default", None) == whole + timedelta(days=90)
    assert ends("never", "never") is None
    for wrong in ("0", "-1d", "soon", "40000d"):
        with pytest.raises(InvalidDurationError):
            create(name="wrong", expires=wrong)


def test_names(ada: User) -> None:
    create()
    with pytest.raises(TokenNameInUseError):
        create()
    with pytest.raises(NoSuchUserError):
        create(user="nobody")
    assert Credential.objects.count() == 1


def test_lists_are_of_one_account_or_of_all(ada: User) -> None:
    make_user("bob")
    create()
    create(user="bob")
    assert [row["user"] for row in list_tokens(user=None, at=T0)] == ["ada", "bob"]
    (row,) = list_tokens(user="bob", at=T0)
    assert (row["name"], row["state"], row["use_count"]) == ("ci", "active", 0)
    assert "pypi-" not in repr(row)
    with pytest.raises(NoSuchUserError):
        list_tokens(user="nobody", at=T0)


def rotate(token: str = "ci", **facts: Any) -> NewToken:
    return rotate_token(
        token=token,
        **{"user": "ada", "overlap": "7d", "at": T0 + timedelta(minutes=1)} | facts,
    )


def test_a_name_rotates_the_youngest_link(ada: User) -> None:
    first = create()
    second = rotate()
    judge(first.token)
    judge(second.token)
    assert second.facts["predecessor"] == first.facts["id"]
    assert second.facts["predecessor_retires_at"] == (T0 + timedelta(days=7, minutes=1)).isoformat()
    third = rotate()
    assert third.facts["predecessor"] == second.facts["id"]
    with pytest.raises(InvalidDurationError):
        rotate(overlap="soon")


def test_a_name_revokes_the_whole_line(ada: User) -> None:
    first = create()
    second = rotate()
    ended = revoke_token(token="ci", user="ada", only_this=False, reason="lost", at=T0)
    assert [row["id"] for row in ended] == [first.facts["id"], second.facts["id"]]
    for made in (first, second):
        with pytest.raises(InvalidCredentialError):
            judge(made.token)
    assert (
        Event.objects.filter(tag="upload-token:revoked").values_list("details__reason", flat=True)[0]
        == "lost"
    )


def revoke_by(token: str, user: str | None) -> Any:
    return revoke_token(token=token, user=user, only_this=False, reason="", at=T0)


def test_an_id_needs_no_account_and_a_name_does(ada: User) -> None:
    made = create()
    make_user("bob")
    with pytest.raises(NameNeedsUserError):
        revoke_by("ci", None)
    for token, user in (("ci", "bob"), (made.facts["id"], "bob"), (str(uuid4()), None)):
        with pytest.raises(CredentialNotFoundError):
            revoke_by(token, user)
    judge(made.token)
    revoke_by(made.facts["id"], None)


def test_a_name_whose_token_has_ended_says_how(ada: User) -> None:
    create()
    with pytest.raises(NotRotatableError, match="has expired"):
        rotate(at=T0 + timedelta(days=91))
    revoke_by("ci", "ada")
    with pytest.raises(NotRotatableError, match="is revoked"):
        rotate()
    with pytest.raises(AlreadyRevokedError):
        revoke_by("ci", "ada")


def test_a_list_shows_the_end_that_a_rotation_or_a_revocation_has_brought(ada: User) -> None:
    create()
    second = rotate()
    old, new = list_tokens(user="ada", at=T0)
    assert old["ends_at"] == old["retires_at"] < old["expires_at"]
    assert new["ends_at"] == new["expires_at"]
    revoke_by(second.facts["id"], None)
    assert list_tokens(user="ada", at=T0)[1]["ends_at"] == T0.isoformat()


def test_both_scopes_at_once_are_told_as_such(ada: User) -> None:
    with pytest.raises(ScopeChoiceError) as caught:
        create(projects=["a"], all_projects=True)
    assert caught.value.hint == "choose one of the two"


def test_a_name_that_two_lines_share_is_not_guessed(ada: User) -> None:
    create()
    row = Credential.objects.get()
    row.pk = row.line = UUID(int=1)
    row.holds_name = False
    row.save(force_insert=True)
    with pytest.raises(AmbiguousTokenError):
        revoke_by("ci", "ada")
    assert not Credential.objects.exclude(revoked_at=None).exists()
