"""Mails before something ends: once, in time, and only to whom wants them."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from tests.api_keys import SIGNER, IssueKey, bearer
from tests.tokens import ORIGIN, T0, Issue

from sealstead.secret import Secret
from sealstead.server import housekeeping
from sealstead.server.accounts.disable import disable_user
from sealstead.server.accounts.mail_kinds import MailKind, choose, kinds_for
from sealstead.server.accounts.models import User
from sealstead.server.accounts.reminders import first_to_run, register, send_due
from sealstead.server.credentials.api_keys import judge_api_key, write_key_uses
from sealstead.server.credentials.change import set_enabled
from sealstead.server.credentials.models import Credential
from sealstead.server.credentials.rotate_key import rotate_api_key_for

pytestmark = pytest.mark.django_db(transaction=True)
END = T0 + timedelta(days=90)
DAY = timedelta(days=1)


def sent(at: datetime) -> list[str]:
    """The subjects of what is sent at this moment."""
    mail.outbox.clear()
    send_due(at)
    return [one.subject for one in mail.outbox]


def rotate(row: Credential, at: datetime, overlap: timedelta = 7 * DAY) -> Credential:
    return rotate_api_key_for(
        row, actor=row.owner, overlap=overlap, idempotency_key="", at=at, origin=ORIGIN
    )[0]


def use(key: Secret[str], at: datetime) -> None:
    write_key_uses([judge_api_key(bearer(key), at=at, origin=SIGNER).use(SIGNER)])


def test_a_key_that_expires_is_told_of_a_week_before_and_a_day_before(issue_key: IssueKey) -> None:
    row, _ = issue_key()
    end = END.replace(microsecond=0)
    assert sent(end - 7 * DAY - timedelta(seconds=1)) == []
    assert sent(end - 7 * DAY) == ["API key expires soon: ci"]
    assert mail.outbox[0].to == ["alice@example.org"]
    assert f"/manage/account/token/{row.pk}/" in mail.outbox[0].body
    assert "2027-01-30 12:00 UTC" in mail.outbox[0].body
    assert sent(end - 6 * DAY) == []
    assert sent(end - DAY) == ["API key expires soon: ci"]
    assert sent(end - timedelta(hours=1)) == []
    assert sent(end) == []


def test_a_server_that_slept_sends_the_later_mail_alone(issue_key: IssueKey) -> None:
    issue_key()
    assert sent(END - timedelta(hours=3)) == ["API key expires soon: ci"]
    assert sent(END - timedelta(hours=2)) == []


def test_tokens_are_told_of_too_and_short_lives_are_not(issue: Issue, issue_key: IssueKey) -> None:
    issue(name="long", expires_at=END)
    issue(name="short", expires_at=T0 + 8 * DAY)
    issue_key(name="shorter", expires_at=T0 + timedelta(hours=30))
    assert sent(T0 + timedelta(hours=3)) == []
    assert sent(T0 + 7 * DAY + timedelta(hours=12)) == ["API token expires soon: short"]
    assert sent(END - timedelta(days=2)) == ["API token expires soon: long"]


def test_nothing_is_said_of_what_is_replaced_disabled_or_closed(issue_key: IssueKey, alice: User) -> None:
    replaced, _ = issue_key(name="replaced")
    rotate(replaced, END - 8 * DAY)
    disabled, _ = issue_key(name="disabled")
    set_enabled(disabled, False, actor=alice, at=T0, origin=ORIGIN)
    assert sent(END - 2 * DAY) == []
    issue_key(name="closed")
    disable_user(alice, at=T0, origin=ORIGIN)
    assert sent(END - 2 * DAY) == []


def test_an_old_key_still_in_use_is_told_of_a_day_before_its_end(issue_key: IssueKey) -> None:
    row, old = issue_key()
    rotate(row, T0)
    use(old, T0 + timedelta(days=6))
    assert sent(T0 + 6 * DAY - timedelta(seconds=1)) == []
    assert sent(T0 + 6 * DAY) == ["Old API key ends within a day and is still in use: ci"]
    assert "- 192.0.2.9, last 2026-11-07 12:00 UTC" in mail.outbox[0].body
    assert sent(T0 + 6 * DAY + timedelta(hours=1)) == []


def test_an_old_key_that_came_to_rest_is_not(issue_key: IssueKey) -> None:
    row, old = issue_key()
    use(old, T0)
    rotate(row, T0)
    use(old, T0 + 2 * DAY)
    assert sent(T0 + 6 * DAY + timedelta(hours=1)) == []


def test_uses_within_a_short_overlap_are_expected(issue_key: IssueKey) -> None:
    row, old = issue_key()
    rotate(row, T0, DAY)
    use(old, T0 + timedelta(hours=1))
    assert sent(T0 + timedelta(hours=2)) == []


def test_each_person_and_the_operator_can_switch_a_kind_off(
    issue_key: IssueKey, alice: User, settings: Any
) -> None:
    issue_key()
    choose(alice, [MailKind.OLD_KEY_IN_USE.value, "nonsense"])
    assert sent(END - 5 * DAY) == []
    choose(alice, [MailKind.KEY_EXPIRY.value])
    assert sent(END - 12 * timedelta(hours=1)) == ["API key expires soon: ci"]
    assert MailKind.CERTIFICATE_EXPIRY not in kinds_for(alice)
    settings.SEALSTEAD = replace(settings.SEALSTEAD, mails_off=("key-expiry",))
    assert MailKind.KEY_EXPIRY not in kinds_for(alice)
    issue_key(name="other", expires_at=END + 9 * DAY)
    assert sent(END + 8 * DAY) == []


def test_a_source_that_fails_leaves_the_others_alone(issue_key: IssueKey) -> None:
    from sealstead.server.accounts import reminders

    def broken(_: datetime) -> list[Any]:
        raise RuntimeError("broken")

    issue_key()
    register("aaa", broken)
    try:
        assert sent(END - 5 * DAY) == ["API key expires soon: ci"]
    finally:
        del reminders._sources["aaa"]


def test_one_of_all_workers_has_the_turn(settings: Any, fake_clock: Any) -> None:
    assert first_to_run(T0, timedelta(minutes=10))
    assert not first_to_run(T0 + timedelta(seconds=1), timedelta(minutes=10))
    assert first_to_run(T0 + timedelta(minutes=10), timedelta(minutes=10))
    assert housekeeping.run_once()
    assert not housekeeping.run_once()
    fake_clock.move(timedelta(minutes=10))
    assert housekeeping.run_once()


def test_the_account_page_has_the_switches(client: Any, alice: User) -> None:
    client.force_login(alice)
    page = client.get("/manage/account/").content.decode()
    assert 'value="key-expiry" checked' in page
    assert "certificate-expiry" not in page
    client.post("/manage/account/mails/", {"wanted": ["second-rotation"]})
    page = client.get("/manage/account/").content.decode()
    assert 'value="key-expiry">' in page
    assert 'value="second-rotation" checked' in page
