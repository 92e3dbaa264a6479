"""`sealstead admin check`: a signing key that would not sign, or soon will not, is found before a build finds it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from tests.certificates import NOW
from tests.signing import OPERATOR, make_certificate

from sealstead.server.check import _signing_keys
from sealstead.server.signing.manage import switch
from sealstead.server.signing.models import Certificate, Profile

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def found(at: datetime = NOW) -> list[tuple[str, bool]]:
    return [(finding.code, finding.problem) for finding in _signing_keys(at)]


def test_good_keys_are_not_mentioned() -> None:
    make_certificate()
    make_certificate("wheels", profile=Profile.MINISIGN)
    assert found() == []


def test_a_key_that_would_not_sign_is_a_problem() -> None:
    row, other = make_certificate("a"), make_certificate("b")
    Certificate.objects.filter(pk=row.pk).update(sealed_key=other.sealed_key)
    wheels = make_certificate("wheels", profile=Profile.MINISIGN)
    Certificate.objects.filter(pk=wheels.pk).update(public_key="nonsense")
    assert found() == [("signing-key-damaged", True)] * 2


def test_an_end_is_a_note_before_and_a_problem_after() -> None:
    row = make_certificate(end=NOW + 30 * DAY)
    assert found() == []
    assert found(NOW + DAY) == [("signing-certificate-ends", False)]
    assert found(NOW + 30 * DAY) == [("signing-certificate-ends", True)]
    switch(row, OPERATOR, enabled=False)
    assert found(NOW + 30 * DAY) == []
