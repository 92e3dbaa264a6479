"""Certificates that are there: names, switches, grants, removal; each change is one event, each repeat none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from tests.signing import OPERATOR, make_certificate

from sealstead.server.accounts.mail_kinds import choose
from sealstead.server.audit.models import Event
from sealstead.server.signing.errors import AliasInUseError, CertificateNotFoundError
from sealstead.server.signing.manage import (
    get_certificate,
    grant,
    remove,
    rename,
    set_certificates_of,
    set_users_of,
    switch,
    withdraw,
)
from sealstead.server.signing.models import Certificate, Grant
from sealstead.server.signing.names import sharing_label

if TYPE_CHECKING:
    from django.core.mail import EmailMessage

    from sealstead.server.accounts.models import User

pytestmark = pytest.mark.django_db


def tags() -> list[str]:
    return list(Event.objects.order_by("id").values_list("tag", flat=True))


def test_a_label_may_be_shared_and_that_is_told() -> None:
    first, second = make_certificate("Production"), make_certificate("other")
    assert sharing_label(second, "PRODUCTION") == [first]
    assert sharing_label(first, "Production") == []
    assert sharing_label(first, "") == []
    renamed = rename(second, OPERATOR, alias="The new one", label="production")
    assert (renamed.alias, renamed.label_key) == ("The new one", "production")
    with pytest.raises(AliasInUseError):
        rename(first, OPERATOR, alias="The new one", label="x")
    assert tags() == ["certificate:renamed"]


def test_switching_twice_is_one_event() -> None:
    row = make_certificate()
    for enabled in (False, False, True):
        assert switch(row, OPERATOR, enabled=enabled).enabled is enabled
    assert tags() == ["certificate:disabled", "certificate:enabled"]


def test_a_grant_concerns_the_account_it_is_for(ada: User, admin: User) -> None:
    row = make_certificate()
    assert grant(row, ada, OPERATOR)
    assert not grant(row, ada, OPERATOR)
    event = Event.objects.get()
    assert (event.tag, event.user_id, event.details["user"]) == ("certificate:granted", ada.pk, "ada")
    assert withdraw(row, ada, OPERATOR)
    assert not withdraw(row, ada, OPERATOR)
    assert not Grant.objects.exists()


def test_a_grant_is_told_to_whom_it_concerns_unless_they_do_not_want_it(
    ada: User, admin: User, mailoutbox: list[EmailMessage], django_capture_on_commit_callbacks: Any
) -> None:
    row = make_certificate(alias="Harbour")
    by = replace(OPERATOR, actor=admin)

    def told(verb: Callable[..., bool], user: User) -> list[str]:
        mailoutbox.clear()
        with django_capture_on_commit_callbacks(execute=True):
            verb(row, user, by)
            verb(row, user, by)
        return [f"{one.to[0]}: {one.subject}" for one in mailoutbox]

    assert told(grant, ada) == ["ada@example.org: You may now sign with Harbour"]
    assert "By: root" in mailoutbox[0].body
    assert "Label: production" in mailoutbox[0].body
    assert told(withdraw, ada) == ["ada@example.org: You can no longer sign with Harbour"]
    assert told(grant, admin) == []
    choose(ada, [])
    assert told(grant, ada) == []


def test_grants_are_set_from_either_side(ada: User, bob: User) -> None:
    one, two, three = (make_certificate(label) for label in "abc")
    grant(one, ada, OPERATOR)
    set_certificates_of(ada, [two, three], OPERATOR)
    assert set(Grant.objects.filter(user=ada).values_list("certificate_id", flat=True)) == {two.pk, three.pk}
    set_users_of(two, [bob], OPERATOR)
    assert list(Grant.objects.filter(certificate=two).values_list("user_id", flat=True)) == [bob.pk]


def test_a_removed_certificate_is_gone_and_its_history_is_not(ada: User) -> None:
    row = make_certificate()
    grant(row, ada, OPERATOR)
    remove(row, OPERATOR)
    assert not Certificate.objects.exists()
    assert not Grant.objects.exists()
    assert Event.objects.get(tag="certificate:removed").details["thumbprint"] == row.thumbprint
    for verb in (lambda: remove(row, OPERATOR), lambda: switch(row, OPERATOR, enabled=False)):
        with pytest.raises(CertificateNotFoundError):
            verb()


@pytest.mark.parametrize("name", ["0385e502-7e2d-4db9-a356-f4bef9bb16b1", "nonsense", ""])
def test_no_such_certificate(name: str) -> None:
    with pytest.raises(CertificateNotFoundError):
        get_certificate(name)
