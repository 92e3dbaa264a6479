"""Codes work once, over all workers; the database holds none that works; changes are recorded and mailed."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core import serializers
from django.test import Client
from django.urls import reverse

from sealstead.server.accounts import recovery, second_factor, totp
from sealstead.server.accounts.limits import TooManyAttemptsError
from sealstead.server.accounts.models import RecoveryCode, Session, User
from sealstead.server.accounts.second_factor import Kind, check_code
from sealstead.server.audit import tags
from sealstead.server.audit.models import Event

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fake_clock")]

PASSWORD = "correct horse battery"
STEP = timedelta(seconds=30)
WRONG = "000000"


@pytest.fixture
def client(alice: User) -> Client:
    client = Client()
    client.post("/account/login/", {"login": "alice", "password": PASSWORD})
    return client


def code_at(secret: str, moment: Any) -> str:
    return totp.code_of(secret, int(moment.timestamp()) // 30)


def activate(client: Client, clock: Any) -> str:
    """Set up an app through the pages and return its secret."""
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    found = re.search(r'id="totp-key"[^>]*>([A-Z2-7]+)<', page)
    assert found
    secret = found[1]
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_at(secret, clock.now())})
    assert (answer.status_code, answer.url) == (302, reverse("mfa_recovery_codes"))  # type: ignore[attr-defined]
    return secret


def make_codes(client: Client) -> list[str]:
    page = client.post(reverse("mfa_recovery_codes")).content.decode()
    return re.findall(r"\b[a-z0-9]{5}-[a-z0-9]{5}\b", page)


def enter_password() -> Client:
    client = Client()
    answer = client.post("/account/login/", {"login": "alice", "password": PASSWORD})
    assert answer.url == reverse("mfa_authenticate")  # type: ignore[attr-defined]
    return client


def enter_code(client: Client, code: str) -> bool:
    answer = client.post(reverse("mfa_authenticate"), {"code": code})
    assert answer.status_code in (200, 302)
    inside = client.get("/manage/account/").status_code == 200
    assert inside == (answer.status_code == 302)
    return inside


# RFC 6238, appendix B, SHA-1, the last six of eight digits.
RFC_SECRET = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"


@pytest.mark.parametrize(
    ("seconds", "code"),
    [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")],
)
def test_codes_are_those_of_the_rfc(seconds: int, code: str) -> None:
    assert totp.code_of(RFC_SECRET, seconds // 30) == code


def test_a_code_is_good_a_step_early_and_late(fake_clock: Any) -> None:
    now = fake_clock.now()
    assert int(now.timestamp()) % 30 == 0
    code = code_at(RFC_SECRET, now)
    tick = timedelta(microseconds=1)
    good = [
        totp.find_step(RFC_SECRET, code, at=at) is not None
        for at in (now - STEP - tick, now - STEP, now, now + 2 * STEP - tick, now + 2 * STEP)
    ]
    assert good == [False, True, True, True, False]


def test_a_code_works_once(alice: User, fake_clock: Any) -> None:
    code = code_at(RFC_SECRET, fake_clock.now())
    assert totp.use_code(alice.pk, RFC_SECRET, code, at=fake_clock.now())
    assert not totp.use_code(alice.pk, RFC_SECRET, code, at=fake_clock.move(STEP))


def test_signing_in_with_an_app(client: Client, alice: User, fake_clock: Any) -> None:
    secret = activate(client, fake_clock)
    fake_clock.move(STEP)
    fresh = enter_password()
    assert fresh.get("/manage/account/").status_code == 302, "the password alone opens nothing"
    assert not enter_code(fresh, WRONG)
    code = code_at(secret, fake_clock.now())
    assert enter_code(fresh, code)
    assert not enter_code(enter_password(), code), "used before"
    fake_clock.move(STEP)
    assert enter_code(enter_password(), code_at(secret, fake_clock.now()))


def test_the_code_that_set_the_app_up_does_not_sign_in(client: Client, fake_clock: Any) -> None:
    secret = activate(client, fake_clock)
    assert not enter_code(enter_password(), code_at(secret, fake_clock.now()))


def test_setting_up_needs_a_right_code_and_a_confirmed_address(
    client: Client, alice: User, fake_clock: Any
) -> None:
    client.get(reverse("mfa_activate_totp"))
    assert client.post(reverse("mfa_activate_totp"), {"code": WRONG}).status_code == 200
    alice.emailaddress_set.update(verified=False)  # type: ignore[attr-defined]
    page = client.get(reverse("mfa_activate_totp")).content.decode()
    secret = re.search(r'id="totp-key"[^>]*>([A-Z2-7]+)<', page)
    assert secret
    answer = client.post(reverse("mfa_activate_totp"), {"code": code_at(secret[1], fake_clock.now())})
    assert answer.status_code == 200
    assert not Authenticator.objects.exists()


def test_the_database_holds_no_secret_of_an_app(client: Client, alice: User, fake_clock: Any) -> None:
    secret = activate(client, fake_clock)
    row = Authenticator.objects.get()
    dump = serializers.serialize("json", [row, *Session.objects.all()])
    assert secret not in dump
    assert totp.open_secret(alice.pk, row.data["secret"]) == secret


def test_a_secret_moved_to_another_account_does_not_open(client: Client, fake_clock: Any) -> None:
    secret = activate(client, fake_clock)
    fake_clock.move(STEP)
    victim = User.objects.create_user("victim")
    Authenticator.objects.update(user=victim)
    assert check_code(victim, code_at(secret, fake_clock.now()), at=fake_clock.now()) is None


def test_recovery_codes_are_shown_once_and_work_once(
    client: Client, alice: User, fake_clock: Any, mails: list[Any]
) -> None:
    activate(client, fake_clock)
    codes = make_codes(client)
    assert len(set(codes)) == recovery.COUNT
    again = client.get(reverse("mfa_recovery_codes")).content.decode()
    assert not any(code in again for code in codes)
    written = f" {codes[0].upper().replace('-', ' ').replace('0', 'O')} "
    assert enter_code(enter_password(), written)
    assert not enter_code(enter_password(), codes[0])
    assert recovery.remaining(alice) == recovery.COUNT - 1
    assert Event.objects.get(tag=tags.RECOVERY_CODE_USED).details == {"left": 9}
    assert mails[-1].subject == "A recovery code was used"
    assert "9 are left" in mails[-1].body


def test_the_database_holds_no_recovery_code(client: Client, fake_clock: Any, mails: list[Any]) -> None:
    activate(client, fake_clock)
    codes = make_codes(client)
    dump = serializers.serialize(
        "json", [*RecoveryCode.objects.all(), *Session.objects.all(), *Event.objects.all()]
    )
    mailed = "".join(mail.body for mail in mails)
    for code in codes:
        for form in (code, code.replace("-", "")):
            assert form not in dump
            assert form not in mailed


def test_new_recovery_codes_end_the_old_ones(client: Client, fake_clock: Any) -> None:
    activate(client, fake_clock)
    old, new = make_codes(client), make_codes(client)
    assert not enter_code(enter_password(), old[0])
    assert enter_code(enter_password(), new[0])


def test_a_digest_copied_to_another_account_is_no_code_there(alice: User, fake_clock: Any) -> None:
    (code, *_) = recovery.issue_codes(alice, at=fake_clock.now())
    thief = User.objects.create_user("thief")
    RecoveryCode.objects.update(user=thief)
    assert not recovery.use_code(thief, code, at=fake_clock.now())


def test_codes_of_a_lost_master_key_are_refused(alice: User, fake_clock: Any) -> None:
    (code, *_) = recovery.issue_codes(alice, at=fake_clock.now())
    RecoveryCode.objects.update(key_id="00" * 8)
    assert not recovery.use_code(alice, code, at=fake_clock.now())


def test_guessing_codes_is_limited(alice: User, fake_clock: Any) -> None:
    codes = recovery.issue_codes(alice, at=fake_clock.now())
    for _ in range(second_factor.PER_QUARTER):
        assert check_code(alice, WRONG, at=fake_clock.now()) is None
    with pytest.raises(TooManyAttemptsError):
        check_code(alice, codes[0], at=fake_clock.now())
    assert recovery.remaining(alice) == recovery.COUNT
    fake_clock.move(timedelta(minutes=15))
    assert check_code(alice, codes[0], at=fake_clock.now()) is Kind.RECOVERY_CODE


def test_guessing_codes_slowly_is_limited_too(alice: User, fake_clock: Any) -> None:
    for number in range(second_factor.PER_DAY):
        if number and number % second_factor.PER_QUARTER == 0:
            fake_clock.move(timedelta(minutes=15))
        check_code(alice, WRONG, at=fake_clock.now())
    fake_clock.move(timedelta(minutes=15))
    with pytest.raises(TooManyAttemptsError):
        check_code(alice, WRONG, at=fake_clock.now())


def test_too_many_codes_answer_429(client: Client, fake_clock: Any) -> None:
    activate(client, fake_clock)
    fresh = enter_password()
    answers = [fresh.post(reverse("mfa_authenticate"), {"code": WRONG}) for _ in range(11)]
    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[-1]["Retry-After"] == "900"
    refused = Event.objects.filter(tag=tags.SIGN_IN_REFUSED)
    assert {event.code for event in refused} == {"wrong-code"}


def test_removing_the_app_ends_recovery_codes_and_is_told(
    client: Client, alice: User, fake_clock: Any, mails: list[Any]
) -> None:
    activate(client, fake_clock)
    make_codes(client)
    client.post(reverse("mfa_deactivate_totp"))
    assert not Authenticator.objects.exists()
    assert not RecoveryCode.objects.exists()
    told = [mail.subject for mail in mails]
    assert told == [
        "An authenticator app was added",
        "New recovery codes were made",
        "The authenticator app was removed",
    ]
    recorded = list(Event.objects.order_by("id").values_list("tag", flat=True))
    assert recorded[1:] == [tags.SECOND_FACTOR_ADDED, tags.RECOVERY_CODES_ISSUED, tags.SECOND_FACTOR_REMOVED]


@pytest.mark.parametrize(
    "name",
    ["mfa_activate_totp", "mfa_deactivate_totp", "mfa_recovery_codes", "mfa_add_webauthn"],
)
def test_changes_ask_again_who_is_there_after_half_an_hour(
    client: Client, fake_clock: Any, name: str
) -> None:
    if name != "mfa_activate_totp":
        activate(client, fake_clock)
    fake_clock.move(timedelta(minutes=30) - timedelta(seconds=1))
    assert client.get(reverse(name)).status_code == 200
    fake_clock.move(timedelta(seconds=1))
    answer = client.get(reverse(name))
    assert answer.status_code == 302
    assert "reauthenticate" in answer.url  # type: ignore[attr-defined]
    assert client.post(answer.url, {"password": "wrong horse"}).status_code == 200  # type: ignore[attr-defined]
    assert client.get(reverse(name)).status_code == 302
    back = client.post(answer.url, {"password": PASSWORD})  # type: ignore[attr-defined]
    assert back.url == reverse(name)  # type: ignore[attr-defined]
    assert client.get(reverse(name)).status_code == 200


def test_a_code_also_tells_who_is_there(client: Client, fake_clock: Any) -> None:
    secret = activate(client, fake_clock)
    fake_clock.move(timedelta(hours=1))
    ask = reverse("mfa_reauthenticate") + "?next=" + reverse("mfa_recovery_codes")
    assert client.post(ask, {"code": WRONG}).status_code == 200
    assert client.get(reverse("mfa_recovery_codes")).status_code == 302
    back = client.post(ask, {"code": code_at(secret, fake_clock.now())})
    assert back.url == reverse("mfa_recovery_codes")  # type: ignore[attr-defined]
    assert client.get(reverse("mfa_recovery_codes")).status_code == 200
