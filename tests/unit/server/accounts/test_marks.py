from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sealstead.server.accounts import marks
from sealstead.server.accounts.models import OneTimeMark

pytestmark = pytest.mark.django_db

AT = datetime(2026, 1, 1, 12, 0, tzinfo=UTC)


def test_only_the_first_use_counts() -> None:
    assert marks.use_once("totp", "alice:1", expires_at=AT)
    assert not marks.use_once("totp", "alice:1", expires_at=AT + timedelta(days=1))


def test_purposes_and_values_do_not_run_together() -> None:
    assert marks.use_once("ab", "c", expires_at=AT)
    assert marks.use_once("a", "bc", expires_at=AT)
    assert marks.use_once("ab", "d", expires_at=AT)


def test_a_mark_is_kept_until_it_is_of_no_use() -> None:
    marks.use_once("totp", "1", expires_at=AT)
    assert marks.clear_expired(AT) == 0
    assert marks.clear_expired(AT + timedelta(microseconds=1)) == 1
    assert OneTimeMark.objects.count() == 0
