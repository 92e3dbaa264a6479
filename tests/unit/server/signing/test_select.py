"""Which certificate is meant, for whom, and which of several with one label."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tests.certificates import NOW
from tests.signing import OPERATOR, make_certificate

from sealstead.errors import SealsteadError
from sealstead.formats.signing_certificate import CertificatePeriodError
from sealstead.server.signing.create import Named, create_test, request_certificate
from sealstead.server.signing.errors import (
    CertificateAwaitedError,
    CertificateDisabledError,
    CertificateNotFoundError,
    InvalidSelectorError,
    LabelNotAllowedError,
    ProfileMismatchError,
)
from sealstead.server.signing.manage import grant, switch
from sealstead.server.signing.models import Certificate
from sealstead.server.signing.select import choose_certificate, find_certificates, parse_selector

if TYPE_CHECKING:
    from sealstead.server.accounts.models import User

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def choose(
    user: User, *, labels: list[str] | None = None, profile: str = "authenticode", at: Any = NOW, **by: str
) -> Certificate:
    return choose_certificate(user, labels=labels, selector=parse_selector(dict(by)), profile=profile, at=at)


def granted(user: User, label: str = "production", **facts: Any) -> Certificate:
    row = make_certificate(label, **facts)
    grant(row, user, OPERATOR)
    return row


def test_each_selector_finds_it(ada: User) -> None:
    row = granted(ada, "Prodüktion")
    for by in (
        {"label": "PRODÜKTION"},
        {"label": "Produ\u0308ktion"},
        {"label": " prodüktion "},
        {"thumbprint": row.thumbprint},
        {"thumbprint": row.thumbprint.lower()},
        {"thumbprint": ":".join(row.thumbprint[i : i + 2] for i in range(0, 40, 2))},
        {"thumbprint": row.thumbprint_sha256},
        {"subject": "harbour"},
    ):
        assert choose(ada, **by) == row


@pytest.mark.parametrize(
    "given",
    [
        *({}, {"label": ""}, {"label": " "}, {"label": 1}, {"label": ["x"]}, {"label": None}),
        *({"label": "a", "subject": "b"}, {"thumbprint": "A" * 39}, {"thumbprint": "G" * 40}),
        *({"label": "x" * 1001}, {"subject": "a\0b"}, {"label": "\ud800"}),
    ],
    ids=range(12),
)
def test_what_selects_nothing_or_two_ways_is_refused(given: dict[str, object]) -> None:
    with pytest.raises(InvalidSelectorError):
        parse_selector(given)


def test_unknown_and_not_granted_are_one_answer(ada: User, bob: User) -> None:
    row = granted(bob)
    answers = set()
    for by in (
        {"label": "production"},
        {"label": "unknown"},
        {"thumbprint": row.thumbprint},
        {"subject": "Harbour"},
    ):
        with pytest.raises(CertificateNotFoundError) as refused:
            choose(ada, **by)
        answers.add((refused.value.code, refused.value.message, refused.value.hint))
    assert len(answers) == 1


def test_an_administrator_needs_no_grant_but_never_gets_the_test_authority(admin: User) -> None:
    row = create_test("", Named(label="t"), OPERATOR, algorithm="P-256").row
    authority = Certificate.objects.get(is_root=True)
    assert choose(admin, label="t") == row
    authority.set_label("authority")  # as its page allows
    authority.save()
    for by in ({"thumbprint": authority.thumbprint}, {"subject": "authority"}, {"label": "authority"}):
        with pytest.raises(CertificateNotFoundError):
            choose(admin, **by)
    assert find_certificates(admin, at=NOW) == [row]


def test_nobody_is_granted_the_test_authority(ada: User) -> None:
    create_test("", Named(label="t"), OPERATOR, algorithm="P-256")
    authority = Certificate.objects.get(is_root=True)
    authority.set_label("authority")
    authority.save()
    grant(authority, ada, OPERATOR)
    assert find_certificates(ada, at=NOW) == []
    with pytest.raises(CertificateNotFoundError):
        choose(ada, label="authority")


def test_of_a_renewal_the_newest_usable_one_wins(ada: User) -> None:
    old = granted(ada, end=NOW + 10 * DAY)
    new = granted(ada, end=NOW + 400 * DAY)
    not_yet = granted(ada, begin=NOW - DAY, end=NOW + 900 * DAY)
    make_certificate("production", end=NOW + 800 * DAY)  # not granted
    Certificate.objects.filter(pk=not_yet.pk).update(not_before=NOW + DAY)
    assert [row.pk for row in find_certificates(ada, at=NOW)] == [new.pk, old.pk, not_yet.pk]
    assert choose(ada, label="production") == new
    switch(new, OPERATOR, enabled=False)
    assert choose(ada, label="production") == old
    assert choose(ada, label="production", at=NOW + DAY).pk == not_yet.pk


@pytest.mark.parametrize("by", [{"label": "production"}, {"subject": "Harbour"}])
def test_who_may_use_it_is_told_why_not_now(ada: User, by: dict[str, str]) -> None:
    row = granted(ada, end=NOW + DAY)
    for at, refusal in ((NOW + DAY, CertificatePeriodError), (NOW - 400 * DAY, CertificatePeriodError)):
        with pytest.raises(refusal):
            choose(ada, at=at, **by)
    assert choose(ada, at=NOW + DAY - timedelta(seconds=1), **by) == row
    with pytest.raises(ProfileMismatchError):
        choose(ada, profile="cms-detached", **by)
    switch(row, OPERATOR, enabled=False)
    with pytest.raises(CertificateDisabledError):
        choose(ada, **by)


def test_a_request_without_its_certificate_signs_nothing(ada: User) -> None:
    row = request_certificate("CN=x", Named(label="production"), OPERATOR, algorithm="P-256").row
    grant(row, ada, OPERATOR)
    with pytest.raises(CertificateAwaitedError):
        choose(ada, label="production")
    usable = granted(ada)
    assert choose(ada, label="production") == usable


def test_a_narrowed_key_sees_its_labels_alone(ada: User) -> None:
    test, live = granted(ada, "Test"), granted(ada, "live")
    assert find_certificates(ada, labels=["TEST"], at=NOW) == [test]
    assert choose(ada, labels=["TEST"], label="test") == test
    refusals: list[tuple[dict[str, str], type[SealsteadError]]] = [
        ({"label": "live"}, LabelNotAllowedError),
        ({"label": "unknown"}, LabelNotAllowedError),
        ({"thumbprint": live.thumbprint}, CertificateNotFoundError),
    ]
    for by, refusal in refusals:
        with pytest.raises(refusal):
            choose(ada, labels=["test"], **by)
    assert find_certificates(ada, labels=[], at=NOW) == []
